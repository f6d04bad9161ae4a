/** `any`, `all` and `at_least`: operands in any order. */
import type { AllCondition, AnyCondition, AtLeastCondition } from "../condition.ts";
import { describeSpan } from "../describe.ts";
import { noMatches, mergeMatches, type Match } from "../match.ts";
import { gatheredMax } from "../../limits.ts";
import {
  dropBefore,
  emptyGathered,
  explainGathered,
  firstOf,
  gather,
  takeAll,
  type Gathered,
} from "./gathered.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

interface AnyState {
  readonly of: OperatorState[];
}

export function anyOperator(condition: AnyCondition, of: readonly Operator[]): Operator {
  return operator<AnyState>({
    begin: (at) => ({ of: of.map((operand) => operand.begin(at)) }),
    event: (state, event, step) => collect(of, (operand, at) => operand.event(state.of[at]!, event, step)),
    time: (state, now, step) => collect(of, (operand, at) => timeOf(operand, state.of[at]!, now, step)),
    due: (state) => dueOf(of, state.of),
    missed: (state, outage, step) =>
      collect(of, (operand, at) => operand.missed?.(state.of[at]!, outage, step) ?? noMatches),
    explain: (state) => ({
      kind: "any",
      ...named(condition),
      state: "waiting",
      text: "waits for any of its operands",
      of: of.map((operand, at) => operand.explain(state.of[at]!)),
    }),
  });
}

interface JoinState {
  readonly of: OperatorState[];
  readonly gathered: Gathered[];
}

/** `all` is `at_least` as many as there are. An operand keeps everything that came until the join fires: nothing is lost. */
export function joinOperator(condition: AllCondition | AtLeastCondition, of: readonly Operator[]): Operator {
  const needed = condition.kind === "all" ? of.length : condition.n;
  const { withinMs } = condition;
  const take = (state: JoinState, found: readonly (readonly Match[])[], step: Step): readonly Match[] => {
    if (found.every((matches) => matches.length === 0)) return noMatches;
    step.touched = true;
    found.forEach((matches, at) => {
      for (const match of matches) gather(state.gathered[at]!, match);
    });
    const held = state.gathered.filter((gathered) => gathered.matches.length > 0);
    if (held.length < needed) return noMatches;
    return [mergeMatches(held.map(takeAll), gatheredMax)];
  };
  return operator<JoinState>({
    begin: (at) => ({ of: of.map((operand) => operand.begin(at)), gathered: of.map(emptyGathered) }),
    event: (state, event, step) =>
      take(
        state,
        of.map((operand, at) => operand.event(state.of[at]!, event, step)),
        step,
      ),
    time: (state, now, step) => {
      const found = of.map((operand, at) => timeOf(operand, state.of[at]!, now, step));
      const matches = take(state, found, step);
      if (withinMs !== undefined)
        for (const gathered of state.gathered)
          if (dropBefore(gathered, now - withinMs + 1)) step.touched = true;
      return matches;
    },
    due: (state) => {
      let due = dueOf(of, state.of);
      if (withinMs !== undefined)
        for (const { matches } of state.gathered)
          for (const match of matches) due = Math.min(due, match.from + withinMs);
      return due;
    },
    explain: (state) => ({
      kind: condition.kind,
      ...named(condition),
      state: state.gathered.some(({ size }) => size > 0) ? "gathering" : "waiting",
      text: `${needed === of.length ? "waits for all of its operands" : `waits for ${needed} of its ${of.length} operands`}${withinMs === undefined ? "" : ` within ${describeSpan(withinMs)}`}`,
      of: of.map((operand, at) => {
        const gathered = state.gathered[at]!;
        const explained = operand.explain(state.of[at]!);
        const first = firstOf(gathered);
        if (first === undefined) return explained;
        return {
          ...explained,
          state: "held",
          text: "has matched, and waits for the others",
          ...explainGathered(gathered),
          ...(withinMs === undefined ? {} : { due: first + withinMs }),
        };
      }),
    }),
  });
}

/** The operator's own due operands only. */
export function timeOf(operand: Operator, state: OperatorState, now: number, step: Step): readonly Match[] {
  return operand.due(state) <= now ? operand.time(state, now, step) : noMatches;
}

function dueOf(of: readonly Operator[], states: readonly OperatorState[]): number {
  let due = never;
  for (let at = 0; at < of.length; at += 1) due = Math.min(due, of[at]!.due(states[at]!));
  return due;
}

function collect(
  of: readonly Operator[],
  matchesOf: (operand: Operator, at: number) => readonly Match[],
): readonly Match[] {
  let all: Match[] | undefined;
  for (let at = 0; at < of.length; at += 1) {
    const matches = matchesOf(of[at]!, at);
    if (matches.length > 0) (all ??= []).push(...matches);
  }
  return all ?? noMatches;
}

export function named({ name }: { readonly name?: string }): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
