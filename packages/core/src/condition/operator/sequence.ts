/** `sequence`: operands one after the other. */
import type { SequenceCondition } from "../condition.ts";
import { describeSpan } from "../describe.ts";
import { gatheredMax, explainedMembersMax } from "../../limits.ts";
import { mergeMatches, noMatches, type Match } from "../match.ts";
import { named, timeOf } from "./join.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

interface SequenceState {
  readonly of: OperatorState[];
  /** At n: the operands up to n have matched in order; of all such chains the one that began last. */
  chains: (Match | null)[];
}

/**
 * Of several chains the one that began last is kept at each place: whatever another could still become within the span, this
 * one can, too. A chain that is complete takes all others with it, so that no event is in two firings.
 */
export function sequenceOperator(condition: SequenceCondition, of: readonly Operator[]): Operator {
  const { withinMs } = condition;
  const last = of.length - 1;
  const advance = (
    state: SequenceState,
    found: readonly (readonly Match[])[],
    step: Step,
  ): readonly Match[] => {
    if (found.every((matches) => matches.length === 0)) return noMatches;
    step.touched = true;
    // From the end, so that one entry is not two steps.
    for (let at = last; at >= 0; at -= 1) {
      for (const match of found[at]!) {
        const before = at === 0 ? undefined : state.chains[at - 1];
        if (before === null) continue;
        const chain = before === undefined ? match : mergeMatches([before, match], gatheredMax);
        if (withinMs !== undefined && chain.to - chain.from > withinMs) continue;
        if (at < last) {
          state.chains[at] = chain;
          continue;
        }
        state.chains = state.chains.map(() => null);
        return [chain];
      }
    }
    return noMatches;
  };
  return operator<SequenceState>({
    begin: (at) => ({
      of: of.map((operand) => operand.begin(at)),
      chains: Array.from({ length: last }, () => null),
    }),
    event: (state, event, step) =>
      advance(
        state,
        of.map((operand, at) => operand.event(state.of[at]!, event, step)),
        step,
      ),
    time: (state, now, step) => {
      const found = of.map((operand, at) => timeOf(operand, state.of[at]!, now, step));
      const matches = advance(state, found, step);
      if (withinMs !== undefined && state.chains.some((chain) => chain && chain.from + withinMs <= now)) {
        step.touched = true;
        state.chains = state.chains.map((chain) => (chain && chain.from + withinMs <= now ? null : chain));
      }
      return matches;
    },
    due: (state) => {
      let due = never;
      of.forEach((operand, at) => {
        due = Math.min(due, operand.due(state.of[at]!));
      });
      if (withinMs !== undefined)
        for (const chain of state.chains) if (chain) due = Math.min(due, chain.from + withinMs);
      return due;
    },
    explain: (state) => {
      const done = state.chains.findLastIndex((chain) => chain !== null) + 1;
      return {
        kind: "sequence",
        ...named(condition),
        state: done > 0 ? "gathering" : "waiting",
        text: `${done} of ${of.length} steps have come in order${withinMs === undefined ? "" : `; all must within ${describeSpan(withinMs)}`}`,
        of: of.map((operand, at) => {
          const explained = operand.explain(state.of[at]!);
          const chain = state.chains[at];
          if (!chain) return explained;
          return {
            ...explained,
            state: "held",
            text: "has come, and waits for the next step",
            members: chain.members.slice(-explainedMembersMax),
            memberCount: chain.members.length,
            since: chain.to,
            ...(withinMs === undefined ? {} : { due: chain.from + withinMs }),
          };
        }),
      };
    },
  });
}
