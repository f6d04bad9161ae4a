import type { WhereEvent } from "./where/where.ts";

/** What conditions read of a log entry. */
export interface ConditionEvent extends WhereEvent {
  /** Dense, from 1. */
  readonly position: number;
  /** Log time, ms since 1970; never below an earlier entry's. */
  readonly recordedAt: number;
}
