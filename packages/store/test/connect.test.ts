import { createServer, type AddressInfo } from "node:net";
import { emptyTestDatabase, testDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { connect, describeTarget, requireDatabase, type DatabaseTarget } from "../src/connect.ts";
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
    expect(refused).toMatchObject({ code: "MILLRACE_DATABASE_UNREACHABLE" });
    expect(String(refused)).not.toContain("secret");
    await database.close();
  }
  expect(describeTarget({ databaseUrl: "postgresql://me:secret@db.example:5433/shop" })).toBe(
    "db.example:5433/shop",
  );
});

test("no part of a password that is not encoded is told", () => {
  for (const password of ["se@cret", "se/cret", "se?cret", "se#cret"]) {
    expect(describeTarget({ databaseUrl: `postgres://me:${password}@db.example/shop` })).toBe(
      "db.example/shop",
    );
  }
});

test("what the server refuses is told in its words, with what to do", async () => {
  await using db = await emptyTestDatabase();
  for (const [wrong, message, advice] of [
    [{ database: "nowhere" }, 'refused the connection: database "nowhere" does not exist', "createdb"],
    [{ user: "nobody_here" }, 'role "nobody_here" does not exist', "user in DATABASE_URL"],
  ] as const) {
    expect(await refusalOf({ ...db.connection, ...wrong })).toMatchObject({
      code: "MILLRACE_DATABASE_REFUSED",
      message: expect.stringContaining(message),
      advice: expect.stringContaining(advice),
    });
  }
});

test("a wrong password is told with the user's name, and stays secret", async () => {
  await using gate = await passwordGate();
  const refused = await refusalOf({ databaseUrl: `postgresql://me:secret@127.0.0.1:${gate.port}/shop` });
  expect(refused).toMatchObject({
    code: "MILLRACE_DATABASE_REFUSED",
    message: expect.stringContaining('password authentication failed for user "me"'),
    advice: expect.stringContaining("password in DATABASE_URL"),
  });
  expect(String(refused)).not.toContain("secret");
});

async function refusalOf(target: DatabaseTarget): Promise<unknown> {
  const database = connect(target, { applicationName: "test" });
  const refused = await requireDatabase(database, target).catch((cause: unknown) => cause);
  await database.close();
  return refused;
}

/** The test server trusts everybody; this one answers as PostgreSQL does to a wrong password. */
async function passwordGate(): Promise<AsyncDisposable & { readonly port: number }> {
  const fields = ["SFATAL", "C28P01", 'Mpassword authentication failed for user "me"', ""];
  const body = Buffer.from(fields.map((field) => `${field}\0`).join(""));
  const head = Buffer.from([0x45, 0, 0, 0, body.length + 4]);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(Buffer.concat([head, body])));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test("an address that is none is refused before anything connects, with advice about DATABASE_URL", () => {
  for (const [databaseUrl, advice] of [
    ["mysql://x/y", /^Correct DATABASE_URL/],
    ["postgres://me:se/cret@127.0.0.1/shop", /%2F/],
    ["postgres://me:se?cret@127.0.0.1/shop", /%3F/],
  ] as const) {
    expect(() => connect({ databaseUrl }, { applicationName: "test" })).toThrow(
      expect.objectContaining({
        code: "MILLRACE_CONFIG_INVALID",
        message: expect.not.stringContaining("cret"),
        advice: expect.stringMatching(advice),
      }),
    );
  }
});

test("addresses without a host are read", async () => {
  for (const databaseUrl of ["postgres:///shop", "postgres://", "postgres://me@/shop?host=/tmp"]) {
    await connect({ databaseUrl }, { applicationName: "test" }).close();
  }
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
