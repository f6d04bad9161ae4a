/**
 * Schedules: instants by the calendar and the clock, as data. `parseSchedule` alone makes them, so that each is in its one
 * spelling: `canonicalSchedule` of equal schedules is equal.
 */

/** Units of `every`. The first three are lengths of time, the others steps in the calendar. */
export type EveryUnit = "seconds" | "minutes" | "hours" | "days" | "weeks" | "months" | "years";

export interface Every {
  readonly n: number;
  readonly unit: EveryUnit;
}

/** An interval of time: `startMs` is in it, `endMs` is not. */
export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** A day of the calendar, `2026-12-24`, or days from one to another, both included: `2026-12-24/2027-01-01`. */
export type DayRange = string;

/** Which days may have ticks. A day in `include` may, whatever the rest says; one in `exclude`, or on a weekday that is not
 * listed, may not. */
export interface ScheduleCalendar {
  /** 1 is Monday, 7 is Sunday; all of them when left out. */
  readonly weekdays?: readonly number[];
  readonly include?: readonly DayRange[];
  readonly exclude?: readonly DayRange[];
}

interface Recurring {
  readonly tz: string;
  /** Runs are delayed by up to this, the same for the same tick of the same schedule. */
  readonly jitterMs?: number;
  readonly calendar?: ScheduleCalendar;
}

export interface CronSchedule extends Recurring {
  readonly kind: "cron";
  readonly expression: string;
}

/**
 * Seconds to hours count from each local midnight, or without end from the anchor where one is given. Days to years are steps
 * in the calendar from the anchor: a wall time, by default 1970-01-01T00:00:00, a Monday's for weeks.
 */
export interface EverySchedule extends Recurring {
  readonly kind: "every";
  readonly every: Every;
  readonly anchor?: string;
}

export interface AtSchedule {
  readonly kind: "at";
  /** In order, each once. */
  readonly instants: readonly number[];
  readonly jitterMs?: number;
}

export type Schedule = CronSchedule | EverySchedule | AtSchedule;
