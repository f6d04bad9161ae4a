/**
 * What an outage of all servers, or a pause, leaves of a schedule: of the ticks that passed those count which the trigger names.
 *
 * M1: the first of those that count stands for all before it: its data interval begins where that of the first missed one does.
 * M2: a tick that jitter delays beyond the end of the outage, or of the pause, was not missed: it is told when it is due.
 */
import { beginInstance, dueOf, nextTickOf, type ConditionInstance } from "../condition/instance.ts";
import type { Program } from "../condition/compile.ts";
import type { LogEvent } from "../event/event.ts";
import { missedTicksMax } from "../limits.ts";
import type { Interval, Schedule } from "../schedule/schedule.ts";
import { previousTick, ticksMissed, type CatchUp } from "../schedule/ticks.ts";
import { firingOf } from "./firing.ts";
import type { DecidedFiring, HeldTrigger, KeyState } from "./held-trigger.ts";

/**
 * `entry` says that servers are back: what is due up to it is decided, and the state goes on from there. `undefined` when
 * nothing is due. Ticks that are due before the log's clock of then are told already.
 */
export function decideMissed<Trigger extends HeldTrigger>(
  trigger: Trigger,
  state: KeyState,
  { recordedAt, position }: LogEvent,
): DecidedFiring<Trigger>[] | undefined {
  const { row } = trigger;
  if (!row.definition) return undefined;
  return decideTicks(trigger, state, {
    dueMs: Math.floor(recordedAt),
    how: row.definition.catchUp,
    at: () => recordedAt,
    position,
  });
}

export interface MissedSpan {
  /** Ticks that are due up to it were missed: whole milliseconds, as ticks are. Log time has fractions. */
  readonly dueMs: number;
  readonly how: CatchUp;
  /** Log time of a firing, by when its tick was due. */
  readonly at: (tickDueMs: number) => number;
  /** Of the last entry before them. */
  readonly position: number;
}

/** `undefined` when nothing is due, and where the trigger is no schedule. */
export function decideTicks<Trigger extends HeldTrigger>(
  trigger: Trigger,
  state: KeyState,
  { dueMs, how, at, position }: MissedSpan,
): DecidedFiring<Trigger>[] | undefined {
  const { program, row } = trigger;
  if (program?.condition.kind !== "schedule") return undefined;
  const next = nextTickOf(program, state.instance);
  if (next === undefined || dueOf(program, state.instance) > dueMs) return undefined;
  const [operand = "schedule"] = program.operands;
  const { schedule } = program.condition;
  const { untilMs, instance } = afterMissed(program, schedule, dueMs);
  const firings = missedIntervals(schedule, { lastMs: next - 1, nowMs: untilMs }, how).map(
    ({ startMs, endMs }) => {
      const members = [{ kind: "tick" as const, operand, from: startMs, at: endMs }];
      const firedAt = at(dueOf(program, awaiting(program, endMs)));
      const decided = { at: firedAt, match: { from: firedAt, to: firedAt, members } };
      const firing = firingOf(program, row, "", decided, state.firings);
      state.firings += 1;
      return { trigger, firing, position };
    },
  );
  state.instance = instance;
  state.notedDue = undefined;
  return firings;
}

/** Up to where ticks were missed, and the instance that waits for the one after them (M2). */
function afterMissed(
  program: Program,
  schedule: Schedule,
  dueMs: number,
): { readonly untilMs: number; readonly instance: ConditionInstance } {
  // Jitter ends before the tick that follows, so that only the last one can be due later.
  const lastMs = previousTick(schedule, dueMs + 1);
  if (lastMs !== undefined) {
    const instance = awaiting(program, lastMs);
    if (dueOf(program, instance) > dueMs) return { untilMs: lastMs - 1, instance };
  }
  return { untilMs: dueMs, instance: beginInstance(program, undefined, dueMs) };
}

/** An instance that waits for this tick. */
function awaiting(program: Program, tickMs: number): ConditionInstance {
  return beginInstance(program, undefined, tickMs - 1);
}

/** The data intervals of those that count, oldest first. Of more than a bound the newest count, so that M1 leaves nothing out. */
export function missedIntervals(
  schedule: Schedule,
  span: { readonly lastMs: number; readonly nowMs: number },
  how: CatchUp,
): readonly Interval[] {
  const counting = how === "all" ? { limit: missedTicksMax } : how;
  return ticksMissed(schedule, span, counting, missedTicksMax).map(({ interval }) => interval);
}
