/**
 * What the engine asks of its store. PostgreSQL (`postgres-engine-store.ts`) and the simulator's memory both implement
 * it and pass one conformance suite.
 *
 * E1: `flush` commits wholly or not at all, and not once its node is fenced.
 * E2: a node's flush numbers rise by one; `lastFlush` tells after a lost connection whether the last one landed.
 * E3: a shard has at most one owner that is not fenced; it changes hands only by its owner or after its fencing.
 * E4: what `flush` committed is what the `load…` functions give afterwards, to anybody.
 * E5: positions of a workspace's log follow each other without gaps in the order of commits, and `recordedAt` never falls.
 * E6: of the events with one source and id the first one is in the log, once.
 */
import type { FlushBatch } from "./flush-batch.ts";
import type {
  AttemptError,
  AttemptRecord,
  EventDraft,
  FiringName,
  Json,
  LogEvent,
  OperationName,
  Member,
  Reason,
  RunState,
  StepRecord,
  StoredValue,
  TaskRunRecord,
} from "@millrace/core";

import type { ProbeReads } from "./probe-port.ts";
import type { SourceReads } from "./source-port.ts";
import type { GateAsk, GateRows, LoadedTriggers, OutboxRow, TriggerKeyRow } from "./trigger-port.ts";
import type { FoundWaits, KeyRange, LoadedWaits, StepKey, WaitPlace, WaitRow } from "./wait-port.ts";

export const shardCount = 64;

export interface RunKey {
  readonly workspace: number;
  readonly id: string;
}

/** The `call` node, or the task, that waits for this run. */
export interface RunParent {
  readonly runId: string;
  readonly shard: number;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly dispatch: number;
  /** Of a call in a task's code. */
  readonly wait?: OperationName;
  /** The triggers that led to it (`LiveRun.causes`), where there are any. */
  readonly causes?: string;
}

export interface LiveRun extends RunKey {
  readonly lane: string;
  readonly shard: number;
  readonly pipeline: string;
  readonly project: string;
  readonly bundle: string;
  readonly generation: number;
  readonly state: RunState;
  readonly reason: Reason | undefined;
  readonly depth: number;
  readonly parent: RunParent | undefined;
  readonly labels: { readonly [name: string]: string };
  readonly params: StoredValue;
  /** What its tasks see of the firing that started it; a row of `firings` in the flush that makes it. */
  readonly firing?: StoredValue | undefined;
  /** The triggers that led to it, as a firing's row holds them. */
  readonly causes?: string | undefined;
  /** Its trigger's gate waits for its end. */
  readonly isGated?: true | undefined;
  readonly cancel:
    | { readonly by: "user" | "deadline" | "parent"; readonly reason: Reason; readonly force: boolean }
    | undefined;
  /** ms since 1970, database time; so are all times here. */
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  /** Set while the run only waits and no node holds it in memory: when something of it is due (`wakeNever`: nothing). */
  readonly wakeAt: number | undefined;
}

/** What only a message can end. PostgreSQL and JavaScript both hold this instant. */
export const wakeNever = Date.UTC(9999, 0);

export type RunChange = Pick<
  LiveRun,
  "workspace" | "id" | "state" | "reason" | "cancel" | "startedAt" | "wakeAt"
>;

export interface RunEnd extends RunKey {
  readonly state: RunState;
  readonly reason: Reason | undefined;
  readonly output: StoredValue | undefined;
  readonly endedAt: number;
  /** Task runs of it are stored besides those of this batch. */
  readonly hasMoreRows: boolean;
}

export interface TaskRunRow extends TaskRunRecord {
  readonly workspace: number;
  readonly runId: string;
}

