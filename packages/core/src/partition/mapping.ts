/**
 * Mappings between the partitions of two assets, both ways: what a partition is a part of (`to`), and what it is made of
 * (`from`). An asset without partitions has one, whose key is `null`.
 *
 * M1: `b` is in `to(a)` exactly when `a` is in `from(b)`, as far as `from` can tell.
 */
import { compileMapping as compileCel } from "../condition/where/mapping.ts";
import { unreachable } from "../assert.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import { partitionWindowsMax } from "../limits.ts";
import { nearestName } from "../nearest-name.ts";
import type { DimensionMapping, PartitionMapping } from "./definition.ts";
import { canonicalPartitions, celNames, wholeDimension } from "./parse.ts";
import { compilePartitions, crossed, formatTuple, readTuple, type Partitions } from "./partitions.ts";
import { always, type TimeWindow, type TimeWindows } from "./time-windows.ts";

export type PartitionKey = string | null;

export interface CompiledMapping {
  readonly mapping: PartitionMapping;
  /** The partitions that `key` is a part of; none where it is a part of nothing. */
  to(key: PartitionKey): readonly PartitionKey[];
  /** The partitions that `key` is made of: nothing where that is not known beforehand, or more than 10,000. */
  from(key: PartitionKey): readonly PartitionKey[] | undefined;
}

interface Sides {
  readonly from: Partitions | undefined;
  readonly to: Partitions | undefined;
  readonly path: Path;
}

const none: readonly PartitionKey[] = [];
const whole: readonly PartitionKey[] = [null];

/**
 * Makes a mapping executable; absent, it is what fits both sides. `path` is where it stands. Throws
 * MILLRACE_PARTITIONS_INVALID where it does not fit.
 */
export function compilePartitionMapping(
  mapping: PartitionMapping | undefined,
  from: Partitions | undefined,
  to: Partitions | undefined,
  path: Path = [],
): CompiledMapping {
  const sides = { from, to, path };
  return compile(mapping ?? usual(sides), sides);
}

/** The mapping of two sides that say none. */
function usual({ from, to, path }: Sides): PartitionMapping {
  if (!from || !to) return { kind: "all" };
  const [a, b] = [from.definition, to.definition];
  if (a.kind === "time" && b.kind === "time") return { kind: "windows" };
  if (canonicalPartitions(a) === canonicalPartitions(b)) return { kind: "identity" };
  if (b.kind === "tuple" || a.kind === "tuple") {
    const sources = a.kind === "tuple" ? a.of : { [wholeDimension]: a };
    const targets = b.kind === "tuple" ? b.of : { [wholeDimension]: b };
    const mappings = Object.entries(targets).map(([name, target]): [string, DimensionMapping] => {
      const alike = Object.keys(sources).filter((source) => sources[source]!.kind === target.kind);
      const source = Object.hasOwn(sources, name) ? name : alike.length === 1 ? alike[0]! : undefined;
      if (source === undefined)
        throw doesNotFit(path, `it has to say where ${describeDimension(name)} comes from`);
      const kind = sources[source]!.kind === "time" && target.kind === "time" ? "windows" : "identity";
      return [name, { ...(source === wholeDimension ? {} : { from: source }), mapping: { kind } }];
    });
    return { kind: "dimensions", of: Object.fromEntries(mappings) };
  }
  throw doesNotFit(path, `partitions by ${a.kind} and by ${b.kind} need one that says what is made of what`);
}

function compile(mapping: PartitionMapping, sides: Sides): CompiledMapping {
  switch (mapping.kind) {
    case "identity":
      return compileIdentity(mapping, sides);
    case "windows":
      return compileWindows(mapping, windowsOf(sides, "windows"));
    case "last":
      return compileLast(mapping, windowsOf(sides, "last"));
    case "all":
      return compileAll(mapping, sides);
    case "table":
      return compileTable(mapping, sides);
    case "cel":
      return compileOwn(mapping, sides);
    case "dimensions":
      return compileDimensions(mapping, sides);
    default:
      return unreachable(mapping);
  }
}

function compileIdentity(mapping: PartitionMapping, { from, to, path }: Sides): CompiledMapping {
  if (!from !== !to) throw doesNotFit(path, '"identity" needs partitions on both sides, or on none');
  const same =
    (side: Partitions | undefined) =>
    (key: PartitionKey): readonly PartitionKey[] => {
      if (!side || key === null) return !side && key === null ? whole : none;
      const read = side.read(key);
      return read.fault === undefined ? [read.key] : none;
    };
  return { mapping, to: same(to), from: same(from) };
}

interface WindowSides {
  readonly from: TimeWindows;
  readonly to: TimeWindows;
}

