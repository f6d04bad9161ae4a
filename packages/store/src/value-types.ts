import { TypeOverrides } from "pg";

/** PostgreSQL's object ids of the types whose values we read in our own way. */
const oid = { int8: 20, int8Array: 1016, timestamptz: 1184, timestamptzArray: 1185 } as const;

/**
 * How values arrive: `timestamptz` as milliseconds since 1970 (with a fraction for microseconds), `int8` as a number,
 * or as a bigint beyond 2^53; all else as pg does it.
 */
export function valueTypes(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(oid.int8, "text", parseInt8);
  overrides.setTypeParser(oid.timestamptz, "text", parseTimestamp);
  overrides.setTypeParser(oid.int8Array, "text", (text: string) => parseArray(text, parseInt8));
  overrides.setTypeParser(oid.timestamptzArray, "text", (text: string) => parseArray(text, parseTimestamp));
  return overrides;
}

/** A parameter for a `timestamptz`, from milliseconds since 1970; a fraction keeps microseconds. */
export function toTimestamp(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.round((ms - whole) * 1000);
  if (micros === 1000) return toTimestamp(whole + 1);
  const text = new Date(whole).toISOString();
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}

export function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Reads `2026-11-23 21:40:13.123456+00`: our sessions are in UTC. */
export function parseTimestamp(text: string): number {
  if (text === "infinity") return Number.POSITIVE_INFINITY;
  if (text === "-infinity") return Number.NEGATIVE_INFINITY;
  const parts = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text);
  if (parts === null) throw new Error(`not a time between the years 1 and 9999 in UTC: ${text}`);
  const seconds = Date.parse(`${parts[1]}T${parts[2]}Z`);
  return parts[3] === undefined ? seconds : seconds + Number(parts[3].padEnd(6, "0")) / 1000;
}

/** Reads `{1,NULL}` and `{"2026-11-23 21:40:13+00"}`: one dimension, of values that hold neither comma nor quote. */
function parseArray<T>(text: string, parse: (item: string) => T): (T | null)[] {
  const inner = text.slice(1, -1);
  if (inner === "") return [];
  return inner.split(",").map((item) => (item === "NULL" ? null : parse(item.replaceAll('"', ""))));
}
