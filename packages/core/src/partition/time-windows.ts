/**
 * Windows of calendar time, and their names. They are the stretches between consecutive ticks of a schedule, so all that
 * changes of the clocks do to ticks (`schedule/ticks.ts`) they do to windows.
 *
 * W1: windows follow each other without gap and overlap, from the first that begins at `start` or later.
 * W2: `readKey(keyOf(window))` is the window; different windows have different keys.
 */
import { unreachable } from "../assert.ts";
import { cronFields, readCron } from "../schedule/cron.ts";
import type { CronSchedule, EverySchedule } from "../schedule/schedule.ts";
import { nextTick, previousTick } from "../schedule/ticks.ts";
import { formatDay, formatWallTime, parseDay, parseWallTime } from "../schedule/wall-time.ts";
import { dayMs, instantOf, localDayOf, spanAt, startOfDay } from "../schedule/zone.ts";
import type { TimePartitions } from "./definition.ts";

/** `from` is in it, `to` is not: ms since 1970. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** All time in which there are windows: schedules have no ticks before and after. */
export const always: TimeWindow = { from: Date.UTC(1900, 0), to: Date.UTC(2900, 0) };

/** What a key names: the year, month or day that a window begins with, or its first instant. */
export type WindowKeyForm = "year" | "month" | "day" | "instant";

export interface TimeWindows {
  readonly form: WindowKeyForm;
  /** A key as an example. */
  readonly example: string;
  /** The window that holds the instant. */
  at(ms: number): TimeWindow | undefined;
  /** The first that begins at the instant or later. */
  from(ms: number): TimeWindow | undefined;
  /** The last that ends at the instant or before. */
  until(ms: number): TimeWindow | undefined;
  /** Those that overlap [from, to), in order: the first `max`. */
  overlapping(from: number, to: number, max: number): TimeWindow[];
  keyOf(window: TimeWindow): string;
  /** The window of a key; a key in another spelling of the same instant is taken, too. */
  readKey(text: string): TimeWindow | { readonly fault: string; readonly nearest?: string };
}

export function compileTimeWindows(definition: TimePartitions): TimeWindows {
  const { every } = definition;
  const start = Date.parse(definition.start);
  const end = definition.end === undefined ? Infinity : Date.parse(definition.end);
  const { tz } = every;
  const form = formOf(every);
  const beginningAt = (from: number | undefined): TimeWindow | undefined => {
    if (from === undefined || from < start) return undefined;
    const to = nextTick(every, from);
    return to === undefined || to > end ? undefined : { from, to };
  };
  const at = (ms: number): TimeWindow | undefined => beginningAt(previousTick(every, ms + 1));
  const from = (ms: number): TimeWindow | undefined => beginningAt(nextTick(every, Math.max(ms, start) - 1));
  const keyOf = (window: TimeWindow): string => formatKey(form, tz, window.from);
  const readKey = (text: string): ReturnType<TimeWindows["readKey"]> => {
    const read = readInstant(form, tz, text);
    if ("fault" in read) {
      const meant = windowMeant(text);
      const fault = `${read.fault}; a key looks like ${example}`;
      return meant ? { fault, nearest: keyOf(meant) } : { fault };
    }
    const near = read.instants
      .map((ms) => at(ms) ?? from(ms) ?? untilOf(ms))
      .filter((one) => one !== undefined);
    const [nearest] = near;
    const [ms = 0, second] = read.instants;
    if (second === undefined && nearest?.from === ms) {
      // A date that the zone has skipped has no window of its own.
      if (form === "instant" || keyOf(nearest) === text) return nearest;
      return { fault: `there is no such time in ${tz}`, nearest: keyOf(nearest) };
    }
    const nearestKey = nearest === undefined ? {} : { nearest: keyOf(nearest) };
    if (second !== undefined)
      return { fault: `clocks show it twice: it is ${near.map(keyOf).join(" or ")}`, ...nearestKey };
    if (ms < start) return { fault: `it is before the first, ${firstKey()}`, ...nearestKey };
    if (ms >= end)
      return { fault: `it is after the last window, which ends at ${definition.end}`, ...nearestKey };
    return { fault: "no window begins there", ...nearestKey };
  };
  /** `2026-3-5`, `20260305` and `2026/03/05` are meant for a date. */
  const windowMeant = (text: string): TimeWindow | undefined => {
    const parts = /^(\d{4})[-/.]?(\d{1,2})(?:[-/.]?(\d{1,2}))?(?:[T ](.*))?$/.exec(text);
    if (!parts) return undefined;
    const [, year = "", month = "1", day = "1", time] = parts;
    const date = [year, month.padStart(2, "0"), day.padStart(2, "0")].join("-");
    const meant = readTime(`${date}T${time ?? "00:00"}`, tz);
    return "fault" in meant ? undefined : at(meant.instants[0]!);
  };
  const untilOf = (ms: number): TimeWindow | undefined => {
    const to = previousTick(every, Math.min(ms, end) + 1);
    return to === undefined ? undefined : beginningAt(previousTick(every, to));
  };
  const firstKey = (): string => {
    const first = from(start);
    return first ? keyOf(first) : "none";
  };
  const example = firstKey();
  return {
    form,
    example,
    at,
    from,
    until: untilOf,
    overlapping: (low, high, max) => {
      const windows: TimeWindow[] = [];
      let window = at(low) ?? from(low);
      while (window && window.from < high && windows.length < max) {
        windows.push(window);
        window = beginningAt(window.to);
      }
      return windows;
    },
    keyOf,
    readKey,
  };
}

