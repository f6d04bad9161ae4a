/** `absent`: what did not come in time. C7 holds as deadlines are told only once the log is read up to them (P1). */
import { armsMax } from "../../limits.ts";
import type { AbsentCondition } from "../condition.ts";
import { describeSpan } from "../describe.ts";
import { noMatches, type Match, type Member } from "../match.ts";
import { named, timeOf } from "./join.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

/** Since when something is awaited, and what made us wait. */
interface Arm {
  readonly since: number;
  readonly members: readonly Member[];
}

interface AbsentState {
  readonly of: OperatorState;
  readonly after: OperatorState | null;
  /** The earliest first. */
  arms: Arm[];
  /** What was not awaited, as so much was already. */
  refused?: number;
}

/**
 * With `after`, each of its matches waits for one of `of`, which answers all that are open. Without it, the wait begins with
 * the instance and again with each match: one match for each silence.
 */
export function absentOperator(
  condition: AbsentCondition,
  of: Operator,
  { after, operand }: { readonly after: Operator | undefined; readonly operand: string },
): Operator {
  const { withinMs } = condition;
  const arm = (state: AbsentState, one: Arm): void => {
    if (state.arms.length < armsMax) state.arms.push(one);
    else state.refused = (state.refused ?? 0) + 1;
  };
  const take = (
    state: AbsentState,
    came: readonly Match[],
    waits: readonly Match[],
    now: number,
    step: Step,
  ): void => {
    if (came.length > 0) {
      step.touched = true;
      state.arms = after ? [] : [{ since: now, members: [] }];
    }
    for (const { members } of waits) {
      step.touched = true;
      arm(state, { since: now, members });
    }
  };
  const afterEvent = (
    state: AbsentState,
    found: (after: Operator, state: OperatorState) => readonly Match[],
  ) => (after && state.after ? found(after, state.after) : noMatches);
  return operator<AbsentState>({
    begin: (at) => ({
      of: of.begin(at),
      after: after ? after.begin(at) : null,
      arms: after ? [] : [{ since: at, members: [] }],
    }),
    event: (state, event, step) => {
      const came = of.event(state.of, event, step);
      const waits = afterEvent(state, (operator, inner) => operator.event(inner, event, step));
      take(state, came, waits, event.recordedAt, step);
      return noMatches;
    },
    time: (state, now, step) => {
      const came = timeOf(of, state.of, now, step);
      const waits = afterEvent(state, (operator, inner) => timeOf(operator, inner, now, step));
      take(state, came, waits, now, step);
      const over = state.arms.filter(({ since }) => since + withinMs <= now);
      if (over.length === 0) return noMatches;
      step.touched = true;
      state.arms = state.arms.slice(over.length);
      return over.map(({ since, members }) => ({
        from: members[0] ? memberTime(members[0]) : since,
        to: now,
        members: [...members, { kind: "silence" as const, operand, from: since, at: now }],
      }));
    },
    due: (state) => {
      const [first] = state.arms;
      const own = first ? first.since + withinMs : never;
      return Math.min(own, of.due(state.of), state.after && after ? after.due(state.after) : never);
    },
    explain: (state) => {
      const [first] = state.arms;
      const inner = [of.explain(state.of)];
      if (after && state.after) inner.push(after.explain(state.after));
      const span = describeSpan(withinMs);
      return {
        kind: "absent",
        ...named(condition),
        state: first ? "gathering" : "waiting",
        text: first
          ? `matches if its first operand does not come within ${span}${armsText(state)}`
          : after
            ? "waits for what its first operand must follow"
            : "has told of this silence, and waits for its operand",
        ...(first ? { since: first.since, due: first.since + withinMs } : {}),
        of: inner,
      };
    },
  });
}

function armsText({ arms, refused = 0 }: AbsentState): string {
  const open = arms.length > 1 ? `; ${arms.length} are open` : "";
  const kept = arms.length < armsMax ? "" : ", as many as are kept";
  return `${open}${kept}${refused === 0 ? "" : `; ${refused} ${refused === 1 ? "was" : "were"} left out as so many were open: a key of its own for each keeps all`}`;
}

function memberTime(member: Member): number {
  return member.kind === "event" ? member.recordedAt : member.at;
}
