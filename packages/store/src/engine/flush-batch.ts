/** What the engine decided since its last flush, as rows. */
import type {
  AssetReadRow,
  AttemptRow,
  CacheRow,
  EventRow,
  GrantRow,
  IdempotencyKeyRow,
  InboxMessage,
  LimitHold,
  LimitRow,
  LiveRun,
  LogClock,
  OfferKey,
  OfferRow,
  RequestRow,
  RunChange,
  RunEnd,
  RunKey,
  TaskRunRow,
} from "./port.ts";
import type { ProbeRow, ProbeWanted } from "./probe-port.ts";
import type { SourceName, SourceRow, ThingName, ThingRow } from "./source-port.ts";
import type { FiringChange, FiringRow, LogCursor, TriggerKeyRow, TriggerRow } from "./trigger-port.ts";
import type {
  CodeRow,
  StepRow,
  WaitChange,
  WaitMemberRow,
  WaitName,
  WaitRow,
  WaitShapeGone,
  WaitShapeRow,
} from "./wait-port.ts";

/** A run goes on with another bundle. */
export interface RunMove extends RunKey {
  readonly generation: number;
  readonly bundle: string;
}

/** Everything that one flush commits. */
export interface FlushBatch {
  /** Refused (constraint `run_pkey`) where the run is live, or has ended in this generation or a later one. */
  readonly runsCreated: LiveRun[];
  /** Refused (`idempotency_key_pkey`) where a key has named a run before. */
  readonly idempotencyKeys: IdempotencyKeyRow[];
  readonly runsChanged: RunChange[];
  readonly runsEnded: RunEnd[];
  readonly taskRuns: TaskRunRow[];
  readonly attempts: AttemptRow[];
  readonly messagesSent: InboxMessage[];
  readonly messagesTaken: number[];
  readonly limits: LimitRow[];
  readonly grants: GrantRow[];
  readonly grantsGone: LimitHold[];
  readonly requests: RequestRow[];
  readonly requestsGone: LimitHold[];
  readonly cached: CacheRow[];
  readonly offers: OfferRow[];
  readonly offersGone: OfferKey[];
  /** All of one workspace, with its clock in `clocks`. */
  readonly events: EventRow[];
  readonly triggers: TriggerRow[];
  /** All keys of these triggers go, before others are written. */
  readonly triggerKeysGone: { readonly workspace: number; readonly pipeline: string }[];
  readonly triggerKeys: TriggerKeyRow[];
  /** Refused (`firing_pkey`) where a firing of this identity was there before. */
  readonly firings: FiringRow[];
  /** After `firings`: also of those of this flush. One for each run at most. */
  readonly firingChanges: FiringChange[];
  /** Never back. Whatever changes triggers moves one. */
  readonly cursors: LogCursor[];
  readonly outboxTaken: number[];
  readonly waits: WaitRow[];
  readonly waitsChanged: WaitChange[];
  /** Last: one that this flush made goes, too. */
  readonly waitsGone: WaitName[];
  /** Of waits that end in this flush; the engine never reads them back. */
  readonly waitMembers: WaitMemberRow[];
  /** Never back. Whatever ends waits moves one. */
  readonly waitCursors: LogCursor[];
  /** Before `waitShapes`: what this flush registers has its row. */
  readonly waitShapesGone: WaitShapeGone[];
  readonly waitShapes: WaitShapeRow[];
  /** One that is recorded already stays as it is, unless it is a step that failed in an earlier attempt. */
  readonly steps: StepRow[];
  readonly codes: CodeRow[];
  /** All of these runs. */
  readonly codesGone: RunKey[];
  readonly assetReads: AssetReadRow[];
  /** Whatever changes a source's memory writes its row. Whether it is paused is an operator's. */
  readonly sources: SourceRow[];
  /** All that these sources remember goes, before anything else of their memory is written. */
  readonly sourcesForgotten: SourceName[];
  readonly thingsForgotten: ThingName[];
  readonly thingsRemembered: ThingRow[];
  /** After `probes`: one that nobody waited for is wanted again. */
  readonly probesWanted: ProbeWanted[];
  readonly probes: ProbeRow[];
  /** Live runs that go on with another bundle. */
  readonly runsMoved: RunMove[];
  /** One at most: a flush changes one workspace's log. */
  readonly clocks: LogClock[];
}

export function emptyBatch(): FlushBatch {
  return {
    runsCreated: [],
    idempotencyKeys: [],
    runsChanged: [],
    runsEnded: [],
    taskRuns: [],
    attempts: [],
    messagesSent: [],
    messagesTaken: [],
    limits: [],
    grants: [],
    grantsGone: [],
    requests: [],
    requestsGone: [],
    cached: [],
    offers: [],
    offersGone: [],
    events: [],
    triggers: [],
    triggerKeysGone: [],
    triggerKeys: [],
    firings: [],
    firingChanges: [],
    cursors: [],
    outboxTaken: [],
    waits: [],
    waitsChanged: [],
    waitsGone: [],
    waitMembers: [],
    waitCursors: [],
    waitShapesGone: [],
    waitShapes: [],
    steps: [],
    codes: [],
    codesGone: [],
    assetReads: [],
    sources: [],
    sourcesForgotten: [],
    thingsForgotten: [],
    thingsRemembered: [],
    probesWanted: [],
    probes: [],
    runsMoved: [],
    clocks: [],
  };
}
