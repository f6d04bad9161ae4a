import { cpuMs, descendantsCpuMs, isMeasurable, processTree, pssBytes } from "./parts/processes.ts";
import { noDurations, resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack } from "./parts/stack.ts";
import { round } from "./parts/statistics.ts";

const megabyte = 1_048_576;
/**
 * A session of PostgreSQL tells its counts up to 10 s after it became idle. And its autovacuum, whose transactions count,
 * looks each 30 s at what the runs before the measurement left: the short form may have this in it.
 */
const settleMs = { short: 11_000, full: 42_000 };

export const idle: Bench = {
  name: "idle",
  measures:
    "server, database and worker after some runs, with nothing to do: transactions/s, CPU s/min of all processes, PSS of all but the worker's warm children",
  doesNotMeasure: [
    "the warm children, whose memory is that of the project's own code (told apart)",
    "the command line's process: server and worker stand in two processes here, in one with `millrace dev`",
  ],
  run: async ({ short }) => {
    if (!isMeasurable) throw new Error("idle reads /proc, which only Linux has");
    const ms = short ? 10_000 : 30_000;
    await using stack = await Stack.start();
    await compileOnce(stack);
    const { server, worker } = await stack.startAll("real");
    for (let run = 0; run < 5; run += 1) await server.api.finished(await server.api.startRun("chain"));
    await wait(short ? settleMs.short : settleMs.full);
    const postgres = processTree(stack.postgres.pid());
    const children = processTree(worker.pid).slice(1);
    const roots = [server.pid, worker.pid, stack.postgres.pid()];
    const cpu = (): number => roots.reduce((sum, pid) => sum + cpuMs(pid) + descendantsCpuMs(pid), 0);
    const before = { cpu: cpu(), transactions: await transactions(stack) };
    await wait(ms);
    const after = { cpu: cpu(), transactions: await transactions(stack) };
    const memory = (pids: readonly number[]): number =>
      Math.round(pids.reduce((sum, pid) => sum + pssBytes(pid), 0) / megabyte);
    const numbers = {
      ...noDurations,
      // The first count and the connection that asks it are transactions too.
      queriesPerSecond: round(Math.max(0, after.transactions - before.transactions - 1) / (ms / 1_000)),
      cpuSecondsPerMinute: round(((after.cpu - before.cpu) / ms) * 60),
      pssMb: memory([server.pid, worker.pid, ...postgres]),
      pssMbOf: {
        server: memory([server.pid]),
        worker: memory([worker.pid]),
        postgres: memory(postgres),
        children: memory(children),
      },
    };
    return await resultOf(stack, "idle", numbers, realIsolation);
  },
};

/** Code is compiled at the first start on a machine and kept: a process that read and compiled the sources is larger by 30 MB. */
async function compileOnce(stack: Stack): Promise<void> {
  const { server, worker } = await stack.startAll("real");
  await worker.stop();
  await server.stop();
}

async function transactions(stack: Stack): Promise<number> {
  const [row] = await stack.query<{ count: number }>(
    "select (xact_commit + xact_rollback)::float8 as count from pg_stat_database where datname = current_database()",
  );
  return row!.count;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
