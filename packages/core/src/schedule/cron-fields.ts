/**
 * The fields of a cron expression: what each may hold, said in our own words where it does not, and the same in the plain form
 * that croner takes. A range that runs over the end of its field (`FRI-MON`, `22-2`) and a step from a value on (`5/15`) are
 * written out, as croner knows neither.
 */

/** A field, and what is wrong with it in a sentence without subject. */
export type ReadField = { readonly plain: string } | { readonly fault: string };

interface FieldKind {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** As the reader is told them. */
  readonly values: string;
  /** In their order, the first is `min`. */
  readonly names?: readonly string[];
}

const monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** In the order in which they are written, seconds first. */
const kinds: readonly FieldKind[] = [
  { name: "second", min: 0, max: 59, values: "0 to 59" },
  { name: "minute", min: 0, max: 59, values: "0 to 59" },
  { name: "hour", min: 0, max: 23, values: "0 to 23" },
  { name: "day of month", min: 1, max: 31, values: "1 to 31" },
  { name: "month", min: 1, max: 12, values: "1 to 12 or JAN to DEC", names: monthNames },
  { name: "day of week", min: 0, max: 6, values: "0 (Sunday) to 7 or SUN to SAT", names: weekdayNames },
];
const dayOfMonth = kinds[3];
const dayOfWeek = kinds[5];

/** Reads five fields, or six, which are in capitals. */
export function readFields(fields: readonly string[]): ReadField {
  const plain: string[] = [];
  for (const [index, field] of fields.entries()) {
    const kind = kinds[index + kinds.length - fields.length];
    if (kind === undefined) return { fault: "has too many fields" };
    const read = readField(field, kind);
    if ("fault" in read) return read;
    plain.push(read.plain);
  }
  return { plain: plain.join(" ") };
}

function readField(field: string, kind: FieldKind): ReadField {
  const parts = field.split(",");
  const plain: string[] = [];
  for (const part of parts) {
    if (part === "") return { fault: `has an empty part in its ${kind.name} field "${field}"` };
    const read = readPart(part, kind);
    if ("fault" in read) {
      const whole = field === part ? "" : ` (in "${field}")`;
      return { fault: `has in its ${kind.name} field "${part}"${whole}, ${read.fault}` };
    }
    plain.push(read.plain);
  }
  if (parts.length > 1 && parts.includes("LW")) {
    return { fault: `has in its ${kind.name} field "${field}": LW stands alone, not in a list` };
  }
  return { plain: plain.join(",") };
}

/** Its fault ends a sentence that begins with `has in its minute field "60", `. */
function readPart(part: string, kind: FieldKind): ReadField {
  if (kind === dayOfMonth) return readDayOfMonthWord(part, kind) ?? readRange(part, kind);
  if (kind === dayOfWeek) return readDayOfWeekPart(part, kind);
  if (/^(L|LW|\d+[WL])$/.test(part)) return { fault: "which days alone may have" };
  if (part.includes("#")) return { fault: "which the day of week alone may have" };
  return readRange(part, kind);
}

/** `L`, `LW` and `15W`; `undefined` where the part is nothing of this sort. */
function readDayOfMonthWord(part: string, kind: FieldKind): ReadField | undefined {
  if (part === "L" || part === "LW") return { plain: part };
  if (/^L-\d+W?$/.test(part)) {
    return { fault: "which counts days from the end of the month: only the last one, L, can be asked for" };
  }
  if (part.includes("#") || /^\d+L$/.test(part)) {
    return { fault: "which the day of week alone may have; L by itself is the last day of the month" };
  }
  if (!part.includes("W")) return undefined;
  const [, day] = /^(\d+)W$/.exec(part) ?? [];
  if (day === undefined) return { fault: "where W (the nearest weekday) follows no single day, as in 15W" };
  const value = readValue(day, kind);
  return typeof value === "number" ? { plain: `${value}W` } : value;
}

/** Days of the week, of which `#2` takes the second of the month and `L` the last. */
function readDayOfWeekPart(part: string, kind: FieldKind): ReadField {
  if (part === "L" || part === "LW" || /^\d+W$/.test(part)) {
    return { fault: "which the day of month alone may have; 5L or FRIL is the last Friday" };
  }
  const [, days = part, nth = ""] =
    /^([^#]*)(#.*)$/.exec(part) ?? /^(.*(?:\d|[A-Z]{3}))(L)$/.exec(part) ?? [];
  if (nth.startsWith("#") && !/^#[1-5]$/.test(nth)) {
    return { fault: 'where a number from 1 to 5 must follow "#", as in MON#2' };
  }
  if (nth !== "" && days === "*") return { fault: `where a day must stand before "${nth}"` };
  const read = readRange(days, kind);
  if ("fault" in read) return read;
  return {
    plain: read.plain
      .split(",")
      .map((day) => `${day}${nth}`)
      .join(","),
  };
}

/** A value, a range, or a step over one. */
function readRange(part: string, kind: FieldKind): ReadField {
  const [range = "", step, ...more] = part.split("/");
  const [first = "", last, ...others] = range.split("-");
  if (more.length > 0 || others.length > 0) {
    return { fault: "which is no value, range (1-5) or step (*/5, 1-5/2)" };
  }
  const size = kind.max - kind.min + 1;
  const stepBy = step === undefined ? 1 : /^\d+$/.test(step) ? Number(step) : Number.NaN;
  if (!(stepBy >= 1 && stepBy <= size)) return { fault: `whose step is not 1 to ${size}` };
  if (range === "*") return { plain: part };

  const from = readValue(first, kind);
  if (typeof from !== "number") return from;
  if (last === undefined && step === undefined) return { plain: String(from) };
  const to = last === undefined ? kind.max : readValue(last, kind);
  if (typeof to !== "number") return to;
  // A range from the Sunday that is 7 begins with the Sunday that is 0.
  return { plain: plainRange({ from: from > kind.max && to < from ? kind.min : from, to, stepBy }, kind) };
}

function readValue(text: string, kind: FieldKind): number | { readonly fault: string } {
  const { names, min, max } = kind;
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    // 7 is Sunday, too; that is as croner reads it.
    const highest = kind === dayOfWeek ? 7 : max;
    return value >= min && value <= highest ? value : { fault: `which is not ${kind.values}` };
  }
  const index = names?.indexOf(text) ?? -1;
  if (index >= 0) return min + index;
  const short = names?.find((name) => text.length > 3 && text.startsWith(name));
  return { fault: `which is not ${kind.values}${short === undefined ? "" : `; write ${short}`}` };
}

/** `22-2` of hours is 22, 23, 0, 1, 2. */
function plainRange(
  { from, to, stepBy }: { readonly from: number; readonly to: number; readonly stepBy: number },
  { min, max }: FieldKind,
): string {
  if (from <= to) return stepBy === 1 ? `${from}-${to}` : `${from}-${to}/${stepBy}`;
  const size = max - min + 1;
  const values: number[] = [];
  for (let offset = 0; offset <= to + size - from; offset += stepBy) {
    values.push(min + ((from - min + offset) % size));
  }
  return values.join(",");
}
