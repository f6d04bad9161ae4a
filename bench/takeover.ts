import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerInfo } from "@millrace/protocol";
import { resultOf, type Bench } from "./parts/result.ts";
import { realIsolation, Stack, type ServerChild } from "./parts/stack.ts";
import { summarize } from "./parts/statistics.ts";

const taskCount = 20;

/** What a task says before it returns. */
interface Entry {
  readonly runId: string;
  readonly node: string;
  readonly attempt: number;
  readonly key: string;
}

export const takeover: Bench = {
  name: "takeover",
  measures:
    "two servers with a worker each under load, one is killed (kill −9): from the kill to each affected run's next transition; `max` is the last one's",
  doesNotMeasure: [
    "a lost machine or network: the killed process's connections close at once",
    "repeated attempts as doubled: tasks run at least once; doubled is what is recorded twice",
  ],
  run: async ({ short }) => {
    await using stack = await Stack.start();
    const ledger = join(stack.folder, "ledger");
    writeFileSync(ledger, "");
    const environment = { MILLRACE_BENCH_LEDGER: ledger };
    const killed = await stack.startServer();
    await stack.deploy(killed);
    const other = await stack.startServer();
    for (const server of [killed, other]) await stack.startWorker(server, "real", environment);
    for (const server of [killed, other]) await waitUntil(() => holdsShards(server));
    const ids = await submit([killed, other], short ? 100 : 400);
    const affected = await liveRunsOf(stack, killed);
    if (affected.length === 0) throw new Error("the load was over before the kill");
    const begun = performance.now();
    await killed.kill();
    // Only what happens after the process is gone counts: until then it may have moved its runs itself.
    const gone = await databaseNow(stack);
    const killedAt = gone - (performance.now() - begun);
    ids.push(...(await submit([other], 20)));
    await waitUntil(async () => (await unfinished(stack)) === 0);
    const delays = await nextTransitions(stack, affected, { gone, killedAt });
    const audit = await compare(stack, ids, ledger);
    return await resultOf(
      stack,
      "takeover",
      { ...summarize(delays), affected: affected.length, ...audit },
      realIsolation,
    );
  },
};

/** Chains at once, on the servers in turn; an answer means that the run is committed. */
async function submit(servers: readonly ServerChild[], count: number): Promise<string[]> {
  const runs = Array.from({ length: count }, (_, index) =>
    servers[index % servers.length]!.api.startRun("recorded"),
  );
  return Promise.all(runs);
}

/** Takes runs: its shards are loaded. */
async function holdsShards(server: ServerChild): Promise<boolean> {
  return (await server.api.send<ServerInfo>("GET", "/info")).shards > 0;
}

async function databaseNow(stack: Stack): Promise<number> {
  const [row] = await stack.query<{ now: number }>("select clock_timestamp() as now");
  return row!.now;
}

async function liveRunsOf(stack: Stack, server: ServerChild): Promise<string[]> {
  const rows = await stack.query<{ id: string }>(
    `select run.id
    from run
    join shard on shard.shard = run.shard
    join node on node.id = shard.node_id
    where node.name = '${server.name}'`,
  );
  return rows.map((row) => row.id);
}

async function unfinished(stack: Stack): Promise<number> {
  const [row] = await stack.query<{ count: number }>("select count(*)::integer as count from run");
  return row!.count;
}

/** The first start or end of one of a run's tasks after the kill. */
async function nextTransitions(
  stack: Stack,
  runIds: readonly string[],
  { gone, killedAt }: { readonly gone: number; readonly killedAt: number },
): Promise<number[]> {
  const rows = await stack.query<{ run_id: string; at: number }>(
    `select run_id, extract(epoch from min(least(
        case when started_at > to_timestamp(${gone} / 1000.0) then started_at end,
        case when ended_at > to_timestamp(${gone} / 1000.0) then ended_at end
      )))::float8 * 1000 as at
    from task_run_history
    group by run_id`,
  );
  const at = new Map(rows.map((row) => [row.run_id, row.at]));
  return runIds.flatMap((id) => {
    const next = at.get(id);
    // Without one the run was over when it was looked at and had only its own row to move.
    return next === undefined || next === null ? [] : [next - killedAt];
  });
}

/** Recorded runs against what was accepted, and recorded tasks against what the tasks themselves wrote down. */
async function compare(
  stack: Stack,
  ids: readonly string[],
  ledger: string,
): Promise<{
  readonly runs: number;
  readonly lost: number;
  readonly doubled: number;
  readonly repeatedAttempts: number;
}> {
  const rows = await stack.query<{ id: string; state: string; tasks: number; nodes: number }>(
    `select run_history.id, run_history.state, count(t.node)::integer as tasks, count(distinct t.node)::integer as nodes
    from run_history
    left join task_run_history as t on t.workspace = run_history.workspace and t.run_id = run_history.id
    group by run_history.id, run_history.ended_at, run_history.state`,
  );
  const entries = readFileSync(ledger, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
  const done = new Set(entries.map(({ runId, node }) => `${runId}/${node}`));
  const doneIn = Map.groupBy(done, (name) => name.slice(0, name.indexOf("/")));
  const recorded = Map.groupBy(rows, (row) => row.id);
  let lost = 0;
  let doubled = 0;
  for (const id of ids) {
    const [row, ...more] = recorded.get(id) ?? [];
    const complete =
      row?.state === "succeeded" && row.nodes === taskCount && doneIn.get(id)?.length === taskCount;
    if (!complete) lost += 1;
    doubled += more.length + (row ? row.tasks - row.nodes : 0);
  }
  return { runs: ids.length, lost, doubled, repeatedAttempts: entries.length - done.size };
}

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 60_000;
  while (!(await isTrue())) {
    if (performance.now() > until) throw new Error("waited a minute in vain");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
