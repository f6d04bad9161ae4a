/** What authors import, by way of the package `millrace`. */
export { asset, type AssetOptions, type UpstreamOptions } from "./asset/asset.ts";
export { type Asset } from "./asset/handle.ts";
export {
  daily,
  dynamicPartitions,
  hourly,
  monthly,
  staticPartitions,
  tuplePartitions,
  weekly,
  windows,
  type Partitions,
  type PartitionWindow,
  type TimeWindowPartitions,
  type WindowsOptions,
} from "./asset/partitions.ts";
export {
  type AssetPartitionKey,
  type AssetReporter,
  type MaterializedUpdate,
  type ReportOptions,
} from "./asset/reporter.ts";
export { type PartitionMapping } from "@millrace/core";
export { defineConfig, type MillraceConfig } from "./config.ts";
export {
  type Approval,
  type ApproveOptions,
  type ArtifactContent,
  type CallInput,
  type Connection,
  type EmitOptions,
  type EmittedEvent,
  type FiringReader,
  type LogFields,
  type NameOption,
  type StepContext,
  type StepOptions,
  type TaskContext,
  type TaskLog,
  type WaitForOptions,
} from "./context.ts";
export { type Duration } from "@millrace/core";
export { type CalledPipeline } from "./called-pipeline.ts";
export { type Edge } from "./edge.ts";
export { type CallOptions, type MapOptions, type MapOutput, type Settled } from "./call.ts";
export { type Filled, type Input } from "./input.ts";
export { cross, zip, type ElementOf, type List, type Lists, type Mappable, type MappableTo } from "./list.ts";
export { type ErrorSelector, type RetryOptions, type TaskOptions } from "./options.ts";
export {
  pipeline,
  type BodyContext,
  type NoParams,
  type ParamsOf,
  type Pipeline,
  type PipelineCall,
  type PipelineOptions,
} from "./pipeline.ts";
export { type Ref, type ReferenceBase } from "./reference.ts";
export { type Recorded } from "./recorded.ts";
export { task, type CallArguments, type MapFunction, type Task } from "./task.ts";
export { Fatal, RetryAfter, Skip } from "./task-error.ts";
export {
  branch,
  shortCircuit,
  when,
  type Branch,
  type BranchOptions,
  type BranchRef,
  type ShortCircuit,
  type ShortCircuitOptions,
} from "./branch.ts";
export { group, type Group, type GroupMapOptions, type GroupOutput } from "./group.ts";
export { type EventPath, type EventPathBase } from "./event-path.ts";
export {
  type EventShape,
  type KeyInput,
  type TimeOperand,
  type WhereInput,
  type WhereObject,
} from "./where.ts";
export {
  type Fired,
  type FiredEvent,
  type FiredSilence,
  type FiredTick,
  type FiredProgress,
  type FiredUpdate,
  type Firing,
  type FiringInterval,
  type RunPartition,
} from "./condition/firing.ts";
export {
  on,
  type EventOptions,
  type FinishedOptions,
  type FinishedRun,
  type FinishedState,
  type NoOperands,
  type On,
  type Operands,
  type AtOptions,
  type Calendar,
  type CronOptions,
  type EveryOptions,
  type ScheduleOptions,
  type WindowOptions,
  type WithinOptions,
} from "./condition/on.ts";
export { type ReachedOperands, type ReachedOptions } from "./condition/reached.ts";
export {
  type UpdatedAll,
  type UpdatedEach,
  type UpdatedFilter,
  type UpdatedOperands,
} from "./condition/updated.ts";
export {
  type AnyAsset,
  type LateOptions,
  type MappedAsset,
  type PartitionOf,
  type TargetInput,
  type WatchedInput,
} from "./condition/watched.ts";
export { files, type FileArrived, type FileGone, type Files, type FilesOptions } from "./files.ts";
export { probe, type Probe, type ProbeChange, type ProbeContext, type ProbeOptions } from "./probe.ts";
export { eventType, type EventType, type EventTypeOptions } from "./condition/event-type.ts";
export {
  webhook,
  type Webhook,
  type WebhookHmac,
  type WebhookOptions,
  type WebhookSecret,
  type WebhookVerify,
} from "./webhook.ts";
export {
  approvals,
  approve,
  type ApprovalAnswered,
  type ApprovalOptions,
  type ApprovalRequested,
  type ApprovalResult,
} from "./approve.ts";
export { wait, type WaitOptions, type WaitResult } from "./wait.ts";
