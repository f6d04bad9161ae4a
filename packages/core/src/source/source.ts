/**
 * Sources: readers of other systems that the server hosts (the design, §4). A definition is data; what reads is a connector,
 * which the server is given.
 */
import { MillraceError } from "../error/millrace-error.ts";
import type { SourceLocation } from "../graph/definition.ts";
import type { Json, Path } from "../json.ts";
import {
  eventTypeMax,
  fileGlobMax,
  fileGlobsMax,
  fileGlobStarsMax,
  fileQuietMsMax,
  fileRescanMsMax,
  fileRescanMsMin,
} from "../limits.ts";

export const fileProtocols = ["settle", "rename", "marker"] as const;
/**
 * How a writer shows that a file is complete. `settle`: it stays as it is for a time. `rename`: it gets its name when it is
 * complete. `marker`: another file says so.
 */
export type FileProtocol = (typeof fileProtocols)[number];

/** Files of a folder, and of those below it. */
export interface FileSource {
  readonly kind: "files";
  readonly name: string;
  /** Absolute, or relative to the server's project folder. */
  readonly folder: string;
  readonly glob: string;
  /** Globs of files and folders that are left out. */
  readonly ignore: readonly string[];
  readonly protocol: FileProtocol;
  /** How long a file must stay as it is, in ms: of `settle` alone. */
  readonly quietMs?: number;
  /** The marker's name, with `*` for the name of its file: of `marker` alone. */
  readonly marker?: string;
  /** Of the event that tells of a new or changed file. */
  readonly type: string;
  /** Of the event that tells that a file is gone; absent: none does. */
  readonly goneType?: string;
  /** The whole folder is looked through this often, whatever the system tells of changes. */
  readonly rescanMs: number;
  readonly source?: SourceLocation;
}

export type SourceDefinition = FileSource;
export type SourceKind = SourceDefinition["kind"];

export const fileArrivedType = "file.arrived";
export const fileGoneType = "file.gone";
export const fileQuietMs = 2_000;
export const fileRescanMs = 60_000;
export const fileMarker = "*.done";

/** The `source` of its events. */
export function sourceUri(name: string): string {
  return `/sources/${name}`;
}

/** Reads a definition; throws MILLRACE_SOURCE_INVALID. */
export function parseSource(value: Json): SourceDefinition {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw invalid([], "an object");
  const given = value as { readonly [name: string]: Json };
  if (given["kind"] !== "files") throw invalid(["kind"], '"files"');
  const text = (name: string, pattern: RegExp, expected: string): string =>
    matching(given[name], pattern, [name], expected);
  const number = (name: string, min: number, max: number): number => {
    const found = given[name];
    if (typeof found === "number" && Number.isInteger(found) && found >= min && found <= max) return found;
    throw invalid([name], `a whole number of ms from ${min} to ${max}`);
  };
  const protocol = fileProtocols.find((one) => one === given["protocol"]);
  if (protocol === undefined) throw invalid(["protocol"], `one of ${fileProtocols.join(", ")}`);
  const other = Object.keys(given).find((name) => !memberNames.includes(name));
  if (other !== undefined) throw invalid([other.slice(0, 100)], `only ${memberNames.join(", ")} here`);
  for (const [name, of] of [
    ["quietMs", "settle"],
    ["marker", "marker"],
  ] as const)
    if ((given[name] !== undefined) !== (protocol === of))
      throw invalid([name], `it with the protocol "${of}", and with no other`);
  return {
    kind: "files",
    name: text("name", /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, "a name"),
    folder: text("folder", /^[^\0]{1,2000}$/, "the path of a folder"),
    glob: parseGlob(given["glob"], ["glob"]),
    ignore: parseIgnore(given["ignore"]),
    protocol,
    ...(protocol === "settle" ? { quietMs: number("quietMs", 0, fileQuietMsMax) } : {}),
    ...(protocol === "marker" ? { marker: parseMarker(given["marker"]) } : {}),
    type: parseType(given["type"], "type"),
    ...(given["goneType"] === undefined ? {} : { goneType: parseType(given["goneType"], "goneType") }),
    rescanMs: number("rescanMs", fileRescanMsMin, fileRescanMsMax),
    ...(given["source"] === undefined ? {} : { source: given["source"] as unknown as SourceLocation }),
  };
}

const memberNames = [
  "kind",
  "name",
  "folder",
  "glob",
  "ignore",
  "protocol",
  "quietMs",
  "marker",
  "type",
  "goneType",
  "rescanMs",
  "source",
];

function parseIgnore(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value) || value.length > fileGlobsMax)
    throw invalid(["ignore"], `a list of at most ${fileGlobsMax} globs`);
  return (value as readonly Json[]).map((glob, at) => parseGlob(glob, ["ignore", at]));
}

/** The time to match a name grows with a power of the stars in one part of the glob. */
function parseGlob(value: Json | undefined, path: Path): string {
  const expected = `a glob below the folder, such as "**/*.csv", of at most ${fileGlobMax} characters and ${fileGlobStarsMax} stars between two slashes`;
  const glob = matching(value, /^[^\0]+$/, path, expected);
  const parts = glob.split("/");
  const hasMany = parts.some((part) => (part.match(/\*+/g)?.length ?? 0) > fileGlobStarsMax);
  if (glob.length > fileGlobMax || hasMany || parts.includes("..") || parts.includes("") || parts[0] === ".")
    throw invalid(path, expected);
  return glob;
}

function parseMarker(value: Json | undefined): string {
  const expected =
    'the name of a marker in the file\'s folder, such as "*.done" or "_SUCCESS", with one `*` at most';
  const marker = matching(value, /^[^\0/]{1,200}$/, ["marker"], expected);
  if (marker.split("*").length > 2 || marker === "*") throw invalid(["marker"], expected);
  return marker;
}

function parseType(value: Json | undefined, name: string): string {
  const expected = `an event type of at most ${eventTypeMax} characters that does not begin with "millrace."`;
  const type = matching(value, /^[^\s*\0]+$/, [name], expected);
  if (type.length > eventTypeMax || type.startsWith("millrace.")) throw invalid([name], expected);
  return type;
}

function matching(value: Json | undefined, pattern: RegExp, path: Path, expected: string): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw invalid(path, expected);
}

function invalid(path: Path, expected: string): MillraceError {
  const where = path.join(".");
  return new MillraceError("MILLRACE_SOURCE_INVALID", {
    message: `A source is not valid${where === "" ? "" : ` at \`${where}\``}: expected ${expected}.`,
    fields: { path: where, expected },
  });
}
