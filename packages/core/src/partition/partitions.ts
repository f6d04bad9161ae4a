/**
 * Partitions, made executable: which keys there are, what a key stands for, and how a text becomes a key.
 *
 * K1: `read` gives each partition's one key, whatever spelling of it was given; a key reads as itself.
 */
import { assert, unreachable } from "../assert.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { nearestName } from "../nearest-name.ts";
import type { PartitionDimension, PartitionsDefinition, TuplePartitions } from "./definition.ts";
import { faultOfText } from "./parse.ts";
import { compileTimeWindows, type TimeWindow, type TimeWindows } from "./time-windows.ts";

export type ReadKey =
  | { readonly key: string; readonly fault?: never }
  | { readonly fault: string; readonly nearest?: string };

export interface Partitions {
  readonly definition: PartitionsDefinition;
  /** The windows of time partitions, and of the only dimension of time of a tuple. */
  readonly windows: TimeWindows | undefined;
  read(text: string): ReadKey;
  /** The window of a key of this definition: none where no, or more than one, dimension is time. */
  windowOf(key: string): TimeWindow | undefined;
  /**
   * The keys in their order, at most `max`; of time those whose windows overlap `span`. Nothing where they become known only as
   * they are written.
   */
  list(span: TimeWindow, max: number): string[] | undefined;
}

/** Makes partitions that `parsePartitions` gave executable. */
export function compilePartitions(definition: PartitionsDefinition): Partitions {
  return definition.kind === "tuple" ? compileTuple(definition) : compileDimension(definition);
}

/**
 * The key that a text names. Throws MILLRACE_PARTITION_UNKNOWN; `what` is whose partitions they are: `the asset "orders"`.
 */
export function requirePartition(partitions: Partitions, text: string, what: string): string {
  const read = partitions.read(text);
  if ("key" in read) return read.key;
  const { fault, nearest } = read;
  throw new MillraceError("MILLRACE_PARTITION_UNKNOWN", {
    message: `${what} has no partition ${JSON.stringify(text.slice(0, 200))}: ${fault}.${nearest === undefined ? "" : ` Did you mean ${JSON.stringify(nearest)}?`}`,
    fields: { partition: text.slice(0, 200), ...(nearest === undefined ? {} : { nearest }) },
  });
}

function compileDimension(definition: PartitionDimension): Partitions {
  switch (definition.kind) {
    case "time": {
      const windows = compileTimeWindows(definition);
      const read = (text: string): ReadKey => {
        const window = windows.readKey(text);
        return "fault" in window ? window : { key: windows.keyOf(window) };
      };
      return {
        definition,
        windows,
        read,
        windowOf: (key) => {
          const window = windows.readKey(key);
          return "fault" in window ? undefined : window;
        },
        list: ({ from, to }, max) =>
          windows.overlapping(from, to, max).map((window) => windows.keyOf(window)),
      };
    }
    case "static": {
      const { keys } = definition;
      const known = new Set(keys);
      return {
        definition,
        windows: undefined,
        read: (text) => (known.has(text) ? { key: text } : unknownKey(text, keys)),
        windowOf: () => undefined,
        list: (_span, max) => keys.slice(0, max),
      };
    }
    case "dynamic":
      return {
        definition,
        windows: undefined,
        read: (text) => {
          const fault = faultOfText(text);
          return fault === undefined ? { key: text } : { fault };
        },
        windowOf: () => undefined,
        list: () => undefined,
      };
    default:
      return unreachable(definition);
  }
}

const keysShownMax = 5;

function unknownKey(text: string, keys: readonly string[]): ReadKey {
  const nearest = nearestName(text, keys);
  const more = keys.length > keysShownMax ? ` and ${keys.length - keysShownMax} more` : "";
  const fault = `its keys are ${keys.slice(0, keysShownMax).join(", ")}${more}`;
  return nearest === undefined ? { fault } : { fault, nearest };
}

/** The parts of a tuple's key by dimension; nothing where the text is no such key. */
export function readTuple(text: string): { readonly [dimension: string]: string } | undefined {
  const parts: [string, string][] = [];
  for (const part of text.split("/")) {
    const at = part.indexOf("=");
    if (at < 1) return undefined;
    try {
      parts.push([part.slice(0, at), decodeURIComponent(part.slice(at + 1))]);
    } catch {
      return undefined;
    }
  }
  const names = new Set(parts.map(([name]) => name));
  return names.size === parts.length ? Object.fromEntries(parts) : undefined;
}

/** `day=2026-10-25/region=eu`: by the names of dimensions; `/` and `%` within a part are written `%2F` and `%25`. */
export function formatTuple(parts: { readonly [dimension: string]: string }): string {
  return Object.keys(parts)
    .sort()
    .map((name) => `${name}=${parts[name]!.replaceAll("%", "%25").replaceAll("/", "%2F")}`)
    .join("/");
}

function compileTuple(definition: TuplePartitions): Partitions {
  const dimensions = Object.entries(definition.of).map(
    ([name, dimension]) => [name, compileDimension(dimension)] as const,
  );
  const names = dimensions.map(([name]) => name);
  const timed = dimensions.filter(([, { windows }]) => windows !== undefined);
  const [timeName, time] = timed.length === 1 ? timed[0]! : [undefined, undefined];
  const form = dimensions.map(([name, one]) => `${name}=${one.windows?.example ?? "…"}`).join("/");
  const read = (text: string): ReadKey => {
    const parts = readTuple(text);
    if (!parts) return { fault: `a key looks like ${form}` };
    const other = Object.keys(parts).find((name) => !names.includes(name));
    if (other !== undefined) {
      const near = nearestName(other, names);
      const advice = near === undefined ? "" : `, maybe "${near}"`;
      return { fault: `it has no dimension "${other}"${advice}; a key looks like ${form}` };
    }
    const keys: { [name: string]: string } = {};
    for (const [name, one] of dimensions) {
      const part = parts[name];
      if (part === undefined) return { fault: `its ${name} is missing; a key looks like ${form}` };
      const found = one.read(part);
      if (found.fault !== undefined) {
        const { fault, nearest } = found;
        return {
          fault: `its ${name} is not right: ${fault}`,
          ...(nearest === undefined ? {} : { nearest: formatTuple({ ...parts, [name]: nearest }) }),
        };
      }
      keys[name] = found.key;
    }
    return { key: formatTuple(keys) };
  };
  return {
    definition,
    windows: time?.windows,
    read,
    windowOf: (key) => {
      const part = timeName === undefined ? undefined : readTuple(key)?.[timeName];
      return part === undefined ? undefined : time?.windowOf(part);
    },
    list: (span, max) => {
      const lists = dimensions.map(([name, one]) => [name, one.list(span, max)] as const);
      return crossed(lists, max)?.map(formatTuple);
    },
  };
}

/** Each combination of one of each list; nothing where a list is missing. */
export function crossed(
  lists: readonly (readonly [name: string, keys: readonly string[] | undefined])[],
  max: number,
): { readonly [name: string]: string }[] | undefined {
  let combinations: { readonly [name: string]: string }[] = [{}];
  for (const [name, keys] of lists) {
    if (keys === undefined) return undefined;
    const next: { readonly [name: string]: string }[] = [];
    for (const combination of combinations)
      for (const key of keys) if (next.length < max) next.push({ ...combination, [name]: key });
    combinations = next;
  }
  assert(combinations.length <= max, "combinations are bounded");
  return combinations;
}
