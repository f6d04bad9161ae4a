/** Plans of what a grid asks: index scans within the days of its runs, however long history is. */
import { testDatabase, type TestDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "../src/connect.ts";
import { keepPartitions } from "../src/queries/maintenance.ts";
import { lastRuns } from "../src/queries/runs.ts";
import { endedNodeStates, generationStates, listGridRuns, liveNodeStates } from "../src/queries/run-grid.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const days = 12;
const isLong = process.env["MILLRACE_TEST_LONG"] !== undefined;
/** Runs of two pipelines, one of which runs rarely. */
const runs = isLong ? 1_000_000 : 50_000;
const nodes = isLong ? 20 : 10;
/** Only the newest have task runs: those that a page is of. */
const taskRuns = isLong ? 20_000_000 : 200_000;
const order = ["skipped", "succeeded", "failed"] as const;

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The last day has next to nothing, and is rightly read whole. */
const isFull = /history_202601(0\d|1[01])$/;

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  for (let day = 0; day < days; day += 4)
    await keepPartitions(db.database, { now: start + day * dayMs, retentionDays: 1_000 });
  const client = new Client({ ...db.connection, options: "-c search_path=millrace -c timezone=UTC" });
  await client.connect();
  const at = (n: string) => `timestamptz '2026-01-01' + (${n}) * interval '${days - 1} days' / ${runs}`;
  const id = (n: string) => `'r' || lpad((${n})::text, 9, '0')`;
  await client.query(`
    insert into run_history (workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, created_at, started_at, ended_at)
      select 1, ${id("n")}, 'live', n % 64, case when n % 1000 = 0 then 'rare' else 'often' end, 'main', 'b', 1,
        case when n % 50 = 0 then 'failed' else 'succeeded' end::ended_run_state, 0, ${at("n")}, ${at("n")}, ${at("n")}
      from generate_series(1, ${runs}) as n;
    insert into task_run_history (workspace, run_id, generation, node, item, state, attempt, dispatch, run_ended_at)
      select 1, ${id(`${runs} - n / ${nodes}`)}, 1, 'node' || n % ${nodes}, '', case when n % 997 = 0 then 'failed' else 'succeeded' end, 1, 1,
        ${at(`${runs} - n / ${nodes}`)}
      from generate_series(0, ${taskRuns - 1}) as n;
    insert into run (workspace, id, shard, pipeline, project, bundle, generation, state, created_at, started_at)
      select 1, 's' || lpad(n::text, 9, '0'), n % 64, case when n % 10000 = 5 then 'scarce' else 'crowd' end, 'main', 'b', 1,
        'waiting', ${at("1")}, ${at("1")}
      from generate_series(1, 20000) as n;
    analyze;
  `);
  await client.end();
}, 1_200_000);
afterAll(() => db.drop());

/** What `work` sends, as planned. */
async function plansOf(work: (database: Database) => Promise<unknown>) {
  const statements: Statement[] = [];
  const api = new Proxy(db.database.api, {
    get: (target, property) =>
      property === "query"
        ? (statement: Statement) => {
            statements.push(statement);
            return target.query({ ...statement, values: [...statement.values] });
          }
        : (Reflect.get(target, property) as unknown),
  });
  await work({ ...db.database, api });
  const client = new Client({
    ...db.connection,
    options: "-c search_path=millrace -c timezone=UTC -c jit=off -c random_page_cost=1.1",
  });
  await client.connect();
  const plans = [];
  for (const { text, values } of statements) {
    const { rows } = await client.query<{ "QUERY PLAN": unknown }>({
      text: `explain (format json, analyze, timing off) ${text}`,
      values: [...values],
    });
    plans.push(planOf(rows[0]?.["QUERY PLAN"]));
  }
  await client.end();
  return plans;
}

function planOf(plan: unknown): {
  readonly read: ReadonlySet<string>;
  readonly scanned: readonly string[];
  readonly rows: number;
} {
  const read = new Set<string>();
  const scanned: string[] = [];
  let rows = 0;
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const one of part) visit(one);
    else if (part !== null && typeof part === "object") {
      const fields = part as { readonly [name: string]: unknown };
      const relation = fields["Relation Name"];
      if (typeof relation === "string" && fields["Actual Loops"] !== 0) {
        read.add(relation);
        rows += Number(fields["Actual Rows"]) * Number(fields["Actual Loops"]);
        if (fields["Node Type"] === "Seq Scan" && isFull.test(relation)) scanned.push(relation);
      }
      for (const one of Object.values(part)) visit(one);
    }
  };
  visit(plan);
  return { read, scanned, rows };
}

test("a page of a pipeline's runs is found by its index, also of one that runs rarely", async () => {
  for (const pipeline of ["often", "rare"]) {
    const page = { pipeline, beforeId: "~", limit: 50 };
    const [plan] = await plansOf((database) => listGridRuns(database, 1, page));
    expect(plan?.scanned).toEqual([]);
    expect(plan?.rows).toBeLessThan(50 * days * 4);
    expect(await listGridRuns(db.database, 1, page)).toHaveLength(
      Math.min(50, pipeline === "rare" ? runs / 1_000 : 50),
    );
  }
});

test("the few live runs of a pipeline are found among all that are live, as is its last run", async () => {
  const page = { pipeline: "scarce", beforeId: "~", limit: 50 };
  const now = start + days * dayMs;
  const plans = await plansOf(async (database) => {
    await listGridRuns(database, 1, page);
    await lastRuns(database, 1, { pipelines: ["scarce", "none"], now });
  });
  for (const { rows } of plans) expect(rows).toBeLessThan(100);
  expect((await listGridRuns(db.database, 1, page)).map(({ id }) => id)).toEqual([
    "s000010005",
    "s000000005",
  ]);
  const last = await lastRuns(db.database, 1, { pipelines: ["scarce", "rare", "often", "none"], now });
  const id = (n: number): string => `r${String(n).padStart(9, "0")}`;
  expect(Object.fromEntries([...last].map(([pipeline, run]) => [pipeline, run.id]))).toEqual({
    often: id(runs - 1),
    rare: id(runs),
    scarce: "s000010005",
  });
});

test("states of the nodes of a page are read within the days of its runs", async () => {
  const page = await listGridRuns(db.database, 1, { pipeline: "often", beforeId: "~", limit: 50 });
  const ended = page.map(({ id, endedAt }) => ({ id, endedAt: endedAt ?? 0 }));
  const query = { order, rowsMax: 1_000 };
  const [plan] = await plansOf((database) => endedNodeStates(database, 1, ended, query));
  expect(plan?.scanned).toEqual([]);
  expect([...(plan?.read ?? [])].filter((name) => name.startsWith("task_run_history"))).toHaveLength(1);
  expect(plan?.rows).toBeLessThan(50 * nodes + 200);
  const states = await endedNodeStates(db.database, 1, ended, query);
  expect(states).toHaveLength(50);
  expect(states[0]?.rows).toBe(nodes);
  // No more rows of one run than are asked for.
  const few = await endedNodeStates(db.database, 1, ended.slice(0, 1), { order, rowsMax: 3 });
  expect(few.map(({ rows }) => rows)).toEqual([3]);
});

test("so are those of one run in a later generation, and of runs under way", async () => {
  const since = start + (days - 2) * dayMs;
  const plans = await plansOf(async (database) => {
    await generationStates(database, 1, { id: "r000000500", generation: 2, since, rowsMax: 1_000 });
    await liveNodeStates(database, 1, ["r1", "r2"], { order, rowsMax: 1_000 });
  });
  for (const { scanned } of plans) expect(scanned).toEqual([]);
});
