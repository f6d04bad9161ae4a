/** Cron expressions: croner, which stands behind this file alone, reads them and walks over wall time. */
import { CronDate, CronPattern } from "croner";
import { readFields } from "./cron-fields.ts";

/** A cron expression, read. */
export interface Cron {
  /** One spelling of what was written: names in capitals, nicknames written out, seconds only where they matter. */
  readonly expression: string;
  /** Neither hour nor minute is `*` or a step: this is what decides how changes of the clocks are treated. */
  readonly isFixedTime: boolean;
  /** There is a day that it means: not so for 30 February. */
  readonly everFires: boolean;
  readonly pattern: CronPattern;
}

/** What the fields of an expression allow, for a description in words. */
export interface CronFields {
  readonly second: string;
  readonly minute: string;
  readonly hour: string;
  readonly dayOfMonth: string;
  readonly month: string;
  readonly dayOfWeek: string;
}

const nicknames: { readonly [name: string]: string } = {
  "@YEARLY": "0 0 1 1 *",
  "@ANNUALLY": "0 0 1 1 *",
  "@MONTHLY": "0 0 1 * *",
  "@WEEKLY": "0 0 * * 0",
  "@DAILY": "0 0 * * *",
  "@MIDNIGHT": "0 0 * * *",
  "@HOURLY": "0 * * * *",
};

/** Longer ones are mistakes: six fields that list each of their values take 500 characters. */
const expressionLengthMax = 600;
/** Expressions whose reading is kept, at 2 kB each. Schedules repeat each other's; to read one anew takes some 50 µs. */
const cronsMax = 5_000;
const crons = new Map<string, Cron>();
/** croner gives each pattern ten thousand years of its own, which would be 80 kB a schedule; ours are all the same. */
const allYears: number[] = [];

/** Reads an expression, or says in a sentence without subject what is wrong with it. */
export function readCron(text: string): Cron | { readonly fault: string } {
  const known = crons.get(text);
  if (known) return known;
  if (text.length > expressionLengthMax) return { fault: `is longer than ${expressionLengthMax} characters` };
  const words = text.trim().toUpperCase();
  if (words === "@REBOOT") return { fault: "asks for a start-up, which is not a time" };
  if (words.startsWith("@") && nicknames[words] === undefined) {
    return { fault: `is none of the short forms ${Object.keys(nicknames).join(", ").toLowerCase()}` };
  }
  const fields = (nicknames[words] ?? words).split(/\s+/);
  if (fields.length === 6 && /^0+$/.test(fields[0] ?? "")) fields.shift();
  const expression = fields
    .map((field, index) => (field === "?" && isDayField(index - fields.length) ? "*" : field))
    .join(" ");
  const kept = crons.get(expression);
  if (kept) return kept;
  const cron = parse(expression, fields);
  if ("fault" in cron) return cron;
  if (crons.size >= cronsMax) crons.clear();
  crons.set(expression, cron);
  return cron;
}

function parse(expression: string, fields: readonly string[]): Cron | { readonly fault: string } {
  if (fields.length !== 5 && fields.length !== 6) {
    const found = expression === "" ? "none" : String(fields.length);
    return {
      fault: `needs five fields (minute, hour, day of month, month, day of week) or six with seconds before them, and has ${found}`,
    };
  }
  const [minute = "", hour = "", , , dayOfWeek = ""] = fields.slice(-5);
  if (dayOfWeek.startsWith("+")) {
    return {
      fault: `asks for a day of month that is also a day of week ("${dayOfWeek}"), which is not supported`,
    };
  }
  if (fields.some((field, index) => field.includes("?") && !isDayField(index - fields.length))) {
    return { fault: 'has a "?" outside the day fields; write "*"' };
  }
  const read = readFields(expression.split(" "));
  if ("fault" in read) return read;
  const pattern = new CronPattern(read.plain, undefined, { mode: "5-or-6-parts" });
  if (allYears.length === 0) allYears.push(...pattern.year);
  pattern.year = allYears;
  const isFixedTime = !/[*/]/.test(minute) && !/[*/]/.test(hour);
  return { expression, isFixedTime, everFires: increment(pattern, 0) !== undefined, pattern };
}

/** Counted from the end, as seconds may be missing: day of month and day of week, where Quartz writes "?" for "*". */
function isDayField(index: number): boolean {
  return index === -3 || index === -1;
}

/** The first matching wall time after `wallMs`; `undefined` when there is none within 400 years. */
export function wallTimeAfter(cron: Cron, wallMs: number): number | undefined {
  return increment(cron.pattern, wallMs);
}

/** The last matching wall time before `wallMs`; `undefined` when there is none within 400 years. */
export function wallTimeBefore(cron: Cron, wallMs: number): number | undefined {
  return new CronDate(new Date(wallMs), 0).decrement(cron.pattern, {})?.getTime();
}

/** The fields as they are written, but for lists that hold `*`. */
export function cronFields(cron: Cron): CronFields {
  const fields = cron.expression.split(" ");
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] = fields.slice(-5);
  return {
    second: fields.length === 6 ? allOr(fields[0] ?? "") : "0",
    minute: allOr(minute),
    hour: allOr(hour),
    // These two stay as they are: "*,5" is a day field that is given.
    dayOfMonth,
    month: allOr(month),
    dayOfWeek,
  };
}

function allOr(field: string): string {
  return field.split(",").includes("*") ? "*" : field;
}

function increment(pattern: CronPattern, wallMs: number): number | undefined {
  return new CronDate(new Date(wallMs), 0).increment(pattern, {}, false)?.getTime();
}
