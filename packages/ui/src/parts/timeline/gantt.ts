/** Rows of a run's timeline: each node's time as stretches. */
import { unreachable } from "@millrace/core";
import type { AnyState } from "../state.tsx";
import type { Segment } from "./segments.ts";

export interface GanttRow {
  readonly id: string;
  /** Lines that lead to its mark, as an outline. */
  readonly lead: string;
  readonly state: AnyState;
  /** What name and bar do not say. */
  readonly told: string;
  readonly took: string;
  readonly segments: readonly Segment[];
  /** Of many items: from the first one's beginning to the last one's end. */
  readonly whole: Stretch | undefined;
  /** Where it stands on the longest way. */
  readonly way: Stretch | undefined;
}

export interface Stretch {
  readonly from: number;
  readonly until: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const steps = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12, 24].map((count) => count * hour),
];
const marksMost = 6;

/** Round distances from the beginning, some few of them. */
export function offsetMarks({ from, until }: Stretch): { readonly at: number; readonly text: string }[] {
  const whole = until - from;
  const day = 24 * hour;
  const step = steps.find((one) => whole / one <= marksMost) ?? Math.ceil(whole / marksMost / day) * day;
  const marks = [];
  for (let offset = step; offset < whole * 0.97; offset += step)
    marks.push({ at: from + offset, text: offsetText(offset) });
  return marks;
}

/** `+200 ms`, `+5 s`, `+1m 30s`, `+2 h`, `+1 d`. */
function offsetText(ms: number): string {
  if (ms < second) return `+${ms} ms`;
  if (ms < minute) return `+${ms / second} s`;
  if (ms < hour) {
    const seconds = (ms % minute) / second;
    return seconds === 0 ? `+${ms / minute} min` : `+${Math.floor(ms / minute)}m ${seconds}s`;
  }
  const day = 24 * hour;
  if (ms < day || ms % day !== 0) {
    const minutes = (ms % hour) / minute;
    return minutes === 0 ? `+${ms / hour} h` : `+${Math.floor(ms / hour)}h ${minutes}m`;
  }
  return `+${ms / day} d`;
}

/** The look of a stretch: how what ran ended; queued, waiting and between attempts are told apart. */
export function segmentKind({ kind, attempt }: Segment, state: AnyState): string {
  if (kind !== "ran") return kind;
  switch (attempt?.state) {
    case "failed":
    case "lost":
      return "bad";
    case "running":
      return state === "running" ? "busy" : "off";
    case "cancelled":
    case "skipped":
      return "off";
    default:
      return "good";
  }
}

export function segmentText({ kind, attempt }: Segment): string {
  switch (kind) {
    case "queued":
      return "queued";
    case "waited":
      return "waited";
    case "between":
      return "waited for its next attempt";
    case "ran":
      return attempt === undefined
        ? "ran"
        : `attempt ${attempt.attempt}: ${attempt.state}${errorText(attempt)}`;
    default:
      return unreachable(kind);
  }
}

function errorText({ error }: NonNullable<Segment["attempt"]>): string {
  return error === undefined ? "" : `, ${error.name}: ${error.message.split("\n", 1)[0]}`;
}
