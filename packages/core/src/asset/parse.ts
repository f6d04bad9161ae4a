/** Reads an asset's definition, wherever it comes from. */
import { MillraceError } from "../error/millrace-error.ts";
import type { SourceLocation } from "../graph/definition.ts";
import type { Json } from "../json.ts";
import { assetNameMax, assetUsesMax, progressAheadMsMax } from "../limits.ts";
import type { AssetDefinition, AssetUpstream } from "../partition/definition.ts";
import { parsePartitionMapping, parsePartitions } from "../partition/parse.ts";

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$/;
const members = [
  "name",
  "description",
  "owner",
  "tags",
  "partitions",
  "upstream",
  "freshness",
  "progressAheadMs",
  "source",
];

/** Checks a definition and gives it in its one spelling. Throws MILLRACE_ASSET_INVALID, and what partitions throw. */
export function parseAsset(value: Json): AssetDefinition {
  const given = objectAt(value, "");
  for (const name of Object.keys(given))
    if (!members.includes(name))
      throw invalid(`/${name.slice(0, 100)}`, `no such member; known are ${members.join(", ")}`);
  const name = readAssetName(given["name"] ?? null, "/name");
  const {
    partitions = null,
    upstream = null,
    freshness = null,
    progressAheadMs = null,
    source = null,
  } = given;
  return {
    name,
    ...textMember(given, "description"),
    ...textMember(given, "owner"),
    tags: listAt(given["tags"] ?? [], "/tags").map((tag, at) => textAt(tag, `/tags/${at}`)),
    ...(partitions === null ? {} : { partitions: parsePartitions(partitions, ["partitions"]) }),
    ...(upstream === null ? {} : { upstream: readUpstream(upstream, name) }),
    ...(freshness === null ? {} : { freshness: readFreshness(freshness) }),
    ...(progressAheadMs === null ? {} : { progressAheadMs: readProgressAhead(progressAheadMs) }),
    ...(source === null ? {} : { source: source as unknown as SourceLocation }),
  };
}

export function readAssetName(value: Json, path: string): string {
  if (typeof value === "string" && value.length <= assetNameMax && namePattern.test(value)) return value;
  throw invalid(
    path,
    `a name of 1 to ${assetNameMax} letters, digits, "_", ".", ":", "/" and "-" that starts with a letter, a digit or "_", and found ${shown(value)}`,
  );
}

function readUpstream(value: Json, name: string): AssetUpstream[] {
  const list = listAt(value, "/upstream");
  if (list.length > assetUsesMax) throw invalid("/upstream", `at most ${assetUsesMax} assets`);
  const seen = new Set<string>();
  return list.map((item, at) => {
    const path = `/upstream/${at}`;
    const { asset = null, mapping = null } = objectAt(item, path);
    const upstream = readAssetName(asset, `${path}/asset`);
    if (upstream === name) throw invalid(path, "another asset: none is made of itself");
    if (seen.has(upstream))
      throw invalid(path, `each asset once, and found ${JSON.stringify(upstream)} again`);
    seen.add(upstream);
    return {
      asset: upstream,
      ...(mapping === null ? {} : { mapping: parsePartitionMapping(mapping, ["upstream", at, "mapping"]) }),
    };
  });
}

function readFreshness(value: Json): { readonly maxAgeMs: number } {
  const { maxAgeMs = null } = objectAt(value, "/freshness");
  if (typeof maxAgeMs === "number" && Number.isSafeInteger(maxAgeMs) && maxAgeMs > 0) return { maxAgeMs };
  throw invalid(
    "/freshness/maxAgeMs",
    `a whole number of milliseconds above 0, and found ${shown(maxAgeMs)}`,
  );
}

function readProgressAhead(value: Json): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= progressAheadMsMax)
    return value;
  throw invalid(
    "/progressAheadMs",
    `milliseconds above 0, ${progressAheadMsMax / 86_400_000} days at most, and found ${shown(value)}`,
  );
}

function objectAt(value: Json, path: string): { readonly [name: string]: Json } {
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    return value as { readonly [name: string]: Json };
  throw invalid(path, `an object, and found ${shown(value)}`);
}

function listAt(value: Json, path: string): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw invalid(path, `a list, and found ${shown(value)}`);
}

function textAt(value: Json, path: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalid(path, `a text, and found ${shown(value)}`);
}

function textMember(
  given: { readonly [name: string]: Json },
  name: "description" | "owner",
): { readonly [member in typeof name]?: string } {
  const value = given[name] ?? null;
  return value === null ? {} : { [name]: textAt(value, `/${name}`) };
}

function shown(value: Json): string {
  return value === null ? "nothing" : JSON.stringify(value).slice(0, 100);
}

function invalid(path: string, expected: string): MillraceError {
  return new MillraceError("MILLRACE_ASSET_INVALID", {
    message: `An asset can't be read at ${path === "" ? "its root" : path}: expected ${expected}.`,
    fields: { path, expected },
  });
}
