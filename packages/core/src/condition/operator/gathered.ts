/** Matches that an operator keeps until it fires. */
import { gatheredMax, explainedMembersMax } from "../../limits.ts";
import type { Explanation } from "../explanation.ts";
import { mergeMatches, type Match } from "../match.ts";

export interface Gathered {
  matches: Match[];
  /** Members within, and matches that fell out because there were more than `gatheredMax`. */
  size: number;
  dropped: number;
}

export function emptyGathered(): Gathered {
  return { matches: [], size: 0, dropped: 0 };
}

export function gather(gathered: Gathered, match: Match): void {
  gathered.matches.push(match);
  gathered.size += match.members.length;
  while (gathered.size > gatheredMax && gathered.matches.length > 1) {
    const gone = gathered.matches.shift()!;
    gathered.size -= gone.members.length;
    gathered.dropped += gone.members.length + (gone.dropped ?? 0);
  }
}

/** Log time of the first member; `undefined` when there is none. */
export function firstOf(gathered: Gathered): number | undefined {
  return gathered.matches[0]?.from;
}

/** Drops matches that began before `from`. Matches are in the order of their ends, so all are looked at. */
export function dropBefore(gathered: Gathered, from: number): boolean {
  const kept = gathered.matches.filter((match) => match.from >= from);
  if (kept.length === gathered.matches.length) return false;
  gathered.matches = kept;
  gathered.size = kept.reduce((sum, match) => sum + match.members.length, 0);
  return true;
}

/** Takes everything as one match. */
export function takeAll(gathered: Gathered): Match {
  const { dropped } = gathered;
  const match = mergeMatches(gathered.matches, gatheredMax);
  Object.assign(gathered, emptyGathered());
  return dropped === 0 ? match : { ...match, dropped: dropped + (match.dropped ?? 0) };
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
