/** What the first page asks for looks at few rows, whatever there is: runs and waits by the million, a long log. */
import { testDatabase, type TestDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../src/connect.ts";
import { countBySource, newestOutside, positionsAt } from "../src/queries/event-pace.ts";
import { lastUpdates, runsBesideUsual } from "../src/queries/late.ts";
import { findLimitHolders, findLimitUses, listAwaitedLimits } from "../src/queries/limit-uses.ts";
import { keepPartitions } from "../src/queries/maintenance.ts";
import {
  countLive,
  countOffers,
  fatesOf,
  firstErrors,
  listCalendarTriggers,
  listPaused,
  endedBlocks,
  newestLive,
  recoveredPipelines,
  sampleEnded,
  sampleWaits,
} from "../src/queries/overview.ts";
import { listPools } from "../src/queries/pools.ts";
import { listToldAssets, searchPipelines, searchRuns } from "../src/queries/search.ts";
import { listWorkers } from "../src/queries/workers.ts";

const hourMs = 3_600_000;
const now = Date.UTC(2026, 0, 10, 12);

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

function recorded(database: Database): { readonly database: Database; readonly statements: Statement[] } {
  const statements: Statement[] = [];
  const api = new Proxy(database.api, {
    get: (target, property) =>
      property === "query"
        ? (statement: Statement) => {
            statements.push(statement);
            return target.query({ ...statement, values: [...statement.values] });
          }
        : (Reflect.get(target, property) as unknown),
  });
  return { database: { ...database, api }, statements };
}

/** Rows that the scans of a plan looked at, those that a filter refused included. */
async function looked(client: Client, { text, values }: Statement): Promise<number> {
  const { rows } = await client.query<{ "QUERY PLAN": unknown }>({
    text: `explain (format json, analyze, timing off) ${text}`,
    values: [...values],
  });
  let total = 0;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const entry of node) visit(entry);
    else if (node !== null && typeof node === "object") {
      const fields = node as { readonly [name: string]: unknown };
      const loops = Number(fields["Actual Loops"] ?? 0);
      const refused =
        Number(fields["Rows Removed by Filter"] ?? 0) + Number(fields["Rows Removed by Index Recheck"] ?? 0);
      if (fields["Relation Name"] !== undefined) total += (Number(fields["Actual Rows"]) + refused) * loops;
      for (const entry of Object.values(node)) visit(entry);
    }
  };
  visit(rows[0]?.["QUERY PLAN"]);
  return Math.round(total);
}

