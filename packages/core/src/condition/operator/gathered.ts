/** Matches that an operator keeps until it fires. */
import { gatheredMax, explainedMembersMax } from "../../limits.ts";
import type { Explanation } from "../explanation.ts";
import { mergeMatches, type Match } from "../match.ts";

export interface Gathered {
  matches: Match[];
  /** Members within, and matches that fell out because there were more than `gatheredMax`. */
  size: number;
  dropped: number;
  /** Log time of the first match, while one that fell out was the first: spans count from it all the same. */
  since?: number | undefined;
}

export function emptyGathered(): Gathered {
  return { matches: [], size: 0, dropped: 0 };
}

export function gather(gathered: Gathered, match: Match): void {
  gathered.matches.push(match);
  gathered.size += match.members.length;
  while (gathered.size > gatheredMax && gathered.matches.length > 1) {
    const gone = gathered.matches.shift()!;
    gathered.since ??= gone.from;
    gathered.size -= gone.members.length;
    gathered.dropped += gone.members.length + (gone.dropped ?? 0);
  }
}

/** Log time of the first member, also of one that fell out; `undefined` when there is none. */
export function firstOf(gathered: Gathered): number | undefined {
  return gathered.since ?? gathered.matches[0]?.from;
}

/** Whether one more would make others fall out. */
export function isFull(gathered: Gathered): boolean {
  return gathered.size >= gatheredMax;
}

/** Drops matches that began before `from`. Matches are in the order of their ends, so all are looked at. */
export function dropBefore(gathered: Gathered, from: number): boolean {
  const kept = gathered.matches.filter((match) => match.from >= from);
  if (kept.length === gathered.matches.length) return false;
  gathered.matches = kept;
  // What fell out is older than all that is kept.
  delete gathered.since;
  gathered.size = kept.reduce((sum, match) => sum + match.members.length, 0);
  return true;
}

/** Takes everything as one match. */
export function takeAll(gathered: Gathered): Match {
  const { dropped } = gathered;
  const match = mergeMatches(gathered.matches, gatheredMax);
  const from = firstOf(gathered) ?? match.from;
  Object.assign(gathered, emptyGathered());
  delete gathered.since;
  return dropped === 0 ? match : { ...match, from, dropped: dropped + (match.dropped ?? 0) };
}

/** For an explanation. */
export function explainGathered(gathered: Gathered): Pick<Explanation, "members" | "memberCount" | "since"> {
  const first = firstOf(gathered);
  if (first === undefined) return {};
  return {
    members: gathered.matches.flatMap((match) => match.members).slice(-explainedMembersMax),
    memberCount: gathered.size + gathered.dropped,
    since: first,
  };
}
