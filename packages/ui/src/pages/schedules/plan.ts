/** What a calendar shows of schedules: single ticks by day and hour, and those that come so often that they are a band. */
import type { ScheduleTicksView } from "@millrace/protocol";
import { offsetText, wallOf, type ZonedDay } from "./zoned.ts";

/** Beyond, on average a day, ticks are not told one by one. */
const oftenFrom = 8;

export interface Entry {
  readonly schedule: ScheduleTicksView;
  readonly at: number;
  /** `06:00`, with the offset where the clocks show that time twice. */
  readonly time: string;
}

export interface Plan {
  readonly bands: readonly ScheduleTicksView[];
  /** By day and hour. */
  readonly entries: ReadonlyMap<string, readonly Entry[]>;
  /** Ticks that start a run by themselves, of schedules that are on. */
  readonly upcoming: readonly Entry[];
}

export function cellName(day: string, hour: number): string {
  return `${day} ${hour}`;
}

export function planOf(
  schedules: readonly ScheduleTicksView[],
  days: readonly ZonedDay[],
  zone: string,
): Plan {
  const doubled = new Map(days.map(({ day, hours }) => [day, hours]));
  const bands: ScheduleTicksView[] = [];
  const entries = new Map<string, Entry[]>();
  const upcoming: Entry[] = [];
  for (const schedule of schedules) {
    const isOften = schedule.ticksAreMore === true || schedule.ticks.length > oftenFrom * days.length;
    if (isOften) bands.push(schedule);
    for (const text of schedule.ticks) {
      const at = Date.parse(text);
      const { day, hour, minute } = wallOf(zone, at);
      const clock = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
      const isTwice = (doubled.get(day)?.[hour] ?? 1) > 1;
      const entry = { schedule, at, time: isTwice ? `${clock} ${offsetText(zone, at)}` : clock };
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
