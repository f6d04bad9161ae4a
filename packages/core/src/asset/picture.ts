/** Which partitions of an asset are there and which are missing, as few stretches as people can read. */
import type { PartitionsDefinition } from "../partition/definition.ts";
import type { TimeWindows } from "../partition/time-windows.ts";
import { partitionsOf } from "./key.ts";

/** Neighbouring partitions of one state, first and last by their keys. */
export interface PartitionRange {
  readonly state: "present" | "missing";
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

export interface PartitionPicture {
  readonly present: number;
  /** Absent where nobody knows which there should be. */
  readonly missing: number | undefined;
  /** In the order of the partitions. */
  readonly ranges: readonly PartitionRange[];
}

export interface ExpectedKeys {
  readonly keys: readonly string[];
  /** There are more before these. */
  readonly isCut: boolean;
}

/**
 * The keys that should be there by `now`, in order: windows that are over, static keys, their combinations; at most `max`, of
 * windows the newest. Nothing where keys become known only as they are told.
 */
export function expectedKeys(
  definition: PartitionsDefinition,
  now: number,
  max: number,
): ExpectedKeys | undefined {
  const partitions = partitionsOf(definition);
  const { windows } = partitions;
  const first = windows?.from(0)?.from ?? 0;
  let from = windows && definition.kind === "time" ? Math.max(first, newestFrom(windows, now, max)) : first;
  for (let isCut = from > first; ; isCut = true) {
    const listed = partitions.list({ from, to: now }, max);
    if (!listed) return undefined;
    if (!windows || listed.length < max || now - from < 1) {
      // Of what overlaps the present, what is not over is not missing.
      const isOver = (key: string): boolean => (partitions.windowOf(key)?.to ?? 0) <= now;
      const keys =
        definition.kind === "time"
          ? listed.slice(0, listed.findLastIndex(isOver) + 1)
          : windows
            ? listed.filter(isOver)
            : listed;
      return { keys, isCut: isCut || (!windows && listed.length === max) };
    }
    from = now - (now - from) / 2;
  }
}

/** Windows by which it is judged how long those before them are. */
const sampleMax = 100;

/** From when on there are about `max` windows: to list those of ten years only to leave most of them out takes seconds. */
function newestFrom(windows: TimeWindows, now: number, max: number): number {
  const last = windows.until(now);
  let oldest = last;
  let count = 0;
  for (let window = last; window && count < sampleMax; window = windows.until(window.from)) {
    oldest = window;
    count += 1;
  }
  if (!last || !oldest) return 0;
  return last.to - ((last.to - oldest.from) / count) * max * 0.9;
}

/** `known`: keys that were told, of these partitions; true where something was written. */
export function partitionPicture(
  expected: ExpectedKeys | undefined,
  known: ReadonlyMap<string, boolean>,
  definition: PartitionsDefinition,
): PartitionPicture {
  const isPresent = (key: string): boolean => known.get(key) === true;
  const wanted = new Set(expected?.keys);
  // Beyond what should be there: what was written ahead or long ago, and dynamic keys.
  const others = [...known.keys()].filter((key) => !wanted.has(key));
  const keys = expected?.keys ?? [];
  const places =
    definition.kind === "time"
      ? windowsInOrder(keys, others, definition)
      : [...keys, ...others].map(following);
  const ranges = rangesOf(places, isPresent);
  const count = (state: PartitionRange["state"]): number =>
    ranges.reduce((sum, range) => (range.state === state ? sum + range.count : sum), 0);
  return {
    present: count("present"),
    missing: expected === undefined && !others.some((key) => !isPresent(key)) ? undefined : count("missing"),
    ranges,
  };
}

interface Place {
  readonly key: string;
  /** Nothing lies between it and the one before. */
  readonly follows: boolean;
}

function following(key: string): Place {
  return { key, follows: true };
}

/** Expected windows meet. Others may stand anywhere: years ahead, or before all that is looked at. */
function windowsInOrder(
  expected: readonly string[],
  others: readonly string[],
  definition: PartitionsDefinition,
): Place[] {
  const partitions = partitionsOf(definition);
  const [first = "", last = first] = [expected[0], expected.at(-1)];
  const begin = partitions.windowOf(first)?.from ?? Infinity;
  const sorted = others
    .map((key) => ({ key, window: partitions.windowOf(key) }))
    .toSorted((a, b) => (a.window?.from ?? Infinity) - (b.window?.from ?? Infinity));
  const places: Place[] = [];
  let end: number | undefined;
  const putExpected = (): void => {
    for (const [at, key] of expected.entries()) places.push({ key, follows: at > 0 || end === begin });
    if (expected.length > 0) end = partitions.windowOf(last)?.to;
  };
  const later = sorted.findIndex(({ window }) => (window?.from ?? Infinity) >= begin);
  const border = later < 0 ? sorted.length : later;
  for (const [at, { key, window }] of sorted.entries()) {
    if (at === border) putExpected();
    places.push({ key, follows: window !== undefined && end === window.from });
    end = window?.to;
  }
  if (border === sorted.length) putExpected();
  return places;
}

function rangesOf(places: readonly Place[], isPresent: (key: string) => boolean): PartitionRange[] {
  const ranges: { state: PartitionRange["state"]; from: string; to: string; count: number }[] = [];
  for (const { key, follows } of places) {
    const state = isPresent(key) ? "present" : "missing";
    const last = ranges.at(-1);
    if (follows && last?.state === state) {
      last.to = key;
      last.count += 1;
    } else ranges.push({ state, from: key, to: key, count: 1 });
  }
  return ranges;
}
