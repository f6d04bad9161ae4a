/**
 * `reached`: windows that assets are complete for.
 *
 * R1: windows fire in the order of their time, each once, from the first on. A window fires when the progress of all assets has
 *     passed its end by the delay, or incomplete when progress has stood still for too long.
 * R2: progress is what was declared, once anything was; before that, the end of the stretch of written partitions that holds the
 *     window's start. Declared progress never goes back.
 *     What was written before the instance began it has not seen: of the window in which it began, the rest is enough, and the
 *     window fires flagged incomplete.
 * R3: an update of a partition whose window has fired revises exactly the windows that it maps to (F1). A window that fired
 *     incomplete is revised when progress passes it after all.
 */
import { explainedMembersMax, gatheredMax, openWindowsMax, windowsPerStepMax } from "../../limits.ts";
import { cover, coveredTo, forgetBefore, type Coverage } from "../../partition/coverage.ts";
import type { Partitions } from "../../partition/partitions.ts";
import type { TimeWindow, TimeWindows } from "../../partition/time-windows.ts";
import type { ReachedAtom } from "../condition.ts";
import type { ConditionEvent } from "../condition-event.ts";
import { describeSpan, formatInstant } from "../describe.ts";
import { mergeMatches, noMatches, type Match } from "../match.ts";
import {
  describeLate,
  dueOfFired,
  firedWindow,
  fireFirst,
  noFiredWindows,
  revise,
  reviseDue,
  takeLate,
  type FiredWindow,
  type FiredWindows,
} from "./fired-windows.ts";
import { named } from "./join.ts";
import { never, operator, type Operator, type Step } from "./operator.ts";
import { matchOf, progressOf, updatedKey, type Watched } from "./watched.ts";

export interface ReachedParts {
  readonly watched: readonly Watched[];
  readonly target: Partitions;
  readonly windows: TimeWindows;
}

interface AssetProgress {
  /** The latest that was declared; null before any was. */
  declared: number | null;
  /** The entry that said so. */
  by: Match | null;
  readonly written: Coverage;
}

interface ReachedState {
  /** When it began, where its first window holds that instant; else null. */
  since: number | null;
  /** The window that fires next; null when there are no further ones. */
  next: TimeWindow | null;
  /** By the place of the asset. */
  readonly assets: AssetProgress[];
  /** Log time at which progress moved last. */
  moved: number;
  /** What has come for windows that have not fired, by their starts. */
  open: { from: number; match: Match }[];
  readonly fired: FiredWindows;
  /** When the rest of many windows that are due at once is told. */
  more: number | null;
}

