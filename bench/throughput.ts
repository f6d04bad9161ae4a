import { startChild } from "./parts/child.ts";
import { cpuClock } from "./parts/cpu-clock.ts";
import { cpuMs, descendantsCpuMs } from "./parts/processes.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack, type WorkerKind } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

const clients = 64;

interface Load {
  readonly durations: readonly number[];
  readonly refused: number;
}

interface Measured extends Load {
  readonly perSecond: number;
  /** CPU time in µs per finished run: what to compare on a machine that does other things as well. */
  readonly cpu: { readonly [part: string]: number };
}

export const throughput: Bench = {
  name: "throughput",
  measures:
    "small runs of one task, submitted by 64 clients over HTTP: runs that finished, per second; the durations are those of the submissions",
  doesNotMeasure: [
    "work: the task does nothing",
    "overload: the clients hold back while 500 runs are under way",
    "a machine for each part: clients, server, database and worker share the same cores",
  ],
  run: async ({ short }) => {
    const ms = short ? 4_000 : 20_000;
    await using stack = await Stack.start();
    const real = await measure(stack, "real", ms);
    const stub = await measure(stack, "stub", ms);
    const numbers = {
      ...summarize(real.durations),
      rate: round(real.perSecond),
      engineRate: round(stub.perSecond),
      cpuMicrosecondsPerRun: { real: real.cpu, stub: stub.cpu },
      refused: real.refused + stub.refused,
    };
    return await resultOf(stack, "throughput", numbers, realIsolation);
  },
};

async function measure(stack: Stack, kind: WorkerKind, ms: number): Promise<Measured> {
  const { server, worker } = await stack.startAll(kind);
  const load = startChild(new URL("./parts/load-process.ts", import.meta.url));
  const ask = (duration: number): Promise<Load> => load.ask({ url: server.url, clients, ms: duration });
  await ask(ms / 4);
  const cpu = cpuClock({
    clients: () => cpuMs(load.pid),
    server: () => cpuMs(server.pid),
    worker: () => cpuMs(worker.pid),
    children: () => descendantsCpuMs(worker.pid),
    postgres: () => descendantsCpuMs(stack.postgres.pid()),
  });
  const before = await finishedRuns(stack);
  const { durations, refused } = await ask(ms);
  const after = await finishedRuns(stack);
  const count = after.count - before.count;
  const cpuPerRun = cpu(count);
  for (const child of [load, worker, server]) await child.stop();
  return { durations, refused, perSecond: (count / (after.at - before.at)) * 1_000, cpu: cpuPerRun };
}

async function finishedRuns(stack: Stack): Promise<{ readonly count: number; readonly at: number }> {
  const [row] = await stack.query<{ count: number; at: number }>(
    `select count(*)::integer as count, (extract(epoch from clock_timestamp()) * 1000)::float8 as at
    from run_history
    where state = 'succeeded'`,
  );
  return row!;
}
