export { blobStoreConformance, type BlobStoreUnderTest } from "./blob-store-conformance.ts";
export { type ConformanceCase } from "./conformance.ts";
export { attemptRow, eventRow, liveRun, rowTime, taskRunRow } from "./engine-rows.ts";
export {
  engineStoreConformance,
  type EngineStoreRule,
  type EngineStoreUnderTest,
  type HeldFlush,
  type HistoryRow,
  type StoredAssets,
} from "./engine-store-conformance.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { storedAssets } from "./memory-assets.ts";
export { type MemoryArchive, memoryArchive } from "./memory-archive.ts";
export { MemoryConstraintError } from "./memory-constraint-error.ts";
export {
  type FlushUnderWay,
  type MemoryDatabaseOptions,
  MemoryEngineDatabase,
  type MemoryLink,
} from "./memory-engine-store.ts";
export {
  type EndedRun,
  keyOf,
  shapeKey,
  type MemoryAssetPartition,
  type MemoryAssetState,
  type MemoryAssetUse,
  type MemoryNode,
  type MemoryShard,
  type MemoryTables,
} from "./memory-tables.ts";
export { runArchiveConformance, type RunArchiveUnderTest } from "./run-archive-conformance.ts";
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export { canMount, fillDisk, type SmallDisk, smallDisk } from "./small-disk.ts";
export { reusedDatabase } from "./reused-database.ts";
export { emptyTestDatabase, type TestDatabase, testDatabase } from "./test-database.ts";
