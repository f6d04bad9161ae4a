/** Plans of what reads the event log: an index in each partition that is touched, and few partitions, whatever its size. */
import { testDatabase, type TestDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../src/connect.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import { findEventPositions, listEvents, type EventFilter } from "../src/queries/events.ts";
import { blobsInUse, keepPartitions } from "../src/queries/maintenance.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const days = 12;

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Planned {
  readonly text: string;
  /** Partitions and tables that the plan reads, and those that it reads from end to end. */
  readonly relations: ReadonlySet<string>;
  readonly scanned: readonly string[];
}

/** A database whose statements are kept. */
function recorded(database: Database): { readonly database: Database; readonly statements: Statement[] } {
  const statements: Statement[] = [];
  const record = (pool: Database["api"]): Database["api"] =>
    new Proxy(pool, {
      get: (target, property) =>
        property === "query"
          ? (statement: Statement) => {
              statements.push(statement);
              return target.query({ ...statement, values: [...statement.values] });
            }
          : (Reflect.get(target, property) as unknown),
    });
  return {
    database: { ...database, api: record(database.api), engine: record(database.engine) },
    statements,
  };
}

async function planOf(client: Client, { text, values }: Statement): Promise<Planned> {
  const { rows } = await client.query<{ "QUERY PLAN": unknown }>({
    text: `explain (format json, analyze, timing off) ${text}`,
    values: [...values],
  });
  const relations = new Set<string>();
  const scanned: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const entry of node) visit(entry);
    else if (node !== null && typeof node === "object") {
      const fields = node as { "Node Type"?: string; "Relation Name"?: string; "Actual Loops"?: number };
      const relation = fields["Relation Name"];
      if (relation !== undefined && fields["Actual Loops"] !== 0) {
        relations.add(relation);
        if (fields["Node Type"] === "Seq Scan") scanned.push(relation);
      }
      for (const entry of Object.values(node)) visit(entry);
    }
  };
  visit(rows[0]?.["QUERY PLAN"]);
  return { text: text.split("\n", 1)[0]!, relations, scanned };
}

async function fill(db: TestDatabase, count: number): Promise<void> {
  for (let day = 0; day < days; day += 4)
    await keepPartitions(db.database, { now: start + day * dayMs, retentionDays: 1_000 });
  const client = new Client({ ...db.connection, options: "-c search_path=millrace -c timezone=UTC" });
  await client.connect();
  const at = `timestamptz '2026-01-01' + n * interval '${days - 1} days' / ${count}`;
  await client.query(`
    insert into event_log (workspace, position, recorded_at, retention, lane, source, id, type, subject, data, data_blob, invalid)
      select 1, n, ${at}, case when n % 10 = 0 then 3 else 2 end, 'live', '/source' || n % 7, 'e' || n, 'type' || n % 50,
        'subject' || n % 1000, '{"n":1}', case when n % 1000 = 0 then 'blob' || n end, case when n % 500 = 7 then 'why' end
      from generate_series(1, ${count}) as n;
    insert into event_identity (workspace, source, id, position, content_hash, recorded_at)
      select 1, '/source' || n % 7, 'e' || n, n, n, ${at} from generate_series(1, ${count}) as n;
    insert into log_mark (workspace, position, recorded_at)
      select 1, min(position), min(recorded_at) from event_log group by recorded_at::date, position / 4096;
    insert into log_head (workspace, position, clock, node_id, flush)
      select 1, ${count}, timestamptz '2026-01-01' + interval '${days - 1} days', 1, 1;
    analyze;
  `);
  await client.end();
}

const sizes = process.env["MILLRACE_TEST_LONG"] === undefined ? [0, 100_000] : [0, 1_000, 1_000_000];

describe.each(sizes)("with %i entries", (size) => {
  let db: TestDatabase;
  const plansOf = async (
    work: (database: Database) => Promise<unknown>,
    settings = "",
  ): Promise<readonly Planned[]> => {
    const { database, statements } = recorded(db.database);
    await work(database);
    const client = new Client({
      ...db.connection,
      options: `-c search_path=millrace -c timezone=UTC -c jit=off -c random_page_cost=1.1 ${settings}`,
    });
    await client.connect();
    const plans = [];
    for (const statement of statements) plans.push(await planOf(client, statement));
    await client.end();
    return plans;
  };
  /** Small tables are rightly read whole: the head, the marks, partitions that have little or nothing. */
  const isLarge = (relation: string): boolean =>
    size >= 100_000 && /^event_identity$|^event_log_normal_202601(0\d|1[01])$/.test(relation);

  beforeAll(async () => {
    db = await testDatabase();
    if (size > 0) await fill(db, size);
  }, 600_000);
  afterAll(() => db.drop());

  const none: EventFilter = {
    type: undefined,
    subject: undefined,
    source: undefined,
    onlyInvalid: false,
    since: undefined,
    until: undefined,
    after: 0,
    before: undefined,
    limit: 50,
  };
  const lists: { readonly [name: string]: Partial<EventFilter> } = {
    "the newest": {},
    "the newest of a type": { type: "type7" },
    "the newest of a subject": { subject: "subject7" },
    "the newest of a source": { source: "/source3" },
    "the newest of a subject and a type": { type: "type7", subject: "subject7" },
    "those of an hour of a day": { since: start + 5 * dayMs, until: start + 5 * dayMs + 3_600_000 },
    "those that are invalid": { onlyInvalid: true },
    "those before a position": { before: Math.floor(size / 2) },
  };
  test.each(Object.entries(lists))("%s are found by an index, within few days", async (_name, parts) => {
    const plans = await plansOf((database) => listEvents(database, 1, { ...none, ...parts }));
    if (size > 0) expect(plans.length).toBeGreaterThan(1);
    for (const { text, relations, scanned } of plans) {
      expect([text, scanned.filter(isLarge)]).toEqual([text, []]);
      // Four classes of up to three days and their defaults; the rare subject's list looks at more.
      const bound = "subject" in parts ? 4 * (days + 5) : 20;
      expect(relations.size).toBeLessThanOrEqual(bound);
    }
  });

  test("a page by position touches the partitions of its days alone", async () => {
    const plans = await plansOf(
      (database) => openPostgresEngineStore(database).readLog(1, Math.floor(size / 2), 1 + size / 100),
      "-c enable_seqscan=off -c plan_cache_mode=force_generic_plan",
    );
    for (const { text, relations, scanned } of plans) {
      expect([text, scanned.filter(isLarge)]).toEqual([text, []]);
      expect(relations.size).toBeLessThanOrEqual(16);
    }
  });

  test("an entry is found by its name", async () => {
    for (const source of ["/source3", undefined]) {
      const plans = await plansOf((database) => findEventPositions(database, 1, { id: "e3", source }));
      for (const { text, scanned } of plans) expect([text, scanned.filter(isLarge)]).toEqual([text, []]);
    }
  });

  test("whether a blob is in use is asked of indexes", async () => {
    const plans = await plansOf((database) => blobsInUse(database, ["blob1000", "none"]));
    for (const { text, scanned } of plans) expect([text, scanned.filter(isLarge)]).toEqual([text, []]);
  });
});
