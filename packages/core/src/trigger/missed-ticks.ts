/** A trigger's firings of ticks that passed in an outage of all servers, or in a pause (`schedule/missed.ts`). */
import { choosesMissedTicks } from "../condition/condition.ts";
import { beginInstance, dueOf, nextTickOf, tellMissed } from "../condition/instance.ts";
import type { LogEvent } from "../event/event.ts";
import { missedTicks } from "../schedule/missed.ts";
import type { CatchUp } from "../schedule/ticks.ts";
import { firingOf } from "./firing.ts";
import type { DecidedFiring, HeldTrigger, KeyState } from "./held-trigger.ts";

/**
 * `entry` says that servers are back: what is due up to it is decided, and the state goes on from there. `undefined` when
 * nothing is due, and where the condition does more with ticks than to let each one pass: it is told them one by one. Ticks that
 * are due before the log's clock of then are told already.
 */
export function decideMissed<Trigger extends HeldTrigger>(
  trigger: Trigger,
  state: KeyState,
  { recordedAt, position }: LogEvent,
): DecidedFiring<Trigger>[] | undefined {
  const { row, program } = trigger;
  if (!row.definition || !program) return undefined;
  const missed = { dueMs: Math.floor(recordedAt), how: row.definition.catchUp };
  if (program.condition.kind === "schedule")
    return decideTicks(trigger, state, { ...missed, at: () => recordedAt, position });
  if (!choosesMissedTicks(program.condition)) return undefined;
  const step = tellMissed(program, state.instance, { ...missed, at: recordedAt });
  if (!step.touched) return undefined;
  state.touchedAt = recordedAt;
  state.notedDue = undefined;
  return step.decided.map((decided) => {
    const firing = firingOf(program, row, state.key, decided, state.firings);
    state.firings += 1;
    return { trigger, firing, position };
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
  if (next === undefined) return undefined;
  const dueAt = (tickMs: number): number => dueOf(program, beginInstance(program, undefined, tickMs - 1));
  const missed = missedTicks(program.condition.schedule, { next, dueMs, how, dueAt });
  if (!missed) return undefined;
  const [operand = "schedule"] = program.operands;
  const firings = missed.intervals.map(({ startMs, endMs }) => {
    const members = [{ kind: "tick" as const, operand, from: startMs, at: endMs }];
    const firedAt = at(dueAt(endMs));
    const decided = { at: firedAt, match: { from: firedAt, to: firedAt, members } };
    const firing = firingOf(program, row, "", decided, state.firings);
    state.firings += 1;
    return { trigger, firing, position };
  });
  state.instance = beginInstance(program, undefined, missed.untilMs);
  state.notedDue = undefined;
  return firings;
}
