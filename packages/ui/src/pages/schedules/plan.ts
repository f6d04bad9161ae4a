/** What a calendar shows of schedules: single ticks by day and hour, and those that come so often that they are a band. */
import type { ScheduleTicksView } from "@millrace/protocol";
import type { Became, Outcomes, Overlap } from "./outcome.ts";
import { offsetText, wallOf, type ZonedDay } from "./zoned.ts";

/** Beyond, on average a day, ticks are not told one by one. */
const oftenFrom = 8;

export interface Entry {
  readonly schedule: ScheduleTicksView;
  readonly at: number;
  /** `06:00`, with the offset where the clocks show that time twice. */
  readonly time: string;
  readonly became: Became;
  readonly overlap: Overlap;
}

/** A schedule that ticks so often that its ticks would hide the others. */
export interface Band {
  readonly schedule: ScheduleTicksView;
  readonly overlap: Overlap;
  /** Of its ticks that were told. */
  readonly counts: { readonly ran: number; readonly failed: number; readonly missed: number };
  readonly lastRun: string | undefined;
}

export interface Plan {
  readonly bands: readonly Band[];
  /** By day and hour. */
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  /** Ticks that start a run by themselves, of schedules that are on. */
  readonly upcoming: readonly Entry[];
}

export function cellName(day: string, hour: number): string {
  return `${day} ${hour}`;
}

interface PlanParts {
  readonly days: readonly ZonedDay[];
  readonly zone: string;
  readonly outcomes: Outcomes;
  readonly now: number;
}

export function planOf(schedules: readonly ScheduleTicksView[], parts: PlanParts): Plan {
  const { days, zone, outcomes, now } = parts;
  const doubled = new Map(days.map(({ day, hours }) => [day, hours]));
  const bands: Band[] = [];
  const entries = new Map<string, Entry[]>();
  const upcoming: Entry[] = [];
  for (const schedule of schedules) {
    const ticks = schedule.ticks.map((text) => Date.parse(text));
    const isOften = schedule.ticksAreMore === true || ticks.length > oftenFrom * days.length;
    if (isOften) bands.push(bandOf(schedule, ticks, outcomes));
    for (const [index, at] of ticks.entries()) {
      const { day, hour, minute } = wallOf(zone, at);
      const clock = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
      const isTwice = (doubled.get(day)?.[hour] ?? 1) > 1;
      const entry = {
        schedule,
        at,
        time: isTwice ? `${clock} ${offsetText(zone, at)}` : clock,
        became: outcomes.became(schedule, at, now),
        overlap: outcomes.overlap(schedule, ticks[index + 1], at),
      };
      if (schedule.alone && !schedule.paused) upcoming.push(entry);
      if (isOften) continue;
      const name = cellName(day, hour);
      const cell = entries.get(name) ?? [];
      cell.push(entry);
      entries.set(name, cell);
    }
  }
  for (const cell of entries.values()) cell.sort((a, b) => a.at - b.at);
  return { bands, entries, upcoming: upcoming.sort((a, b) => a.at - b.at) };
}

/** Where it overlaps at its shortest distance, it does. */
function bandOf(schedule: ScheduleTicksView, ticks: readonly number[], outcomes: Outcomes): Band {
  const distances = ticks.slice(1).map((at, before) => at - ticks[before]!);
  const shortest = Math.min(...distances);
  const told = outcomes.of(schedule.pipeline)?.ticks ?? [];
  const states = told.map(({ state }) => state);
  return {
    schedule,
    overlap: distances.length === 0 ? undefined : outcomes.overlap(schedule, shortest, 0),
    counts: {
      ran: states.filter((state) => state !== undefined).length,
      failed: states.filter((state) => state === "failed").length,
      missed: told.filter(({ run }) => run === undefined).length,
    },
    lastRun: told.findLast(({ run }) => run !== undefined)?.run,
  };
}
