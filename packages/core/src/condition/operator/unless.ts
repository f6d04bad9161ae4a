/** `unless`: what counts only until something else has come. */
import type { UnlessCondition } from "../condition.ts";
import { describeSpan } from "../describe.ts";
import { noMatches, type Match } from "../match.ts";
import { named, timeOf } from "./join.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

interface UnlessState {
  of: OperatorState;
  readonly until: OperatorState;
  /** Log time at which `until` matched, and up to which that holds. */
  blocked: { readonly since: number; readonly to: number } | null;
}

/** What `of` has gathered is given up when `until` matches; nothing is gathered while it is blocked. */
export function unlessOperator(condition: UnlessCondition, of: Operator, until: Operator): Operator {
  const { withinMs } = condition;
  const block = (state: UnlessState, found: readonly Match[], now: number, step: Step): void => {
    if (found.length === 0) return;
    step.touched = true;
    state.of = of.begin(now);
    state.blocked = { since: now, to: withinMs === undefined ? never : now + withinMs };
  };
  return operator<UnlessState>({
    begin: (at) => ({ of: of.begin(at), until: until.begin(at), blocked: null }),
    event: (state, event, step) => {
      block(state, until.event(state.until, event, step), event.recordedAt, step);
      return state.blocked ? noMatches : of.event(state.of, event, step);
    },
    time: (state, now, step) => {
      block(state, timeOf(until, state.until, now, step), now, step);
      if (!state.blocked) return timeOf(of, state.of, now, step);
      if (state.blocked.to <= now) {
        step.touched = true;
        state.blocked = null;
        state.of = of.begin(now);
      }
      return noMatches;
    },
    due: (state) => Math.min(until.due(state.until), state.blocked ? state.blocked.to : of.due(state.of)),
    explain: (state) => {
      const { blocked } = state;
      const span = blocked && blocked.to !== never;
      return {
        kind: "unless",
        ...named(condition),
        state: blocked ? "blocked" : "waiting",
        text: blocked
          ? `its second operand has come: the first does not count${span ? ` for ${describeSpan(withinMs ?? 0)}` : " any more"}`
          : "waits for its first operand, unless the second comes before",
        ...(blocked ? { since: blocked.since } : {}),
        ...(span ? { due: blocked.to } : {}),
        of: [of.explain(state.of), until.explain(state.until)],
      };
    },
  });
}
