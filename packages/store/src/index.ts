export { withChangeLock } from "./queries/change-lock.ts";
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
export { saysDiskFull } from "./state-failure.ts";
export { type Listener, type ListenerOptions } from "./listener.ts";
export { toTimestamp } from "./value-types.ts";
export {
  countWaitsByKey,
  probesById,
  deployedProbes,
  listProbes,
  type DeployedProbe,
  type DeployedProbes,
} from "./queries/probes.ts";
export { type ProbeName, type ProbeReads, type ProbeRow, type ProbeWanted } from "./engine/probe-port.ts";
export {
  deployedSources,
  listSources,
  listTroubledSources,
  setSourcePaused,
  type DeployedSource,
  type ListedSource,
  type TroubledSource,
} from "./queries/sources.ts";
export {
  countedMax,
  countLive,
  countOffers,
  endedBlocks,
  fatesOf,
  firstErrors,
  listCalendarTriggers,
  listPaused,
  newestLive,
  recoveredPipelines,
  sampleEnded,
  sampleWaits,
  type EndedSample,
  type LiveCounts,
  type OfferedTasks,
  type PausedPipeline,
  type RunBlock,
  type RunFate,
  type SampledWait,
} from "./queries/overview.ts";
export {
  countBySource,
  logSince,
  newestOutside,
  positionsAt,
  type EventTick,
  type SourceCounts,
} from "./queries/event-pace.ts";
export {
  findLimitHolders,
  findLimitUses,
  listAwaitedLimits,
  requestsCountedMax,
  type LimitKind,
  type LimitUseRow,
} from "./queries/limit-uses.ts";
export {
  databaseState,
  listNodes,
  listTableSizes,
  type DatabaseState,
  type NodeRow,
  type TableSize,
} from "./queries/system.ts";
export { openPostgresEngineStore } from "./engine/postgres-engine-store.ts";
export { emptyBatch, type FlushBatch, type RunMove } from "./engine/flush-batch.ts";
export {
  type AssetReadRow,
  type AttemptRow,
  type CacheRow,
  type EngineStore,
  type EventRow,
  type FlushOutcome,
  type GrantRow,
  type InboxMessage,
  type InboxRow,
  type LeaseRenewal,
  type LastFlush,
  type LimitHold,
  type LimitKey,
  type LimitRow,
  type IdempotencyKeyRow,
  type LiveRun,
  type LoadedRun,
  type LoadedShards,
  type LogChange,
  type LogClock,
  type LogHead,
  type LogPage,
  type NodeRegistration,
  type OfferClaim,
  type OfferKey,
  type OfferRow,
  type QueuedRun,
  type RequestRow,
  type RunChange,
  type RunEnd,
  type RunKey,
  type RunParent,
  type RunPosition,
  shardCount,
  type TaskRunRow,
  type WaitingRun,
  wakeNever,
  type WakeNews,
  type WorkerConnection,
} from "./engine/port.ts";
export {
  type FiringChange,
  type FiringRow,
  type GateAsk,
  type GateRows,
  type GateState,
  type LoadedTriggers,
  type LogCursor,
  type LogPlace,
  type OutboxRow,
  type TriggerKeyRow,
  type TriggerRow,
  type WaitingFiringRow,
} from "./engine/trigger-port.ts";
export {
  type CodeRow,
  type FoundWaits,
  type KeyRange,
  type LoadedWaits,
  type StepKey,
  type StepRow,
  type WaitChange,
  type WaitMemberRow,
  type WaitEnd,
  type WaitName,
  type WaitPlace,
  type WaitRow,
  type StoredShape,
  type WaitShape,
  type WaitShapeGone,
  type WaitShapeRow,
} from "./engine/wait-port.ts";
export {
  type AssetPartitionRow,
  type AssetStateRow,
  type AssetUser,
  type AssetUseRow,
  type DeployedAsset,
  type AssetCellRow,
  findAssetCells,
  findAssetPartitions,
  listAssetCells,
  listAssetDefinitions,
  listAssetKeys,
  listAssetPartitions,
  listAssets,
  listAssetStates,
  listAssetUsers,
  listAssetUses,
  listTriggerConditions,
} from "./queries/assets.ts";
export {
  type SourceName,
  type SourceReads,
  type SourceRow,
  type SourceState,
  type ThingName,
  type ThingRow,
} from "./engine/source-port.ts";
export { byGateOrder } from "./engine/gate-order.ts";
export { type BundleRow, findBundle, hasBundle, putBundle } from "./queries/bundles.ts";
export {
  type DeployedDefinition,
  findDefinition,
  findDeployedDefinition,
  findPipeline,
  listPipelineNames,
  listDefinitionsWith,
  listPipelines,
  definitionSummary,
  type DefinitionSummary,
  type ListedPipeline,
  listScheduledPipelines,
  type PipelineRow,
  type ScheduledPipelineRow,
  setPipelinePaused,
} from "./queries/definitions.ts";
export {
  announceDefinitions,
  changeDeployment,
  configuredPools,
  type DeployedPipeline,
  type DeployedEventType,
  type DeployedWebhook,
  definitionsChannel,
  type DeploymentChange,
  type DeploymentRow,
  type DeploymentState,
  listDeployments,
  listPipelineVersions,
  type PipelineVersionRow,
  listEventTypes,
  listWebhooks,
} from "./queries/deployments.ts";
export { announceLive, liveChannel, liveNoteBytesMax } from "./queries/live.ts";
export {
  addArtifact,
  appendLogs,
  type ArtifactRow,
  type ChunkPlace,
  type ChunkQuery,
  listArtifacts,
  type LogChunk,
  type LogFilter,
  readChunks,
  readLogs,
  type StoredChunk,
} from "./queries/logs.ts";
export {
  findEmitted,
  findFiringsOfEvents,
  type EmittedNames,
  type EventFiring,
} from "./queries/run-story.ts";
export { scanLogsBackward, scanLogsForward, type LogScan, type ScannedChunk } from "./queries/log-scan.ts";
export { type OutboxNews } from "./queries/outbox.ts";
export { countEvents, findEventsOfRun } from "./queries/event-counts.ts";
export { type EventFilter, findEventPositions, findEventText, listEvents } from "./queries/events.ts";
export { findNextDue, listRecentRuns } from "./queries/recent-runs.ts";
export { findLimitRequests, listPools, type LimitRequestRow, type PoolRow } from "./queries/pools.ts";
export {
  type EndedRun,
  findAttempts,
  findOutputs,
  findRun,
  findRunRows,
  type FoundRun,
  type FoundRunRows,
  lastRuns,
  type StoredOutput,
  type TaskRunName,
} from "./queries/runs.ts";
export {
  endedNodeStates,
  generationStates,
  type GridRunRow,
  listGridRuns,
  liveNodeStates,
  type NodeStates,
} from "./queries/run-grid.ts";
export {
  blobsInUse,
  keepPartitions,
  type PartitionChange,
  sweepNodes,
  sweepRecords,
} from "./queries/maintenance.ts";
export { endQuarantined } from "./queries/quarantine.ts";
export {
  findDueTriggerKeys,
  findEntries,
  findFiring,
  findGate,
  findFiringMembers,
  findFiringOfRun,
  findFiringsOfEvent,
  findLogCursor,
  findLogHead,
  findTrigger,
  findTriggerKeys,
  type FiringPlace,
  type FoundFiring,
  type FoundMember,
  keysCountedMax,
  listFirings,
  listTriggerKeys,
  listTriggerNames,
  listTriggerRows,
  listTriggers,
  positionBefore,
  type TriggerOverview,
} from "./queries/triggers.ts";
export {
  findCallsOfRun,
  findWaitsOfEvent,
  findWaitsOfRun,
  type EndedWait,
  type FoundWait,
  listApprovals,
  listSteps,
  listWaits,
  type StepAfter,
  type WaitAfter,
  type WaitFilter,
  type WaitKind,
  waitKinds,
  type WaitPage,
} from "./queries/waits.ts";
export {
  findEntryIds,
  listPipelineTies,
  listTypeSources,
  type PipelineTies,
  type TypeSource,
} from "./queries/lineage.ts";
export {
  listDurations,
  listScheduledTriggers,
  listTickFirings,
  type ScheduledTrigger,
  type TickFiring,
} from "./queries/schedule-runs.ts";
export { listWorkers, type WorkerRow } from "./queries/workers.ts";
export {
  listRuns,
  runBeginnings,
  runOrders,
  type RunBeginning,
  type RunFilter,
  type RunList,
  type RunOrder,
} from "./queries/run-list.ts";
export { lastUpdates, runsBesideUsual, type RunBesideUsual } from "./queries/late.ts";
export {
  listToldAssets,
  searchPipelines,
  searchRuns,
  type FoundPipeline,
  type NamedRun,
} from "./queries/search.ts";
