import { liveRun, testDatabase } from "@millrace/testkit";
import { Client } from "pg";
import { expect, test } from "vitest";
import { emptyBatch } from "../../src/engine/flush-batch.ts";
import { openPostgresEngineStore } from "../../src/engine/postgres-engine-store.ts";

test("two servers that make the same runs at once, in another order, do not wait for each other", async () => {
  const db = await testDatabase();
  const holder = new Client({ ...db.connection, options: "-c search_path=millrace" });
  await holder.connect();
  try {
    // Both flushes come as far as "m", whatever they have made before it.
    await holder.query("begin");
    await holder.query(
      `insert into run (workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, labels, params, created_at)
        values (1, 'm', 'live', 1, 'p', 'main', 'b1', 1, 'queued', 0, '{}', '{}', now())`,
    );
    const flushes = [
      ["a", "m", "z"],
      ["z", "m", "a"],
    ].map(async (ids, at) => {
      const store = openPostgresEngineStore(at === 0 ? db.database : db.connectAgain("other"));
      const { nodeId } = await store.registerNode({
        name: `n${at}`,
        url: undefined,
        version: "1",
        leaseMs: 10_000,
      });
      await store.claimShards(nodeId, 1);
      return store.flush(nodeId, 1, { ...emptyBatch(), runsCreated: ids.map((id) => liveRun(id)) });
    });
    const settled = Promise.allSettled(flushes);
    const waiting = async (): Promise<number | null> =>
      (await holder.query("select from pg_locks where not granted")).rowCount;
    await expect.poll(waiting, { timeout: 10_000 }).toBe(2);
    await holder.query("rollback");
    const outcomes = await settled;
    const refused = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason as object] : []));
    expect(refused).toMatchObject([{ code: "23505", constraint: "run_pkey" }]);
  } finally {
    await holder.end();
    await db.drop();
  }
});
