import { resultOf, type Bench } from "./parts/result.ts";
import { Stack, type ServerChild } from "./parts/stack.ts";
import { round, summarize } from "./parts/statistics.ts";

export const timers: Bench = {
  name: "timers",
  measures:
    "runs whose `wait` nodes are due, spread evenly over one hour, and many more in one second of it; the durations are how late the nodes' ends are committed, in the part of the hour that is watched",
  doesNotMeasure: [
    "the whole hour: its first minute is watched, at the rate of the hour (`watchedSeconds`)",
    "how the waits came to be: their rows are copied from those of a real run (see `waits`)",
  ],
  run: async ({ short }) => {
    const count = short ? 100_000 : 1_000_000;
    const burst = short ? 2_000 : 10_000;
    const watchedSeconds = short ? 10 : 60;
    await using stack = await Stack.start();
    const first = await stack.startServer();
    await stack.deploy(first);
    const model = await modelRun(stack, first);
    await first.stop();
    // Copying rows and starting take a while; what is left of it is waited for.
    const base = Date.now() + (short ? 30_000 : 240_000);
    await copyRuns(stack, model, { count, burst, base, burstAt: base + (watchedSeconds / 2) * 1_000 });
    const server = await stack.startServer();
    const readyEarlyMs = base - Date.now();
    if (readyEarlyMs < 1_000) throw new Error(`the rows took too long: ${-readyEarlyMs} ms late`);
    await new Promise((resolve) => setTimeout(resolve, readyEarlyMs + (watchedSeconds + 5) * 1_000));
    const until = base + watchedSeconds * 1_000;
    const late = await stack.query<{ late: number; is_burst: boolean }>(
      `select ((extract(epoch from h.ended_at) * 1000) - d.due_ms)::float8 as late, d.is_burst
      from bench_due as d
      left join task_run_history as h on h.run_id = d.run_id
      where d.due_ms < ${until}`,
    );
    const missing = late.filter((row) => row.late === null).length;
    const durations = late.filter((row) => row.late !== null).map((row) => row.late);
    const ofBurst = late.filter((row) => row.is_burst && row.late !== null).map((row) => row.late);
    const numbers = {
      ...summarize(durations),
      waits: count + burst,
      burst,
      burstLateMax: round(Math.max(...ofBurst)),
      watchedSeconds,
      due: late.length,
      missing,
    };
    await server.stop();
    return await resultOf(stack, "timers", numbers, "none: no task runs");
  },
};

/** A run that waits for what never comes, outside of memory. */
async function modelRun(stack: Stack, server: ServerChild): Promise<string> {
  const run = await server.api.startRun("sleeping");
  for (;;) {
    const rows = await stack.query(
      "select 1 from run join wait on wait.run_id = run.id where run.wake_at is not null",
    );
    if (rows.length > 0) return run;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Wanted {
  readonly count: number;
  readonly burst: number;
  readonly base: number;
  readonly burstAt: number;
}

async function copyRuns(stack: Stack, model: string, { count, burst, base, burstAt }: Wanted): Promise<void> {
  await stack.query(
    `create table bench_due as
    select i, 'b' || lpad(i::text, 20, '0') as run_id, i > ${count} as is_burst,
      case when i > ${count} then ${burstAt} + random() * 1000 else ${base} + (i - 1) * (3600000.0 / ${count}) end as due_ms
    from generate_series(1, ${count + burst}) as i`,
  );
  const columns = async (table: string): Promise<string[]> =>
    (
      await stack.query<{ name: string }>(
        `select column_name as name from information_schema.columns where table_name = '${table}' and is_generated = 'NEVER'`,
      )
    ).map(({ name }) => name);
  const copied = async (
    table: string,
    changed: { readonly [column: string]: string },
    key: string,
  ): Promise<void> => {
    const names = await columns(table);
    const values = names.map((name) => changed[name] ?? `m.${name}`);
    await stack.query(
      `insert into ${table} (${names.join(", ")}) select ${values.join(", ")}
      from bench_due as d cross join ${table} as m where m.${key} = '${model}'`,
    );
  };
  const shard = "(d.i % 64)::smallint";
  const due = "to_timestamp(d.due_ms / 1000)";
  await copied("run", { id: "d.run_id", shard }, "id");
  await copied("task_run", { run_id: "d.run_id" }, "run_id");
  await copied(
    "wait",
    { id: "1000000000000 + d.i", run_id: "d.run_id", shard, due_at: due, timeout_at: due },
    "run_id",
  );
  await stack.query("analyze");
}
