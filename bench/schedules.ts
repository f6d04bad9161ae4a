import { cpuMs, descendantsCpuMs } from "./parts/processes.ts";
import { noDurations, resultOf, type Bench } from "./parts/result.ts";
import { Stack } from "./parts/stack.ts";
import { round } from "./parts/statistics.ts";

export const schedules: Bench = {
  name: "schedules",
  measures:
    "a server with many schedules of which none is due: CPU of server and database, in % of a core; and its start",
  doesNotMeasure: [
    "the runs that schedules start",
    "the deploy of so many pipelines: rows are copied from those of one that was deployed",
  ],
  run: async ({ short }) => {
    const count = short ? 20_000 : 100_000;
    const ms = short ? 10_000 : 30_000;
    await using stack = await Stack.start();
    const first = await stack.startServer();
    await stack.deploy(first);
    while ((await stack.query("select 1 from trigger_key where pipeline = 'yearly'")).length === 0)
      await wait(50);
    await first.stop();
    await stack.query(
      `insert into trigger (workspace, pipeline, shard, version, definition, activated_position, activated_at)
      select workspace, 'yearly-' || i, (i % 64)::smallint, version, definition, activated_position, activated_at
      from trigger cross join generate_series(1, ${count}) as i where pipeline = 'yearly'`,
    );
    await stack.query(
      `insert into trigger_key (workspace, pipeline, key, shard, state, firings, due_at, touched_at)
      select workspace, 'yearly-' || i, key, (i % 64)::smallint, state, firings, due_at, touched_at
      from trigger_key cross join generate_series(1, ${count}) as i where pipeline = 'yearly'`,
    );
    await stack.query("analyze");
    const begun = performance.now();
    const server = await stack.startServer();
    const startMs = performance.now() - begun;
    await wait(short ? 12_000 : 42_000);
    const cpu = (): number => cpuMs(server.pid) + descendantsCpuMs(stack.postgres.pid());
    const before = cpu();
    await wait(ms);
    const numbers = {
      ...noDurations,
      schedules: count,
      cpuPercent: round(((cpu() - before) / ms) * 100),
      startMs: round(startMs),
    };
    return await resultOf(stack, "schedules", numbers, "none: no task runs");
  },
};

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
