/**
 * The ticks of a schedule. Every function is of its arguments alone, so a clock that jumps only changes what is asked.
 *
 * S1: `nextTick` is later than what it is asked for, and `previousTick` earlier; asked from one tick, each gives the other.
 * S2: data intervals of consecutive ticks meet: each ends at its tick and starts at the one before.
 */
import { assert, unreachable } from "../assert.ts";
import { isOpen, openDayAfter, openDayBefore, readCalendar, type Calendar } from "./calendar.ts";
import { cronTickAfter, cronTickBefore } from "./cron-ticks.ts";
import { readCron, type Cron } from "./cron.ts";
import { countOf, everyTickAfter, everyTickBefore, type EveryCount } from "./every-ticks.ts";
import type { Interval, Schedule } from "./schedule.ts";
import { dayMs, localDayOf, startOfDay } from "./zone.ts";

/** What becomes of ticks that passed while nobody looked. */
export type CatchUp = "all" | "latest" | "none" | { readonly limit: number };

/** A tick to run, and the data that it stands for. */
export interface DueTick {
  readonly tickMs: number;
  /** From the tick before, or from before the first of those that were merged into this one. */
  readonly interval: Interval;
}

/** Before and after these there are no ticks: zones have no rules there, and croner stops at the year 3000. */
const earliestMs = Date.UTC(1900, 0);
const latestMs = Date.UTC(2900, 0);
/** How long a tick on an open day is looked for: 29 February is each weekday once in 40 years. */
const calendarHorizonMs = 100 * 366 * dayMs;

/** The first tick after `afterMs`; `undefined` when there is none. */
export function nextTick(schedule: Schedule, afterMs: number): number | undefined {
  assert(Number.isFinite(afterMs), "a time must be a finite number");
  const { tickAfter, zone, calendar } = compiledOf(schedule);
  let fromMs = Math.max(Math.floor(afterMs), earliestMs - 1);
  if (!calendar) return within(tickAfter(fromMs, latestMs));
  const untilMs = Math.min(fromMs + calendarHorizonMs, latestMs);
  while (fromMs < untilMs) {
    const tickMs = within(tickAfter(fromMs, untilMs));
    if (tickMs === undefined) return undefined;
    const day = localDayOf(zone, tickMs);
    if (isOpen(calendar, day)) return tickMs;
    const open = openDayAfter(calendar, day, untilMs / dayMs);
    if (open === undefined) return undefined;
    fromMs = startOfDay(zone, open) - 1;
  }
  return undefined;
}

/** The last tick before `beforeMs`; `undefined` when there is none. */
export function previousTick(schedule: Schedule, beforeMs: number): number | undefined {
  assert(Number.isFinite(beforeMs), "a time must be a finite number");
  const { tickBefore, zone, calendar } = compiledOf(schedule);
  let toMs = Math.min(Math.ceil(beforeMs), latestMs + 1);
  if (!calendar) return within(tickBefore(toMs, earliestMs));
  const untilMs = Math.max(toMs - calendarHorizonMs, earliestMs);
  while (toMs > untilMs) {
    const tickMs = within(tickBefore(toMs, untilMs));
    if (tickMs === undefined) return undefined;
    const day = localDayOf(zone, tickMs);
    if (isOpen(calendar, day)) return tickMs;
    const open = openDayBefore(calendar, day, untilMs / dayMs);
    if (open === undefined) return undefined;
    toMs = startOfDay(zone, open + 1);
  }
  return undefined;
}

/** The data that a tick's run is about: from the tick before it up to the tick. A first tick's interval is empty. */
export function dataInterval(schedule: Schedule, tickMs: number): Interval {
  return { startMs: previousTick(schedule, tickMs) ?? tickMs, endMs: tickMs };
}

/** The ticks after `fromMs` and up to `toMs`, this included: the first `max` of them. */
export function ticksBetween(schedule: Schedule, fromMs: number, toMs: number, max: number): number[] {
  const ticks: number[] = [];
  let tickMs = nextTick(schedule, fromMs);
  while (tickMs !== undefined && tickMs <= toMs && ticks.length < max) {
    ticks.push(tickMs);
    tickMs = nextTick(schedule, tickMs);
  }
  return ticks;
}

/**
 * What to run for the ticks after `lastMs` and up to `nowMs`. `latest` runs the last one and `limit` that many of the last,
 * the first of which stands for all before it, too. With `all`, and under a limit, there are at most `max`; when as many come,
 * ask again from the last of them.
 */