export interface AttemptRow {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly attempt: number;
  readonly dispatch: number;
  readonly state: AttemptRecord["state"];
  readonly worker: string | undefined;
  readonly error: AttemptError | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A message in the inbox; the engine knows its shape. */
export interface InboxMessage {
  readonly shard: number;
  readonly message: Json;
}
export interface InboxRow extends InboxMessage {
  readonly id: number;
}

export interface LimitKey {
  readonly workspace: number;
  readonly kind: "pool" | "key" | "pipeline";
  readonly name: string;
}
export interface LimitRow extends LimitKey {
  readonly shard: number;
  readonly slots: number;
  readonly setByOperator: boolean;
}
export interface LimitHold extends LimitKey {
  /** Who holds: a task run's attempt, or a run. */
  readonly holder: string;
}
export interface GrantRow extends LimitHold {
  readonly shard: number;
  readonly runId: string;
  readonly slots: number;
}
export interface RequestRow extends LimitHold {
  readonly shard: number;
  /** The shard that wants to know. */
  readonly replyShard: number;
  readonly runId: string;
  readonly slots: number;
  /** How many slots the limit has by its definition: an operator's number wins over it. */
  readonly limitSlots: number;
  /** Priority as time: the smaller goes first. */
  readonly rank: number;
}

export interface CacheRow {
  readonly workspace: number;
  readonly key: string;
  readonly output: StoredValue;
  readonly recordedAt: number;
  readonly expiresAt: number | undefined;
}

export interface OfferKey {
  readonly workspace: number;
  readonly runId: string;
  readonly node: string;
  readonly item: string;
}
/** A task run that waits for a slot of any node. */
export interface OfferRow extends OfferKey {
  readonly generation: number;
  /** The number that its dispatch will have. */
  readonly dispatch: number;
  readonly queue: string;
  readonly nodeId: number;
  readonly shard: number;
}

/** Who takes offers: a worker with free slots, and a shard of its node, through which the answer comes. */
export interface OfferClaim {
  readonly nodeId: number;
  readonly shard: number;
  readonly workerId: string;
  readonly queues: readonly string[];
  readonly limit: number;
}

/** A worker's connection, as other nodes see it. */
export interface WorkerConnection {
  readonly id: string;
  readonly nodeId: number;
  readonly detail: Json;
  readonly connectedAt: number;
}

/** A caller's name for a run that it wants made once. */
export interface IdempotencyKeyRow {
  readonly workspace: number;
  readonly key: string;
  readonly runId: string;
  readonly createdAt: number;
}

/** What stands in an asset when an attempt that reads it begins; the flush looks it up. */
export interface AssetReadRow {
  readonly workspace: number;
  readonly runId: string;
  readonly generation: number;
  readonly node: string;
  readonly item: string;
  readonly lane: string;
  readonly asset: string;
  /** The empty text for the whole asset. */
  readonly partition: string;
  readonly at: number;
}

/** An event for the log. One that tells of an asset changes the asset's rows, too, unless it is a repeat (`core/asset`). */
export interface EventRow extends EventDraft {
  readonly workspace: number;
  /** JSON text of data that rests in the row, where somebody had it already. */
  readonly dataText: string | undefined;
  /** The run that tells it: if the database refuses that run's rows, this one goes with them. */
  readonly runId?: string | undefined;
  /** Only the flush that tells it makes it: it is always new, and its name is not kept. */
  readonly once?: true;
}

/** From the flush on that has this, no entry of the log gets a `recordedAt` before `at`. */
export interface LogClock {
  readonly workspace: number;
  readonly at: number;
}

/** What a flush made of its events. Those that `others` does not list have the positions from `first` on, in their order. */
export interface LogChange {
  readonly first: number;
  readonly count: number;
  /** The log's clock after the flush; `recordedAt` of its events. */
  readonly clock: number;
  /** `at` is the place among the flush's events, from 0. */
  readonly others: readonly {
    readonly at: number;
    readonly kind: "duplicate" | "conflict";
    readonly position: number;
  }[];
}

export interface LogHead {
  /** Of the last entry; 0 when there is none. */
  readonly position: number;
  /** No entry after `position` has a smaller `recordedAt`. */
  readonly clock: number;
}

/** Entries after a position, in order. Between them those are missing whose retention has ended, and no others. */
export interface LogPage {
  readonly events: readonly LogEvent[];
  /** The page holds all up to here: where the next one goes on. */
  readonly until: number;
  /** The whole log's end, read before the entries were. */
  readonly head: LogHead;
}

/**
 * `fenced`: this node's time is over; it must step nothing more and start again as a new one. A flush that has a clock is
 * committed with what became of the log.
 */
export type FlushOutcome = "committed" | "fenced" | LogChange;

export interface LastFlush {
  readonly number: number;
  readonly fenced: boolean;
  /** What that flush made of its events, if it had a clock. */
  readonly log?: LogChange;
}

export interface NodeRegistration {
  readonly nodeId: number;
  /** Database time. */
  readonly now: number;
}

export interface LeaseRenewal {
  readonly alive: boolean;
  readonly now: number;
  /** Nodes with a lease, this one included. */
  readonly liveNodes: number;
}

export interface LoadedShards {
  /** Runs that have started and belong into memory; queued ones come by `loadQueuedRuns`, waiting ones by `loadWaitingRuns`. */
  readonly runs: readonly LiveRun[];
  readonly taskRuns: readonly TaskRunRow[];
  readonly waits: readonly WaitRow[];
  readonly limits: readonly LimitRow[];
  readonly grants: readonly GrantRow[];
  readonly requests: readonly RequestRow[];
}

export interface LoadedRun {
  readonly run: LiveRun;
  readonly taskRuns: readonly TaskRunRow[];
  readonly waits: readonly WaitRow[];
}

export interface QueuedRun extends RunKey {
  readonly shard: number;
  readonly pipeline: string;
  readonly bundle: string;
  readonly generation: number;
  readonly createdAt: number;
}

/** A run that waits outside of memory. */
export interface WaitingRun extends RunKey {
  readonly shard: number;
  readonly wakeAt: number;
}

export type WakeNews = readonly number[] | "all" | "offers" | "log";

/** Nothing in the log at or before `position` came after the run, or its live generation, was made; all that comes later did. */
export interface RunPosition {
  readonly id: string;
  /** Absent of a run that was made before this was kept. */
  readonly position: number | undefined;
}

export interface EngineStore extends SourceReads, ProbeReads {
  /** Makes this process's node row with a lease of `leaseMs`. */
  registerNode(node: {
    readonly name: string;
    readonly url: string | undefined;
    readonly version: string;
    readonly leaseMs: number;
  }): Promise<NodeRegistration>;
  renewLease(nodeId: number, leaseMs: number): Promise<LeaseRenewal>;
  /** Fences nodes whose lease ran out more than `marginMs` ago and frees their shards; returns how many shards are free. */
  fenceExpired(
    marginMs: number,
  ): Promise<{ readonly fenced: readonly number[]; readonly freeShards: number }>;
  /** Takes up to `count` free shards; returns those taken. */
  claimShards(nodeId: number, count: number): Promise<number[]>;
  /** Gives shards up; their messages are noticed by whoever claims them. */
  releaseShards(nodeId: number, shards: readonly number[]): Promise<void>;
  /** Ends the node: releases its shards, fences itself. */
  leave(nodeId: number): Promise<void>;
  ownedShards(nodeId: number): Promise<number[]>;
  /** The time before those nodes that live, this one included, in which none had a lease; `undefined` when there was none. */
  lastOutage(nodeId: number): Promise<{ readonly from: number; readonly to: number } | undefined>;