/** Most runs wait, some run; one pool and one queue that all want; half of the history ended in the last hours. */
async function fill(db: TestDatabase, count: number): Promise<void> {
  for (let day = 0; day <= 12; day += 4)
    await keepPartitions(db.database, { now: now - (8 - day) * 24 * hourMs, retentionDays: 1_000 });
  const client = new Client({ ...db.connection, options: "-c search_path=millrace -c timezone=UTC" });
  await client.connect();
  const rows = `generate_series(1, ${count}) as n`;
  const id = `'r' || lpad(n::text, 16, '0')`;
  const at = `timestamptz '${new Date(now).toISOString()}' - (${count} - n) * interval '48 hours' / ${count}`;
  await client.query(`
    insert into run (workspace, id, shard, pipeline, project, bundle, generation, state, created_at, started_at, wake_at)
      select 1, ${id}, n % 64, 'p' || n % 7, 'main', 'b', 1,
        case when n % 1000 = 0 then 'running' when n % 3 = 0 then 'queued' else 'waiting' end, ${at},
        case when n % 1000 = 0 or n % 3 <> 0 then ${at} end,
        case when n % 1000 <> 0 and n % 3 <> 0 then ${at} end
      from ${rows};
    insert into task_run (workspace, run_id, node, item, generation, state, attempt, dispatch)
      select 1, ${id}, 'a', '', 1, 'queued', 1, 0 from ${rows};
    insert into wait (id, workspace, shard, run_id, node, item, generation, name, occurrence, began_at, told_to, condition)
      select n, 1, n % 64, ${id}, 'a', '', 1, '', 1, ${at}, 0, '{"kind":"event","type":"t"}' from ${rows};
    insert into limit_request (workspace, kind, name, holder, shard, reply_shard, run_id, slots, limit_slots, rank)
      select 1, case when n % 2 = 0 then 'pool' else 'pipeline' end, 'l' || n % 3, 'h' || n, 1, 1, ${id}, 1, 1, n from ${rows};
    insert into offer (workspace, run_id, node, item, generation, dispatch, queue, node_id, shard)
      select 1, ${id}, 'a', '', 1, 1, 'q' || n % 3, 7, n % 64 from ${rows};
    insert into run_history (
        workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, created_at, started_at, ended_at
      )
      select 1, 'r' || lpad(n::text, 16, '0') || 'e', 'live', 1, 'p' || n % 7, 'main', 'b', 1,
        case when n % 100 = 0 then 'failed' else 'succeeded' end, 0, ${at}, ${at}, ${at}
      from ${rows};
    insert into event_log (workspace, position, recorded_at, retention, lane, source, id, type, subject, data)
      select 1, n, ${at}, case when n % 10 = 0 then 3 else 2 end, 'live', case when n % 2 = 0 then 'millrace' else '/s' end,
        'e' || n, 'type' || n % 50, 's', '{"n":1}'
      from ${rows};
    insert into log_mark (workspace, position, recorded_at)
      select 1, min(position), min(recorded_at) from event_log group by recorded_at::date, position / 4096;
    insert into event_identity (workspace, source, id, position, content_hash, recorded_at)
      values (1, '/s', 'e1', 1, 1, now()), (1, '/t', 'e1', 1, 1, now());
    insert into log_head (workspace, position, clock, node_id, flush)
      select 1, ${count}, timestamptz '${new Date(now).toISOString()}', 1, 1;
  `);
  await client.query("vacuum analyze");
  await client.end();
}

const sizes = process.env["MILLRACE_TEST_LONG"] === undefined ? [20_000] : [20_000, 1_000_000];

