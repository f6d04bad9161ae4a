/** Checks the JSON of the atoms over assets. */
import { MillraceError } from "../error/millrace-error.ts";
import { parseEventTime } from "../event/time.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import { eventSubjectMax, partitionWindowsMax, revisionsMax } from "../limits.ts";
import { nearestName } from "../nearest-name.ts";
import { parsePartitionMapping, parsePartitions } from "../partition/parse.ts";
import { compilePartitions, type Partitions } from "../partition/partitions.ts";
import { always } from "../partition/time-windows.ts";
import type { PartitionFilter, ReachedAtom, RevisePolicy, UpdatedAtom, WatchedAsset } from "./condition.ts";
import { isMapped } from "./compile.ts";
import { mappingOf } from "./operator/watched.ts";
import { parseWhere } from "./where/parse.ts";

type Fields = { readonly [name: string]: Json | undefined };

const assetsMax = 50;
const spanMsMax = 10 * 366 * 86_400_000;

export function readUpdated(fields: Fields, path: Path): Omit<UpdatedAtom, "kind" | "name" | "by"> {
  const { where, only, late } = fields;
  const when = fields["when"] ?? "each";
  if (when !== "each" && when !== "complete")
    throw invalid([...path, "when"], `expected each or complete; found ${JSON.stringify(when)}`);
  const target =
    fields["target"] === undefined ? undefined : parsePartitions(fields["target"], [...path, "target"]);
  const compiled = target && compilePartitions(target);
  const assets = readAssets(fields["assets"], [...path, "assets"]);
  assets.forEach((watched, at) => {
    const mappingPath = [...path, "assets", at, "mapping"];
    if (target === undefined && when === "each") {
      if (watched.mapping) throw invalid(mappingPath, 'a mapping needs a "target"');
      return;
    }
    const mapping = mappingOf(watched, compiled, mappingPath);
    if (when === "each") return;
    const samples = compiled ? compiled.list(always, 1) : [null];
    const [sample = null] = samples ?? [];
    if (!samples || !mapping.from(sample))
      throw invalid(
        mappingPath,
        `it can't be told beforehand what ${sample === null ? "a partition" : JSON.stringify(sample)} is made of, or it is of more than ${partitionWindowsMax} partitions`,
      );
  });
  if (late !== undefined && (when !== "complete" || target?.kind !== "time"))
    throw invalid([...path, "late"], 'only windows of time are revised, with "complete"');
  return {
    assets,
    ...(where === undefined ? {} : { where: parseWhere(where, [...path, "where"]) }),
    ...(only === undefined ? {} : { only: readFilter(only, assets, [...path, "only"]) }),
    ...(target === undefined ? {} : { target }),
    when,
    ...(late === undefined ? {} : { late: readLate(late, [...path, "late"]) }),
  };
}

export function readReached(fields: Fields, path: Path): Omit<ReachedAtom, "kind" | "name" | "by"> {
  const { from, late, orAfterMs } = fields;
  const target = parsePartitions(fields["target"] ?? null, [...path, "target"]);
  if (target.kind !== "time") throw invalid([...path, "target"], "expected windows of time");
  const compiled = compilePartitions(target);
  const assets = readAssets(fields["assets"], [...path, "assets"]);
  assets.forEach((watched, at) => {
    if (isMapped(watched, true)) mappingOf(watched, compiled, [...path, "assets", at, "mapping"]);
  });
  const instant = typeof from === "string" ? parseEventTime(from) : undefined;
  if (from !== undefined && instant === undefined)
    throw invalid([...path, "from"], `expected an instant in ISO 8601; found ${JSON.stringify(from)}`);
  return {
    assets,
    target,
    ...(instant === undefined ? {} : { from: new Date(instant).toISOString() }),
    delayMs: readNumber(fields["delayMs"] ?? 0, [...path, "delayMs"], 0, spanMsMax),
    ...(late === undefined ? {} : { late: readLate(late, [...path, "late"]) }),
    ...(orAfterMs === undefined
      ? {}
      : { orAfterMs: readNumber(orAfterMs, [...path, "orAfterMs"], 1_000, spanMsMax) }),
  };
}

function readAssets(value: Json | undefined, path: Path): WatchedAsset[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > assetsMax)
    throw invalid(path, `expected 1 to ${assetsMax} assets`);
  const assets = value.map((json: Json, at): WatchedAsset => {
    const fields = objectAt(json, [...path, at], ["asset", "partitions", "mapping"]);
    const { asset, partitions, mapping } = fields;
    if (typeof asset !== "string" || asset === "" || asset.length > eventSubjectMax)
      throw invalid([...path, at, "asset"], `expected an asset's name; found ${JSON.stringify(asset)}`);
    return {
      asset,
      ...(partitions === undefined
        ? {}
        : { partitions: parsePartitions(partitions, [...path, at, "partitions"]) }),
      ...(mapping === undefined ? {} : { mapping: parsePartitionMapping(mapping, [...path, at, "mapping"]) }),
    };
  });
  const names = assets.map(({ asset }) => asset);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice >= 0) throw invalid([...path, twice], `"${names[twice]}" stands there twice`);
  return assets;
}