export function ticksMissed(
  schedule: Schedule,
  span: { readonly lastMs: number; readonly nowMs: number },
  catchUp: CatchUp,
  max: number,
): DueTick[] {
  const { lastMs, nowMs } = span;
  if (catchUp === "none") return [];
  const firstMs = nextTick(schedule, lastMs);
  if (firstMs === undefined || firstMs > nowMs) return [];
  const { startMs } = dataInterval(schedule, firstMs);
  const ticks =
    catchUp === "all"
      ? ticksBetween(schedule, lastMs, nowMs, max)
      : newestTicks(schedule, span, Math.min(catchUp === "latest" ? 1 : catchUp.limit, max));
  return ticks.map((tickMs, index) => ({
    tickMs,
    interval: { startMs: ticks[index - 1] ?? startMs, endMs: tickMs },
  }));
}

/** Found from the end, so that a long downtime costs no more than a short one. */
function newestTicks(
  schedule: Schedule,
  { lastMs, nowMs }: { readonly lastMs: number; readonly nowMs: number },
  count: number,
): number[] {
  const ticks: number[] = [];
  let tickMs = previousTick(schedule, nowMs + 1);
  while (tickMs !== undefined && tickMs > lastMs && ticks.length < count) {
    ticks.push(tickMs);
    tickMs = previousTick(schedule, tickMs);
  }
  return ticks.reverse();
}

/** A schedule in the form that ticks are worked out from. Searches end at `untilMs`, or not much later. */
interface CompiledSchedule {
  readonly zone: string;
  readonly calendar: Calendar | undefined;
  readonly tickAfter: (afterMs: number, untilMs: number) => number | undefined;
  readonly tickBefore: (beforeMs: number, untilMs: number) => number | undefined;
}

const compiledSchedules = new WeakMap<Schedule, CompiledSchedule>();

function compiledOf(schedule: Schedule): CompiledSchedule {
  let compiled = compiledSchedules.get(schedule);
  if (!compiled) {
    compiled = compile(schedule);
    compiledSchedules.set(schedule, compiled);
  }
  return compiled;
}

function compile(schedule: Schedule): CompiledSchedule {
  switch (schedule.kind) {
    case "cron":
      return compileCron(
        schedule.expression,
        schedule.tz,
        schedule.calendar && readCalendar(schedule.calendar),
      );
    case "every":
      return compileEvery(
        countOf(schedule),
        schedule.tz,
        schedule.calendar && readCalendar(schedule.calendar),
      );
    case "at":
      return compileInstants(schedule.instants);
    default:
      return unreachable(schedule);
  }
}

/** Reads the expression each time: readings are kept, and bounded, where that is done. */
function compileCron(expression: string, zone: string, calendar: Calendar | undefined): CompiledSchedule {
  return {
    zone,
    calendar,
    tickAfter: (afterMs, untilMs) => cronTickAfter(cronOf(expression), zone, afterMs, untilMs),
    tickBefore: (beforeMs, untilMs) => cronTickBefore(cronOf(expression), zone, beforeMs, untilMs),
  };
}

function cronOf(expression: string): Cron {
  const cron = readCron(expression);
  assert(!("fault" in cron), "a schedule's expression was read before");
  return cron;
}

function compileEvery(count: EveryCount, zone: string, calendar: Calendar | undefined): CompiledSchedule {
  return {
    zone,
    calendar,
    tickAfter: (afterMs) => everyTickAfter(count, zone, afterMs),
    tickBefore: (beforeMs) => everyTickBefore(count, zone, beforeMs),
  };
}

function compileInstants(instants: readonly number[]): CompiledSchedule {
  return {
    zone: "UTC",
    calendar: undefined,
    tickAfter: (afterMs) => instants[indexFrom(instants, afterMs + 1)],
    tickBefore: (beforeMs) => instants[indexFrom(instants, beforeMs) - 1],
  };
}

/** The index of the first that is not before `ms`. */
function indexFrom(instants: readonly number[], ms: number): number {
  let low = 0;
  let high = instants.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((instants[middle] ?? Infinity) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

function within(tickMs: number | undefined): number | undefined {
  return tickMs !== undefined && tickMs >= earliestMs && tickMs <= latestMs ? tickMs : undefined;
}