describe.each(sizes)("with %i rows in each table", (size) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await testDatabase();
    await fill(db, size);
  }, 600_000);
  afterAll(() => db.drop());

  const lastRun = `r${String(size - 1_000).padStart(16, "0")}e`;
  /** The last hours of 48 in sixty stretches: most runs of each are left out. */
  const bounds = Array.from(
    { length: 61 },
    (_, at) => `r${String(Math.round(size * (1 - (61 - at) / 960))).padStart(16, "0")}`,
  );
  /** What each may look at: a few thousand rows, which take some milliseconds. */
  const asked: {
    readonly [name: string]: readonly [ask: (database: Database) => Promise<unknown>, bound: number];
  } = {
    "the counts of what is live": [(database) => countLive(database, 1), 7_000],
    "the newest runs that wait": [
      (database) => newestLive(database, 1, { state: "waiting", limit: 100 }),
      7_000,
    ],
    "runs that are quarantined, of which there is none": [
      (database) => newestLive(database, 1, { state: "quarantined", limit: 3 }),
      10,
    ],
    "some ended runs of each stretch": [
      (database) => sampleEnded(database, 1, { since: now - 3 * hourMs, bounds, most: 500, each: 8 }),
      2_000,
    ],
    "ended runs by id": [
      (database) => endedBlocks(database, 1, { ids: [lastRun, "other"], since: now - 12 * hourMs }),
      10,
    ],
    "what became of runs that failed": [
      (database) => fatesOf(database, 1, { ids: [lastRun, "other"], since: now - 12 * hourMs }),
      10,
    ],
    "their first errors": [
      (database) => firstErrors(database, 1, { ids: [lastRun, "other"], since: now - 12 * hourMs }),
      2_000,
    ],
    "whether pipelines have recovered": [
      (database) =>
        recoveredPipelines(database, 1, {
          failed: [
            { pipeline: "p1", run: lastRun },
            { pipeline: "none", run: lastRun },
          ],
          since: now - 12 * hourMs,
        }),
      100,
    ],
    "a sample of waits": [(database) => sampleWaits(database, 1, 500), 3_100],
    "offered task runs": [(database) => countOffers(database, 1), 3_100],
    "paused pipelines": [(database) => listPaused(database, 1, 20), 10],
    "triggers of calendars": [(database) => listCalendarTriggers(database, 1, 20), 10],
    "positions of the log at instants": [
      (database) =>
        positionsAt(
          database,
          1,
          Array.from({ length: 61 }, (_, at) => now - at * 3 * 60_000),
        ),
      // Up to 4,096 entries between two marks for each, seldom so many.
      61 * 4_200,
    ],
    "the newest events from outside": [
      (database) => newestOutside(database, 1, { after: 0, since: now - hourMs, looked: 5_000, limit: 200 }),
      5_100,
    ],
    "limits that are waited for": [(database) => listAwaitedLimits(database, 1, 200), 7_000],
    "who waits for a pool": [
      (database) => findLimitUses(database, 1, { kind: "pool", name: "l1", limit: 50 }),
      1_200,
    ],
    "who holds limits": [
      (database) =>
        findLimitHolders(database, 1, {
          limits: [
            { kind: "pool", name: "l1" },
            { kind: "key", name: "x" },
          ],
          each: 4,
        }),
      10,
    ],
    "pipelines by a part of their name": [
      (database) => searchPipelines(database, 1, { text: "p", limit: 7 }),
      10,
    ],
    "assets by their names": [(database) => listToldAssets(database, 1), 10],
    "runs by the beginning of their id": [
      (database) =>
        searchRuns(database, 1, {
          from: lastRun.slice(0, -4),
          to: `${lastRun.slice(0, -4)}~`,
          since: now - 48 * hourMs,
          limit: 7,
        }),
      200,
    ],
    "events by source": [
      (database) =>
        countBySource(database, 1, {
          bounds: [size - 4_000, size - 2_000, size],
          since: now - 12 * hourMs,
          sourcesMax: 12,
          each: 500,
        }),
      2_200,
    ],
    "runs beside those before them": [
      (database) => runsBesideUsual(database, 1, { before: now, since: now - 48 * hourMs, least: 3 }),
      3_000,
    ],
    "last updates of assets": [(database) => lastUpdates(database, 1, ["a", "b"]), 10],
    pools: [(database) => listPools(database, 1), 3_300],
    workers: [(database) => listWorkers(database, 1), 10],
  };
  test.each(Object.entries(asked))("%s cost a bounded look", async (_name, [ask, bound]) => {
    const { database, statements } = recorded(db.database);
    await ask(database);
    const client = new Client({
      ...db.connection,
      options: "-c search_path=millrace -c timezone=UTC -c jit=off -c random_page_cost=1.1",
    });
    await client.connect();
    try {
      expect(statements.length).toBeGreaterThan(0);
      for (const statement of statements) {
        const rows = await looked(client, statement);
        expect([statement.name, rows, rows <= bound]).toEqual([statement.name, rows, true]);
      }
    } finally {
      await client.end();
    }
  });

  test("of too many ended runs some of each stretch come, of few all", async () => {
    const since = now - 12 * hourMs;
    const thinned = await sampleEnded(db.database, 1, { since, bounds, most: 500, each: 2 });
    expect(thinned.isThinned).toBe(true);
    const within = thinned.runs.filter(({ id }) => id >= bounds[0]!);
    expect(within.length).toBe(120);
    for (const [at, from] of bounds.slice(0, -1).entries())
      expect(within.filter(({ id }) => id >= from && id < bounds[at + 1]!).length).toBe(2);
    const all = await sampleEnded(db.database, 1, { since, bounds: bounds.slice(-3), most: size, each: 2 });
    expect(all.isThinned).toBe(false);
    expect(all.runs.filter(({ id }) => id >= bounds.at(-3)!).length).toBeGreaterThan(40);
  });

  test("positions at instants are those of the entries before", async () => {
    const instants = [
      now - 40 * hourMs,
      now - 5 * hourMs - 1_234,
      now - 60_000,
      now - 72 * hourMs,
      now + hourMs,
    ];
    const found = await positionsAt(db.database, 1, instants);
    const { rows } = await db.database.api.query<{ position: number }>(
      `select (select count(*) from event_log where recorded_at < i.at) as position
        from unnest($1::timestamptz[]) with ordinality as i (at, n) order by n`,
      [instants.map((at) => new Date(at).toISOString())],
    );
    expect(found).toEqual(rows.map(({ position }) => position));
  });
});
