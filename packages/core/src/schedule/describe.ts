/** Schedules in words, for lists, explanations and the page. */
import { unreachable } from "../assert.ts";
import { cronFields, readCron, type CronFields } from "./cron.ts";
import type { CronSchedule, EverySchedule, Schedule, ScheduleCalendar } from "./schedule.ts";

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ordinals = ["", "first", "second", "third", "fourth", "fifth"];

/** For example: "at 06:00 on Monday to Friday, Europe/Berlin time". */
export function describeSchedule(schedule: Schedule): string {
  const jitter =
    schedule.jitterMs === undefined ? "" : `, each delayed by up to ${formatSpan(schedule.jitterMs)}`;
  switch (schedule.kind) {
    case "cron":
      return `${describeCron(schedule)}, ${zoneWords(schedule.tz)}${describeCalendar(schedule.calendar)}${jitter}`;
    case "every":
      return `${describeEvery(schedule)}, ${zoneWords(schedule.tz)}${describeCalendar(schedule.calendar)}${jitter}`;
    case "at": {
      const [first = 0] = schedule.instants;
      const last = schedule.instants.at(-1) ?? first;
      if (schedule.instants.length === 1) return `once, at ${formatInstant(first)}${jitter}`;
      return `at ${schedule.instants.length} instants from ${formatInstant(first)} to ${formatInstant(last)}${jitter}`;
    }
    default:
      return unreachable(schedule);
  }
}

function describeEvery({ every: { n, unit }, anchor }: EverySchedule): string {
  const span = everyWords(n, unit.slice(0, -1));
  if (anchor !== undefined) return `${span}, counted from ${formatAnchor(anchor)}`;
  switch (unit) {
    case "seconds":
    case "minutes":
    case "hours":
      return `${span}, counted from midnight`;
    case "days":
      return n === 1 ? "every day at 00:00" : `${span} at 00:00, counted from 1970-01-01`;
    case "weeks":
      return n === 1
        ? "every week, on Monday at 00:00"
        : `${span}, on Monday at 00:00, counted from 1970-01-05`;
    case "months":
      return n === 1
        ? "every month, on day 1 at 00:00"
        : `${span}, on day 1 at 00:00, counted from 1970-01-01`;
    case "years":
      return n === 1
        ? "every year, on 1 January at 00:00"
        : `${span}, on 1 January at 00:00, counted from 1970`;
    default:
      return unreachable(unit);
  }
}

function describeCron({ expression }: CronSchedule): string {
  const cron = readCron(expression);
  if ("fault" in cron) return expression;
  const fields = cronFields(cron);
  const days = dayWords(fields);
  const inMonths = fields.month === "*" ? "" : ` in ${listWords(fields.month, nameOfMonth, "month")}`;
  const time = timeWords(fields);
  const everyDay = days === "" && inMonths === "" && time.startsWith("at ") && cron.isFixedTime;
  return `${everyDay ? "every day " : ""}${time}${days === "" ? "" : ` on ${days}`}${inMonths}`;
}

function timeWords({ second, minute, hour }: CronFields): string {
  if (second !== "0") return secondWords({ second, minute, hour });
  const hours = numbersOf(hour);
  const minutes = numbersOf(minute);
  if (hours && minutes && hours.length * minutes.length <= 6) {
    return `at ${joinWords(hours.flatMap((at) => minutes.map((past) => `${pad(at)}:${pad(past)}`)))}`;
  }
  if (hour === "*") {
    if (minute === "0") return "every hour";
    const words = minuteWords(minute);
    return words.startsWith("at ") ? `${words} of every hour` : words;
  }
  const inHours = listWords(hour, pad, "hour");
  if (minute === "0" && stepOf(hour) !== undefined) return evenStep(hour, 24, "hour") ?? `at ${inHours}`;
  return `${minuteWords(minute)} in ${hour.includes("/") ? inHours : `hour ${inHours}`}`;
}

function minuteWords(minute: string): string {
  if (minute === "*") return "every minute";
  return evenStep(minute, 60, "minute") ?? `at ${namedWords(minute, "minute")}`;
}

function secondWords({ second, minute, hour }: Pick<CronFields, "second" | "minute" | "hour">): string {
  const [at] = numbersOf(second) ?? [];
  if (at !== undefined && /^\d+$/.test(`${second}${minute}${hour}`)) {
    return `at ${pad(Number(hour))}:${pad(Number(minute))}:${pad(at)}`;
  }
  const seconds =
    second === "*"
      ? "every second"
      : (evenStep(second, 60, "second") ?? `at ${namedWords(second, "second")}`);
  const rest = timeWords({ second: "0", minute, hour, dayOfMonth: "*", month: "*", dayOfWeek: "*" });
  if (minute === "*" && hour === "*")
    return second === "*" || stepOf(second) ? seconds : `${seconds} of every minute`;
  return `${seconds}, ${rest.replace(/^at (?=\d)/, "in the minute ").replace(/^at /, "in ")}`;
}

