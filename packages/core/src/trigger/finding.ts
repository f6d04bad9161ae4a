/** What is said of an event and a trigger. */

/**
 * What became of an event for a trigger. `member`: it is part of firings. `superseded`: of such alone as a later one took the
 * place of. `refused`: of such alone as started no run. `gathered`: it waits in the state of a key.
 * `expired`: it was gathered and given up. `no_time`: the time by which windows take it can't be
 * read. `late`: its window had fired, and took it for no revision. `not_counted`: as the condition stood, it changed nothing.
 */
export const eventVerdicts = [
  "member",
  "superseded",
  "refused",
  "gathered",
  "wrong_type",
  "filtered",
  "no_key",
  "no_time",
  "invalid",
  "wrong_lane",
  "stale",
  "paused",
  "left_out",
  "unread",
  "expired",
  "late",
  "not_counted",
  "unknown",
] as const;
export type EventVerdict = (typeof eventVerdicts)[number];

export interface EventFinding<Firing> {
  readonly verdict: EventVerdict;
  /** As a sentence. */
  readonly text: string;
  /** The keys that it concerns, where the trigger has keys. */
  readonly keys?: readonly string[];
  readonly firings?: readonly Firing[];
  /** For `filtered`: which part of which operand's filter did not hold. */
  readonly faults?: readonly {
    readonly operand: string;
    readonly part: string;
    readonly expected: string;
    readonly found: string;
  }[];
  /** Set when rows alone did not tell, and the log was told again to a state of its own. */
  readonly replayed?: { readonly from: number; readonly to: number; readonly isWhole: boolean };
}

export function finding<Firing = never>(
  verdict: EventVerdict,
  text: string,
  rest: Partial<Omit<EventFinding<Firing>, "verdict" | "text">> = {},
): EventFinding<Firing> {
  return { verdict, text, ...rest };
}
