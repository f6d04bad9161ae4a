/** Migration 16 meets a database with waits, and a server that works. */
import { emptyTestDatabase } from "@millrace/testkit";
import type { Pool } from "pg";
import { expect, test } from "vitest";
import { emptyBatch, type FlushBatch } from "../src/engine/flush-batch.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import { migrate, readMigrations } from "../src/migrate.ts";

const shape = { workspace: 1, type: "order.paid", isPrefix: false, path: "" };

/** As version 0.1.0 does. */
async function registerOld(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `insert into node (name, url, version, started_at, lease_until)
      values ('old', null, '0.1.0', clock_timestamp(), clock_timestamp() + interval '1 min') returning id`,
  );
  return rows[0]!.id;
}

test("waits and their shapes live on, older servers commit nothing more, and the last old wait ends the old keys", async () => {
  await using db = await emptyTestDatabase();
  const pool = db.database.engine;
  const migrations = await readMigrations();
  await migrate(pool, { now: 0, migrations: migrations.slice(0, 15) });
  const old = await registerOld(pool);
  await pool.query(`
    insert into wait_shape (workspace, type, is_prefix, path) values (1, 'order.paid', false, '');
    insert into wait (id, workspace, shard, run_id, node, item, generation, name, occurrence, began_at, told_to, match_keys)
      values (${old} * 4294967296 + 5, 1, 3, 'r1', 'n', '', 1, '', 1, now(), 0, '{7}');
    insert into wait_match (key, wait_id, shard) values (7, ${old} * 4294967296 + 5, 3);
  `);
  await migrate(pool, { now: 0 });

  const store = openPostgresEngineStore(db.database);
  expect(await store.flush(old, 1, { ...emptyBatch(), waitShapes: [{ ...shape, shard: 1 }] })).toBe("fenced");
  await expect(registerOld(pool)).rejects.toThrow("row_form");

  const { shapes } = await store.loadWaits(1, [3]);
  expect(shapes).toEqual([{ ...shape, shard: -1, isOld: true }]);
  expect(await store.hasOldWaits(1)).toBe(true);
  expect((await store.findWaits([3], ["7"], undefined, 10)).waits).toHaveLength(1);

  const { nodeId } = await store.registerNode({ name: "a", url: undefined, version: "1", leaseMs: 60_000 });
  let number = 0;
  const flush = (parts: Partial<FlushBatch>): Promise<unknown> =>
    store.flush(nodeId, (number += 1), { ...emptyBatch(), ...parts });
  const name = { workspace: 1, runId: "r1", node: "n", item: "" };
  const fresh = {
    ...name,
    runId: "r2",
    id: nodeId * 2 ** 32 + 1,
    shard: 3,
    generation: 1,
    name: "",
    occurrence: 1,
    condition: undefined,
    state: undefined,
    beganAt: 0,
    toldTo: 0,
    timeoutAt: undefined,
    dueAt: undefined,
    matchKeys: ["8"],
    approval: undefined,
    end: undefined,
  };
  await flush({ waitShapes: [{ ...shape, shard: 3 }], waits: [fresh] });
  expect(await store.hasOldWaits(1)).toBe(true);
  await flush({ waitsGone: [{ ...name, name: undefined, occurrence: undefined }] });
  expect(await store.hasOldWaits(1)).toBe(false);
  await flush({ waitShapesGone: [{ ...shape, shards: [-1] }] });
  expect((await store.loadWaits(1, [3])).shapes).toEqual([{ ...shape, shard: 3, isOld: false }]);
  expect(await store.hasOldWaits(1)).toBe(false);
});
