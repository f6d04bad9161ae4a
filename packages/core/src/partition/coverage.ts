/**
 * What of a line of instants is covered, as few stretches as there are gaps: which windows were written, and up to where
 * without a gap (derived progress). It is JSON and changes in place.
 *
 * V1: stretches are in order, apart from each other, and not empty.
 * V2: there are at most `coverageStretchesMax`: beyond, the latest stretch is forgotten. So a gap never counts as covered.
 */
import { coverageStretchesMax } from "../limits.ts";
import type { TimeWindow } from "./time-windows.ts";

/** `[from, to)` each: ms since 1970. */
export type Coverage = [from: number, to: number][];

/** Adds a stretch; tells whether anything of it was new. */
export function cover(coverage: Coverage, { from, to }: TimeWindow): boolean {
  const first = coverage.findIndex((stretch) => stretch[1] >= from);
  const at = first < 0 ? coverage.length : first;
  let last = at;
  let [low, high] = [from, to];
  while (last < coverage.length && coverage[last]![0] <= to) {
    const [start, end] = coverage[last]!;
    if (start <= from && end >= to) return false;
    low = Math.min(low, start);
    high = Math.max(high, end);
    last += 1;
  }
  coverage.splice(at, last - at, [low, high]);
  if (coverage.length > coverageStretchesMax) coverage.pop();
  return true;
}

/** Up to where all is covered from `from` on: `from` itself where nothing is. */
export function coveredTo(coverage: Coverage, from: number): number {
  const stretch = coverage.find(([start, end]) => start <= from && from < end);
  return stretch ? stretch[1] : from;
}

/** Forgets what lies before an instant. */
export function forgetBefore(coverage: Coverage, before: number): void {
  while (coverage[0] && coverage[0][1] <= before) coverage.shift();
}