export function reachedOperator(condition: ReachedAtom, parts: ReachedParts): Operator {
  const { late, orAfterMs, from } = condition;
  const { watched, windows } = parts;

  const stallDue = ({ next, moved }: ReachedState): number =>
    next === null || orAfterMs === undefined ? never : Math.max(next.to, moved) + orAfterMs;

  const passes = (state: ReachedState, window: TimeWindow, since: number | null): boolean =>
    watched.every(
      (one, at) => progressAt(one, state.assets[at]!, window, since) >= window.to + condition.delayMs,
    );

  const fireNext = (state: ReachedState, window: TimeWindow, now: number, isIncomplete: boolean): Match => {
    const place = state.open.findIndex((one) => one.from === window.from);
    const held = place < 0 ? [] : [state.open.splice(place, 1)[0]!.match];
    const declared = state.assets.flatMap(({ by }) => (by && !isIncomplete ? [by] : []));
    const match = mergeAt([...held, ...declared], now);
    state.next = windows.from(window.to) ?? null;
    return fireFirst(state.fired, match, { key: windows.keyOf(window), window, now, isIncomplete });
  };

  /** All that fires now: windows in order, then those that had fired incomplete. `over`: deadlines up to it are over. */
  const settle = (state: ReachedState, now: number, step: Step, over: number): Match[] => {
    const matches: Match[] = [];
    state.more = null;
    for (let { next } = state; next; { next } = state) {
      if (!passes(state, next, state.since) && stallDue(state) > over) break;
      if (matches.length >= windowsPerStepMax) {
        state.more = now + 1;
        break;
      }
      matches.push(fireNext(state, next, now, !passes(state, next, null)));
    }
    for (const window of state.fired.windows) {
      if (!window.isIncomplete || !passes(state, window, null)) continue;
      window.isIncomplete = false;
      if (late && window.revision <= late.revisionsMax && now < window.at + late.closeAfterMs)
        matches.push(revise(window, mergeAt(declaredBy(state), now)));
      else step.touched = true;
    }
    if (matches.length > 0) step.touched = true;
    const mayBeRevised = ({ isIncomplete, at }: FiredWindow): boolean =>
      isIncomplete && late !== undefined && now < at + late.closeAfterMs;
    const needed = state.fired.windows.find(mayBeRevised)?.from ?? state.next?.from;
    if (needed !== undefined) for (const { written } of state.assets) forgetBefore(written, needed);
    return matches;
  };

  const takeUpdate = (state: ReachedState, at: number, event: ConditionEvent, step: Step): void => {
    const one = watched[at]!;
    const key = updatedKey(one, event);
    if (key === undefined || key === null) return;
    const written = one.partitions?.definition.kind === "time" ? one.partitions.windowOf(key) : undefined;
    if (written && cover(state.assets[at]!.written, written)) {
      step.touched = true;
      state.moved = event.recordedAt;
    }
    for (const part of one.mapping?.to(key) ?? []) {
      const window = part === null ? undefined : parts.target.windowOf(part);
      if (!window || part === null) continue;
      step.touched = true;
      const match = matchOf(one, event);
      if (state.next === null || window.from < state.next.from)
        takeLate(state.fired, firedWindow(state.fired, part), match, event.recordedAt, late);
      else gatherOpen(state, window.from, match);
    }
  };

  return operator<ReachedState>({
    begin: (at) => {
      const ms = from === undefined ? at : Date.parse(from);
      const holding = windows.at(ms);
      return {
        since: from === undefined && holding && holding.from < at ? at : null,
        next: holding ?? windows.from(ms) ?? null,
        assets: watched.map(() => ({ declared: null, by: null, written: [] })),
        moved: at,
        open: [],
        fired: noFiredWindows(),
        more: null,
      };
    },
    event: (state, event, step) => {
      const touched = step.touched;
      step.touched = false;
      watched.forEach((one, at) => {
        if (one.isUpdate(event)) takeUpdate(state, at, event, step);
        const until = one.isProgress(event) ? progressOf(event) : undefined;
        const progress = state.assets[at]!;
        if (until === undefined || (progress.declared !== null && until <= progress.declared)) return;
        step.touched = true;
        progress.declared = until;
        progress.by = matchOf(one, event);
        state.moved = event.recordedAt;
      });
      const matches = step.touched ? settle(state, event.recordedAt, step, -Infinity) : noMatches;
      step.touched ||= touched;
      return matches;
    },
    time: (state, now, step) => {
      const isDue = (state.more ?? never) <= now || stallDue(state) <= now;
      const matches = isDue ? settle(state, now, step, now) : [];
      matches.push(...reviseDue(state.fired, now, late));
      if (isDue || matches.length > 0) step.touched = true;
      return matches;
    },
    inherit: (state, before, isSame) => {
      Object.assign(state.fired, before.fired);
      if (isSame) {
        const { since, next, assets, moved, open, more } = before;
        Object.assign(state, { since, next, moved, open, more });
        state.assets.splice(0, state.assets.length, ...assets);
      } else if (state.next && before.next && before.next.from > state.next.from) state.next = before.next;
    },
    due: (state) => {
      // What waits for `more` is due by its stall, too.
      const next = state.more ?? stallDue(state);
      return Math.min(next, dueOfFired(state.fired, late));
    },
    explain: (state) => {
      const { next } = state;
      const held = next && state.open.find((one) => one.from === next.from)?.match;
      const due = Math.min(state.more ?? stallDue(state), dueOfFired(state.fired, late));
      return {
        kind: "reached",
        ...named(condition),
        state: held ? "gathering" : "waiting",
        text: next
          ? `waits until ${windows.keyOf(next)} is complete: until progress passes ${formatInstant(next.to + condition.delayMs)}; ${watched
              .map((one, at) => describeProgress(one, state.assets[at]!, next, state.since))
              .join(
                ", ",
              )}${orAfterMs === undefined ? "" : `; fires incomplete when nothing moves for ${describeSpan(orAfterMs)}`}${describeLate(state.fired)}`
          : `there are no further windows${describeLate(state.fired)}`,
        ...(held
          ? {
              members: held.members.slice(-explainedMembersMax),
              memberCount: held.members.length,
              since: held.from,
            }
          : {}),
        ...(due === never ? {} : { due }),
        ...(state.fired.ignored === 0 ? {} : { leftOut: state.fired.ignored }),
      };
    },
  });
}

/** How far an asset is complete, as far as it is of interest to a window. */
function progressAt(
  { partitions }: Watched,
  { declared, written }: AssetProgress,
  window: TimeWindow,
  since: number | null,
): number {
  if (declared !== null) return declared;
  if (partitions?.definition.kind !== "time") return -Infinity;
  const from = since !== null && window.from < since && since < window.to ? since : window.from;
  // Before the asset's first window there is nothing that could be missing.
  const first = partitions.windows?.at(from) ?? partitions.windows?.from(from);
  return first ? coveredTo(written, Math.max(from === since ? 0 : from, first.from)) : -Infinity;
}

function describeProgress(
  watched: Watched,
  progress: AssetProgress,
  window: TimeWindow,
  since: number | null,
): string {
  const until = progressAt(watched, progress, window, since);
  const { asset } = watched;
  if (until === -Infinity) return `"${asset}" has told no progress`;
  if (progress.declared !== null) return `"${asset}" is declared complete up to ${formatInstant(until)}`;
  return until > window.from
    ? `"${asset}" is written up to ${formatInstant(until)}`
    : `nothing of "${asset}" is written from ${formatInstant(until)} on`;
}

function declaredBy(state: ReachedState): Match[] {
  return state.assets.flatMap(({ by }) => (by ? [by] : []));
}

function mergeAt(matches: readonly Match[], now: number): Match {
  return matches.length === 0 ? { from: now, to: now, members: [] } : mergeMatches(matches, gatheredMax);
}

/** Beyond the bound the latest are left out of their firings: progress counts all the same. */
function gatherOpen(state: ReachedState, from: number, match: Match): void {
  const known = state.open.find((one) => one.from === from);
  if (known) known.match = mergeMatches([known.match, match], gatheredMax);
  else if (state.open.length < openWindowsMax) state.open.push({ from, match });
}
