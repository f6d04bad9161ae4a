/**
 * The algebra of conditions as data (the design, §4). Conditions are immutable and have this JSON form everywhere: in
 * bundles, rows, the API. `parse.ts` checks it, `compile.ts` makes it executable.
 *
 * All durations are milliseconds. Spans (`withinMs`, `gapMs`, …) measure log time (`recordedAt`).
 */
import type { PartitionMapping, PartitionsDefinition, TimePartitions } from "../partition/definition.ts";
import type { AtomProbe } from "../probe/probe.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { EventKey } from "./where/event-key.ts";
import type { Where } from "./where/where.ts";

/** Where a key comes from: one for all operands, or one for each operand's name. Its text names the state: `1` and `"1"` are one. */
export type KeyDefinition =
  | EventKey
  | { readonly kind: "operands"; readonly of: { readonly [operand: string]: EventKey } };

interface Common {
  /** The operand's name: its events are found under it in a firing. */
  readonly name?: string;
  /** Separate state for each value of this key. */
  readonly by?: KeyDefinition;
}

/** An event of this type (`order.*` stands for all types that begin so). */
export interface EventAtom extends Common {
  readonly kind: "event";
  readonly type: string;
  readonly where?: Where;
  /** Of `millrace.probe.changed`: the thing whose changes are meant. As long as somebody listens, it is looked at. */
  readonly probe?: AtomProbe;
}

/** A tick of calendar time. */
export interface ScheduleAtom extends Common {
  readonly kind: "schedule";
  readonly schedule: Schedule;
}

/** An asset that an atom listens to, with all that its keys mean: a condition needs no catalogue to be evaluated. */
export interface WatchedAsset {
  readonly asset: string;
  readonly partitions?: PartitionsDefinition;
  /** From its partitions to the atom's target; absent: what fits both. */
  readonly mapping?: PartitionMapping;
}

/** Which partitions of the asset count. */
export type PartitionFilter =
  | { readonly kind: "keys"; readonly keys: readonly string[] }
  /** The last `n` windows that have begun by log time. */
  | { readonly kind: "latest"; readonly n: number }
  /** Of tuples: those with one of these keys in each dimension. */
  | { readonly kind: "dimensions"; readonly of: { readonly [dimension: string]: readonly string[] } };

/** What an update of a partition does whose window has fired. All is log time. */
export interface RevisePolicy {
  /** A revision comes when there was no further update for so long, at the latest six times as long after the first. */
  readonly debounceMs: number;
  /** Revisions of one window, beside its first firing. */
  readonly revisionsMax: number;
  /** After its first firing: later updates change nothing. */
  readonly closeAfterMs: number;
}

/** Updates of assets. */
export interface UpdatedAtom extends Common {
  readonly kind: "updated";
  readonly assets: readonly WatchedAsset[];
  readonly where?: Where;
  readonly only?: PartitionFilter;
  /** Which partitions firings are about; absent: those of the asset. */
  readonly target?: PartitionsDefinition;
  /** `each`: every partition that an update is a part of. `complete`: one when all that it is made of was updated. */
  readonly when: "each" | "complete";
  /** With `complete` and windows of time. Absent: they fire once. */
  readonly late?: RevisePolicy;
}

/** Windows that assets are complete for, in their order, each once. */
export interface ReachedAtom extends Common {
  readonly kind: "reached";
  readonly assets: readonly WatchedAsset[];
  readonly target: TimePartitions;
  /** The first window holds this instant (ISO 8601 in UTC); absent: that at which the instance began. */
  readonly from?: string;
  /** Progress has to pass a window's end by so much. */
  readonly delayMs: number;
  /** Absent: an update of a window that has fired changes nothing. */
  readonly late?: RevisePolicy;
  /** When progress has stood still for so long, and the window is over, it fires flagged incomplete. Log time. */
  readonly orAfterMs?: number;
}

/** All operands matched, in any order. */
export interface AllCondition extends Common {
  readonly kind: "all";
  readonly of: readonly Condition[];
  readonly withinMs?: number;
}

