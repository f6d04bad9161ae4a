/** What an outage of all servers leaves of a schedule: of the ticks that passed those count which the trigger names. */
import { beginInstance, dueOf, nextTickOf } from "../condition/instance.ts";
import type { LogEvent } from "../event/event.ts";
import { missedTicksMax } from "../limits.ts";
import { ticksMissed } from "../schedule/ticks.ts";
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
  const { program, row } = trigger;
  if (program?.condition.kind !== "schedule" || !row.definition) return undefined;
  const next = nextTickOf(program, state.instance);
  if (next === undefined || dueOf(program, state.instance) > recordedAt) return undefined;
  const { schedule } = program.condition;
  const span = { lastMs: next - 1, nowMs: recordedAt };
  const [operand = "schedule"] = program.operands;
  const firings: DecidedFiring<Trigger>[] = [];
  for (const { interval } of ticksMissed(schedule, span, row.definition.catchUp, missedTicksMax)) {
    const { startMs: from, endMs: at } = interval;
    const members = [{ kind: "tick" as const, operand, from, at }];
    const decided = { at: recordedAt, match: { from: recordedAt, to: recordedAt, members } };
    firings.push({ trigger, firing: firingOf(program, row, "", decided, state.firings), position });
    state.firings += 1;
  }
  state.instance = beginInstance(program, undefined, recordedAt);
  state.notedDue = undefined;
  return firings;
}
