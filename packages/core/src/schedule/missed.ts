/**
 * What an outage of all servers, or a pause, leaves of a schedule: of the ticks that passed those count which somebody names.
 *
 * M1: the first of those that count stands for all before it: its data interval begins where that of the first missed one does.
 * M2: a tick that jitter delays beyond the end of the outage, or of the pause, was not missed: it is told when it is due.
 */
import { missedTicksMax } from "../limits.ts";
import type { Interval, Schedule } from "./schedule.ts";
import { previousTick, ticksMissed, type CatchUp } from "./ticks.ts";

export interface MissedSpan {
  /** The tick that was to come. */
  readonly next: number;
  /** Ticks that are due up to it were missed: whole milliseconds, as ticks are. Log time has fractions. */
  readonly dueMs: number;
  readonly how: CatchUp;
  /** When a tick is told. */
  readonly dueAt: (tickMs: number) => number;
}

export interface MissedTicks {
  /** The data intervals of those that count, oldest first: each ends at its tick. */
  readonly intervals: readonly Interval[];
  /** Ticks after it are told when they are due. */
  readonly untilMs: number;
}

/** `undefined` when none was missed. Of more than a bound the newest count, so that M1 leaves nothing out. */
export function missedTicks(
  schedule: Schedule,
  { next, dueMs, how, dueAt }: MissedSpan,
): MissedTicks | undefined {
  if (dueAt(next) > dueMs) return undefined;
  // Jitter ends before the tick that follows, so that only the last one can be due later.
  const lastMs = previousTick(schedule, dueMs + 1);
  const untilMs = lastMs !== undefined && dueAt(lastMs) > dueMs ? lastMs - 1 : dueMs;
  const counting = how === "all" ? { limit: missedTicksMax } : how;
  const ticks = ticksMissed(schedule, { lastMs: next - 1, nowMs: untilMs }, counting, missedTicksMax);
  return { intervals: ticks.map(({ interval }) => interval), untilMs };
}
