export {
  type EmbeddedConnection,
  type EmbeddedOptions,
  type EmbeddedServer,
  startEmbedded,
} from "./embedded/server.ts";
export {
  claimStateFolder,
  readServerFile,
  type ServerFile,
  type StateFolderClaim,
} from "./embedded/state-folder.ts";
export {
  type Migratable,
  migrate,
  type MigrateOptions,
  type Migration,
  migrationStatus,
  type MigrationStatus,
  parseMigration,
  readMigrations,
  requireSchema,
} from "./migrate.ts";
export { type BlobInfo, type BlobStore } from "./blob/blob-store.ts";
export { openFolderBlobStore } from "./blob/folder-blob-store.ts";
export {
  connect,
  type ConnectOptions,
  type Database,
  type DatabaseTarget,
  describeTarget,
  requireDatabase,
} from "./connect.ts";
export { isConnectionLoss } from "./connection-loss.ts";
export { type Listener, type ListenerOptions } from "./listener.ts";
export { toTimestamp } from "./value-types.ts";
export { openPostgresEngineStore } from "./engine/postgres-engine-store.ts";
export {
  type AttemptRow,
  type CacheRow,
  emptyBatch,
  type EngineStore,
  type FlushBatch,
  type FlushOutcome,
  type GrantRow,
  type InboxMessage,
  type InboxRow,
  type LeaseRenewal,
  type LimitHold,
  type LimitKey,
  type LimitRow,
  type LiveRun,
  type LoadedShards,
  type NodeRegistration,
  type QueuedRun,
  type RequestRow,
  type RunChange,
  type RunEnd,
  type RunKey,
  type RunParent,
  shardCount,
  type TaskRunRow,
  type TimerKey,
  type TimerRow,
} from "./engine/port.ts";
