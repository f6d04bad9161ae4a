/** Which partitions of an asset are there and which are missing, as few stretches as people can read. */
import type { PartitionsDefinition } from "../partition/definition.ts";
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
  let from = windows?.from(0)?.from ?? 0;
  for (let isCut = false; ; isCut = true) {
    const listed = partitions.list({ from, to: now }, max);
    if (!listed) return undefined;
    if (!windows || listed.length < max || now - from < 1) {
      // Of what overlaps the present, what is not over is not missing.
      const keys = windows ? listed.filter((key) => (partitions.windowOf(key)?.to ?? 0) <= now) : listed;
      return { keys, isCut: isCut || (!windows && listed.length === max) };
    }
    from = now - (now - from) / 2;
  }
}

/** `known`: keys that were told; true where something was written. */
export function partitionPicture(
  expected: ExpectedKeys | undefined,
  known: ReadonlyMap<string, boolean>,
): PartitionPicture {
  const isPresent = (key: string): boolean => known.get(key) === true;
  const wanted = new Set(expected?.keys);
  // Beyond what should be there: what was written ahead or long ago, and dynamic keys.
  const others = [...known.keys()].filter((key) => !wanted.has(key));
  const ranges = rangesOf([...(expected?.keys ?? []), ...others], isPresent);
  const count = (state: PartitionRange["state"]): number =>
    ranges.reduce((sum, range) => (range.state === state ? sum + range.count : sum), 0);
  return {
    present: count("present"),
    missing: expected === undefined && !others.some((key) => !isPresent(key)) ? undefined : count("missing"),
    ranges,
  };
}

function rangesOf(keys: readonly string[], isPresent: (key: string) => boolean): PartitionRange[] {
  const ranges: { state: PartitionRange["state"]; from: string; to: string; count: number }[] = [];
  for (const key of keys) {
    const state = isPresent(key) ? "present" : "missing";
    const last = ranges.at(-1);
    if (last?.state === state) {
      last.to = key;
      last.count += 1;
    } else ranges.push({ state, from: key, to: key, count: 1 });
  }
  return ranges;
}
