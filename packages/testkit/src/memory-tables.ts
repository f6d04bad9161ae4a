import type { AssetFact, LogEvent } from "@millrace/core";
import type {
  CacheRow,
  CodeRow,
  FiringRow,
  FlushBatch,
  GrantRow,
  IdempotencyKeyRow,
  InboxRow,
  LimitRow,
  LiveRun,
  LogChange,
  OfferRow,
  OutboxRow,
  RequestRow,
  RunEnd,
  ProbeRow,
  SourceRow,
  TaskRunRow,
  StepRow,
  ThingRow,
  TriggerKeyRow,
  TriggerRow,
  WaitRow,
  WaitShapeRow,
  WorkerConnection,
} from "@millrace/store";

export interface MemoryNode {
  readonly id: number;
  readonly name: string;
  readonly startedAt: number;
  leaseUntil: number;
  fenced: boolean;
  lastFlush: number;
}

export interface MemoryShard {
  readonly shard: number;
  nodeId: number | undefined;
  epoch: number;
  logPosition: number;
  waitPosition: number;
}

export type EndedRun = Omit<LiveRun, "cancel" | "wakeAt"> & Pick<RunEnd, "output" | "endedAt">;

export interface MemoryLog {
  /** Position 1 stands first. */
  readonly entries: LogEvent[];
  readonly clock: number;
  /** The flush that changed it last, and how. */
  readonly flush: { readonly nodeId: number; readonly number: number };
  readonly change: LogChange;
}

export interface MemoryIdentity {
  readonly position: number;
  readonly content: string;
}

export interface MemoryAssetState {
  readonly workspace: number;
  readonly asset: string;
  readonly lane: string;
  updates: number;
  update: { readonly position: number; readonly at: number; readonly runId: string | undefined } | undefined;
  progress: { readonly until: number; readonly position: number; readonly at: number } | undefined;
  rejected: number;
  rejection:
    | {
        readonly position: number;
        readonly at: number;
        readonly partition: string;
        readonly reason: string;
        readonly runId: string | undefined;
      }
    | undefined;
}

export interface MemoryAssetPartition {
  readonly workspace: number;
  readonly asset: string;
  readonly lane: string;
  readonly partition: string;
  readonly updates: number;
  readonly position: number;
  /** Of the last update; the key alone is known without one. */
  readonly update: { readonly at: number; readonly fact: AssetFact } | undefined;
}

export interface MemoryAssetUse {
  readonly workspace: number;
  readonly runId: string;
  readonly generation: number;
  readonly node: string;
  readonly item: string;
  readonly direction: "read" | "write";
  readonly asset: string;
  readonly partition: string;
  readonly position: number | undefined;
  readonly version: string | undefined;
  readonly at: number;
}

/** The tables; keys are the parts of the primary key, joined by a line break. */
export interface MemoryTables {
  readonly nodes: Map<number, MemoryNode>;
  readonly shards: MemoryShard[];
  readonly runs: Map<string, LiveRun>;
  /** Where the log ended when each was made. */
  readonly runPositions: Map<string, number>;
  readonly taskRuns: Map<string, Map<string, TaskRunRow>>;
  readonly runHistory: Map<string, EndedRun>;
  readonly taskRunHistory: Map<string, TaskRunRow>;
  readonly attemptHistory: Map<string, FlushBatch["attempts"][number]>;
  readonly inbox: Map<number, InboxRow>;
  readonly limits: Map<string, LimitRow>;
  readonly grants: Map<string, GrantRow>;
  readonly requests: Map<string, RequestRow>;
  readonly cached: Map<string, CacheRow>;
  readonly offers: Map<string, OfferRow>;
  readonly workers: Map<string, WorkerConnection>;
  readonly idempotencyKeys: Map<string, IdempotencyKeyRow>;
  /** By workspace. */
  readonly logs: Map<number, MemoryLog>;
  readonly eventIdentities: Map<string, MemoryIdentity>;
  readonly triggers: Map<string, TriggerRow>;
  readonly triggerKeys: Map<string, TriggerKeyRow>;
  readonly firings: Map<string, FiringRow>;
  readonly outbox: Map<number, OutboxRow>;
  readonly waits: Map<number, WaitRow>;
  readonly waitShapes: Map<string, WaitShapeRow>;
  readonly steps: Map<string, StepRow>;
  readonly codes: Map<string, CodeRow>;
  readonly assetStates: Map<string, MemoryAssetState>;
  readonly assetPartitions: Map<string, MemoryAssetPartition>;
  readonly assetUses: Map<string, MemoryAssetUse>;
  readonly sources: Map<string, SourceRow>;
  readonly probes: Map<string, ProbeRow>;
  readonly things: Map<string, ThingRow>;
}

export function keyOf(...parts: readonly (string | number)[]): string {
  return parts.join("\n");
}

export function shapeKey({ workspace, type, isPrefix, path, shard }: WaitShapeRow): string {
  return keyOf(workspace, type, String(isPrefix), path, shard);
}
