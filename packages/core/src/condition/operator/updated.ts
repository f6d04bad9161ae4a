/**
 * `updated`: updates of assets, as the partitions that they are part of.
 *
 * U1: with `complete` a partition fires when all that it is made of was updated: windows once, what has no window again with
 *     each further round. What was updated before the instance began it has not seen: of the window in which it began, the
 *     parts that were not over are enough, and the window fires flagged incomplete.
 */
import { unreachable } from "../../assert.ts";
import { explainedMembersMax, gatheredMax, openWindowsMax } from "../../limits.ts";
import { cover, type Coverage } from "../../partition/coverage.ts";
import type { PartitionKey } from "../../partition/mapping.ts";
import { readTuple, type Partitions } from "../../partition/partitions.ts";
import type { PartitionFilter, UpdatedAtom } from "../condition.ts";
import type { ConditionEvent } from "../condition-event.ts";
import { mergeMatches, noMatches, type Match } from "../match.ts";
import {
  describeLate,
  dueOfFired,
  firedWindow,
  fireFirst,
  isClosedWindow,
  noFiredWindows,
  reviseDue,
  takeLate,
  type FiredWindows,
} from "./fired-windows.ts";
import { named } from "./join.ts";
import { never, operator, type Operator } from "./operator.ts";
import { matchOf, updatedKey, type Watched } from "./watched.ts";

export interface UpdatedParts {
  readonly watched: readonly Watched[];
  readonly target: Partitions | undefined;
  /** As a sentence: what it waits for. */
  readonly text: string;
}

/** Each update, for each partition that it is a part of. */
export function updatedOperator(condition: UpdatedAtom, { watched, target, text }: UpdatedParts): Operator {
  const state = {};
  const isTargeted = condition.target !== undefined;
  return operator<object>({
    begin: () => state,
    event: (_state, event) => {
      const matches: Match[] = [];
      for (const one of watched) {
        if (!one.isUpdate(event)) continue;
        const key = updatedKey(one, event);
        if (key === undefined || !counts(condition.only, one, key, event)) continue;
        const keys = isTargeted ? (one.mapping?.to(key) ?? []) : [key];
        const partitions = isTargeted ? target : one.partitions;
        for (const part of keys) matches.push(aboutPartition(matchOf(one, event), part, partitions));
      }
      return matches.length === 0 ? noMatches : matches;
    },
    time: () => noMatches,
    due: () => never,
    explain: () => ({ kind: "updated", ...named(condition), state: "waiting", text }),
  });
}

/** A partition that is not complete yet. */
interface OpenTarget {
  readonly key: PartitionKey;
  /** Which of its parts were updated, by their places. */
  readonly parts: Coverage;
  match: Match;
}

interface CompleteState {
  /** When it began. */
  since: number;
  /** The one that was touched longest ago first. */
  open: OpenTarget[];
  readonly fired: FiredWindows;
  /** Partitions that were given up because more than `openWindowsMax` were open. */
  forgotten: number;
}

export function completeOperator(condition: UpdatedAtom, { watched, target, text }: UpdatedParts): Operator {
  const { late, only } = condition;
  const partsOf = partsCache(watched);
  const take = (
    state: CompleteState,
    key: PartitionKey,
    name: string,
    match: Match,
    now: number,
  ): Match | undefined => {
    const window = key === null ? undefined : target?.windowOf(key);
    if (window && key !== null) {
      const known = firedWindow(state.fired, key);
      if (known || isClosedWindow(state.fired, window)) {
        takeLate(state.fired, known, match, now, late);
        return undefined;
      }
    }
    const parts = partsOf(key);
    const at = parts?.places.get(name);
    if (!parts || at === undefined) return undefined;
    const place = state.open.findIndex((one) => one.key === key);
    const open = place < 0 ? { key, parts: [], match } : state.open.splice(place, 1)[0]!;
    if (place >= 0) open.match = mergeMatches([open.match, match], gatheredMax);
    cover(open.parts, { from: at, to: at + 1 });
    const isBegunIn = window !== undefined && window.from < state.since && state.since < window.to;
    const isWhole = isCovered(open.parts, parts.ends.length);
    const missing = isWhole || !isBegunIn ? [] : missingParts(open.parts, parts);
    if (isWhole || (isBegunIn && missing.every((place) => (parts.ends[place] ?? Infinity) <= state.since))) {
      if (!window || key === null) return aboutPartition(open.match, key, target);
      const fired = fireFirst(state.fired, open.match, {
        key,
        window,
        now,
        isIncomplete: !isWhole,
      });
      // Tuples share their windows, so these name none of them.
      if (target?.definition.kind === "time") return fired;
      const { window: _window, ...match } = fired;
      return match;
    }
    state.open.push(open);
    if (state.open.length > openWindowsMax) {
      state.open.shift();
      state.forgotten += 1;
    }
    return undefined;
  };
  return operator<CompleteState>({
    begin: (at) => ({ since: at, open: [], fired: noFiredWindows(), forgotten: 0 }),
    event: (state, event, step) => {
      const matches: Match[] = [];
      for (const one of watched) {
        if (!one.isUpdate(event)) continue;
        const key = updatedKey(one, event);
        if (key === undefined || !counts(only, one, key, event)) continue;
        for (const part of one.mapping?.to(key) ?? []) {
          step.touched = true;
          const match = take(state, part, partName(one, key), matchOf(one, event), event.recordedAt);
          if (match) matches.push(match);
        }
      }
      return matches.length === 0 ? noMatches : matches;
    },
    time: (state, now, step) => {
      const matches = reviseDue(state.fired, now, late);
      if (matches.length > 0) step.touched = true;
      return matches;
    },
    inherit: (state, before, isSame) => {
      Object.assign(state.fired, before.fired);
      if (isSame) Object.assign(state, { ...before, fired: state.fired });
    },
    due: (state) => dueOfFired(state.fired, late),
    explain: (state) => {
      const newest = state.open.at(-1);
      const due = dueOfFired(state.fired, late);
      return {
        kind: "updated",
        ...named(condition),
        state: newest ? "gathering" : "waiting",
        text: `${text}${newest ? `; ${describeMissing(newest, partsOf(newest.key))}` : ""}${state.open.length > 1 ? `; ${state.open.length - 1} others are not complete` : ""}${state.forgotten === 0 ? "" : `; ${state.forgotten} were given up`}${describeLate(state.fired)}`,
        ...(newest
          ? {
              members: newest.match.members.slice(-explainedMembersMax),
              memberCount: newest.match.members.length + (newest.match.dropped ?? 0),
              since: newest.match.from,
            }
          : {}),
        ...(due === never ? {} : { due }),
        ...(state.fired.ignored === 0 ? {} : { leftOut: state.fired.ignored }),
      };
    },
  });
}

