import { MemoryEngineDatabase, memoryArchive, runArchiveConformance, testDatabase } from "@millrace/testkit";
import { describe, test } from "vitest";
import { openPostgresEngineStore } from "../../src/engine/postgres-engine-store.ts";
import { endQuarantined } from "../../src/queries/quarantine.ts";
import { findOutputs, findRun, findRunRows } from "../../src/queries/runs.ts";

describe("history on PostgreSQL", () => {
  const cases = runArchiveConformance(async () => {
    const db = await testDatabase();
    const { database } = db;
    return {
      store: openPostgresEngineStore(database),
      archive: {
        findRun: async (id) => {
          const { live, ended } = await findRun(database, 1, id, 0);
          return live ?? ended[0];
        },
        findRunRows: (id) => findRunRows(database, 1, id, 0),
        findOutputs: (id, names) => findOutputs(database, 1, id, { since: 0, names }),
        endQuarantined: (id, end) => endQuarantined(database, 1, id, end),
      },
      dispose: () => db.drop(),
    };
  });
  test.each(cases)("$name", async (rule) => rule.run());
});

describe("history in memory", () => {
  const cases = runArchiveConformance(async () => {
    const database = new MemoryEngineDatabase({ now: () => 1_800_000_000_000 });
    return { store: database.connect(), archive: memoryArchive(database.tables), dispose: async () => {} };
  });
  test.each(cases)("$name", async (rule) => rule.run());
});
