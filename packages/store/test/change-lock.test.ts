import { afterAll, beforeAll, expect, test } from "vitest";
import { testDatabase, type TestDatabase } from "@millrace/testkit";
import { withChangeLock } from "../src/index.ts";

let made: TestDatabase;

beforeAll(async () => {
  made = await testDatabase();
});
afterAll(() => made.drop());

test("changes of one name come one after the other, those of others beside them", async () => {
  const { database } = made;
  const told: string[] = [];
  const change = (name: string, what: string) =>
    withChangeLock(database, name, async () => {
      told.push(`${what} begins`);
      await database.api.query("select pg_sleep(0.1)");
      told.push(`${what} ends`);
    });
  await Promise.all([change("a", "first"), change("a", "second")]);
  expect(told).toHaveLength(4);
  expect(told[1]).toBe(told[0]!.replace("begins", "ends"));
  told.length = 0;
  await Promise.all([change("a", "one"), change("b", "other")]);
  expect(told.slice(0, 2).toSorted()).toEqual(["one begins", "other begins"]);
});

test("what fails gives the lock back, and a connection that is lost meanwhile takes nothing along", async () => {
  const { database } = made;
  await expect(
    withChangeLock(database, "a", () => Promise.reject(new Error("it can't be done"))),
  ).rejects.toThrow("it can't be done");
  const answer = await withChangeLock(database, "a", async () => {
    await database.engine.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())",
    );
    await database.engine.query("select pg_sleep(0.1)");
    return "done";
  });
  expect(answer).toBe("done");
  expect(await withChangeLock(database, "a", () => Promise.resolve("again"))).toBe("again");
});
