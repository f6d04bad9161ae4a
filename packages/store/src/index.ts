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
