/** What satisfied a condition: members are named by operand and are exactly what its firing is about (C2). */

export interface EventMember {
  readonly kind: "event";
  readonly operand: string;
  readonly position: number;
  readonly recordedAt: number;
}

export interface TickMember {
  readonly kind: "tick";
  readonly operand: string;
  /** The data interval [from, at). */
  readonly from: number;
  readonly at: number;
}

/** Nothing came. */
export interface SilenceMember {
  readonly kind: "silence";
  readonly operand: string;
  readonly from: number;
  readonly at: number;
}

export type Member = EventMember | TickMember | SilenceMember;

export interface MatchWindow {
  readonly start: number;
  readonly end: number;
  /** 1 at its closing; each late event makes the next. */
  readonly revision: number;
}

/** The partition that a match is about. */
export interface MatchPartition {
  readonly key: string;
  /** Of the partition, where it is one: ms since 1970. */
  readonly window?: { readonly from: number; readonly to: number };
}

export interface Match {
  /** Log time of its first and last member. */
  readonly from: number;
  readonly to: number;
  readonly members: readonly Member[];
  /** Members that had to be left out (`gatheredMax`). */
  readonly dropped?: number;
  readonly window?: MatchWindow;
  readonly partition?: MatchPartition;
  /** It fired although not all that belongs to it was there. */
  readonly isIncomplete?: true;
}

export const noMatches: readonly Match[] = [];

/** One match with the members of all, in their order; about a partition where all that are about any are about this one. */
export function mergeMatches(matches: readonly Match[], membersMax: number): Match {
  const [first] = matches;
  if (matches.length === 1 && first) return first;
  let from = Number.MAX_SAFE_INTEGER;
  let to = 0;
  let dropped = 0;
  const members: Member[] = [];
  for (const match of matches) {
    from = Math.min(from, match.from);
    to = Math.max(to, match.to);
    dropped += match.dropped ?? 0;
    members.push(...match.members);
  }
  const excess = Math.max(0, members.length - membersMax);
  dropped += excess;
  return {
    from,
    to,
    members: excess > 0 ? members.slice(excess) : members,
    ...(dropped > 0 ? { dropped } : {}),
    ...commonPartition(matches),
  };
}

/** `mergeMatches` of two, of which the first one's list of members is the caller's own: it goes on in the result, however long it is. */
export function appendMatch(own: Match, match: Match, membersMax: number): Match {
  const members = own.members as Member[];
  let dropped = (own.dropped ?? 0) + (match.dropped ?? 0);
  for (const member of match.members) members.push(member);
  for (; members.length > membersMax; dropped += 1) members.shift();
  return {
    from: Math.min(own.from, match.from),
    to: Math.max(own.to, match.to),
    members,
    ...(dropped > 0 ? { dropped } : {}),
    ...commonPartition([own, match]),
  };
}

function commonPartition(matches: readonly Match[]): Pick<Match, "partition" | "isIncomplete"> {
  const about = matches.filter(({ partition }) => partition !== undefined);
  const [first] = about;
  const isIncomplete = matches.some((match) => match.isIncomplete);
  return {
    ...(first?.partition && about.every(({ partition }) => partition?.key === first.partition?.key)
      ? { partition: first.partition }
      : {}),
    ...(isIncomplete ? { isIncomplete } : {}),
  };
}
