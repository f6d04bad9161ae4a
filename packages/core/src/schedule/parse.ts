/** From JSON to a schedule: what authors, callers of the API and rows give is checked here, and brought to one spelling. */
import { canonicalJson } from "../canonical-json.ts";
import { parseTime } from "../condition/where/order.ts";
import { parseDuration } from "../duration.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import {
  calendarRangesMax,
  everyUnitsMax,
  jitterMsMax,
  scheduleInstantsMax,
  scheduleStepMsMin,
} from "../limits.ts";
import { nearestName } from "../nearest-name.ts";
import { joinDays } from "./calendar.ts";
import { readCron } from "./cron.ts";
import type {
  AtSchedule,
  CronSchedule,
  Every,
  EverySchedule,
  EveryUnit,
  Schedule,
  ScheduleCalendar,
} from "./schedule.ts";
import { nextTick } from "./ticks.ts";
import { formatWallTime, parseWallTime } from "./wall-time.ts";
import { dayMs, instantOf, parseTimeZone } from "./zone.ts";

type Fields = { readonly [name: string]: unknown };

const everyUnits: readonly EveryUnit[] = ["seconds", "minutes", "hours", "days", "weeks", "months", "years"];
const weekdayNames = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
const recurringKeys = ["kind", "tz", "jitterMs", "calendar"];

/**
 * Checks a schedule's JSON and brings it to its one spelling. `path` is where it stands in what the reader wrote. Throws
 * `MILLRACE_SCHEDULE_INVALID`, `MILLRACE_TIME_ZONE_UNKNOWN`, or `MILLRACE_SCHEDULE_NEVER` when no tick would ever come.
 */
export function parseSchedule(json: unknown, path: Path = []): Schedule {
  const fields = objectAt(json, path);
  switch (fields["kind"]) {
    case "cron":
      return refuseNever(parseCron(fields, path), path);
    case "every":
      return refuseNever(parseEverySchedule(fields, path), path);
    case "at":
      return parseAt(fields, path);
    default:
      throw invalid([...path, "kind"], 'must be "cron", "every" or "at"', fields["kind"]);
  }
}

/** The text that is equal for equal schedules, whatever way they were written. */
export function canonicalSchedule(schedule: Schedule): string {
  return canonicalJson(schedule as unknown as Json);
}

function parseCron(fields: Fields, path: Path): CronSchedule {
  refuseOtherKeys(fields, [...recurringKeys, "expression"], path);
  const { expression } = fields;
  const at = [...path, "expression"];
  if (typeof expression !== "string") throw invalid(at, 'must be text such as "0 6 * * 1-5"', expression);
  const cron = readCron(expression);
  if ("fault" in cron) {
    throw faulty(at, `the cron expression ${JSON.stringify(expression.slice(0, 80))} ${cron.fault}`);
  }
  if (!cron.everFires) throw neverFires(`the cron expression "${cron.expression}" never fires`, path);
  return { kind: "cron", expression: cron.expression, ...parseRecurring(fields, path) };
}

function parseEverySchedule(fields: Fields, path: Path): EverySchedule {
  refuseOtherKeys(fields, [...recurringKeys, "every", "anchor"], path);
  const every = parseEvery(fields["every"], [...path, "every"]);
  const recurring = parseRecurring(fields, path);
  const { anchor } = fields;
  if (anchor === undefined) return { kind: "every", every, ...recurring };
  const wallMs = typeof anchor === "string" ? parseWallTime(anchor) : undefined;
  if (wallMs === undefined) {
    throw invalid([...path, "anchor"], 'must be a date and time such as "2026-01-31T06:00"', anchor);
  }
  return { kind: "every", every, anchor: formatWallTime(wallMs), ...recurring };
}

function parseEvery(value: unknown, path: Path): Every {
  const expected = 'must be a span such as "15m", "6h", "1d", "2w" or "1mo", or { n, unit }';
  const written = typeof value === "string" ? /^(\d+)(d|w|mo|y)$/.exec(value) : undefined;
  const units: { readonly [unit: string]: EveryUnit } = { d: "days", w: "weeks", mo: "months", y: "years" };
  if (written) return boundEvery(Number(written[1]), units[written[2] ?? ""] ?? "days", path);
  if (typeof value === "object" && value !== null) {
    const fields = objectAt(value, path);
    refuseOtherKeys(fields, ["n", "unit"], path);
    const unit = everyUnits.find((name) => name === fields["unit"]);
    if (!unit) throw invalid([...path, "unit"], `must be one of ${everyUnits.join(", ")}`, fields["unit"]);
    const { n } = fields;
    if (typeof n !== "number") throw invalid([...path, "n"], "must be a number", n);
    const clockUnits: { readonly [unit: string]: number } = {
      seconds: 1_000,
      minutes: 60_000,
      hours: 3_600_000,
    };
    const unitMs = clockUnits[unit];
    return unitMs === undefined || !Number.isInteger(n)
      ? boundEvery(n, unit, path)
      : everyOfLength(n * unitMs, path);
  }
  const ms = parseDuration(value);
  if (ms === undefined) throw invalid(path, expected, value);
  return everyOfLength(ms, path);
}

