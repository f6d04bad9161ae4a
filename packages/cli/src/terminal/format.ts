/** Durations, times and tables as people read them. */

/** `312 ms`, `1.2 s`, `1m 12s`, `2h 03m`, `4d 2h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.floor(minutes / 1_440)}d ${Math.floor((minutes % 1_440) / 60)}h`;
}

/** Local `14:02:11`; with the day when that is not today. */
export function formatTime(at: Date, now: Date): string {
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${time}`;
}

/** Of which zone the times of `formatTime` are. */
export function zoneNote(): string {
  return `Times are those of ${new Intl.DateTimeFormat().resolvedOptions().timeZone}, the time zone here.`;
}

/** `just now`, `3 min ago`, `2 h ago`, `4 d ago`. */
export function formatAgo(at: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - at.getTime()) / 1_000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3_600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** What is to come: `now`, `in 12 s`, `in 3 min`, `in 2 h`, `in 4 d`. */
export function formatIn(at: Date, now: Date): string {
  const seconds = Math.round((at.getTime() - now.getTime()) / 1_000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `in ${seconds} s`;
  if (seconds < 3_600) return `in ${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `in ${Math.round(seconds / 3_600)} h`;
  return `in ${Math.round(seconds / 86_400)} d`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export interface TableOptions {
  readonly align?: readonly ("left" | "right")[];
  /** No line is wider. */
  readonly width?: number;
  /** The columns that make room when the lines are too wide, in this order. By default from the last to the first. */
  readonly yields?: readonly number[];
}

type Row = readonly string[];

const gap = 2;
/** A column that had to be narrower than this is left out. */
const columnWidthMin = 8;

/** Lines of columns as wide as their widest cell, two blanks apart. Colours in a cell take no room. */
export function formatTable(
  rows: readonly Row[],
  { align = [], width = Number.POSITIVE_INFINITY, yields }: TableOptions = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, visibleWidth(cell));
    });
  }
  makeRoom(widths, width, yields ?? widths.map((_, column) => widths.length - 1 - column));
  return rows.map((row) => {
    const cells = row.flatMap((cell, column) => {
      const room = widths[column] ?? 0;
      if (room === 0) return [];
      const shown = cutPainted(cell, room);
      const blanks = " ".repeat(room - visibleWidth(shown));
      return [align[column] === "right" ? blanks + shown : shown + blanks];
    });
    return cutPainted(cells.join(" ".repeat(gap)).trimEnd(), width);
  });
}

/** Narrows columns, or sets their width to 0, until a line fits or no column is left that yields. */
function makeRoom(widths: number[], width: number, yields: readonly number[]): void {
  for (const column of yields) {
    const excess = lineWidth(widths) - width;
    const own = widths[column] ?? 0;
    if (excess <= 0) return;
    if (own === 0 || widths.filter((one) => one > 0).length === 1) continue;
    widths[column] = own - excess >= columnWidthMin ? own - excess : 0;
  }
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, one) => (one > 0 ? sum + one + gap : sum), -gap);
}

const escapes = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, "g");

export function visibleWidth(text: string): number {
  return Array.from(plainText(text)).length;
}

/** Without colours. */
export function plainText(text: string): string {
  return text.replaceAll(escapes, "");
}

/** Cuts plain text to a width, with an ellipsis. */
export function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Cuts text that may hold colours; they end with it. */
export function cutPainted(text: string, width: number): string {
  if (visibleWidth(text) <= width) return text;
  let seen = 0;
  let result = "";
  for (const part of text.split(new RegExp(`(${escapes.source})`))) {
    if (part.startsWith(String.fromCodePoint(27))) {
      result += part;
      continue;
    }
    const room = width - 1 - seen;
    const taken = Array.from(part).slice(0, Math.max(0, room)).join("");
    result += taken;
    seen += Array.from(taken).length;
  }
  return `${result}…${result === plainText(result) ? "" : `${String.fromCodePoint(27)}[0m`}`;
}

/** A message's first line. */
export function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** All that begins with ESC and a bracket: colours, and what moves the cursor or erases. */
const sequences = new RegExp(String.raw`${String.fromCodePoint(27)}\[[0-?]*[ -/]*[@-~]`, "g");

/** Text from tasks as a terminal may be given it: no control characters that move its cursor or change its state. */
export function harmless(text: string): string {
  return text
    .replaceAll(sequences, "")
    .replaceAll("\n", " ")
    .replaceAll(/[\p{Cc}]/gu, (character) => (character === "\t" ? "  " : ""));
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
