import { emptyTestDatabase, testDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { connect, describeTarget, requireDatabase } from "../src/connect.ts";
import { isConnectionLoss } from "../src/connection-loss.ts";
import { parseInt8, parseTimestamp, toTimestamp } from "../src/value-types.ts";

test("sessions have our search path, time zone and bounds", async () => {
  await using db = await testDatabase();
  const text = `select name, setting from pg_settings
    where name in ('search_path', 'TimeZone', 'jit', 'application_name', 'statement_timeout',
                   'idle_in_transaction_session_timeout')
    order by name`;
  const { rows } = await db.database.api.query(text);
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    search_path: "millrace",
    TimeZone: "UTC",
    jit: "off",
    application_name: "test",
    statement_timeout: "15000",
    idle_in_transaction_session_timeout: "5000",
  });
});

test("times arrive as milliseconds and whole numbers as numbers, in arrays too", async () => {
  await using db = await emptyTestDatabase();
  const now = 1_763_934_013_123.456;
  const { rows } = await db.database.engine.query(
    `select $1::timestamptz as at, array[$1::timestamptz, null] as ats, 'infinity'::timestamptz as never,
            9007199254740991::int8 as safe, 9007199254740993::int8 as big, array[1, null]::int8[] as list`,
    [toTimestamp(now)],
  );
  expect(rows).toEqual([
    {
      at: now,
      ats: [now, null],
      never: Number.POSITIVE_INFINITY,
      safe: Number.MAX_SAFE_INTEGER,
      big: 9007199254740993n,
      list: [1, null],
    },
  ]);
});

test("times are converted without loss in both directions", () => {
  for (const ms of [0, 1, 999.999, 1_763_934_013_123, 1_763_934_013_123.001, -1_000.5]) {
    const text = toTimestamp(ms);
    expect(parseTimestamp(text.replace("T", " ").replace("Z", "+00"))).toBeCloseTo(ms, 3);
  }
  expect(toTimestamp(999.9999)).toBe(toTimestamp(1_000));
  expect(() => parseTimestamp("0044-03-15 12:00:00+00 BC")).toThrow("not a time");
  expect(parseInt8("-9007199254740993")).toBe(-9007199254740993n);
});

test("a lost connection is told apart from a failed statement, and the pool goes on", async () => {
  await using db = await emptyTestDatabase();
  const { engine, api } = db.database;
  const client = await engine.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  await api.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  const lost = await client.query("select 1").catch((error: unknown) => error);
  client.release(true);
  expect(isConnectionLoss(lost)).toBe(true);

  const failed = await engine.query("select 1 / 0").catch((error: unknown) => error);
  expect(isConnectionLoss(failed)).toBe(false);
  expect((await engine.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});

test("a server that is not there is a lost connection, and its error hides the password", async () => {
  for (const target of [
    { host: "/tmp/millrace-no-such-folder", user: "millrace", database: "postgres" },
    { databaseUrl: "postgresql://me:secret@127.0.0.1:1/shop" },
  ]) {
    const database = connect(target, { applicationName: "test" });
    const error = await database.api.query("select 1").catch((cause: unknown) => cause);
    expect(isConnectionLoss(error)).toBe(true);
    const refused = await requireDatabase(database, target).catch((cause: unknown) => cause);
    expect(refused).toMatchObject({ code: "MILLRACE_DATABASE_UNREACHABLE", fields: { transient: true } });
    expect(String(refused)).not.toContain("secret");
    await database.close();
  }
  expect(describeTarget({ databaseUrl: "postgresql://me:secret@db.example:5433/shop" })).toBe(
    "db.example:5433/shop",
  );
});

test("an address that is none is refused before anything connects", () => {
  expect(() => connect({ databaseUrl: "mysql://x/y" }, { applicationName: "test" })).toThrow("DATABASE_URL");
});

test("a database address works as the embedded connection does, and keeps its own options", async () => {
  await using db = await emptyTestDatabase();
  const { host, user, database } = db.connection;
  const options = encodeURIComponent("-c work_mem=9MB");
  const databaseUrl = `postgresql://${user}@/${database}?host=${encodeURIComponent(host)}&options=${options}`;
  const byUrl = connect({ databaseUrl }, { applicationName: "by url" });
  const { rows } = await byUrl.api.query(
    "select current_setting('work_mem') as memory, current_setting('search_path') as path",
  );
  expect(rows).toEqual([{ memory: "9MB", path: "millrace" }]);
  await byUrl.close();
});
