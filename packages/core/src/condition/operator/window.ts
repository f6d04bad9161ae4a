/**
 * `window`: events gathered by their own time into windows of calendar time.
 *
 * V1: windows close in the order of their time, each once; what closes them is an event that is late enough, or silence.
 * V2: an event whose window has closed makes a revision of that window alone, or is counted and left out.
 * V3: an event whose own time is further ahead of its recording than clocks differ closes no window but stands in its own: one
 *     from the year 9999 would make all that comes after it late.
 */
import { aheadMsMax, gatheredMax, openWindowsMax, revisedWindowsMax } from "../../limits.ts";
import type { WindowCondition } from "../condition.ts";
import type { ConditionEvent } from "../condition-event.ts";
import { describeSpan, formatInstant } from "../describe.ts";
import { appendMatch, noMatches, type Match } from "../match.ts";
import { named } from "./join.ts";
import { never, operator, type Operator, type OperatorState } from "./operator.ts";
import type { TickSource } from "./tick-source.ts";

interface OpenWindow {
  readonly start: number;
  readonly end: number;
  match: Match;
}

interface WindowState {
  readonly of: OperatorState;
  /** The latest event time seen that closes windows (V3); null before the first event. */
  seen: number | null;
  /** Log time of the last event. */
  last: number;
  /** The earliest first. */
  open: OpenWindow[];
  /** End of the latest closed window; null before the first. */
  closedTo: number | null;
  /** Revisions of the windows that closed or were revised last, by start. */
  revisions: { start: number; revision: number }[];
  /** Late events that were left out. */
  ignored: number;
}

export function windowOperator(
  condition: WindowCondition,
  of: Operator,
  bounds: TickSource,
  timeOf: (event: ConditionEvent) => number | undefined,
): Operator {
  const { latenessMs, idleMs, late } = condition;

  const close = (state: WindowState, isClosed: (window: OpenWindow) => boolean): Match[] => {
    const matches: Match[] = [];
    for (let first = state.open[0]; first && isClosed(first); first = state.open[0]) {
      state.open.shift();
      state.closedTo = Math.max(first.end, state.closedTo ?? first.end);
      matches.push({ ...first.match, window: revise(state, first) });
    }
    return matches;
  };

  const take = (state: WindowState, match: Match, at: number): Match[] => {
    const start = bounds.previous(at + 1);
    const end = bounds.next(at);
    if (start === undefined || end === undefined) return [];
    if (state.closedTo !== null && end <= state.closedTo) {
      if (late === "revise") return [{ ...match, window: revise(state, { start, end }) }];
      state.ignored += 1;
      return [];
    }
    const known = state.open.findLast((window) => window.start === start);
    if (known) known.match = appendMatch(known.match, match, gatheredMax);
    else {
      const place = state.open.findLastIndex((window) => window.start < start) + 1;
      state.open.splice(place, 0, { start, end, match });
    }
    // More open windows than a bound close early, the oldest first: V1 holds, and what comes later for them is late.
    return state.open.length > openWindowsMax ? close(state, () => state.open.length > openWindowsMax) : [];
  };

  return operator<WindowState>({
    begin: (at) => ({
      of: of.begin(at),
      seen: null,
      last: at,
      open: [],
      closedTo: null,
      revisions: [],
      ignored: 0,
    }),
    event: (state, event, step) => {
      const found = of.event(state.of, event, step);
      const [match] = found;
      if (!match) return noMatches;
      step.touched = true;
      const at = timeOf(event);
      if (at === undefined) return noMatches;
      state.last = event.recordedAt;
      const matches = take(state, match, at);
      if (at <= event.recordedAt + aheadMsMax) state.seen = Math.max(at, state.seen ?? at);
      const { seen } = state;
      return seen === null ? matches : [...matches, ...close(state, ({ end }) => end + latenessMs <= seen)];
    },
    time: (state, now, step) => {
      if (idleMs === undefined) return noMatches;
      const matches = close(state, ({ end }) => Math.max(end, state.last) + idleMs <= now);
      if (matches.length > 0) step.touched = true;
      return matches;
    },
    inherit: (state, { closedTo, revisions, ignored, seen, last, open }, isSame) => {
      Object.assign(state, { closedTo, revisions, ignored }, isSame ? { seen, last, open } : {});
    },
    due: (state) => {
      const [first] = state.open;
      return first && idleMs !== undefined ? Math.max(first.end, state.last) + idleMs : never;
    },
    explain: (state) => {
      const [first] = state.open;
      const seen = state.seen === null ? "" : `; the latest event time is ${formatInstant(state.seen)}`;
      const ignored =
        state.ignored === 0
          ? ""
          : `; ${state.ignored} late ${state.ignored === 1 ? "event was" : "events were"} left out`;
      return {
        kind: "window",
        ...named(condition),
        state: first ? "gathering" : "waiting",
        text: first
          ? `the window ${formatInstant(first.start)} to ${formatInstant(first.end)} closes once an event ${describeSpan(latenessMs)} after its end has come${seen}${ignored}`
          : `waits for a first event of a window${seen}${ignored}`,
        ...(first ? { members: first.match.members.slice(-5), memberCount: first.match.members.length } : {}),
        ...(state.ignored === 0 ? {} : { leftOut: state.ignored }),
        of: [of.explain(state.of)],
      };
    },
  });
}

/** Counts a window's revision; the bounded memory forgets the window that was touched longest ago. */
function revise(state: WindowState, { start, end }: { readonly start: number; readonly end: number }) {
  const at = state.revisions.findIndex((known) => known.start === start);
  const revision = at < 0 ? 1 : state.revisions.splice(at, 1)[0]!.revision + 1;
  state.revisions.push({ start, revision });
  if (state.revisions.length > revisedWindowsMax) state.revisions.shift();
  return { start, end, revision };
}
