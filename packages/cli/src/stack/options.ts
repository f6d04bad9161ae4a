/** Options that several commands share, and how they are read. */
import { availableParallelism } from "node:os";
import { parseEventTime } from "@millrace/core";
import { InvalidArgumentError, type Command } from "commander";

/** Where the server is: for every command that talks to one. */
export function withServerOptions(command: Command): Command {
  return command
    .option("--url <url>", "the server's address (or MILLRACE_URL)")
    .option("--state <folder>", "find the server of this state folder (or MILLRACE_STATE)");
}

export function readPort(text: string): number {
  return readInteger(text, 0, 65_535);
}

export function readCount(text: string): number {
  return readInteger(text, 1, 1_000_000);
}

export function readSlots(text: string): number {
  return readInteger(text, 1, 1_000);
}

export function readInteger(text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`;
  throw new InvalidArgumentError(`It must be a whole number from ${range}.`);
}

const agoUnits: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time, or how long ago, as the API takes it. */
export function readTime(text: string): string {
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  if (ago) return new Date(Date.now() - Number(ago[1]) * agoUnits[ago[2]!]!).toISOString();
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  if (parseEventTime(day) !== undefined) return day;
  throw new InvalidArgumentError("It is a time such as 2026-01-31T06:00:00Z, or how long ago, such as 2h.");
}

/** `a,b` and repeats: gathered. */
export function gatherNames(text: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  ];
}

export function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** `name=value` and repeats: gathered. */
export function gatherPairs(
  text: string,
  before: { readonly [name: string]: string } | undefined,
): { readonly [name: string]: string } {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be written name=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** How many attempts a worker of this machine runs at once when nobody says. */
export function slotsDefault(): number {
  return Math.max(4, availableParallelism());
}

export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return [
    "",
    "Examples:",
    ...lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`.trimEnd()),
  ].join("\n");
}
