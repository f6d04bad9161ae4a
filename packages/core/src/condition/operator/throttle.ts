/** `throttle`: at most so many in a span; what is beyond is held, not lost. */
import type { ThrottleCondition } from "../condition.ts";
import { describeSpan, formatInstant } from "../describe.ts";
import { noMatches, type Match } from "../match.ts";
import { emptyGathered, explainGathered, gather, takeAll, type Gathered } from "./gathered.ts";
import { named, timeOf } from "./join.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

interface ThrottleState {
  readonly of: OperatorState;
  /** Log time at which the span under way began; null before the first. */
  from: number | null;
  used: number;
  readonly held: Gathered;
}

export function throttleOperator(condition: ThrottleCondition, of: Operator): Operator {
  const { limit, perMs } = condition;
  const take = (state: ThrottleState, found: readonly Match[], now: number, step: Step): readonly Match[] => {
    if (found.length === 0) return noMatches;
    step.touched = true;
    const passed: Match[] = [];
    for (const match of found) {
      if (state.from === null || now >= state.from + perMs) {
        state.from = now;
        state.used = 0;
      }
      if (state.used < limit) {
        state.used += 1;
        passed.push(match);
      } else gather(state.held, match);
    }
    return passed;
  };
  const release = (state: ThrottleState, now: number, step: Step): readonly Match[] => {
    if (state.held.matches.length === 0 || state.from === null || state.from + perMs > now) return noMatches;
    step.touched = true;
    state.from = now;
    state.used = 1;
    return [takeAll(state.held)];
  };
  return operator<ThrottleState>({
    begin: (at) => ({ of: of.begin(at), from: null, used: 0, held: emptyGathered() }),
    event: (state, event, step) => take(state, of.event(state.of, event, step), event.recordedAt, step),
    time: (state, now, step) => {
      const released = release(state, now, step);
      return [...released, ...take(state, timeOf(of, state.of, now, step), now, step)];
    },
    due: (state) =>
      Math.min(
        of.due(state.of),
        state.held.matches.length > 0 && state.from !== null ? state.from + perMs : never,
      ),
    explain: (state) => ({
      kind: "throttle",
      ...named(condition),
      state: state.held.size > 0 ? "held" : "waiting",
      text: `lets ${limit} pass in ${describeSpan(perMs)}${state.from === null ? "" : `: ${state.used} since ${formatInstant(state.from)}`}${state.held.size > 0 ? ", others wait and pass as one" : ""}`,
      ...explainGathered(state.held),
      ...(state.held.size > 0 && state.from !== null ? { due: state.from + perMs } : {}),
      of: [of.explain(state.of)],
    }),
  });
}
