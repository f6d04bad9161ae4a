/** `.by(key)` below the root: one state for each key, all within the state of the operator around it. */
import { explainedMembersMax, innerKeysMax } from "../../limits.ts";
import type { ConditionEvent } from "../condition-event.ts";
import { noMatches, type Match } from "../match.ts";
import { never, operator, type Operator, type OperatorState } from "./operator.ts";

interface KeyedState {
  /** By `=` and the key, which keeps them in the order in which they were touched: the one longest ago first. */
  of: { [name: string]: OperatorState };
  /** Keys that were forgotten because there were more than `innerKeysMax`. */
  forgotten: number;
}

export function keyedOperator(of: Operator, keyOf: (event: ConditionEvent) => string | undefined): Operator {
  return operator<KeyedState>({
    begin: () => ({ of: {}, forgotten: 0 }),
    event: (state, event, step) => {
      const key = keyOf(event);
      if (key === undefined) return noMatches;
      const name = `=${key}`;
      const known = Object.hasOwn(state.of, name) ? state.of[name]! : of.begin(event.recordedAt);
      const before = step.touched;
      step.touched = false;
      const matches = of.event(known, event, step);
      if (step.touched || matches.length > 0) {
        step.touched = true;
        keep(state, name, known);
      } else step.touched = before;
      return matches;
    },
    time: (state, now, step) => {
      let all: Match[] | undefined;
      for (const known of Object.values(state.of)) {
        if (of.due(known) > now) continue;
        const matches = of.time(known, now, step);
        if (matches.length > 0) (all ??= []).push(...matches);
      }
      return all ?? noMatches;
    },
    due: (state) => {
      let due = never;
      for (const known of Object.values(state.of)) due = Math.min(due, of.due(known));
      return due;
    },
    explain: (state) => {
      const keys = Object.entries(state.of);
      const forgotten = state.forgotten > 0 ? `; ${state.forgotten} were forgotten` : "";
      return {
        kind: "keyed",
        state: keys.length > 0 ? "gathering" : "waiting",
        text: `has separate state for ${keys.length} keys${forgotten}`,
        of: keys
          .slice(-explainedMembersMax)
          .map(([name, known]) => ({ ...of.explain(known), name: name.slice(1) })),
      };
    },
  });
}

function keep(state: KeyedState, name: string, known: OperatorState): void {
  delete state.of[name];
  state.of[name] = known;
  const names = Object.keys(state.of);
  if (names.length <= innerKeysMax) return;
  delete state.of[names[0]!];
  state.forgotten += 1;
}
