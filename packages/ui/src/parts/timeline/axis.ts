/** Time as a place on a line: where an instant stands, and which instants are worth a mark. */
import { wallClock, zoneOffset } from "../zone.ts";

export interface Axis {
  readonly from: number;
  readonly until: number;
  readonly width: number;
}

export function placeOf({ from, until, width }: Axis, at: number): number {
  return ((Math.min(Math.max(at, from), until) - from) / (until - from)) * width;
}

const minute = 60_000;
const steps = [1, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440].map((minutes) => minutes * minute);
/** Between two marks. */
const roomMin = 84;

/** Round instants in the chosen zone, as many as have room. */
export function marksOf(axis: Axis): readonly number[] {
  const { from, until, width } = axis;
  const step = steps.find((one) => (one / (until - from)) * width >= roomMin) ?? steps.at(-1)!;
  const offset = -zoneOffset(from);
  const first = Math.ceil((from - offset) / step) * step + offset;
  const marks: number[] = [];
  for (let at = first; at <= until; at += step) marks.push(at);
  return marks;
}

export function markText(at: number): string {
  const text = wallClock(at).toISOString();
  const time = text.slice(11, 16);
  return time === "00:00" ? `${text.slice(5, 10)} 00:00` : time;
}