/** A length of time in its largest unit: `90m` and `1h30m` are one. */
function everyOfLength(ms: number, path: Path): Every {
  if (ms < scheduleStepMsMin || ms % 1_000 !== 0) {
    throw faulty(path, "must be one second or more, in whole seconds");
  }
  if (ms % dayMs === 0) return boundEvery(ms / dayMs, "days", path);
  if (ms > dayMs) {
    throw faulty(path, "is longer than a day and not of whole days: days are steps in the calendar");
  }
  if (ms % 3_600_000 === 0) return { n: ms / 3_600_000, unit: "hours" };
  if (ms % 60_000 === 0) return { n: ms / 60_000, unit: "minutes" };
  return { n: ms / 1_000, unit: "seconds" };
}

function boundEvery(n: number, unit: EveryUnit, path: Path): Every {
  const max = everyUnitsMax[unit];
  if (!Number.isInteger(n) || n < 1 || n > max) {
    throw faulty(path, `must be 1 to ${max} ${unit}, found ${n}`);
  }
  return { n, unit };
}

function parseAt(fields: Fields, path: Path): AtSchedule {
  refuseOtherKeys(fields, ["kind", "instants", "tz", "jitterMs"], path);
  const { instants } = fields;
  const at = [...path, "instants"];
  if (!Array.isArray(instants) || instants.length === 0) {
    throw invalid(at, "must be a list of one instant or more", instants);
  }
  if (instants.length > scheduleInstantsMax) {
    throw faulty(at, `has ${instants.length} instants, and ${scheduleInstantsMax} at most are allowed`);
  }
  const zone = parseZone(fields, path);
  const parsed = instants.map((instant, index) => parseInstant(instant, zone, [...at, index]));
  const ordered = [...new Set(parsed)].sort((a, b) => a - b);
  return { kind: "at", instants: ordered, ...parseJitter(fields, path) };
}

function parseInstant(value: unknown, zone: string, path: Path): number {
  const expected =
    'must be milliseconds since 1970, "2026-12-24T06:00Z" or a wall time in the schedule\'s zone';
  if (typeof value === "string") {
    const wallMs = parseWallTime(value);
    if (wallMs !== undefined && inRange(wallMs)) return instantOf(zone, wallMs);
    const instantMs = parseTime(value.replace(/(T\d\d:\d\d)(?=[Z+-])/, "$1:00"));
    if (instantMs !== undefined && inRange(instantMs)) return instantMs;
  }
  if (typeof value === "number" && Number.isInteger(value) && inRange(value)) return value;
  throw invalid(path, `${expected}, between the years 1970 and 2900`, value);
}

function inRange(ms: number): boolean {
  return ms >= 0 && ms < Date.UTC(2900, 0);
}

function parseRecurring(
  fields: Fields,
  path: Path,
): { tz: string; jitterMs?: number; calendar?: ScheduleCalendar } {
  const calendar = parseCalendar(fields["calendar"], [...path, "calendar"]);
  return {
    tz: parseZone(fields, path),
    ...parseJitter(fields, path),
    ...(calendar === undefined ? {} : { calendar }),
  };
}

function parseZone(fields: Fields, path: Path): string {
  return fields["tz"] === undefined ? "UTC" : parseTimeZone(fields["tz"], [...path, "tz"]);
}

function parseJitter(fields: Fields, path: Path): { jitterMs?: number } {
  const { jitterMs } = fields;
  if (jitterMs === undefined || jitterMs === 0) return {};
  if (typeof jitterMs !== "number" || !Number.isInteger(jitterMs) || jitterMs < 0 || jitterMs > jitterMsMax) {
    throw invalid([...path, "jitterMs"], `must be a whole number from 0 to ${jitterMsMax}`, jitterMs);
  }
  return { jitterMs };
}

