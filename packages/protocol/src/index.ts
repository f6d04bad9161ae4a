export type {
  AssetCellView,
  AssetCellsView,
  AssetDetail,
  AssetNode,
  AssetPartitionView,
  AssetProducerView,
  AssetSummary,
  AssetUpdateView,
  AssetUseView,
  FreshnessView,
  RejectionView,
} from "./api/asset.ts";
export type {
  BundleManifest,
  BundleUpload,
  DeployRequest,
  DeployResponse,
  DeploymentView,
  NamesDifference,
  RollbackRequest,
} from "./api/deployment.ts";
export type {
  ChainEvent,
  ChainRun,
  EventCauses,
  EventChain,
  EventEffect,
  EventHistogram,
  EventPreview,
  EventPreviewRequest,
  EventSeries,
  EventTypeView,
  TriggerDecision,
  TriggerDecisions,
} from "./api/event-page.ts";
export type { EventBatchReceipt, EventReceipt, EventSearchPage, EventView } from "./api/event.ts";
export type {
  FiredMemberView,
  FiringDetail,
  FiringMemberView,
  FiringState,
  FiringView,
  LogPlaceView,
  SimulatedFiring,
} from "./api/firing.ts";
export type {
  AssetVersionView,
  AssetVersionsPage,
  LineageEdge,
  LineageKind,
  LineageNode,
  LineageTie,
  LineageView,
  ScheduleRunsView,
  TickOutcome,
  VersionCause,
} from "./api/lineage.ts";
export type {
  AttentionView,
  FailedRunView,
  Overview,
  RunBlockView,
  TimelineView,
  WaitGroupView,
} from "./api/overview.ts";
export type { EventRateView, EventRatesView } from "./api/pace.ts";
export type { Counted, Page, Problem, Reason } from "./api/parts.ts";
export type {
  NextTickView,
  PipelineChanges,
  PipelineSource,
  RecentView,
  SourceFileChange,
  ValueChange,
  VersionPlace,
} from "./api/pipeline-versions.ts";
export type {
  GridPage,
  GridRun,
  PipelineDetail,
  PipelineSummary,
  PipelineVersionView,
} from "./api/pipeline.ts";
export type { ProbeLogEntry, ProbeView } from "./api/probe.ts";
export type {
  FirstStepView,
  FirstStepsView,
  PipelineChangeView,
  ProjectChangeView,
  ProjectErrorView,
  ProjectPlace,
  ProjectView,
} from "./api/project.ts";
export type { AffectedNodeView, RunChangePreview } from "./api/run-change.ts";
export type {
  CauseMemberView,
  CausedRunView,
  EffectEventView,
  LogLinesView,
  ProducerView,
  RunCausesView,
  RunDefinitionView,
  RunEffectsView,
  TaskInputView,
} from "./api/run-story.ts";
export type {
  ArtifactView,
  AttemptView,
  CancelRequest,
  LogEntry,
  MarkRequest,
  MoveRequest,
  RerunRequest,
  RunDetail,
  RunEvent,
  RunState,
  RunSummary,
  StartRunRequest,
  StartRunResponse,
  TaskRunState,
  TaskRunView,
} from "./api/run.ts";
export type { SearchAnswer, SearchHit, SearchKind } from "./api/search.ts";
export type {
  ActivityEvent,
  LimitDetail,
  LimitUseView,
  LimitView,
  LiveEvent,
  PoolView,
  QueueView,
  ServerInfo,
  WorkerView,
} from "./api/server.ts";
export type { SettingView } from "./api/settings.ts";
export type { DeliveryReceipt, SourceView, WebhookView } from "./api/source.ts";
export type { CheckView, ServerNodeView, SystemView, TableView } from "./api/system.ts";
export type { HistoricFiring, TriggerHistoryView, TriggerMomentView } from "./api/trigger-history.ts";
export type {
  EventExplanation,
  ExplanationView,
  GateView,
  OnResume,
  ResumePreview,
  ResumeRequest,
  ScheduleTicksView,
  SimulateRequest,
  SimulateResponse,
  TriggerDetail,
  TriggerExplanation,
  TriggerKeyView,
  TriggerSummary,
} from "./api/trigger.ts";
export type {
  AnswerRequest,
  ApprovalAnswerView,
  ApprovalView,
  EndedWaitView,
  OpenWaitView,
  StepView,
  WaitView,
} from "./api/wait.ts";
export { apiPrefix, inspectLabel, partitionLabel } from "./api/names.ts";
export type {
  AnswerOf,
  BodyOf,
  Operation,
  Parameter,
  PartsOf,
  PreviewOf,
  ReadQuery,
} from "./api/operation.ts";
export type { Operations, AnswerAt, BodyAt, ItemAt, PreviewAt, QueryAt } from "./api/operations.ts";
export { gridStates } from "./grid-states.ts";
export { type DispatchToken, tokenKey } from "./ids.ts";
export {
  type Ack,
  aheadMsMax,
  type Artifact,
  type ArtifactType,
  type AttemptOutcome,
  type AttemptTimes,
  type Cancel,
  type CarriedValue,
  type Dispatch,
  type Dispatches,
  type Draining,
  type Goodbye,
  type Heartbeat,
  type Hello,
  inlineBytesMax,
  inlineRecordsBytesMax,
  type LogLevel,
  type LogLine,
  type Logs,
  outputBytesMax,
  type Progress,
  protocolVersion,
  type Recorded,
  type Rehearse,
  type Rehearsed,
  type RecordedOutcome,
  recordsMax,
  type Results,
  type ServerMessage,
  smallBytesMax,
  stepBytesMax,
  type StepName,
  stepNameMax,
  type StepRecord,
  type Steps,
  type WaitOperation,
  type WaitRequest,
  type Welcome,
  type WorkerMessage,
} from "./worker.ts";
export {
  readServerFrame,
  readWorkerFrame,
  serverMessageSchemas,
  workerMessageSchemas,
} from "./worker-schema.ts";
export { isStorable, type Shape } from "./shape.ts";
export { stateMarks, type StateMark } from "./state-marks.ts";
export {
  serverSettings,
  settingOf,
  settingViews,
  type GivenSettings,
  type Setting,
  type SettingDefinition,
  type SettingName,
} from "./settings.ts";
