export { blobStoreConformance, type BlobStoreUnderTest } from "./blob-store-conformance.ts";
export { type ConformanceCase } from "./conformance.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type SeededRandom, seededRandom } from "./seeded-random.ts";
export { emptyTestDatabase, type TestDatabase, testDatabase } from "./test-database.ts";