function windowsOf({ from, to, path }: Sides, kind: string): WindowSides {
  if (from?.definition.kind === "time" && to?.definition.kind === "time" && from.windows && to.windows)
    return { from: from.windows, to: to.windows };
  throw doesNotFit(path, `"${kind}" needs windows of time on both sides`);
}

function windowOf(windows: TimeWindows, key: PartitionKey): TimeWindow | undefined {
  const read = key === null ? undefined : windows.readKey(key);
  return read === undefined || "fault" in read ? undefined : read;
}

function compileWindows(mapping: PartitionMapping, { from, to }: WindowSides): CompiledMapping {
  const overlapping = (windows: TimeWindows, window: TimeWindow | undefined): string[] | undefined => {
    if (!window) return [];
    const found = windows.overlapping(window.from, window.to, partitionWindowsMax + 1);
    return found.length > partitionWindowsMax ? undefined : found.map((one) => windows.keyOf(one));
  };
  return {
    mapping,
    to: (key) => overlapping(to, windowOf(from, key)) ?? none,
    from: (key) => overlapping(from, windowOf(to, key)),
  };
}

/** `b` is made of the last n windows that end with it or before: `a` is one of them until n others have ended after it. */
function compileLast(
  mapping: Extract<PartitionMapping, { readonly kind: "last" }>,
  { from, to }: WindowSides,
): CompiledMapping {
  const { n } = mapping;
  return {
    mapping,
    to: (key) => {
      const window = windowOf(from, key);
      if (!window) return none;
      const later = from.overlapping(window.to, always.to, n);
      const end = later.length === n ? later[n - 1]!.to : always.to;
      const keys: string[] = [];
      // The first that ends with it or after it, and those that end before the n-th window after it does.
      let next = to.at(window.to - 1) ?? to.from(window.to);
      for (; next && next.to < end && keys.length < partitionWindowsMax; next = to.from(next.to))
        if (next.to >= window.to) keys.push(to.keyOf(next));
      return keys;
    },
    from: (key) => {
      const window = windowOf(to, key);
      const keys: string[] = [];
      let last = window && from.until(window.to);
      for (; last && keys.length < n; last = from.until(last.from)) keys.unshift(from.keyOf(last));
      return keys;
    },
  };
}

function compileAll(mapping: PartitionMapping, { from, to, path }: Sides): CompiledMapping {
  const listOf = (side: Partitions | undefined): readonly PartitionKey[] | undefined => {
    if (!side) return whole;
    const keys = side.list(always, partitionWindowsMax + 1);
    return keys && keys.length > partitionWindowsMax ? undefined : keys;
  };
  const targets = listOf(to);
  if (!targets) throw doesNotFit(path, '"all" would make a partition a part of an endless number');
  return {
    mapping,
    to: (key) => (isKeyOf(from, key) ? targets : none),
    from: (key) => (isKeyOf(to, key) ? listOf(from) : none),
  };
}

function compileTable(
  mapping: Extract<PartitionMapping, { readonly kind: "table" }>,
  { from, to, path }: Sides,
): CompiledMapping {
  const table = new Map<string, string[]>();
  const back = new Map<string, string[]>();
  for (const [source, targets] of Object.entries(mapping.to)) {
    const key = keyOf(from, source, [...path, "to", source]);
    const keys = targets.map((target) => keyOf(to, target, [...path, "to", source]));
    table.set(key, keys);
    for (const target of keys) back.set(target, [...(back.get(target) ?? []), key]);
  }
  return {
    mapping,
    to: (key) => (key === null ? none : (table.get(key) ?? none)),
    from: (key) => (key === null ? none : (back.get(key) ?? none)),
  };
}

function keyOf(side: Partitions | undefined, text: string, path: Path): string {
  if (!side) throw doesNotFit(path, "a table needs partitions on both sides");
  const read = side.read(text);
  if (read.fault === undefined) return read.key;
  const { fault, nearest } = read;
  throw doesNotFit(
    path,
    `${JSON.stringify(text)} is no key: ${fault}${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`,
  );
}

function compileOwn(
  mapping: Extract<PartitionMapping, { readonly kind: "cel" }>,
  { from, to, path }: Sides,
): CompiledMapping {
  const compiled = compileCel(mapping.text, celNames, [...path, "text"]);
  const targets = (key: PartitionKey): PartitionKey[] => {
    const window = key === null ? undefined : from?.windowOf(key);
    const outcome = compiled.valueOf({
      key,
      window: window
        ? { from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() }
        : null,
    });
    if ("fault" in outcome) return [];
    const given: readonly Json[] = Array.isArray(outcome.value) ? outcome.value : [outcome.value];
    const keys = new Set<PartitionKey>();
    for (const one of given.slice(0, partitionWindowsMax)) {
      if (!to && one === null) keys.add(null);
      const read = to && typeof one === "string" ? to.read(one) : undefined;
      if (read && read.fault === undefined) keys.add(read.key);
    }
    return [...keys];
  };
  const isFixed = !from || from.definition.kind === "static";
  return {
    mapping,
    to: targets,
    from: (key) => {
      if (!isFixed) return undefined;
      const sources: readonly PartitionKey[] = from?.list(always, partitionWindowsMax) ?? whole;
      return sources.filter((source) => targets(source).includes(key));
    },
  };
}

