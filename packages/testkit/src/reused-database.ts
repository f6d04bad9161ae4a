/** Databases that the tests of a process use one after the other: making one takes 0.2 s, emptying one some milliseconds. */
import { Client } from "pg";
import { openDatabase, testDatabase, type TestDatabase } from "./test-database.ts";

interface Reused {
  readonly connection: TestDatabase["connection"];
  /** Statements that make it what it was. */
  readonly emptying: string;
}

/** They end with the run's server. */
const free: Reused[] = [];

/**
 * As `testDatabase`, but it may have been another test's: rows and sequences are those of a new one, while partitions that were made
 * stay. `drop` gives it back. For tests that change no tables.
 */
export async function reusedDatabase(): Promise<TestDatabase> {
  const reused = free.pop() ?? (await make());
  let isBack = false;
  return openDatabase(reused.connection, async () => {
    if (isBack) return;
    isBack = true;
    await empty(reused);
    free.push(reused);
  });
}

async function make(): Promise<Reused> {
  const { connection, database } = await testDatabase();
  await database.close();
  return { connection, emptying: await withClient({ connection }, emptyingOf) };
}

async function empty(reused: Reused): Promise<void> {
  await withClient(reused, async (client) => {
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    await client.query(reused.emptying);
  });
}

async function withClient<Answer>(
  { connection }: Pick<Reused, "connection">,
  work: (client: Client) => Promise<Answer>,
): Promise<Answer> {
  const client = new Client({ ...connection, options: "-c search_path=millrace" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Statements that delete all rows, whatever refers to them, and put back those that the migrations made. */
async function emptyingOf(client: Client): Promise<string> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select relname as name from pg_class
    where relnamespace = 'millrace'::regnamespace and relkind in ('r', 'p') and not relispartition`,
  );
  const statements: string[] = [];
  for (const { name } of tables) {
    const table = client.escapeIdentifier(name);
    statements.push(`delete from ${table}`);
    const { rows } = await client.query<{ made: unknown }>(`select json_agg(t) as made from ${table} as t`);
    const { made } = rows[0]!;
    if (made === null) continue;
    const json = client.escapeLiteral(JSON.stringify(made));
    statements.push(`insert into ${table} select * from json_populate_recordset(null::${table}, ${json})`);
  }
  const { rows: sequences } = await client.query<{ name: string; last: string | null }>(
    "select sequencename as name, last_value as last from pg_sequences where schemaname = 'millrace'",
  );
  for (const { name, last } of sequences)
    statements.push(`select setval(${client.escapeLiteral(name)}, ${last ?? 1}, ${last !== null})`);
  return ["set session_replication_role = replica", ...statements].join("; ");
}
