/** Firings and events as a test looks at them. */
import { toCloudEvent, type CloudEvent, type Json, type LogEvent, type Reason } from "@millrace/core";
import type { RunEntry } from "./run-desk.ts";
import type { TestRun } from "./test-run.ts";
import type { FiringDesk, FiringRecord, FiringState } from "./firing-desk.ts";

/** One satisfaction of a pipeline's trigger. */
export interface TestFiring {
  readonly pipeline: string;
  /** Null where the trigger has no keys. */
  readonly key: string | null;
  readonly at: Date;
  /** The tick's instant, the window's start, the event's position, or the number of the key's firing. */
  readonly occurrence: number;
  readonly revision: number;
  /** The data interval [from, to), of a tick or a window. */
  readonly interval: { readonly from: Date; readonly to: Date } | undefined;
  /** The key of the partition that its run is for. */
  readonly partition: string | undefined;
  /** Not all that belongs to its window was there. */
  readonly incomplete: boolean;
  /** The exact members, by operand; those of the firings that were merged into it included. */
  readonly members: { readonly [operand: string]: readonly Json[] };
  /** `waiting`: for a slot of its pipeline. `merged` and `superseded`: in favour of another one. `refused`: no run could begin. */
  readonly state: FiringState;
  /** The run that it started, or that was made of it as it was superseded; of a merged one that of the firing which took it. */
  readonly run: TestRun | undefined;
  /** Why no run of its own began. */
  readonly reason: Reason | undefined;
}

/** An entry of the event log. */
export interface TestEvent extends CloudEvent {
  /** 1, 2, 3 …: entries of Millrace's own included. */
  readonly position: number;
  /** ISO 8601. */
  readonly recordedAt: string;
  /** Why it was recorded as invalid, and fires nothing. */
  readonly invalid?: string;
}

export function firingOf(
  desk: FiringDesk,
  record: FiringRecord,
  viewOf: (run: RunEntry) => TestRun | undefined,
): TestFiring {
  const { firing, trigger, state, reason } = record;
  const { run } = record.into ?? record;
  const { interval } = firing;
  return {
    pipeline: firing.pipeline,
    key: trigger.program.isKeyed ? firing.key : null,
    at: new Date(firing.at),
    occurrence: firing.occurrence,
    revision: firing.revision,
    interval: interval && { from: new Date(interval.from), to: new Date(interval.to) },
    partition: firing.partition?.key,
    incomplete: firing.isIncomplete === true,
    get members() {
      return desk.memberValues(record);
    },
    state,
    run: run && viewOf(run),
    reason,
  };
}

export function testEvent(entry: LogEvent): TestEvent {
  const { position, recordedAt, invalid } = entry;
  const event = { ...toCloudEvent(entry), position, recordedAt: new Date(recordedAt).toISOString() };
  return invalid === undefined ? event : { ...event, invalid };
}
