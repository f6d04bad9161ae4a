import { migrationStatus } from "@millrace/store";
import { expect, test } from "vitest";
import { emptyTestDatabase, testDatabase } from "../src/test-database.ts";

test("a test's database is migrated, and separate from another's", async () => {
  await using one = await testDatabase();
  await using other = await testDatabase();
  expect((await migrationStatus(one.database.api)).pending).toEqual([]);
  await one.database.engine.query("create table mine (a integer)");
  const { rows } = await other.database.engine.query("select to_regclass('millrace.mine') as found");
  expect(rows).toEqual([{ found: null }]);
});

test("an empty database has no schema of ours", async () => {
  await using db = await emptyTestDatabase();
  const { rows } = await db.database.api.query("select to_regnamespace('millrace') as found");
  expect(rows).toEqual([{ found: null }]);
});

test("a dropped database is gone, also while others are connected", async () => {
  await using keeper = await emptyTestDatabase();
  const db = await testDatabase();
  const again = db.connectAgain("other");
  await again.api.query("select 1");
  await db.drop();
  await db.drop();
  const { rows } = await keeper.database.api.query("select 1 from pg_database where datname = $1", [
    db.connection.database,
  ]);
  expect(rows).toEqual([]);
});

test("the run uses the server that was asked for", async () => {
  await using db = await emptyTestDatabase();
  const { rows } = await db.database.api.query<{ major: number }>(
    "select current_setting('server_version_num')::integer / 10000 as major",
  );
  expect(rows[0]?.major).toBe(process.env["MILLRACE_TEST_PG15"] === undefined ? 18 : 15);
});