function readFilter(json: Json, assets: readonly WatchedAsset[], path: Path): PartitionFilter {
  const { kind } = objectAt(json, path);
  const sides = assets.map(({ asset, partitions }): [string, Partitions] => {
    if (!partitions) throw invalid(path, `the asset "${asset}" has no partitions to choose from`);
    return [asset, compilePartitions(partitions)];
  });
  switch (kind) {
    case "keys": {
      const { keys } = objectAt(json, path, ["kind", "keys"]);
      return {
        kind,
        keys: readKeys(keys, [...path, "keys"]).map((key, at) =>
          canonicalKey(sides, key, [...path, "keys", at]),
        ),
      };
    }
    case "latest": {
      const { n } = objectAt(json, path, ["kind", "n"]);
      const other = sides.find(([, { windows }]) => !windows);
      if (other)
        throw invalid(path, `the partitions of "${other[0]}" are no windows of time: none is the latest`);
      return { kind, n: readNumber(n, [...path, "n"], 1, partitionWindowsMax) };
    }
    case "dimensions":
      return { kind, of: readDimensions(objectAt(json, path, ["kind", "of"])["of"], sides, [...path, "of"]) };
    default:
      throw invalid([...path, "kind"], `expected keys, latest or dimensions; found ${JSON.stringify(kind)}`);
  }
}

function readDimensions(
  json: Json | undefined,
  sides: readonly (readonly [string, Partitions])[],
  path: Path,
): { readonly [dimension: string]: readonly string[] } {
  const entries = Object.entries(objectAt(json ?? null, path));
  return Object.fromEntries(
    entries.map(([name, keys]) => {
      const inner = sides.map(([asset, { definition }]): [string, Partitions] => {
        const known = definition.kind === "tuple" ? definition.of : {};
        const one = Object.hasOwn(known, name) ? known[name] : undefined;
        if (one) return [asset, compilePartitions(one)];
        const near = nearestName(name, Object.keys(known));
        throw invalid(
          [...path, name],
          `the partitions of "${asset}" have no dimension "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
        );
      });
      const list = readKeys(keys, [...path, name]);
      return [name, list.map((key, at) => canonicalKey(inner, key, [...path, name, at]))];
    }),
  );
}

function readKeys(value: Json | undefined, path: Path): string[] {
  const list = typeof value === "string" ? [value] : value;
  if (Array.isArray(list) && list.length > 0 && list.length <= partitionWindowsMax)
    if (list.every((key: Json) => typeof key === "string")) return [...list] as string[];
  throw invalid(path, "expected a list of keys");
}

function canonicalKey(
  sides: readonly (readonly [asset: string, partitions: Partitions])[],
  text: string,
  path: Path,
): string {
  let key = text;
  for (const [asset, side] of sides) {
    const read = side.read(text);
    if (read.fault !== undefined) {
      const { fault, nearest } = read;
      throw invalid(
        path,
        `the asset "${asset}" has no partition ${JSON.stringify(text)}: ${fault}${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`,
      );
    }
    key = read.key;
  }
  return key;
}

/** Ten minutes, three revisions, seven days. */
export const usualRevisePolicy: RevisePolicy = {
  debounceMs: 600_000,
  revisionsMax: 3,
  closeAfterMs: 7 * 86_400_000,
};

function readLate(json: Json, path: Path): RevisePolicy {
  const fields = objectAt(json, path, Object.keys(usualRevisePolicy));
  const number = (name: keyof RevisePolicy, min: number, max: number): number =>
    readNumber(fields[name] ?? usualRevisePolicy[name], [...path, name], min, max);
  return {
    debounceMs: number("debounceMs", 0, spanMsMax),
    revisionsMax: number("revisionsMax", 1, revisionsMax),
    closeAfterMs: number("closeAfterMs", 1_000, spanMsMax),
  };
}

function objectAt(value: Json | undefined, path: Path, known?: readonly string[]): Fields {
  if (value === null || value === undefined || typeof value !== "object" || Array.isArray(value))
    throw invalid(path, `expected an object; found ${JSON.stringify(value) ?? "nothing"}`);
  for (const field of known === undefined ? [] : Object.keys(value)) {
    if (known!.includes(field)) continue;
    const near = nearestName(field, known!);
    throw invalid(
      [...path, field],
      `there is no such field${near === undefined ? "" : `; did you mean "${near}"?`}`,
    );
  }
  return value as Fields;
}

function readNumber(value: Json | undefined, path: Path, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(path, `expected a whole number from ${min} to ${max}; found ${JSON.stringify(value)}`);
}

function invalid(path: Path, what: string): MillraceError {
  return new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `The condition is wrong at ${formatPath(path)}: ${what}${what.endsWith("?") ? "" : "."}`,
    fields: { path: formatPath(path) },
  });
}