/** Each match of an operand. */
export interface AnyCondition extends Common {
  readonly kind: "any";
  readonly of: readonly Condition[];
}

/** `n` different operands matched. */
export interface AtLeastCondition extends Common {
  readonly kind: "at_least";
  readonly n: number;
  readonly of: readonly Condition[];
  readonly withinMs?: number;
}

/** The operands matched one after the other. */
export interface SequenceCondition extends Common {
  readonly kind: "sequence";
  readonly of: readonly Condition[];
  readonly withinMs?: number;
}

/** Matches of `of` count only as long as `until` has not matched: for `withinMs` after it, or for good. */
export interface UnlessCondition extends Common {
  readonly kind: "unless";
  readonly of: Condition;
  readonly until: Condition;
  readonly withinMs?: number;
}

/** `of` did not match within a span: after each match of `after`, or since its own last match. */
export interface AbsentCondition extends Common {
  readonly kind: "absent";
  readonly of: Condition;
  readonly withinMs: number;
  readonly after?: Condition;
}

/** Every `n` matches make one. */
export interface CountCondition extends Common {
  readonly kind: "count";
  readonly of: Condition;
  readonly n: number;
  readonly withinMs?: number;
}

/** Up to `max` matches, or what came within `maxWaitMs` of the first. */
export interface BatchCondition extends Common {
  readonly kind: "batch";
  readonly of: Condition;
  readonly max: number;
  readonly maxWaitMs: number;
}

/** Matches that follow each other by no more than `gapMs`; cut at `maxMs` after the first. */
export interface SessionCondition extends Common {
  readonly kind: "session";
  readonly of: Condition;
  readonly gapMs: number;
  readonly maxMs?: number;
}

/** One match once there was none for `quietMs`, at the latest `maxWaitMs` after the first. */
export interface DebounceCondition extends Common {
  readonly kind: "debounce";
  readonly of: Condition;
  readonly quietMs: number;
  readonly maxWaitMs?: number;
}

/** At most `limit` matches in each `perMs`; those beyond are held and pass as one when there is room again. */
export interface ThrottleCondition extends Common {
  readonly kind: "throttle";
  readonly of: Condition;
  readonly limit: number;
  readonly perMs: number;
}

/** Events gathered by their own time into windows of calendar time. */
export interface WindowCondition extends Common {
  readonly kind: "window";
  readonly of: EventAtom;
  /** Its ticks are the windows' bounds. */
  readonly every: Schedule;
  /** Where the event's own time stands; absent: its `time`. */
  readonly time?: EventKey;
  /** A window closes once an event this much later than its end was seen. */
  readonly latenessMs: number;
  /** A window also closes when nothing came for this long (log time) after its end. */
  readonly idleMs?: number;
  /** What becomes of an event whose window has closed. */
  readonly late: "ignore" | "revise";
}

export type Condition =
  | EventAtom
  | ScheduleAtom
  | UpdatedAtom
  | ReachedAtom
  | AllCondition
  | AnyCondition
  | AtLeastCondition
  | SequenceCondition
  | UnlessCondition
  | AbsentCondition
  | CountCondition
  | BatchCondition
  | SessionCondition
  | DebounceCondition
  | ThrottleCondition
  | WindowCondition;

export type ConditionKind = Condition["kind"];

/** The operands of a condition, in the order in which they are evaluated. */
export function operandsOf(condition: Condition): readonly Condition[] {
  switch (condition.kind) {
    case "event":
    case "schedule":
    case "updated":
    case "reached":
      return [];
    case "all":
    case "any":
    case "at_least":
    case "sequence":
      return condition.of;
    case "unless":
      return [condition.of, condition.until];
    case "absent":
      return condition.after === undefined ? [condition.of] : [condition.of, condition.after];
    default:
      return [condition.of];
  }
}

/** Whether `catchUp` has a say: only where each tick by itself is a match. */
export function choosesMissedTicks(condition: Condition): boolean {
  if (condition.by !== undefined) return false;
  return condition.kind === "any" ? condition.of.some(choosesMissedTicks) : condition.kind === "schedule";
}
