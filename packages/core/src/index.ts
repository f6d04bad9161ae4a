export { assert, unreachable } from "./assert.ts";
export { canonicalJson } from "./canonical-json.ts";
export { compileCondition, type EventUse, type Program } from "./condition/compile.ts";
export {
  choosesMissedTicks,
  operandsOf,
  type Condition,
  type ConditionKind,
  type KeyDefinition,
  type PartitionFilter,
  type ReachedAtom,
  type RevisePolicy,
  type UpdatedAtom,
  type WatchedAsset,
} from "./condition/condition.ts";
export { describeCondition } from "./condition/words.ts";
export { lastTicksOfSpent } from "./schedule/spent.ts";
export { describeSpan } from "./condition/describe.ts";
export { type ConditionEvent } from "./condition/condition-event.ts";
export { type Explanation } from "./condition/explanation.ts";
export {
  beginInstance,
  dueOf,
  explainInstance,
  holdsEntry,
  inheritInstance,
  isSuccessor,
  never,
  tellEvent,
  tellPast,
  nextTickOf,
  tellTime,
  type ConditionInstance,
  type Decided,
  type InstanceStep,
} from "./condition/instance.ts";
export { type Match, type MatchPartition, type MatchWindow, type Member } from "./condition/match.ts";
export { parseCondition } from "./condition/parse.ts";
export { usualRevisePolicy } from "./condition/parse-asset.ts";
export { compileWhere, type CompiledWhere } from "./condition/where/compile.ts";
export {
  canonicalEventKey,
  compileEventKey,
  parseEventKey,
  type CompiledEventKey,
  type EventKey,
  type EventKeyOutcome,
  type EventKeyValue,
} from "./condition/where/event-key.ts";
export { requireSatisfiable } from "./condition/contradiction.ts";
export { requireDeclaredFields, type SchemaOf } from "./condition/undeclared.ts";
export { compileWhereKey, fnv1a64, whereKey } from "./condition/where/key-hash.ts";
export { compileMapping, type CompiledMapping, type MappingOutcome } from "./condition/where/mapping.ts";
export { parseTime } from "./condition/where/order.ts";
export { compilePath } from "./condition/where/read.ts";
export { canonicalWhere, parseWhere, parseWherePath } from "./condition/where/parse.ts";
export { findSchemaLack, type SchemaLack } from "./condition/where/schema-path.ts";
export {
  whereRoots,
  type Where,
  type WhereAlternatives,
  type WhereCel,
  type WhereEquality,
  type WhereEvent,
  type WhereFault,
  type WhereLeaf,
  type WhereOrderOperator,
  type WherePath,
  type WhereRoot,
  type WhereScalar,
  type WhereTextOperator,
  type WhereTime,
} from "./condition/where/where.ts";
export { readWrittenWhere, type WrittenWhereOptions } from "./condition/where/written.ts";
export { describeWhere, formatFault, formatWherePath } from "./condition/where/words.ts";
export { parseDuration, type Duration } from "./duration.ts";
export { catalogue, type CatalogueEntry, type ErrorCode, type NextStep } from "./error/catalogue.ts";
export { errorCodeOf, MillraceError, type MillraceErrorDetails } from "./error/millrace-error.ts";
export {
  cloudEventBatchType,
  cloudEventType,
  contentKindOf,
  parseBinaryModeEvent,
  parseCloudEvent,
  parseCloudEventBatch,
  toCloudEvent,
  type BinaryModeData,
  type CloudEvent,
} from "./event/cloud-event.ts";
export {
  liveLane,
  type EventDraft,
  type EventExtension,
  type EventOutcome,
  type LogEvent,
} from "./event/event.ts";
export {
  retentionClasses,
  retentionClassNames,
  retentionClassOf,
  retentionDaysOf,
  type RetentionClass,
} from "./event/retention.ts";
export { eventDataText } from "./event/event-size.ts";
export { formatEventTime, parseEventTime } from "./event/time.ts";
export { compileGraph, referencedNodes } from "./graph/compile.ts";
export {
  downstreamOf,
  isNode,
  nodesWithin,
  sharedDepth,
  type Graph,
  type GraphEdge,
  type GraphNode,
  type GraphRegion,
  type GraphVertex,
  type RegionSource,
} from "./graph/graph.ts";
export {
  triggerRules,
  type CacheUse,
  type ConcurrencyUse,
  type EdgeDefinition,
  type JsonSchema,
  type NodeDefinition,
  type NodeKind,
  type NodeOptions,
  type ApprovalOptions,
  type WaitOptions,
  type PipelineDefinition,
  type PoolUse,
  type ProjectDefinition,
  type RegionDefinition,
  type SourceLocation,
  type Template,
  type TriggerRule,
} from "./graph/definition.ts";
export {
  findJsonFault,
  isNestedWithin,
  formatPath,
  memberName,
  valueAt,
  type Json,
  type JsonFault,
  type Path,
  type PathStep,
  tooDeep,
} from "./json.ts";
export {
  createLimit,
  decideLimit,
  restoreGrant,
  restoreRequest,
  type Limit,
  type LimitEffect,
  type LimitMessage,
  type LimitRequest,
} from "./limit/limit.ts";
export {
  assetEntry,
  assetFactOf,
  hasDynamicKeys,
  type AssetFact,
  type AssetTelling,
  type EntryPlace,
} from "./asset/entry.ts";
export { partitionsOf, readAssetKey, type AssetKey } from "./asset/key.ts";
export { assetEntryId, assetReportId, assetReportName, taskSource, type TaskRunName } from "./asset/name.ts";
export { parseAsset, readAssetName } from "./asset/parse.ts";
export {
  expectedKeys,
  partitionPicture,
  type ExpectedKeys,
  type PartitionPicture,
  type KnownKeys,
  type PartitionRange,
  type Steps,
} from "./asset/picture.ts";
export { assetUnchangedType, isAssetReport, readAssetReport, type AssetReport } from "./asset/report.ts";
export {
  assetKeyMax,
  assetMetadataMax,
  assetNameMax,
  assetUsesMax,
  assetVersionMax,
  callDepthMax,
  emittedDataMax,
  emittedEventsMax,
  emittedTypeMax,
  eventBatchMax,
  eventDataMax,
  eventTypesMax,
  jsonDepthMax,
  keyIdleMs,
  listedBytesMax,
  listedMembersMax,
  lossesMax,
  mapItemsMax,
  mergedMembersMax,
  namesShownMax,
  nodesMax,
} from "./limits.ts";
export {
  anyMediaType,
  extensionOfHeader,
  isSecretHeader,
  parseWebhook,
  webhookAccepts,
  webhookAlgorithms,
  webhookEncodings,
  webhookKinds,
  webhookMappingNames,
  webhookRate,
  webhookToleranceMs,
  type WebhookAlgorithm,
  type WebhookDefinition,
  type WebhookEncoding,
  type WebhookKind,
  type WebhookMapping,
  type WebhookVerification,
} from "./webhook/webhook.ts";
export { Heap } from "./heap.ts";
export { hasInfiniteNumber } from "./json-numbers.ts";
export { nearestName } from "./nearest-name.ts";
export {
  decideRetry,
  noRetry,
  type AttemptError,
  type RetryDecision,
  type RetryPolicy,
} from "./retry/policy.ts";
export {
  createRun,
  hydrateRun,
  type RunIdentity,
  type RunRecord,
  type TaskRunRecord,
} from "./run/hydrate.ts";
export {
  compareOperations,
  describeDivergence,
  describeOperation,
  type AskedOperation,
  type Divergence,
} from "./run/divergence.ts";
export { holderOf, rankOf } from "./run/holder.ts";
export { callError, concurrencyKeyError, preparingError, requireCallDepth } from "./run/refusal.ts";
export {
  nodeFailed,
  nodeSucceededEvent,
  runEnded,
  runStartedEvent,
  type RunEvent,
  type ToldRun,
} from "./run/own-events.ts";
export { resolveTemplate, streamedMembersIn, wholeOutput, type Resolved } from "./run/input.ts";
export { currentTaskRun } from "./run/attempt.ts";
export { decide, isPlaceholder } from "./run/machine.ts";
export { previewMark, previewPlan, type AffectedNode, type ChangePreview } from "./run/preview.ts";
export { planMark, planRerun, unknownItem, type LateMark, type RerunScope } from "./run/rerun.ts";
export { decideRule, parentFacts, type RuleDecision } from "./run/rule.ts";
export { findTaskRun, taskRunsBelow } from "./run/scope.ts";
export {
  isEndState,
  isRunEnded,
  runStates,
  taskRunStates,
  type AttemptOutcome,
  type AttemptRecord,
  type NamedReport,
  type CancelRequest,
  type Decision,
  type DispatchName,
  type EndState,
  type Expansion,
  type Reason,
  type Run,
  type RunEffect,
  type RunMessage,
  type RunState,
  type Scope,
  type StoredValue,
  type TaskRun,
  type TaskRunState,
} from "./run/state.ts";
export { findMoveFaults, type MoveFault } from "./run/move.ts";
export {
  codeRecordOf,
  newCodeState,
  nodeWait,
  operationKey,
  readCodeRecord,
  type CodeRecord,
  type CodeState,
  type OpenWait,
  type OperationName,
  type OperationOutcome,
  type StepRecord,
  type WaitOperation,
  type WaitRequest,
} from "./run/wait.ts";
export {
  assetPartitionType,
  assetProgressType,
  assetUpdatedType,
  type AssetPartitionAdded,
  type AssetProducer,
  type AssetProgress,
  type AssetUpdate,
} from "./partition/asset-event.ts";
export { cover, coveredTo, forgetBefore, type Coverage } from "./partition/coverage.ts";
export {
  type AssetDefinition,
  type AssetUpstream,
  type DimensionMapping,
  type DynamicPartitions,
  type PartitionDimension,
  type PartitionMapping,
  type PartitionsDefinition,
  type StaticPartitions,
  type TimePartitions,
  type TuplePartitions,
} from "./partition/definition.ts";
export {
  compilePartitionMapping,
  type CompiledMapping as CompiledPartitionMapping,
  type PartitionKey,
} from "./partition/mapping.ts";
export { canonicalPartitions, parsePartitionMapping, parsePartitions } from "./partition/parse.ts";
export {
  compilePartitions,
  formatTuple,
  readTuple,
  requirePartition,
  type Partitions,
  type ReadKey,
} from "./partition/partitions.ts";
export {
  always,
  compileTimeWindows,
  type TimeWindow,
  type TimeWindows,
  type WindowKeyForm,
} from "./partition/time-windows.ts";
export { describePartitions } from "./partition/words.ts";
export { describeSchedule } from "./schedule/describe.ts";
export { dueTime } from "./schedule/jitter.ts";
export { canonicalSchedule, parseSchedule } from "./schedule/parse.ts";
export {
  type AtSchedule,
  type CronSchedule,
  type DayRange,
  type Every,
  type EverySchedule,
  type EveryUnit,
  type Interval,
  type Schedule,
  type ScheduleCalendar,
} from "./schedule/schedule.ts";
export {
  dataInterval,
  nextTick,
  previousTick,
  ticksBetween,
  ticksMissed,
  type CatchUp,
  type DueTick,
} from "./schedule/ticks.ts";
export {
  addMonths,
  formatDay,
  formatWallTime,
  parseDay,
  parseWallTime,
  weekdayOf,
} from "./schedule/wall-time.ts";
export {
  instantOf,
  localDayOf,
  parseTimeZone,
  spanAt,
  startOfDay,
  wallTimeOf,
  type OffsetSpan,
} from "./schedule/zone.ts";
export {
  beginKey,
  forgottenAt,
  isStateless,
  type DecidedFiring,
  type HeldTrigger,
  type KeyState,
  type LogPlace,
} from "./trigger/held-trigger.ts";
export { decideMissed } from "./trigger/missed-ticks.ts";
export { TriggerHistory, type TriggerMoment } from "./trigger/history.ts";
export { TriggerReplay } from "./trigger/replay.ts";
export { decideResume, type Resume, type ResumePort } from "./trigger/resume.ts";
export {
  endedRunOf,
  logResumed,
  readTriggerEvent,
  triggerChanged,
  triggerLooped,
  triggerPaused,
  triggerResumed,
  type TriggerEvent,
} from "./trigger/trigger-event.ts";
export {
  judgeEvent,
  type JudgedCase,
  type JudgedFiring,
  type JudgedTrigger,
  type VerdictPort,
} from "./trigger/verdict.ts";
export { type EventFinding, type EventVerdict, eventVerdicts } from "./trigger/finding.ts";
export {
  conditionEventOf,
  firstStates,
  inheritsKeys,
  isTellable,
  isTypeOf,
  tellKey,
  tellKeyDue,
  type Telling,
} from "./trigger/telling.ts";
export { ConditionWait, type ConditionWaitOptions, type HowEnded } from "./wait/condition-wait.ts";
export {
  describeAnswer,
  answerCondition,
  answerEventId,
  approvalAnswer,
  refuseForm,
  requireApprover,
  approvalAnswered,
  approvalId,
  approvalOf,
  approvalPlace,
  approvalRequest,
  approvalRequested,
  readAnswer,
  requestEventId,
  runOfApproval,
  type ApprovalAnswer,
  type ApprovalPlace,
  type AskedApproval,
  type GivenAnswer,
} from "./wait/approval.ts";
export {
  joinedAfter,
  lookBackOf,
  lookBackToStart,
  waitConditionOf,
  waitTimeoutAt,
  waitValue,
  type LookBack,
} from "./wait/wait-plan.ts";
export { assetsIn } from "./asset/uses.ts";
export { foreignNames, namesUsed, requireKnown, type KnownNames, type NameUse } from "./graph/names-used.ts";
export {
  emittedOf,
  givenEntry,
  toldEntries,
  type AssetJudge,
  type FindAsset,
  type TellingRun,
} from "./asset/told.ts";
export { TriggerIndex, type Candidate } from "./trigger/trigger-index.ts";
export {
  firedEvent,
  firingOf,
  firingValue,
  manualFiringValue,
  memberValue,
  type FiredEvent,
  type Firing,
  type FiringName,
} from "./trigger/firing.ts";
export { firingId } from "./trigger/firing-id.ts";
export {
  countedValue,
  gateKeyOf,
  listedValue,
  mergeCounted,
  partitionOfValue,
  streamedMembersOf,
} from "./trigger/merged-firing.ts";
export { isOfGate, mergedReason, supersededReason, type NamedFiring } from "./trigger/gate-reason.ts";
export {
  admitFiring,
  endGatedRun,
  foreseeGate,
  openGate,
  parsePolicy,
  type FiringPolicy,
  type Gate,
  type GatedFiring,
  type GateOutcome,
  type GateStep,
} from "./trigger/policy.ts";
export {
  causesAttribute,
  causesOfFiring,
  formatCauses,
  heavierCauses,
  loopLimitDefault,
  loopOf,
  noCauses,
  parseCauses,
  type Cause,
  type Causes,
} from "./trigger/causes.ts";
export { loopedEvent, loopReason } from "./trigger/refused-loop.ts";
export {
  findPartition,
  needsPartition,
  partitionForTrigger,
  partitionsOfCondition,
} from "./trigger/partition.ts";
export {
  canonicalTrigger,
  chooseFirings,
  parseCatchUp,
  parseTrigger,
  type TriggerDefinition,
} from "./trigger/trigger.ts";
export { causeOf, type EventCause } from "./event/cause.ts";
export { ownSource, requireForeign } from "./event/own.ts";
export {
  type Finding,
  type Remembered,
  type RememberedThing,
  type SourceClock,
  type SourceConnector,
  type SourceDetail,
  type SourceProblem,
  type SourceTask,
} from "./source/connector.ts";
export { probeAtom, probesWithin, withProbeToken } from "./condition/probe-atoms.ts";
export {
  parseProbe,
  probeChangedType,
  probeFailedType,
  probeId,
  probePipeline,
  lookRunId,
  thingOfLook,
  probePresentType,
  probeRecoveredType,
  presentSubject,
  type AtomProbe,
  type ProbeDefinition,
  type ProbeRef,
} from "./probe/probe.ts";
export { presentProbeEvent, probeEvent, type ProbeEvent, type SeenProbe } from "./probe/events.ts";
export {
  decideLook,
  fingerprintOf,
  firstLookAt,
  isFresh,
  unseenProbe,
  type LookDecision,
  type LookOutcome,
  type ProbeFault,
  type ProbeMemory,
} from "./probe/decide.ts";
export {
  fileArrivedType,
  fileGoneType,
  fileMarker,
  fileProtocols,
  fileQuietMs,
  fileRescanMs,
  parseSource,
  sourceUri,
  type FileProtocol,
  type FileSource,
  type SourceDefinition,
  type SourceKind,
} from "./source/source.ts";
export {
  nodeSucceeded,
  pipelinesAskedOf,
  runAsksOf,
  runAsksOfPipeline,
  runStarted,
  runSucceeded,
  type AskedPipeline,
  type RunAsk,
  type RunNewsType,
} from "./event/run-news.ts";
export { eventTypeFault, parseEventType, type EventTypeDefinition } from "./event/event-type.ts";
