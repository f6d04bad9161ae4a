/** Shapes of the search over everything that has a name, in `/api/v1`. */
import type { RunState } from "./api.ts";

export const searchKinds = [
  "pipeline",
  "trigger",
  "schedule",
  "run",
  "asset",
  "event",
  "worker",
  "queue",
  "pool",
] as const;
export type SearchKind = (typeof searchKinds)[number];

export interface SearchHit {
  readonly kind: SearchKind;
  /** What its own address ends in: a name, a run's id, a position of the log. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** In a few words, what it is: of a run its pipeline, of an event its type and subject. */
  readonly about?: string;
  /** Of a run. */
  readonly state?: RunState;
  /** Of a run and an event. */
  readonly at?: string;
  /** Of a pipeline. */
  readonly paused?: boolean;
}

export interface SearchAnswer {
  /** Kind by kind, the nearest of each first. */
  readonly items: readonly SearchHit[];
  /** Of these kinds there are others. */
  readonly more: readonly SearchKind[];
}