  /** Throws when the connection was lost: the outcome is unknown then (`lastFlush`). */
  flush(nodeId: number, number: number, batch: FlushBatch): Promise<FlushOutcome>;
  /** Whether `flush` would be taken: it is done and taken back. */
  tryFlush(nodeId: number, number: number, batch: FlushBatch): Promise<FlushOutcome>;
  /** The database refused what a flush said: sending it again can't help. All other failures are worth repeating. */
  isPoison(error: unknown): boolean;
  lastFlush(nodeId: number): Promise<LastFlush>;

  /**
   * Takes back offers of the shards' earlier owners, and grants of runs that are not live, before it reads: of those shards
   * that are the node's. One that was frozen since its claim must not touch what the next owner offers.
   */
  loadShards(nodeId: number, shards: readonly number[]): Promise<LoadedShards>;
  /** Oldest first, after `afterId`. */
  loadQueuedRuns(shards: readonly number[], afterId: string, limit: number): Promise<QueuedRun[]>;
  loadRun(key: RunKey): Promise<LoadedRun | undefined>;
  /** Those of `ids` that have not ended, in no order. */
  loadRuns(workspace: number, ids: readonly string[]): Promise<LoadedRun[]>;
  /** Those of `ids` that have not ended. */
  liveRuns(workspace: number, ids: readonly string[]): Promise<string[]>;
  /** Where the log ended when these were made, of those that have not ended. */
  loadRunPositions(workspace: number, ids: readonly string[]): Promise<RunPosition[]>;
  /** Those that are due by `until`, the earliest first. */
  loadWaitingRuns(shards: readonly number[], until: number, limit: number): Promise<WaitingRun[]>;
  loadInbox(shards: readonly number[], limit: number): Promise<InboxRow[]>;
  /** Leaves messages for shards of other nodes outside any flush (a command of the API), and wakes them. */
  sendInbox(messages: readonly InboxMessage[]): Promise<void>;
  /** Leaves a message for whichever shard a live run stands in; false when there is no such run. */
  sendToRun(key: RunKey & { readonly generation?: number }, message: Json): Promise<boolean>;
  /** Leaves a message as `sendInbox` does, unless as many as `pendingMax` wait for its shard already: then false. */
  sendBounded(message: InboxMessage, pendingMax: number): Promise<boolean>;
  /** How many messages wait for a shard, as far as `max`. */
  countPending(shard: number, max: number): Promise<number>;
  /** Tells nodes that these shards have messages. Coalesced by the caller. */
  wake(shards: readonly number[]): Promise<void>;
  /** Calls back with shards that have messages, with what else there is news of, and with `all` on a new connection. */
  onWake(listener: (what: WakeNews) => void): Promise<{ stop(): Promise<void> }>;

