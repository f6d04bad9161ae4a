/** Checks the JSON of partitions and of mappings between them, and brings it to its one spelling. */
import { unreachable } from "../assert.ts";
import { canonicalJson } from "../canonical-json.ts";
import { parseTime } from "../condition/where/order.ts";
import { compileMapping as compileCelMapping } from "../condition/where/mapping.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import {
  partitionDimensionsMax,
  partitionKeyMax,
  partitionWindowsMax,
  staticPartitionsMax,
} from "../limits.ts";
import { nearestName } from "../nearest-name.ts";
import { parseSchedule } from "../schedule/parse.ts";
import { nextTick } from "../schedule/ticks.ts";
import { parseWallTime } from "../schedule/wall-time.ts";
import { instantOf } from "../schedule/zone.ts";
import { always } from "./time-windows.ts";
import type {
  DimensionMapping,
  PartitionDimension,
  PartitionMapping,
  PartitionsDefinition,
  TimePartitions,
} from "./definition.ts";

type Fields = { readonly [name: string]: Json | undefined };

const partitionFields: { readonly [kind in PartitionsDefinition["kind"]]: readonly string[] } = {
  time: ["every", "start", "end"],
  static: ["keys"],
  dynamic: [],
  tuple: ["of"],
};

/** Throws MILLRACE_PARTITIONS_INVALID, or what a wrong schedule throws, with the path of what is wrong. */
export function parsePartitions(json: unknown, path: Path = []): PartitionsDefinition {
  const { kind, fields } = readKind(json, partitionFields, path);
  if (kind !== "tuple") return parseDimension(kind, fields, path);
  const entries = entriesAt(fields["of"], [...path, "of"], "a dimension");
  if (entries.length < 2 || entries.length > partitionDimensionsMax)
    throw invalid([...path, "of"], `expected 2 to ${partitionDimensionsMax} dimensions`);
  const of = entries.map(([name, dimension]): [string, PartitionDimension] => {
    const at = [...path, "of", name];
    if (!/^[A-Za-z_][\w-]{0,49}$/.test(name) || name === wholeDimension)
      throw invalid(at, `expected a name of letters, digits, "_" and "-" other than "${wholeDimension}"`);
    const inner = readKind(dimension, partitionFields, at);
    if (inner.kind === "tuple") throw invalid(at, "a dimension is no tuple itself: list its dimensions here");
    return [name, parseDimension(inner.kind, inner.fields, at)];
  });
  of.sort(([a], [b]) => (a < b ? -1 : 1));
  return { kind, of: Object.fromEntries(of) };
}

/** What mappings call the one dimension of partitions that are no tuple. */
export const wholeDimension = "key";

/** The text that is equal for equal partitions. */
export function canonicalPartitions(definition: PartitionsDefinition): string {
  return canonicalJson(definition as unknown as Json);
}

function parseDimension(kind: PartitionDimension["kind"], fields: Fields, path: Path): PartitionDimension {
  switch (kind) {
    case "time":
      return parseTimePartitions(fields, path);
    case "static":
      return { kind, keys: parseKeys(fields["keys"], [...path, "keys"]) };
    case "dynamic":
      return { kind };
    default:
      return unreachable(kind);
  }
}

function parseTimePartitions(fields: Fields, path: Path): TimePartitions {
  const every = parseSchedule(fields["every"], [...path, "every"]);
  if (every.kind === "at")
    throw invalid([...path, "every"], "windows come from cron or every, not from a list");
  if (every.jitterMs !== undefined) throw invalid([...path, "every", "jitterMs"], "windows have no jitter");
  const start = parseBound(fields["start"], every.tz, [...path, "start"]);
  const end = fields["end"] === undefined ? undefined : parseBound(fields["end"], every.tz, [...path, "end"]);
  const first = nextTick(every, start - 1);
  const firstEnd = first === undefined ? undefined : nextTick(every, first);
  if (firstEnd === undefined || firstEnd > (end ?? Infinity))
    throw invalid([...path, end === undefined ? "start" : "end"], "there is no window between start and end");
  return {
    kind: "time",
    every,
    start: formatInstant(start),
    ...(end === undefined ? {} : { end: formatInstant(end) }),
  };
}

/** A date, a wall time in the windows' zone, or an instant with its offset. */
function parseBound(value: Json | undefined, tz: string, path: Path): number {
  if (typeof value === "string") {
    const wallMs = parseWallTime(value);
    const ms =
      wallMs === undefined
        ? parseTime(value.replace(/(T\d\d:\d\d)(?=[Z+-])/, "$1:00"))
        : instantOf(tz, wallMs);
    if (ms !== undefined && ms >= always.from && ms < always.to) return ms;
  }
  throw invalid(
    path,
    `expected a date such as "2026-01-01" or an instant with its offset, between 1900 and 2900; found ${JSON.stringify(value) ?? "nothing"}`,
  );
}

function parseKeys(value: Json | undefined, path: Path): string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > staticPartitionsMax)
    throw invalid(path, `expected a list of 1 to ${staticPartitionsMax} keys`);
  const keys = value.map((key: Json, index) => {
    const fault = typeof key === "string" ? faultOfText(key) : "it is no text";
    if (fault !== undefined)
      throw invalid([...path, index], `${JSON.stringify(key)} can't be a key: ${fault}`);
    return key as string;
  });
  const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index);
  if (twice >= 0) throw invalid([...path, twice], `${JSON.stringify(keys[twice])} is listed twice`);
  return keys;
}