function dayWords({ dayOfMonth, dayOfWeek }: CronFields): string {
  const ofMonth = dayOfMonth === "*" ? "" : dayOfMonthWords(dayOfMonth);
  const ofWeek = dayOfWeek === "*" ? "" : listWords(dayOfWeek, nameOfWeekday, "day of the week");
  return [ofMonth, ofWeek].filter((words) => words !== "").join(" or on ");
}

function dayOfMonthWords(field: string): string {
  const parts = field.split(",").map((part) => {
    if (part === "L") return "the last day";
    if (part === "LW") return "the last weekday";
    if (part.endsWith("W")) return `the weekday nearest to day ${part.slice(0, -1)}`;
    if (part.startsWith("*/")) return partWords(part, String, "day");
    return `day ${partWords(part, String, "day")}`;
  });
  return `${joinWords(parts)} of the month`;
}

/** A field in words: lists, ranges and steps over what `name` makes of a value. */
function listWords(field: string, name: (value: number) => string, unit: string): string {
  return joinWords(field.split(",").map((part) => partWords(part, name, unit)));
}

function partWords(part: string, name: (value: number) => string, unit: string): string {
  const step = stepOf(part);
  const [range = ""] = part.split("/");
  if (step !== undefined) {
    const words = everyNth(step, unit);
    return range === "*" ? words : `${words} from ${rangeWords(range, name)}`;
  }
  const nth = /^(.+)#(\d)$/.exec(range);
  if (nth) return `the ${ordinals[Number(nth[2])] ?? nth[2]} ${rangeWords(nth[1] ?? "", name)}`;
  if (/.L$/.test(range)) return `the last ${rangeWords(range.slice(0, -1), name)}`;
  return rangeWords(range, name);
}

function rangeWords(range: string, name: (value: number) => string): string {
  const [first = "", last] = range.split("-");
  if (last === undefined) return valueWords(first, name);
  return `${valueWords(first, name)} to ${valueWords(last, name)}`;
}

/** Fields hold numbers, or the names of months and weekdays by their first three letters. */
function valueWords(value: string, name: (value: number) => string): string {
  if (/^\d+$/.test(value)) return name(Number(value));
  const full = [...months, ...weekdays].find((word) => word.toUpperCase().startsWith(value));
  return full ?? value;
}

/** "every 15 minutes", where steps go evenly into what they count through; else `undefined`. */
function evenStep(field: string, count: number, unit: string): string | undefined {
  const step = /^\*\/\d+$/.test(field) ? stepOf(field) : undefined;
  return step !== undefined && count % step === 0 ? everyWords(step, unit) : undefined;
}

function stepOf(part: string): number | undefined {
  const step = /\/(\d+)$/.exec(part)?.[1];
  return step === undefined ? undefined : Number(step);
}

function numbersOf(field: string): number[] | undefined {
  return /^\d+(,\d+)*$/.test(field) ? field.split(",").map(Number) : undefined;
}

/** "minute 5 and 20", "every 20th minute and minute 5". */
function namedWords(field: string, unit: string): string {
  if (!field.includes("/")) return `${unit} ${listWords(field, String, unit)}`;
  const parts = field.split(",").map((part) => {
    const words = partWords(part, String, unit);
    return part.includes("/") ? words : `${unit} ${words}`;
  });
  return joinWords(parts);
}

function everyNth(step: number, unit: string): string {
  if (step === 1) return `every ${unit}`;
  const suffix = { 1: "st", 2: "nd", 3: "rd" }[step % 10];
  return `every ${step}${suffix === undefined || Math.floor(step / 10) === 1 ? "th" : suffix} ${unit}`;
}

function everyWords(n: number, unit: string): string {
  return n === 1 ? `every ${unit}` : `every ${n} ${unit}s`;
}

function describeCalendar(calendar: ScheduleCalendar | undefined): string {
  if (!calendar) return "";
  const parts: string[] = [];
  if (calendar.weekdays) {
    const names = calendar.weekdays.map(nameOfWeekday);
    const isBusiness = calendar.weekdays.join() === "1,2,3,4,5";
    parts.push(`only ${isBusiness ? "Monday to Friday" : joinWords(names)}`);
  }
  if (calendar.exclude) parts.push(`not on ${daysWords(calendar.exclude)}`);
  if (calendar.include) parts.push(`but also on ${daysWords(calendar.include)}`);
  return parts.map((part) => `, ${part}`).join("");
}

function daysWords(ranges: readonly string[]): string {
  const shown = ranges.slice(0, 3).map((range) => range.replace("/", " to "));
  const more = ranges.length - shown.length;
  return joinWords(more > 0 ? [...shown, `${more} more`] : shown);
}

function zoneWords(tz: string): string {
  return tz === "UTC" ? "UTC" : `${tz} time`;
}

function nameOfMonth(month: number): string {
  return months[month - 1] ?? String(month);
}

function nameOfWeekday(day: number): string {
  return weekdays[day] ?? String(day);
}

function formatAnchor(anchor: string): string {
  return anchor.replace("T", " ").replace(/:00$/, "");
}

function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

function formatSpan(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}

function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