  /** Tells nodes that the log has grown, or its clock. Coalesced by the caller. */
  wakeLog(): Promise<void>;
  logHead(workspace: number): Promise<LogHead>;
  /** Up to `limit` entries after position `after`. */
  readLog(workspace: number, after: number, limit: number): Promise<LogPage>;
  /** Those of these entries that are kept. */
  readEntries(workspace: number, positions: readonly number[]): Promise<LogEvent[]>;

  /** Up to `limit` entries of these types after a position and up to another, not recorded before `since`. */
  readTypes(
    workspace: number,
    span: {
      readonly types: readonly string[];
      readonly after: number;
      readonly since: number;
      readonly until: number;
    },
    limit: number,
  ): Promise<LogEvent[]>;

  loadTriggers(shards: readonly number[]): Promise<LoadedTriggers>;
  loadTriggerKeys(
    workspace: number,
    names: readonly { readonly pipeline: string; readonly key: string }[],
  ): Promise<TriggerKeyRow[]>;
  /** Of one trigger up to `limit`, those that were touched last. */
  loadKeysOf(workspace: number, pipeline: string, limit: number): Promise<TriggerKeyRow[]>;
  /** Those of keyed triggers that time changes by `until`, the earliest first. */
  loadDueTriggerKeys(shards: readonly number[], until: number, limit: number): Promise<TriggerKeyRow[]>;
  /** The run of the newest earlier revision of a firing which has one, also in the twenty versions of its trigger before. */
  revisedRun(workspace: number, firing: FiringName): Promise<string | undefined>;
  /** Firings that stand at the gate of a trigger. */
  loadGate(ask: GateAsk): Promise<GateRows>;
  /** Members of the firing of a run, in their order; an event's `recordedAt` is not among what is stored. */
  loadFiringMembers(key: RunKey, page: { readonly from: number; readonly limit: number }): Promise<Member[]>;
  /** The oldest first. */
  loadOutbox(limit: number): Promise<OutboxRow[]>;

  loadWaits(workspace: number, shards: readonly number[]): Promise<LoadedWaits>;
  /** The places of those of these ranges in which no wait of any shard has a key. */
  unusedKeyRanges(ranges: readonly KeyRange[]): Promise<number[]>;
  /** Whether a wait is left that began before keys were in ranges. */
  hasOldWaits(workspace: number): Promise<boolean>;
  /** By their keys, in the order of key and id, after a place; one with two of the keys is found twice. */
  findWaits(
    shards: readonly number[],
    keys: readonly string[],
    after: WaitPlace | undefined,
    limit: number,
  ): Promise<FoundWaits>;
  /** Those without an end that time changes before `before`, the earliest first. */
  loadDueWaits(shards: readonly number[], before: number, limit: number): Promise<WaitRow[]>;
  /** When time changes one of them next. */
  nextWaitDue(shards: readonly number[]): Promise<number | undefined>;
  loadWaitsOf(workspace: number, runIds: readonly string[]): Promise<WaitRow[]>;
  /** Runs with waits that have ended, which they have not taken. */
  loadEndedWaits(shards: readonly number[]): Promise<(RunKey & { readonly shard: number })[]>;
  /**
   * What a task's function has recorded, numbered in the order in which it learns of it; of steps that failed those of this
   * attempt. A wait that ended while a dispatch ran is told to the next one: it comes after all that the first one recorded.
   */
  loadSteps(key: StepKey): Promise<StepRecord[]>;
  /** Tells nodes that there are offers. */
  wakeOffers(): Promise<void>;
  /** Takes offers of other nodes and leaves a `claimed` message for each owner, in one transaction. */
  claimOffers(claim: OfferClaim): Promise<OfferRow[]>;
  /** Records a connection, or that it is gone. */
  saveWorker(connection: WorkerConnection): Promise<void>;
  removeWorker(id: string, nodeId: number): Promise<void>;
  /** Those of `ids` that are connected to a living node (other than `exceptNode`). */
  liveWorkers(ids: readonly string[], exceptNode?: number): Promise<string[]>;
  /** Leaves a message for the node that a worker is connected to; false when it is nowhere. */
  sendToWorker(workerId: string, message: Json): Promise<boolean>;

  findCached(workspace: number, keys: readonly string[], now: number): Promise<CacheRow[]>;
  /** The run that a caller's key named. */
  findIdempotencyKey(workspace: number, key: string): Promise<string | undefined>;
}
