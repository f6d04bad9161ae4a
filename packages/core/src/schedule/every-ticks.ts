/** The instants of `every`: lengths of time counted from a midnight or an anchor, and steps in the calendar. */
import { unreachable } from "../assert.ts";
import type { EverySchedule } from "./schedule.ts";
import { addMonths, monthsBetween, parseWallTime } from "./wall-time.ts";
import { dayMs, instantOf, localDayOf, startOfDay, wallTimeOf } from "./zone.ts";

/** How a schedule counts, worked out once. */
export type EveryCount =
  /** Afresh from the start of each local day. */
  | { readonly kind: "daily"; readonly stepMs: number }
  /** From an instant, without end. */
  | { readonly kind: "elapsed"; readonly stepMs: number; readonly anchorMs: number }
  /** In wall time. */
  | { readonly kind: "days"; readonly stepMs: number; readonly anchorWallMs: number }
  | { readonly kind: "months"; readonly months: number; readonly anchorWallMs: number };

const clockUnitMs = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const;

export function countOf({ every, anchor, tz }: EverySchedule): EveryCount {
  const { n, unit } = every;
  const anchorWallMs = anchor === undefined ? undefined : parseWallTime(anchor);
  switch (unit) {
    case "seconds":
    case "minutes":
    case "hours": {
      const stepMs = n * clockUnitMs[unit];
      if (anchorWallMs === undefined) return { kind: "daily", stepMs };
      return { kind: "elapsed", stepMs, anchorMs: instantOf(tz, anchorWallMs) };
    }
    case "days":
      return { kind: "days", stepMs: n * dayMs, anchorWallMs: anchorWallMs ?? 0 };
    case "weeks":
      return { kind: "days", stepMs: n * 7 * dayMs, anchorWallMs: anchorWallMs ?? firstMondayMs };
    case "months":
      return { kind: "months", months: n, anchorWallMs: anchorWallMs ?? 0 };
    case "years":
      return { kind: "months", months: n * 12, anchorWallMs: anchorWallMs ?? 0 };
    default:
      return unreachable(unit);
  }
}

/** 1970-01-05. */
const firstMondayMs = 4 * dayMs;

/** The first tick after `afterMs`. */
export function everyTickAfter(count: EveryCount, zone: string, afterMs: number): number {
  switch (count.kind) {
    case "daily": {
      const day = localDayOf(zone, afterMs);
      const startMs = startOfDay(zone, day);
      const tickMs = startMs + (Math.floor((afterMs - startMs) / count.stepMs) + 1) * count.stepMs;
      return Math.min(tickMs, startOfDay(zone, day + 1));
    }
    case "elapsed": {
      const steps = Math.floor((afterMs - count.anchorMs) / count.stepMs) + 1;
      return count.anchorMs + steps * count.stepMs;
    }
    case "days":
    case "months": {
      let step = stepBefore(count, wallTimeOf(zone, afterMs));
      for (;;) {
        const tickMs = instantOf(zone, wallTimeOfStep(count, step));
        if (tickMs > afterMs) return tickMs;
        step += 1;
      }
    }
    default:
      return unreachable(count);
  }
}

/** The last tick before `beforeMs`. */
export function everyTickBefore(count: EveryCount, zone: string, beforeMs: number): number {
  switch (count.kind) {
    case "daily": {
      const startMs = startOfDay(zone, localDayOf(zone, beforeMs - 1));
      return startMs + Math.floor((beforeMs - 1 - startMs) / count.stepMs) * count.stepMs;
    }
    case "elapsed": {
      const steps = Math.ceil((beforeMs - count.anchorMs) / count.stepMs) - 1;
      return count.anchorMs + steps * count.stepMs;
    }
    case "days":
    case "months": {
      // Surely after it, in the same way.
      let step = stepBefore(count, wallTimeOf(zone, beforeMs) + 4 * dayMs) + 2;
      for (;;) {
        const tickMs = instantOf(zone, wallTimeOfStep(count, step));
        if (tickMs < beforeMs) return tickMs;
        step -= 1;
      }
    }
    default:
      return unreachable(count);
  }
}

type CalendarCount = Extract<EveryCount, { kind: "days" | "months" }>;

/** A step that is surely before the wall time, by two days for what clocks skip and repeat, and not by much more. */
function stepBefore(count: CalendarCount, wallMs: number): number {
  const { anchorWallMs } = count;
  if (count.kind === "days") return Math.floor((wallMs - 2 * dayMs - anchorWallMs) / count.stepMs);
  return Math.floor(monthsBetween(anchorWallMs, wallMs - 2 * dayMs) / count.months) - 1;
}

function wallTimeOfStep(count: CalendarCount, step: number): number {
  if (count.kind === "days") return count.anchorWallMs + step * count.stepMs;
  return addMonths(count.anchorWallMs, step * count.months);
}