/** Why a text can't name a partition, whatever the partitions are. */
export function faultOfText(key: string): string | undefined {
  if (key === "") return "it is empty";
  if (key.length > partitionKeyMax)
    return `it has ${key.length} characters, and ${partitionKeyMax} are allowed`;
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(key) || !key.isWellFormed())
    return "it holds control characters or halves of characters";
  return undefined;
}

const mappingFields: { readonly [kind in PartitionMapping["kind"]]: readonly string[] } = {
  identity: [],
  windows: [],
  last: ["n"],
  all: [],
  table: ["to"],
  cel: ["text"],
  dimensions: ["of"],
};

/** Throws MILLRACE_PARTITIONS_INVALID or MILLRACE_EXPRESSION_INVALID. Whether it fits the two sides, `mapping.ts` sees. */
export function parsePartitionMapping(json: unknown, path: Path = []): PartitionMapping {
  const { kind, fields } = readKind(json, mappingFields, path);
  if (kind !== "dimensions") return parseSimpleMapping(kind, fields, path);
  const of = entriesAt(fields["of"], [...path, "of"], "a dimension").map(
    ([name, dimension]): [string, DimensionMapping] => {
      const at = [...path, "of", name];
      const members = objectAt(dimension, at);
      refuseOthers(members, ["from", "mapping"], "a dimension's mapping", at);
      const { from } = members;
      if (from !== undefined && typeof from !== "string")
        throw invalid([...at, "from"], "expected the name of a dimension");
      const inner = readKind(members["mapping"] ?? { kind: "identity" }, mappingFields, [...at, "mapping"]);
      if (inner.kind === "dimensions") throw invalid([...at, "mapping"], "a dimension has none itself");
      const mapping = parseSimpleMapping(inner.kind, inner.fields, [...at, "mapping"]);
      return [name, { ...(from === undefined ? {} : { from }), mapping }];
    },
  );
  return { kind, of: Object.fromEntries(of) };
}

function parseSimpleMapping(
  kind: Exclude<PartitionMapping["kind"], "dimensions">,
  fields: Fields,
  path: Path,
): DimensionMapping["mapping"] {
  switch (kind) {
    case "identity":
    case "windows":
    case "all":
      return { kind };
    case "last": {
      const { n } = fields;
      if (typeof n !== "number" || !Number.isInteger(n) || n < 1 || n > partitionWindowsMax)
        throw invalid([...path, "n"], `expected a whole number from 1 to ${partitionWindowsMax}`);
      return { kind, n };
    }
    case "table": {
      const to = entriesAt(fields["to"], [...path, "to"], "a key").map(([from, keys]): [string, string[]] => [
        from,
        parseKeys(typeof keys === "string" ? [keys] : keys, [...path, "to", from]),
      ]);
      return { kind, to: Object.fromEntries(to) };
    }
    case "cel": {
      const { text } = fields;
      if (typeof text !== "string") throw invalid([...path, "text"], "expected a CEL expression");
      compileCelMapping(text, celNames, [...path, "text"]);
      return { kind, text };
    }
    default:
      return unreachable(kind);
  }
}

/** What an own mapping in CEL sees. */
export const celNames = ["key", "window"] as const;

function readKind<Kind extends string>(
  json: unknown,
  fieldsOf: { readonly [kind in Kind]: readonly string[] },
  path: Path,
): { readonly kind: Kind; readonly fields: Fields } {
  const fields = objectAt(json, path);
  const kinds = Object.keys(fieldsOf) as Kind[];
  const kind = kinds.find((name) => name === fields["kind"]);
  if (kind === undefined) {
    const found = fields["kind"];
    const near = typeof found === "string" ? nearestName(found, kinds) : undefined;
    throw invalid(
      [...path, "kind"],
      `expected one of ${kinds.join(", ")}; found ${JSON.stringify(found) ?? "nothing"}${near === undefined ? "" : `; did you mean "${near}"?`}`,
    );
  }
  refuseOthers(fields, ["kind", ...fieldsOf[kind]], `"${kind}"`, path);
  return { kind, fields };
}

function refuseOthers(fields: Fields, known: readonly string[], what: string, path: Path): void {
  for (const field of Object.keys(fields)) {
    if (known.includes(field) || fields[field] === undefined) continue;
    const near = nearestName(field, known);
    throw invalid(
      [...path, field],
      `${what} has no such field${near === undefined ? "" : `; did you mean "${near}"?`}`,
    );
  }
}

function entriesAt(value: Json | undefined, path: Path, what: string): [string, Json][] {
  const entries = Object.entries(objectAt(value, path));
  if (entries.length === 0 || entries.length > staticPartitionsMax)
    throw invalid(path, `expected ${what} or more, ${staticPartitionsMax} at most`);
  return entries as [string, Json][];
}

function objectAt(value: unknown, path: Path): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(path, `expected an object; found ${JSON.stringify(value)?.slice(0, 80) ?? "nothing"}`);
}

function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}

function invalid(path: Path, what: string): MillraceError {
  const text = formatPath(path);
  return new MillraceError("MILLRACE_PARTITIONS_INVALID", {
    message: `The partitions are wrong at ${text}: ${what}${what.endsWith("?") ? "" : "."}`,
    fields: { path: text },
  });
}
