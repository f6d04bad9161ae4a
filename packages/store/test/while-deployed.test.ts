import { testDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { whileDeployed } from "../src/queries/while-deployed.ts";

test("what is read of definitions is read once, and again when others are active or it failed", async () => {
  await using db = await testDatabase();
  const { database } = db;
  const activate = (number: number): Promise<unknown> =>
    database.api.query(
      `with gone as (update deployment set active = false where project = 'p')
      insert into deployment (workspace, project, number, bundle, definition, pipelines, active, created_at)
      values (1, 'p', $1, 'b', '{}', '{}', true, now())`,
      [number],
    );
  await database.api.query(
    "insert into bundle (hash, manifest, code, map, created_at) values ('b', '{}', '', '', now())",
  );
  let reads = 0;
  const ask = (name = "reads", workspace = 1): Promise<number> =>
    whileDeployed(database, workspace, { name, read: async () => (reads += 1) });
  expect([await ask(), await ask()]).toEqual([1, 1]);
  await activate(1);
  expect([await ask(), await ask(), ...(await Promise.all([ask(), ask()]))]).toEqual([2, 2, 2, 2]);
  await database.api.query("update deployment set active = false");
  expect([await ask(), await ask("others"), await ask("others", 2), await ask()]).toEqual([3, 4, 5, 3]);
  const broken = { name: "broken", read: () => Promise.reject(new Error("not now")) };
  await expect(whileDeployed(database, 1, broken)).rejects.toThrow("not now");
  expect(await ask("broken")).toBe(6);
});
