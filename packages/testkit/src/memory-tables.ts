import type {
  CacheRow,
  FlushBatch,
  GrantRow,
  IdempotencyKeyRow,
  InboxRow,
  LimitRow,
  LiveRun,
  OfferRow,
  RequestRow,
  RunEnd,
  TaskRunRow,
  WorkerConnection,
} from "@millrace/store";

export interface MemoryNode {
  readonly id: number;
  readonly name: string;
  leaseUntil: number;
  fenced: boolean;
  lastFlush: number;
}

export interface MemoryShard {
  readonly shard: number;
  nodeId: number | undefined;
  epoch: number;
}

export type EndedRun = Omit<LiveRun, "cancel" | "wakeAt"> & Pick<RunEnd, "output" | "endedAt">;

/** The tables; keys are the parts of the primary key, joined by a line break. */
export interface MemoryTables {
  readonly nodes: Map<number, MemoryNode>;
  readonly shards: MemoryShard[];
  readonly runs: Map<string, LiveRun>;
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
}

export function keyOf(...parts: readonly (string | number)[]): string {
  return parts.join("\n");
}
