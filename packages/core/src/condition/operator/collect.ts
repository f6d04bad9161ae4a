/** `count`, `batch`, `session`, `debounce`: matches of one operand gathered into one. */
import type { BatchCondition, CountCondition, DebounceCondition, SessionCondition } from "../condition.ts";
import { describeSpan } from "../describe.ts";
import { noMatches, type Match } from "../match.ts";
import {
  dropBefore,
  emptyGathered,
  explainGathered,
  firstOf,
  gather,
  isFull,
  takeAll,
  type Gathered,
} from "./gathered.ts";
import { named, timeOf } from "./join.ts";
import { never, operator, type Operator, type OperatorState, type Step } from "./operator.ts";

interface CollectState {
  readonly of: OperatorState;
  readonly gathered: Gathered;
  /** Matches gathered, also those that fell out. */
  count: number;
  /** Log time of the last one. */
  last: number;
}

/** What makes the four differ. */
interface Rule {
  /** As many matches make one at once. */
  readonly full: number;
  /** When what is gathered is one match by time. */
  readonly due: (state: CollectState) => number;
  /** Matches older than this span are given up. */
  readonly withinMs?: number | undefined;
  /** What is gathered may be cut where no more can be kept: nothing falls out, and what follows is the next match. */
  readonly isCut?: boolean;
  readonly text: string;
}

export function countOperator(condition: CountCondition, of: Operator): Operator {
  const { n, withinMs } = condition;
  const span = withinMs === undefined ? "" : ` within ${describeSpan(withinMs)}`;
  return collectOperator(condition, of, { full: n, due: () => never, withinMs, text: `gathers ${n}${span}` });
}

export function batchOperator(condition: BatchCondition, of: Operator): Operator {
  const { max, maxWaitMs } = condition;
  return collectOperator(condition, of, {
    full: max,
    due: ({ gathered }) => (firstOf(gathered) ?? never - maxWaitMs) + maxWaitMs,
    isCut: true,
    text: `gathers up to ${max}, for ${describeSpan(maxWaitMs)}`,
  });
}

export function sessionOperator(condition: SessionCondition, of: Operator): Operator {
  const { gapMs, maxMs } = condition;
  return collectOperator(condition, of, {
    full: never,
    due: (state) => quietDue(state, gapMs, maxMs),
    isCut: true,
    text: `gathers until none has come for ${describeSpan(gapMs)}${maxMs === undefined ? "" : `, for ${describeSpan(maxMs)} at most`}`,
  });
}

export function debounceOperator(condition: DebounceCondition, of: Operator): Operator {
  const { quietMs, maxWaitMs } = condition;
  return collectOperator(condition, of, {
    full: never,
    due: (state) => quietDue(state, quietMs, maxWaitMs),
    text: `waits until none has come for ${describeSpan(quietMs)}${maxWaitMs === undefined ? "" : `, for ${describeSpan(maxWaitMs)} at most`}`,
  });
}

function quietDue({ gathered, last }: CollectState, quietMs: number, maxMs: number | undefined): number {
  const first = firstOf(gathered);
  if (first === undefined) return never;
  return Math.min(last + quietMs, maxMs === undefined ? never : first + maxMs);
}

function collectOperator(
  condition: CountCondition | BatchCondition | SessionCondition | DebounceCondition,
  of: Operator,
  rule: Rule,
): Operator {
  const { withinMs } = rule;
  const fire = (state: CollectState): Match => {
    state.count = 0;
    return takeAll(state.gathered);
  };
  const take = (state: CollectState, found: readonly Match[], now: number, step: Step): readonly Match[] => {
    if (found.length === 0) return noMatches;
    step.touched = true;
    const matches: Match[] = [];
    for (const match of found) {
      gather(state.gathered, match);
      state.count += 1;
      state.last = now;
      if (state.count >= rule.full || (rule.isCut && isFull(state.gathered))) matches.push(fire(state));
    }
    return matches;
  };
  return operator<CollectState>({
    begin: (at) => ({ of: of.begin(at), gathered: emptyGathered(), count: 0, last: at }),
    event: (state, event, step) => take(state, of.event(state.of, event, step), event.recordedAt, step),
    time: (state, now, step) => {
      const matches = [...take(state, timeOf(of, state.of, now, step), now, step)];
      if (state.count > 0 && rule.due(state) <= now) {
        step.touched = true;
        matches.push(fire(state));
      }
      if (withinMs !== undefined && dropBefore(state.gathered, now - withinMs + 1)) {
        step.touched = true;
        state.count = state.gathered.matches.length;
      }
      return matches;
    },
    due: (state) => {
      let due = Math.min(of.due(state.of), state.count > 0 ? rule.due(state) : never);
      if (withinMs !== undefined)
        for (const match of state.gathered.matches) due = Math.min(due, match.from + withinMs);
      return due;
    },
    explain: (state) => {
      const due = state.count > 0 ? rule.due(state) : never;
      return {
        kind: condition.kind,
        ...named(condition),
        state: state.count > 0 ? "gathering" : "waiting",
        text: `${rule.text}: ${state.count} so far`,
        ...explainGathered(state.gathered),
        ...(due === never ? {} : { due }),
        of: [of.explain(state.of)],
      };
    },
  });
}
