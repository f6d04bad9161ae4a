/** Firings and events as a test looks at them. */
import { toCloudEvent, type CloudEvent, type Json, type LogEvent, type Reason } from "@millrace/core";
import type { TestRun } from "./test-run.ts";
import type { FiringRecord } from "./trigger-watch.ts";

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
  /** What its tasks see: the exact members, by operand. */
  readonly members: { readonly [operand: string]: readonly Json[] };
  /** The run that it started. */
  readonly run: TestRun | undefined;
  /** Why no run could begin. */
  readonly reason: Reason | undefined;
}

/** An entry of the event log. */
export interface TestEvent extends CloudEvent {
  /** 1, 2, 3 …: entries of Millrace's own included. */
  readonly position: number;
  /** ISO 8601. */
  readonly recordedAt: string;
}

export function firingOf(
  record: FiringRecord,
  runOf: (record: FiringRecord) => TestRun | undefined,
): TestFiring {
  const { firing, trigger, value, reason } = record;
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
    members: (value as { readonly members: TestFiring["members"] }).members,
    run: runOf(record),
    reason,
  };
}

export function testEvent(entry: LogEvent): TestEvent {
  const { position, recordedAt } = entry;
  return { ...toCloudEvent(entry), position, recordedAt: new Date(recordedAt).toISOString() };
}
