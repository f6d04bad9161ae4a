/** What a run's tasks see of the firing that started it. */

/** One event, as tasks read it. */
export interface FiredEvent<Type extends string = string, Data = unknown> {
  /** Its place in the log. */
  readonly position: number;
  readonly type: Type;
  readonly source: string;
  readonly id: string;
  readonly subject: string | null;
  /** Its own time, and the time at which the log took it: ISO 8601 in UTC. */
  readonly time: string;
  readonly recordedAt: string;
  readonly data: Data;
}

/** One tick of a schedule: the data interval [from, at), ISO 8601 in UTC. */
export interface FiredTick {
  readonly from: string;
  readonly at: string;
}

/** What did not come: the span in which it was awaited. */
export interface FiredSilence {
  readonly silentFrom: string;
  readonly at: string;
}

export type Fired = FiredEvent | FiredTick | FiredSilence;

export interface FiringInterval {
  readonly from: string;
  readonly to: string;
}

/**
 * What satisfied the trigger: the exact members, by operand name, and nothing else. A run that a person started has no
 * members; its key and interval are null unless they were given.
 */
export interface Firing<
  Operands extends { readonly [name: string]: unknown } = { readonly [name: string]: Fired },
> {
  /** False for a run that a person started. */
  readonly isFired: boolean;
  /** The value of `.by(…)`, null without it. */
  readonly key: string | null;
  /** Log time of the firing. */
  readonly at: string | null;
  /** 1, or more when late events re-opened a window. */
  readonly revision: number;
  /** The data interval: of the schedule's tick, or the window. */
  readonly interval: FiringInterval | null;
  readonly members: { readonly [name in keyof Operands]: readonly Operands[name][] };
}