/** The parts that a partition is made of. */
interface Parts {
  /** By name. */
  readonly places: ReadonlyMap<string, number>;
  /** By place: where the part's window ends; nothing where it is none. */
  readonly ends: readonly (number | undefined)[];
}

/** How many partitions' parts are kept: those that are written at the same time. */
const cachedMax = 8;

function partsCache(watched: readonly Watched[]): (key: PartitionKey) => Parts | undefined {
  const cache = new Map<PartitionKey, Parts | undefined>();
  return (key) => {
    if (!cache.has(key)) {
      if (cache.size >= cachedMax) cache.delete(cache.keys().next().value!);
      cache.set(key, partsOfKey(watched, key));
    }
    return cache.get(key);
  };
}

/** Nothing where it can't be told beforehand. */
function partsOfKey(watched: readonly Watched[], key: PartitionKey): Parts | undefined {
  const places = new Map<string, number>();
  const ends: (number | undefined)[] = [];
  for (const one of watched) {
    const keys = one.mapping?.from(key);
    if (!keys) return undefined;
    for (const part of keys) {
      places.set(partName(one, part), places.size);
      ends.push(part === null ? undefined : one.partitions?.windowOf(part)?.to);
    }
  }
  return { places, ends };
}

function isCovered(present: Coverage, size: number): boolean {
  const [first] = present;
  return first !== undefined && first[0] === 0 && first[1] === size;
}

function missingParts(present: Coverage, { ends }: Parts): number[] {
  const missing: number[] = [];
  let from = 0;
  for (const [start, end] of [...present, [ends.length, ends.length] as const]) {
    for (let place = from; place < start; place += 1) missing.push(place);
    from = end;
  }
  return missing;
}

function partName({ asset }: Watched, key: PartitionKey): string {
  return key === null ? asset : `${asset} ${key}`;
}

function describeMissing({ key, parts }: OpenTarget, all: Parts | undefined): string {
  const missing = all ? missingParts(parts, all) : [];
  const names = [...(all?.places.keys() ?? [])];
  const shown = missing.slice(0, 3).map((place) => names[place]);
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : "";
  return `${key ?? "it"} lacks ${shown.join(", ")}${more}`;
}

function aboutPartition(match: Match, key: PartitionKey, partitions: Partitions | undefined): Match {
  if (key === null) return match;
  const window = partitions?.windowOf(key);
  return { ...match, partition: { key, ...(window ? { window } : {}) } };
}

/** Why an update that fits its filter is none of the atom's, for explanations. */
export interface PartitionFault {
  readonly part: string;
  readonly expected: string;
  readonly found: string;
}

export function partitionFault(
  { only }: UpdatedAtom,
  watched: Watched,
  event: ConditionEvent,
): PartitionFault | undefined {
  const key = updatedKey(watched, event);
  if (key === undefined)
    return { part: "data.partition", expected: `a partition of ${watched.asset}`, found: "none" };
  const found = JSON.stringify(key);
  if (!counts(only, watched, key, event))
    return { part: "data.partition", expected: describeFilter(only!), found };
  if (watched.mapping && watched.mapping.to(key).length === 0)
    return { part: "data.partition", expected: "one that a partition of the target is made of", found };
  return undefined;
}

function describeFilter(only: PartitionFilter): string {
  switch (only.kind) {
    case "keys":
      return `one of ${shownKeys(only.keys)}`;
    case "latest":
      return `one of the last ${only.n} windows that have begun`;
    case "dimensions":
      return Object.entries(only.of)
        .map(([name, keys]) => `${name} one of ${shownKeys(keys)}`)
        .join(", ");
    default:
      return unreachable(only);
  }
}

function shownKeys(keys: readonly string[]): string {
  const more = keys.length > 5 ? ` and ${keys.length - 5} more` : "";
  return `${keys.slice(0, 5).join(", ")}${more}`;
}

function counts(
  only: PartitionFilter | undefined,
  { partitions }: Watched,
  key: PartitionKey,
  event: ConditionEvent,
): boolean {
  if (only === undefined) return true;
  if (key === null) return false;
  switch (only.kind) {
    case "keys":
      return only.keys.includes(key);
    case "latest": {
      const window = partitions?.windowOf(key);
      if (!window || !partitions?.windows) return false;
      // It is one of the last n that have begun when the n-th after it has not.
      const later = partitions.windows.overlapping(window.to, Infinity, only.n);
      return window.from <= event.recordedAt && (later[only.n - 1]?.from ?? Infinity) > event.recordedAt;
    }
    case "dimensions": {
      const parts = readTuple(key);
      return Object.entries(only.of).every(([name, keys]) => keys.includes(parts?.[name] ?? ""));
    }
    default:
      return unreachable(only);
  }
}
