import { emptyTestDatabase, testDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { migrate, migrationStatus, parseMigration, readMigrations, requireSchema } from "../src/migrate.ts";

const first = parseMigration("000001_first.sql", "create table first_thing (a integer);\n");
const second = parseMigration("000002_second.sql", "create table second_thing (a integer);\n");
const breaking = parseMigration("000003_third.sql", "--! breaking\ncreate table third_thing (a integer);\n");

test("migrations are applied once, in order, into the schema millrace", async () => {
  await using db = await emptyTestDatabase();
  const options = { now: 1_700_000_000_123, migrations: [first, second] };
  expect(await migrate(db.database.engine, options)).toEqual([1, 2]);
  expect(await migrate(db.database.engine, options)).toEqual([]);
  const { rows } = await db.database.engine.query(
    "select number, name, breaking, applied_at from millrace.migration order by number",
  );
  expect(rows).toEqual([
    { number: 1, name: "first", breaking: false, applied_at: 1_700_000_000_123 },
    { number: 2, name: "second", breaking: false, applied_at: 1_700_000_000_123 },
  ]);
  await db.database.engine.query("select first_thing.a from millrace.first_thing, millrace.second_thing");
});

test("ten processes that migrate at once apply each migration once", async () => {
  await using db = await emptyTestDatabase();
  const migrations = [first, second, breaking];
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      migrate(db.connectAgain(`migrator ${index}`).engine, { now: 0, migrations }),
    ),
  );
  expect(results.flat().sort((a, b) => a - b)).toEqual([1, 2, 3]);
});

test("a migration that fails leaves nothing behind and can be mended", async () => {
  await using db = await emptyTestDatabase();
  const broken = parseMigration("000002_second.sql", "create table half (a integer); select 1 / 0;");
  await expect(migrate(db.database.engine, { now: 0, migrations: [first, broken] })).rejects.toThrow(
    "migration 2 (second) failed: division by zero",
  );
  const { rows } = await db.database.engine.query("select to_regclass('millrace.half') as found");
  expect(rows).toEqual([{ found: null }]);
  expect(await migrate(db.database.engine, { now: 0, migrations: [first, second] })).toEqual([2]);
});

test("a connection works as well as a pool, and keeps its own search path", async () => {
  await using db = await emptyTestDatabase();
  const client = await db.database.engine.connect();
  try {
    await client.query("set search_path = pg_catalog");
    expect(await migrate(client, { now: 0, migrations: [first] })).toEqual([1]);
    expect((await client.query("show search_path")).rows).toEqual([{ search_path: "pg_catalog" }]);
  } finally {
    client.release();
  }
});

test("an edited migration is refused", async () => {
  await using db = await emptyTestDatabase();
  await migrate(db.database.engine, { now: 0, migrations: [first] });
  const edited = parseMigration("000001_first.sql", "create table other_thing (a integer);\n");
  await expect(migrate(db.database.engine, { now: 0, migrations: [edited, second] })).rejects.toMatchObject({
    code: "MILLRACE_MIGRATION_EDITED",
    fields: { number: 1, applied: first.hash, expected: edited.hash },
  });
});

test("a newer database is tolerated unless one of its migrations is breaking", async () => {
  await using db = await emptyTestDatabase();
  await migrate(db.database.engine, { now: 0, migrations: [first, second] });
  expect(await migrationStatus(db.database.api, [first])).toMatchObject({ pending: [], newer: [2] });
  expect(await migrate(db.database.engine, { now: 0, migrations: [first] })).toEqual([]);

  await migrate(db.database.engine, { now: 0, migrations: [first, second, breaking] });
  const refused = { code: "MILLRACE_SCHEMA_NEWER", fields: { number: 3, name: "third" } };
  await expect(migrate(db.database.engine, { now: 0, migrations: [first] })).rejects.toMatchObject(refused);
  await expect(requireSchema(db.database.api, [first, second])).rejects.toMatchObject(refused);
});

test("what is missing is named without being applied", async () => {
  await using db = await emptyTestDatabase();
  await expect(requireSchema(db.database.api, [first, second])).rejects.toMatchObject({
    code: "MILLRACE_SCHEMA_MISSING",
    fields: { applied: 0, pending: [1, 2] },
  });
  expect((await migrationStatus(db.database.api, [first])).applied).toEqual([]);
});

test("this version's migrations are numbered without gaps and bring a database up to date", async () => {
  const migrations = await readMigrations();
  expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1));
  await using db = await testDatabase();
  expect(await requireSchema(db.database.api)).toMatchObject({ pending: [], newer: [] });
});

test("a PostgreSQL server that is too old is refused", async () => {
  // No server that old can be had: its answer is given here.
  const old = { query: async () => ({ rows: [{ server_version_num: "140012" }] }) };
  await expect(migrationStatus(old as never, [first])).rejects.toMatchObject({
    code: "MILLRACE_DATABASE_TOO_OLD",
    fields: { serverVersion: 140_012 },
  });
});

test("a file that is not named like a migration is refused", () => {
  expect(() => parseMigration("12_x.sql", "")).toThrow("000012_add_lease_epoch.sql");
});
