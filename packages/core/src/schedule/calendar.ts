/** Which local days may have ticks: a calendar, read into numbers. */
import type { DayRange, ScheduleCalendar } from "./schedule.ts";
import { formatDay, parseDay, weekdayOf } from "./wall-time.ts";

/** Days since 1970-01-01, both included. */
interface Days {
  readonly from: number;
  readonly to: number;
}

export interface Calendar {
  readonly weekdays: ReadonlySet<number>;
  /** In order, apart from each other. */
  readonly include: readonly Days[];
  readonly exclude: readonly Days[];
}

export function readCalendar(calendar: ScheduleCalendar): Calendar {
  return {
    weekdays: new Set(calendar.weekdays ?? [1, 2, 3, 4, 5, 6, 7]),
    include: (calendar.include ?? []).flatMap((range) => readDays(range) ?? []),
    exclude: (calendar.exclude ?? []).flatMap((range) => readDays(range) ?? []),
  };
}

function readDays(range: DayRange): Days | undefined {
  const [first = "", last = first, ...rest] = range.split("/");
  const from = parseDay(first);
  const to = parseDay(last);
  if (from === undefined || to === undefined || to < from || rest.length > 0) return undefined;
  return { from, to };
}

/** The ranges in order, joined where they meet; or the index of the first that is none. */
export function joinDays(ranges: readonly unknown[]): DayRange[] | { readonly faultAt: number } {
  const days: Days[] = [];
  for (const [index, range] of ranges.entries()) {
    const read = typeof range === "string" ? readDays(range) : undefined;
    if (!read) return { faultAt: index };
    days.push(read);
  }
  days.sort((a, b) => a.from - b.from);
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of days) {
    const last = joined.at(-1);
    if (last && from <= last.to + 1) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined.map(({ from, to }) =>
    from === to ? formatDay(from) : `${formatDay(from)}/${formatDay(to)}`,
  );
}

export function isOpen(calendar: Calendar, day: number): boolean {
  if (findRange(calendar.include, day)) return true;
  return calendar.weekdays.has(weekdayOf(day)) && !findRange(calendar.exclude, day);
}

/** The first open day after `day`, if one comes before `until`. */
export function openDayAfter(calendar: Calendar, day: number, until: number): number | undefined {
  for (let next = day + 1; next < until; next += 1) {
    if (isOpen(calendar, next)) return next;
    const closed = findRange(calendar.exclude, next);
    if (!closed) continue;
    const opening = calendar.include.find(({ from }) => from > next)?.from ?? Infinity;
    next = Math.min(closed.to, opening - 1);
  }
  return undefined;
}

/** The last open day before `day`, if there is one after `until`. */
export function openDayBefore(calendar: Calendar, day: number, until: number): number | undefined {
  for (let next = day - 1; next > until; next -= 1) {
    if (isOpen(calendar, next)) return next;
    const closed = findRange(calendar.exclude, next);
    if (!closed) continue;
    const opening = calendar.include.findLast(({ to }) => to < next)?.to ?? -Infinity;
    next = Math.max(closed.from, opening + 1);
  }
  return undefined;
}

function findRange(ranges: readonly Days[], day: number): Days | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.to ?? Infinity) < day) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low];
  return range && range.from <= day ? range : undefined;
}
