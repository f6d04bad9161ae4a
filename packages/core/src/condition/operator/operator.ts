/**
 * What every operator of the algebra does. An operator is immutable; its state is JSON that belongs to one instance (a
 * trigger's key, or a wait) and is changed in place by whoever holds the instance.
 *
 * P1: an operator learns of time only by `time`, which is called for each of its deadlines in their order, after every
 *     entry recorded up to it and before the first later one.
 * P2: it answers with the same matches however the log is cut into pieces.
 */
import type { CatchUp } from "../../schedule/ticks.ts";
import type { ConditionEvent } from "../condition-event.ts";
import type { Explanation } from "../explanation.ts";
import type { Match } from "../match.ts";

/** Ticks that passed while no server was up. */
export interface Outage {
  /** Those that are due up to it. */
  readonly dueMs: number;
  /** Which of them count. */
  readonly how: CatchUp;
  /** Log time at which servers are back. */
  readonly at: number;
}

declare const operatorState: unique symbol;
/** Opaque: only its operator looks inside. It is JSON. */
export type OperatorState = object & { readonly [operatorState]?: never };

/** What one step of an instance shares. */
export interface Step {
  /** The instance's key, where its root has one. */
  readonly key: string | undefined;
  /** Set when any state changed. */
  touched: boolean;
}

export interface Operator {
  begin(at: number): OperatorState;
  event(state: OperatorState, event: ConditionEvent, step: Step): readonly Match[];
  /** `at` is the earliest deadline, or earlier. */
  time(state: OperatorState, at: number, step: Step): readonly Match[];
  /** The earliest deadline; `never` when there is none. */
  due(state: OperatorState): number;
  explain(state: OperatorState): Explanation;
  /**
   * Takes over which windows have fired from the state of an operator of this kind with the same windows; and all that it has
   * seen, where it `isSame`: where it looked at the same.
   */
  inherit?(state: OperatorState, before: OperatorState, isSame: boolean): void;
  /**
   * Chooses among missed ticks instead of being told each. Only who lets each tick pass as a match of its own can: to who
   * gathers or counts them, or holds them against something else, one that stands for many is another thing than many.
   */
  missed?(state: OperatorState, outage: Outage, step: Step): readonly Match[];
}

/** No deadline. An instant that JSON holds exactly. */
export const never = Number.MAX_SAFE_INTEGER;

interface OperatorOf<State extends object> {
  begin(at: number): State;
  event(state: State, event: ConditionEvent, step: Step): readonly Match[];
  time(state: State, at: number, step: Step): readonly Match[];
  due(state: State): number;
  explain(state: State): Explanation;
  inherit?(state: State, before: State, isSame: boolean): void;
  missed?(state: State, outage: Outage, step: Step): readonly Match[];
}

/** Hides the type of the state: who holds it can't look inside. */
export function operator<State extends object>(operatorOf: OperatorOf<State>): Operator {
  // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- the compiler needs it, as states are opaque
  return operatorOf as unknown as Operator;
}