function compileDimensions(
  mapping: Extract<PartitionMapping, { readonly kind: "dimensions" }>,
  { from, to, path }: Sides,
): CompiledMapping {
  if (!from || !to) throw doesNotFit(path, '"dimensions" needs partitions on both sides');
  const sources = dimensionsOf(from);
  const targets = dimensionsOf(to);
  const parts = Object.entries(targets.of).map(([name, target]) => {
    const own = mapping.of[name];
    const at = [...path, "of", name];
    if (!own) throw doesNotFit(at, `it does not say where ${describeDimension(name)} comes from`);
    const source = own.from ?? wholeDimension;
    const known = sources.of[source];
    if (!known && own.mapping.kind !== "all") throw noDimension(at, source, Object.keys(sources.of));
    return {
      name,
      source: known ? source : undefined,
      mapping: compile(own.mapping, { from: known, to: target, path: at }),
    };
  });
  for (const name of Object.keys(mapping.of))
    if (!targets.of[name]) throw noDimension([...path, "of", name], name, Object.keys(targets.of));
  // What is made of all keys of a dimension says nothing about it.
  const telling = parts.filter(({ mapping: inner }) => inner.mapping.kind !== "all");
  const named = new Set(telling.map(({ source }) => source));
  return {
    mapping,
    to: (key) => {
      const read = key === null ? undefined : sources.read(key);
      if (!read) return none;
      const lists = parts.map(
        (part) =>
          [
            part.name,
            part.mapping.to(part.source === undefined ? null : read[part.source]!) as readonly string[],
          ] as const,
      );
      return (crossed(lists, partitionWindowsMax) ?? []).map(targets.format);
    },
    from: (key) => {
      const read = key === null ? undefined : targets.read(key);
      if (!read) return none;
      const lists = new Map<string, readonly string[] | undefined>();
      for (const { name, source, mapping: inner } of telling) {
        if (source === undefined) continue;
        const keys = inner.from(read[name]!) as readonly string[] | undefined;
        if (!lists.has(source)) lists.set(source, keys);
        else lists.set(source, keys && lists.get(source)?.filter((one) => keys.includes(one)));
      }
      for (const [name, side] of Object.entries(sources.of))
        if (!named.has(name)) lists.set(name, side.list(always, partitionWindowsMax + 1));
      const all = crossed([...lists], partitionWindowsMax + 1);
      return all && all.length <= partitionWindowsMax ? all.map(sources.format) : undefined;
    },
  };
}

interface Dimensions {
  readonly of: { readonly [name: string]: Partitions };
  readonly read: (key: string) => { readonly [name: string]: string } | undefined;
  readonly format: (parts: { readonly [name: string]: string }) => string;
}

/** Partitions that are no tuple have one dimension, named `key`. */
function dimensionsOf(side: Partitions): Dimensions {
  const { definition } = side;
  const isTuple = definition.kind === "tuple";
  return {
    of: isTuple
      ? Object.fromEntries(Object.entries(definition.of).map(([name, one]) => [name, compilePartitions(one)]))
      : { [wholeDimension]: side },
    read: (key) => {
      const read = side.read(key);
      if (read.fault !== undefined) return undefined;
      return isTuple ? readTuple(read.key) : { [wholeDimension]: read.key };
    },
    format: (parts) => (isTuple ? formatTuple(parts) : parts[wholeDimension]!),
  };
}

function isKeyOf(side: Partitions | undefined, key: PartitionKey): boolean {
  if (!side || key === null) return !side && key === null;
  return side.read(key).fault === undefined;
}

function describeDimension(name: string): string {
  return name === wholeDimension ? "the key" : `the dimension "${name}"`;
}

function noDimension(path: Path, name: string, known: readonly string[]): MillraceError {
  const near = nearestName(name, known);
  return doesNotFit(
    path,
    `there is no dimension "${name}"; ${near === undefined ? `there are ${known.join(", ")}` : `did you mean "${near}"?`}`,
  );
}

function doesNotFit(path: Path, what: string): MillraceError {
  const text = formatPath(path);
  return new MillraceError("MILLRACE_PARTITIONS_INVALID", {
    message: `The mapping does not fit at ${text}: ${what}${what.endsWith("?") ? "" : "."}`,
    fields: { path: text },
  });
}