/** By what is said alone, not by the windows: one definition has one form. */
function formOf(every: CronSchedule | EverySchedule): WindowKeyForm {
  return every.kind === "cron" ? formOfCron(every.expression) : formOfEvery(every);
}

function formOfEvery({ every, anchor }: EverySchedule): WindowKeyForm {
  const { unit } = every;
  if (unit === "seconds" || unit === "minutes" || unit === "hours") return "instant";
  const anchorMs = (anchor === undefined ? undefined : parseWallTime(anchor)) ?? 0;
  if (anchorMs % dayMs !== 0) return "instant";
  if (unit === "days" || unit === "weeks") return "day";
  const date = new Date(anchorMs);
  if (date.getUTCDate() !== 1) return "day";
  return unit === "years" && date.getUTCMonth() === 0 ? "year" : "month";
}

function formOfCron(expression: string): WindowKeyForm {
  const cron = readCron(expression);
  if ("fault" in cron) return "instant";
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = cronFields(cron);
  if (![second, minute, hour].every((field) => /^0+$/.test(field))) return "instant";
  if (!/^0?1$/.test(dayOfMonth) || dayOfWeek !== "*") return "day";
  return /^(?:0?1|JAN)$/.test(month) ? "year" : "month";
}

function formatKey(form: WindowKeyForm, tz: string, from: number): string {
  switch (form) {
    case "year":
      return formatDay(localDayOf(tz, from)).slice(0, 4);
    case "month":
      return formatDay(localDayOf(tz, from)).slice(0, 7);
    case "day":
      return formatDay(localDayOf(tz, from));
    case "instant": {
      const { offsetMs } = spanAt(tz, from);
      return `${formatWallTime(from + offsetMs).replace(/:00$/, "")}${formatOffset(tz, offsetMs)}`;
    }
    default:
      return unreachable(form);
  }
}

function formatOffset(tz: string, offsetMs: number): string {
  if (tz === "UTC") return "Z";
  const seconds = Math.abs(offsetMs) / 1_000;
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[2] === 0) parts.pop();
  return `${offsetMs < 0 ? "-" : "+"}${parts.map((part) => String(part).padStart(2, "0")).join(":")}`;
}

/** The instants that a text may mean: two where clocks show it twice and it does not say which. */
function readInstant(
  form: WindowKeyForm,
  tz: string,
  text: string,
): { readonly instants: readonly number[] } | { readonly fault: string } {
  switch (form) {
    case "year":
      return readDay(/^\d{4}$/.test(text) ? `${text}-01-01` : "", tz, "it is no year");
    case "month":
      return readMonth(text, tz);
    case "day":
      return readDay(text, tz, "it is no date");
    case "instant":
      return readTime(text, tz);
    default:
      return unreachable(form);
  }
}

/** Windows of years may begin in any month: then they are named by it, as those of months are. */
function readMonth(text: string, tz: string): ReturnType<typeof readInstant> {
  return readDay(/^\d{4}-\d\d$/.test(text) ? `${text}-01` : "", tz, "it is no month");
}

function readDay(text: string, tz: string, fault: string): ReturnType<typeof readInstant> {
  const day = parseDay(text);
  return day === undefined ? { fault } : { instants: [startOfDay(tz, day)] };
}

/** Fractions of nothing are what `toISOString` writes. */
const timePattern =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?:(:\d\d)(?:\.0{1,9})?)?(Z|([+-])(\d\d):?(\d\d)(?::?(\d\d))?)?$/;

function readTime(text: string, tz: string): ReturnType<typeof readInstant> {
  const parts = timePattern.exec(text);
  const wallMs = parts ? parseWallTime(`${parts[1]}T${parts[2]}${parts[3] ?? ""}`) : undefined;
  if (!parts || wallMs === undefined) return { fault: "it is no time with its offset from UTC" };
  const [, , , , zone, sign, hours, minutes, seconds] = parts;
  if (zone === undefined) {
    const first = instantOf(tz, wallMs);
    if (spanAt(tz, first).offsetMs + first !== wallMs) return { fault: `clocks in ${tz} never showed it` };
    // The second of the two, where clocks show it twice, lies right behind the change.
    const { endMs } = spanAt(tz, first);
    const second = wallMs - spanAt(tz, endMs).offsetMs;
    return { instants: second > first && second >= endMs ? [first, second] : [first] };
  }
  const offsetMs = ((Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)) * 1_000;
  const ms = wallMs - (sign === "-" ? -offsetMs : offsetMs);
  return { instants: [ms] };
}
