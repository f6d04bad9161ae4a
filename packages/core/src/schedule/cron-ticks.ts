/**
 * The instants of a cron expression in a zone, over changes of the clocks.
 *
 * T1: where hour and minute are fixed, a wall time that clocks skip stands for the first instant after the gap, and one that
 *     they show twice for the first of the two.
 * T2: where hour or minute is `*` or a step, every instant whose wall time matches is a tick: none in a gap, both of a pair.
 *
 * Within a span of one offset, wall time and instants are the same but for a constant, so croner's walk over wall time does
 * all the work, and only the borders of spans need care. Between wall times that match, whole spans are leapt over: only
 * within `overlapMsMax` of where a walk begins can clocks go back to wall times that it has passed already. A leap ends two
 * days from the match, which is more than any two offsets differ by.
 */
import { wallTimeAfter, wallTimeBefore, type Cron } from "./cron.ts";
import { dayMs, spanAt, type OffsetSpan } from "./zone.ts";

/** No clock has gone back further: Kwajalein repeated 23 hours in 1969. */
const overlapMsMax = 26 * 3_600_000;

/** The first tick after `afterMs`; the search goes on until `untilMs` at least. */
export function cronTickAfter(
  cron: Cron,
  zone: string,
  afterMs: number,
  untilMs: number,
): number | undefined {
  let span = spanAt(zone, afterMs);
  // The walk is at this wall time; what matches there is behind it.
  let wallMs = afterMs + span.offsetMs;
  if (cron.isFixedTime) wallMs = Math.max(wallMs, lastRepeated(zone, span));
  for (;;) {
    const matchMs = wallTimeAfter(cron, wallMs);
    if (matchMs === undefined) return undefined;
    if (matchMs - span.offsetMs < span.endMs) return matchMs - span.offsetMs;
    if (span.endMs >= untilMs) return undefined;
    const leapMs = matchMs - span.offsetMs - 2 * dayMs;
    if (leapMs > span.endMs && span.endMs > afterMs + overlapMsMax) {
      if (leapMs >= untilMs) return undefined;
      span = spanAt(zone, leapMs);
      wallMs = leapMs + span.offsetMs;
      continue;
    }
    const next = spanAt(zone, span.endMs);
    const oldEndMs = span.endMs + span.offsetMs;
    const newStartMs = span.endMs + next.offsetMs;
    if (cron.isFixedTime) {
      if (matchMs >= oldEndMs && matchMs <= newStartMs) return span.endMs;
      wallMs = matchMs - 1;
    } else {
      wallMs = newStartMs - 1;
    }
    span = next;
  }
}

/** The last tick before `beforeMs`; the search goes back to `fromMs` at least. */
export function cronTickBefore(
  cron: Cron,
  zone: string,
  beforeMs: number,
  fromMs: number,
): number | undefined {
  let span = spanAt(zone, beforeMs - 1);
  let wallMs = beforeMs + span.offsetMs;
  for (;;) {
    const matchMs = wallTimeBefore(cron, wallMs);
    if (matchMs === undefined) return undefined;
    const instantMs = matchMs - span.offsetMs;
    const isRepeat = cron.isFixedTime && matchMs <= lastRepeated(zone, span);
    if (instantMs >= span.startMs && !isRepeat) return instantMs;
    if (span.startMs <= fromMs) return undefined;
    const leapMs = instantMs + 2 * dayMs;
    if (leapMs < span.startMs && span.startMs < beforeMs - overlapMsMax) {
      if (leapMs < fromMs) return undefined;
      span = spanAt(zone, leapMs);
      wallMs = leapMs + span.offsetMs;
      continue;
    }
    const previous = spanAt(zone, span.startMs - 1);
    const oldEndMs = span.startMs + previous.offsetMs;
    if (cron.isFixedTime && matchMs >= oldEndMs && instantMs < span.startMs) return span.startMs;
    wallMs = oldEndMs;
    span = previous;
  }
}

/** The last wall time that clocks showed already before the span began, or one before all of the span's own. */
function lastRepeated(zone: string, span: OffsetSpan): number {
  const previous = spanAt(zone, span.startMs - 1);
  return span.startMs + Math.max(previous.offsetMs, span.offsetMs) - 1;
}
