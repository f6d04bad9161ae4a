/** How long is remembered what probes have looked at. */
import { unseenProbe } from "@millrace/core";
import { testDatabase } from "@millrace/testkit";
import { expect, test } from "vitest";
import { emptyBatch } from "../src/engine/flush-batch.ts";
import { openPostgresEngineStore } from "../src/engine/postgres-engine-store.ts";
import type { ProbeRow } from "../src/engine/probe-port.ts";
import { sweepRecords } from "../src/queries/maintenance.ts";
import { listProbes, probesById } from "../src/queries/probes.ts";

const start = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

function rowOf(id: string, parts: Partial<ProbeRow> = {}): ProbeRow {
  const seen = { looks: 3, changes: 1, fingerprint: "f", value: 1, lookedAt: start, seenAt: start };
  return {
    ...unseenProbe,
    ...seen,
    workspace: 1,
    id,
    shard: 1,
    name: id,
    args: null,
    nextAt: undefined,
    ...parts,
  };
}

test("a thing that nobody has waited for during the retention is forgotten; what is looked at stays", async () => {
  await using db = await testDatabase();
  const store = openPostgresEngineStore(db.database);
  const { nodeId } = await store.registerNode({ name: "a", url: undefined, version: "1", leaseMs: 10_000 });
  await store.flush(nodeId, 1, {
    ...emptyBatch(),
    probes: [
      rowOf("rests"),
      rowOf("rests-since-later", { lookedAt: start + 5 * dayMs }),
      rowOf("looking", { nextAt: start }),
      rowOf("never-looked", { looks: 0, lookedAt: undefined }),
    ],
  });
  const left = async (days: number): Promise<string[]> => {
    const when = { now: start + days * dayMs, retentionDays: 30 };
    await sweepRecords(db.database, when, new AbortController().signal);
    return (await listProbes(db.database, 1, 10)).map(({ id }) => id).toSorted();
  };
  expect(await left(29)).toEqual(["looking", "rests", "rests-since-later"]);
  expect(await left(31)).toEqual(["looking", "rests-since-later"]);
  expect(await left(36)).toEqual(["looking"]);
  expect(await probesById(db.database, 1, ["looking", "rests"])).toMatchObject([{ id: "looking", looks: 3 }]);
});