function parseCalendar(value: unknown, path: Path): ScheduleCalendar | undefined {
  if (value === undefined) return undefined;
  const fields = objectAt(value, path);
  refuseOtherKeys(fields, ["businessDays", "weekdays", "holidays", "include", "exclude"], path);
  const weekdays = parseWeekdays(fields, path);
  const include = parseDays(fields, ["include"], path);
  const exclude = parseDays(fields, ["holidays", "exclude"], path);
  if (!weekdays && !include && !exclude) return undefined;
  return { ...(weekdays && { weekdays }), ...(include && { include }), ...(exclude && { exclude }) };
}

function parseWeekdays(fields: Fields, path: Path): number[] | undefined {
  const { businessDays, weekdays } = fields;
  if (businessDays !== undefined && typeof businessDays !== "boolean") {
    throw invalid([...path, "businessDays"], "must be true or false", businessDays);
  }
  if (weekdays === undefined) return businessDays === true ? [1, 2, 3, 4, 5] : undefined;
  const at = [...path, "weekdays"];
  if (businessDays === true) throw faulty(at, "can't be given together with businessDays");
  if (!Array.isArray(weekdays) || weekdays.length === 0) {
    throw invalid(at, 'must be a list such as ["MON", "THU"] or [1, 4]', weekdays);
  }
  const days = weekdays.map((day: unknown, index) => {
    const number = typeof day === "string" ? weekdayNames.indexOf(day.toUpperCase()) + 1 : day;
    if (typeof number !== "number" || !Number.isInteger(number) || number < 1 || number > 7) {
      throw invalid([...at, index], `must be one of ${weekdayNames.join(", ")}, or 1 (Monday) to 7`, day);
    }
    return number;
  });
  const ordered = [...new Set(days)].sort((a, b) => a - b);
  return ordered.length === 7 ? undefined : ordered;
}

function parseDays(fields: Fields, names: readonly string[], path: Path): string[] | undefined {
  const all: string[] = [];
  for (const name of names) {
    const ranges = fields[name];
    if (ranges === undefined) continue;
    const at = [...path, name];
    if (!Array.isArray(ranges)) throw invalid(at, 'must be a list of dates such as ["2026-12-25"]', ranges);
    if (ranges.length > calendarRangesMax) {
      throw faulty(at, `has ${ranges.length} dates, and ${calendarRangesMax} at most are allowed`);
    }
    const joined = joinDays(ranges);
    if ("faultAt" in joined) {
      const { faultAt } = joined;
      const expected = 'must be a date "2026-12-25" or dates from one to another "2026-12-24/2027-01-01"';
      throw invalid([...at, faultAt], expected, ranges[faultAt]);
    }
    all.push(...joined);
  }
  const joined = joinDays(all);
  return "faultAt" in joined || joined.length === 0 ? undefined : joined;
}

function refuseNever<S extends CronSchedule | EverySchedule>(schedule: S, path: Path): S {
  // Not from now: a schedule that is right today is right for ever.
  if (!schedule.calendar || nextTick(schedule, 0) !== undefined) return schedule;
  const what =
    schedule.kind === "cron" ? `the cron expression "${schedule.expression}"` : "a schedule of this span";
  throw neverFires(`${what} never fires on a day that its calendar leaves open`, path);
}

function neverFires(fault: string, path: Path): MillraceError {
  const text = formatPath(path);
  return new MillraceError("MILLRACE_SCHEDULE_NEVER", {
    message: `${text}: ${fault}.`,
    fields: { path: text },
  });
}

function objectAt(value: unknown, path: Path): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, "must be an object", value);
  }
  return value as Fields;
}

function refuseOtherKeys(fields: Fields, known: readonly string[], path: Path): void {
  for (const name of Object.keys(fields)) {
    if (known.includes(name) || fields[name] === undefined) continue;
    const nearest = nearestName(name, known);
    const advice = nearest === undefined ? `; known are ${known.join(", ")}` : `; did you mean "${nearest}"?`;
    throw faulty(path, `has no field "${name}"${advice}`);
  }
}

function invalid(path: Path, expected: string, found: unknown): MillraceError {
  const shown = found === undefined ? "nothing" : (JSON.stringify(found) ?? typeof found).slice(0, 80);
  return faulty(path, `${expected}, found ${shown}`);
}

function faulty(path: Path, fault: string): MillraceError {
  const text = formatPath(path);
  return new MillraceError("MILLRACE_SCHEDULE_INVALID", {
    message: `${text} ${fault}${fault.endsWith("?") ? "" : "."}`,
    fields: { path: text },
  });
}
