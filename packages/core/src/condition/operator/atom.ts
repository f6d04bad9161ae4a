/** The two atoms: an event, and a tick of calendar time. */
import { missedTicks } from "../../schedule/missed.ts";
import type { EventAtom, ScheduleAtom } from "../condition.ts";
import type { ConditionEvent } from "../condition-event.ts";
import { noMatches } from "../match.ts";
import { named } from "./join.ts";
import { never, operator, type Operator, type OperatorState } from "./operator.ts";
import type { TickSource } from "./tick-source.ts";

/** What the event atom asks of an event. */
export interface EventTest {
  readonly operand: string;
  matches(event: ConditionEvent): boolean;
  /** The value of the root's key; absent where the root has none, or one for all operands. */
  readonly key?: ((event: ConditionEvent) => string | undefined) | undefined;
  /** As a sentence: what it waits for. */
  readonly text: string;
}

export function eventOperator(condition: EventAtom, test: EventTest): Operator {
  const { operand, key } = test;
  const state = {};
  return operator<object>({
    begin: () => state,
    event: (_state, event, step) => {
      if (!test.matches(event)) return noMatches;
      if (key && step.key !== undefined && key(event) !== step.key) return noMatches;
      const { position, recordedAt } = event;
      return [
        { from: recordedAt, to: recordedAt, members: [{ kind: "event", operand, position, recordedAt }] },
      ];
    },
    time: () => noMatches,
    due: () => never,
    explain: () => ({ kind: "event", ...named(condition), name: operand, state: "waiting", text: test.text }),
  });
}

interface ScheduleState {
  /** The tick that comes next; null when none will. */
  next: number | null;
  /** The tick before it, where its data interval begins. */
  last: number | null;
}

/** The tick that comes next, which is told later than itself where its schedule has jitter. */
export function nextTickIn(state: OperatorState): number | undefined {
  return (state as ScheduleState).next ?? undefined;
}

export function scheduleOperator(condition: ScheduleAtom, operand: string, ticks: TickSource): Operator {
  return operator<ScheduleState>({
    begin: (at) => ({ next: ticks.next(at) ?? null, last: null }),
    event: () => noMatches,
    time: (state, now, step) => {
      const at = state.next;
      if (at === null || ticks.dueAt(at) > now) return noMatches;
      step.touched = true;
      const from = state.last ?? ticks.previous(at) ?? at;
      state.last = at;
      state.next = ticks.next(at) ?? null;
      return [{ from: now, to: now, members: [{ kind: "tick", operand, from, at }] }];
    },
    due: (state) => (state.next === null ? never : ticks.dueAt(state.next)),
    missed: (state, { dueMs, how, at }, step) => {
      if (state.next === null) return noMatches;
      const dueAt = (tick: number): number => ticks.dueAt(tick);
      const missed = missedTicks(condition.schedule, { next: state.next, dueMs, how, dueAt });
      if (!missed) return noMatches;
      step.touched = true;
      state.last = null;
      state.next = ticks.next(missed.untilMs) ?? null;
      return missed.intervals.map(({ startMs, endMs }) => ({
        from: at,
        to: at,
        members: [{ kind: "tick", operand, from: startMs, at: endMs }],
      }));
    },
    explain: (state) => ({
      kind: "schedule",
      ...named(condition),
      name: operand,
      state: "waiting",
      text: state.next === null ? `${ticks.text}: there are no further ticks` : ticks.text,
      ...(state.next === null ? {} : { due: ticks.dueAt(state.next) }),
    }),
  });
}
