/**
 * Which partitions of an asset are there and which are missing, as few stretches as people can read.
 *
 * G1: the work is done in steps of some milliseconds, between which who does it lets others have their turn.
 */
import type { PartitionsDefinition } from "../partition/definition.ts";
import { always, type TimeWindow, type TimeWindows } from "../partition/time-windows.ts";
import { crossed, formatTuple } from "../partition/partitions.ts";
import { partitionsOf } from "./key.ts";

/** Neighbouring partitions of one state, first and last by their keys. */
export interface PartitionRange {
  readonly state: "present" | "missing";
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** Work in steps; its result is what it returns. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Keys of windows that are made, or read, in one step: each takes up to 20 µs. */
const stepKeys = 250;

export interface PartitionPicture {
  readonly present: number;
  /** Absent where nobody knows which there should be. */
  readonly missing: number | undefined;
  /** There are more before these: what is missing there is not counted, nor what is present, where more is than is looked at. */
  readonly isCut: boolean;
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
export function* expectedKeys(
  definition: PartitionsDefinition,
  now: number,
  max: number,
): Steps<ExpectedKeys | undefined> {
  const partitions = partitionsOf(definition);
  const { windows } = partitions;
  if (!windows) {
    const keys = partitions.list({ from: 0, to: now }, max);
    return keys && { keys, isCut: keys.length === max };
  }
  if (definition.kind === "time") return yield* newestWindows(windows, now, max);
  // A tuple of one dimension of time.
  const lists: [name: string, keys: readonly string[]][] = [];
  let perWindow = 1;
  const dimensions = Object.entries(definition.kind === "tuple" ? definition.of : {});
  for (const [name, dimension] of dimensions) {
    if (dimension.kind === "dynamic") return undefined;
    lists.push([name, dimension.kind === "static" ? dimension.keys : []]);
    if (dimension.kind === "static") perWindow *= dimension.keys.length;
  }
  const timed = dimensions.findIndex(([, { kind }]) => kind === "time");
  const found = yield* newestWindows(windows, now, Math.max(1, Math.floor(max / perWindow)));
  lists[timed] = [dimensions[timed]![0], found.keys];
  const keys: string[] = [];
  for (const parts of crossed(lists, max) ?? []) {
    keys.push(formatTuple(parts));
    if (keys.length % stepKeys === 0) yield;
  }
  return { keys, isCut: found.isCut };
}

/** The keys of windows that are over: of more than `max` the newest, or some fewer. What is not over is not missing. */
function* newestWindows(windows: TimeWindows, now: number, max: number): Steps<ExpectedKeys> {
  const first = windows.from(always.from);
  const firstKey = first && windows.keyOf(first);
  for (let from = Math.max(first?.from ?? 0, newestFrom(windows, now, max)); ;) {
    // One more than are wanted tells that there are more.
    const keys = yield* windowsOver(windows, { from, to: now }, max + 1);
    const isAll = keys.length <= max;
    if (isAll || now - from < 1)
      return { keys: keys.slice(-max), isCut: !isAll || (keys.length > 0 && keys[0] !== firstKey) };
    from = now - (now - from) / 2;
    yield;
  }
}

/** The first `max` that are over. */
function* windowsOver(windows: TimeWindows, span: TimeWindow, max: number): Steps<string[]> {
  const keys: string[] = [];
  for (let { from } = span; keys.length < max;) {
    const part = windows.overlapping(from, span.to, Math.min(stepKeys, max - keys.length));
    for (const window of part) if (window.to <= span.to) keys.push(windows.keyOf(window));
    const last = part.at(-1);
    if (!last || last.to >= span.to) break;
    from = last.to;
    yield;
  }
  return keys;
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

export interface KnownKeys {
  /** Keys that were told; true where something was written. */
  readonly keys: ReadonlyMap<string, boolean>;
  /** Of what was told these are the last by their keys, and there are more. */
  readonly isCut: boolean;
}

export function* partitionPicture(
  expected: ExpectedKeys | undefined,
  known: KnownKeys,
  definition: PartitionsDefinition,
): Steps<PartitionPicture> {
  const isPresent = (key: string): boolean => known.keys.get(key) === true;
  const since = definition.kind === "time" ? firstKnown(known) : "";
  const keys = (expected?.keys ?? []).filter((key) => wallTimeOf(key) >= since);
  const wanted = new Set(keys);
  // Beyond what should be there: what was written ahead or long ago, and dynamic keys.
  const others = [...known.keys.keys()].filter((key) => !wanted.has(key));
  yield;
  const places =
    definition.kind === "time"
      ? yield* windowsInOrder(keys, others, definition)
      : [...keys, ...others].map(following);
  yield;
  const ranges = rangesOf(places, isPresent);
  const count = (state: PartitionRange["state"]): number =>
    ranges.reduce((sum, range) => (range.state === state ? sum + range.count : sum), 0);
  return {
    present: count("present"),
    missing: expected === undefined && !others.some((key) => !isPresent(key)) ? undefined : count("missing"),
    isCut: known.isCut || expected?.isCut === true,
    ranges,
  };
}

/** Of what was told only the last is known: nothing before it is missing. */
function firstKnown(known: KnownKeys): string {
  if (!known.isCut) return "";
  return [...known.keys.keys()].map(wallTimeOf).reduce((a, b) => (a < b ? a : b), "~");
}

/** Of a window's key what orders it among all, but for hours that clocks show twice: reading thousands of keys takes long. */
function wallTimeOf(key: string): string {
  return key.slice(0, 16);
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
function* windowsInOrder(
  expected: readonly string[],
  others: readonly string[],
  definition: PartitionsDefinition,
): Steps<Place[]> {
  const partitions = partitionsOf(definition);
  const [first = "", last = first] = [expected[0], expected.at(-1)];
  const begin = partitions.windowOf(first)?.from ?? Infinity;
  const read: { readonly key: string; readonly window: TimeWindow | undefined }[] = [];
  for (const key of others) {
    read.push({ key, window: partitions.windowOf(key) });
    if (read.length % stepKeys === 0) yield;
  }
  const sorted = read.toSorted((a, b) => (a.window?.from ?? Infinity) - (b.window?.from ?? Infinity));
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
