/**
 * Which windows have fired, and their revisions.
 *
 * F1: a window fires once; what comes for it later makes the next revision, after a debounce, at most `revisionsMax` times
 *     and not after `closeAfterMs`.
 * F2: it is bounded: of more than `revisedWindowsMax` windows the earliest are closed, and known from then on as stretches of time
 *     alone. Of too many stretches the earliest two become one: no window fires twice, and of those between the two none.
 */
import { closedStretchesMax, gatheredMax, revisedWindowsMax } from "../../limits.ts";
import { cover, type Coverage } from "../../partition/coverage.ts";
import type { RevisePolicy } from "../condition.ts";
import { mergeMatches, type Match, type MatchPartition } from "../match.ts";
import { never } from "./operator.ts";

export interface FiredWindow {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  revision: number;
  /** Log time of its first firing. */
  readonly at: number;
  isIncomplete: boolean;
  /** What has come since its last firing. */
  late: Match | null;
  /** Log times of the first and the last of it. */
  lateFrom: number;
  lateTo: number;
}

export interface FiredWindows {
  /** The earliest first. */
  windows: FiredWindow[];
  /** Where windows have fired that are closed and not listed any more. */
  readonly closed: Coverage;
  /** Updates that came too late, or once too often. */
  ignored: number;
}

/** A debounce that is renewed again and again ends after as many of its spans. */
const debouncesMax = 6;

export function noFiredWindows(): FiredWindows {
  return { windows: [], closed: [], ignored: 0 };
}

export function firedWindow(fired: FiredWindows, key: string): FiredWindow | undefined {
  return fired.windows.findLast((window) => window.key === key);
}

/** Whether a window has fired that is not listed any more, or counts as such. */
export function isClosedWindow({ closed }: FiredWindows, { from }: { readonly from: number }): boolean {
  return closed.some(([start, end]) => start <= from && from < end);
}

/** Notes the first firing of a window and gives its match. */
export function fireFirst(
  fired: FiredWindows,
  match: Match,
  {
    key,
    window,
    now,
    isIncomplete,
  }: {
    readonly key: string;
    readonly window: { readonly from: number; readonly to: number };
    readonly now: number;
    readonly isIncomplete: boolean;
  },
): Match {
  const { from, to } = window;
  const place = fired.windows.findLastIndex((other) => other.from <= from) + 1;
  const one = { key, from, to, revision: 1, at: now, isIncomplete, late: null, lateFrom: 0, lateTo: 0 };
  fired.windows.splice(place, 0, one);
  if (fired.windows.length > revisedWindowsMax) {
    cover(fired.closed, fired.windows.shift()!);
    const [first, second] = fired.closed;
    if (first && second && fired.closed.length > closedStretchesMax)
      fired.closed.splice(0, 2, [first[0], second[1]]);
  }
  return asMatch(one, match);
}

/** Takes what came for a window that has fired. */
export function takeLate(
  fired: FiredWindows,
  window: FiredWindow | undefined,
  match: Match,
  now: number,
  policy: RevisePolicy | undefined,
): void {
  if (!window || !policy || window.revision > policy.revisionsMax || now >= window.at + policy.closeAfterMs) {
    fired.ignored += 1;
    return;
  }
  if (window.late === null) window.lateFrom = now;
  window.late = window.late === null ? match : mergeMatches([window.late, match], gatheredMax);
  window.lateTo = now;
}

/** The next revision of a window, with what has come since, and `more`. */
export function revise(window: FiredWindow, more?: Match): Match {
  const parts = [...(window.late ? [window.late] : []), ...(more ? [more] : [])];
  window.revision += 1;
  window.late = null;
  return asMatch(window, mergeMatches(parts, gatheredMax));
}

export function reviseDue(fired: FiredWindows, now: number, policy: RevisePolicy | undefined): Match[] {
  if (!policy) return [];
  return fired.windows.filter((window) => dueOfWindow(window, policy) <= now).map((window) => revise(window));
}

export function dueOfFired(fired: FiredWindows, policy: RevisePolicy | undefined): number {
  let due = never;
  if (policy) for (const window of fired.windows) due = Math.min(due, dueOfWindow(window, policy));
  return due;
}

/** The late that waits for its debounce, as part of a sentence. */
export function describeLate(fired: FiredWindows): string {
  const waiting = fired.windows.filter(({ late }) => late !== null);
  const revisions =
    waiting.length === 0
      ? ""
      : `; ${waiting
          .map(({ key }) => key)
          .slice(0, 3)
          .join(", ")} will be revised`;
  return `${revisions}${fired.ignored === 0 ? "" : `; ${fired.ignored} ${fired.ignored === 1 ? "update" : "updates"} came too late`}`;
}

function dueOfWindow({ late, lateFrom, lateTo }: FiredWindow, { debounceMs }: RevisePolicy): number {
  return late === null ? never : Math.min(lateTo + debounceMs, lateFrom + debouncesMax * debounceMs);
}

function asMatch({ key, from, to, revision, isIncomplete }: FiredWindow, match: Match): Match {
  const partition: MatchPartition = { key, window: { from, to } };
  return {
    ...match,
    partition,
    window: { start: from, end: to, revision },
    ...(isIncomplete ? { isIncomplete } : {}),
  };
}
