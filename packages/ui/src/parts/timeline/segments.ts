/** What a task run did with its time: it was queued, ran attempt by attempt, waited, or stood between two attempts. */
import type { AttemptView, TaskRunView } from "@millrace/protocol";

export interface Segment {
  readonly kind: "queued" | "ran" | "waited" | "between";
  readonly from: number;
  readonly until: number;
  /** Of `ran`. */
  readonly attempt?: AttemptView;
}

export interface SegmentsOf {
  readonly taskRun: TaskRunView;
  /** It waits and does nothing else: a `wait` or `call` node. */
  readonly isWait: boolean;
  /** When what it waits for was over. */
  readonly readyAt: number | undefined;
  /** Attempts of earlier generations are left out. */
  readonly from: number;
  readonly now: number;
}

export function segmentsOf({ taskRun, isWait, readyAt, from, now }: SegmentsOf): Segment[] {
  const { state, startedAt, endedAt } = taskRun;
  const end = endedAt === undefined ? now : Date.parse(endedAt);
  const segments: Segment[] = [];
  let at = readyAt;
  const upTo = (until: number, kind: Segment["kind"]): void => {
    if (at !== undefined && until > at) segments.push({ kind, from: at, until });
  };
  if (isWait) {
    if (startedAt === undefined) return segments;
    upTo(Date.parse(startedAt), "queued");
    segments.push({ kind: "waited", from: Math.max(from, Date.parse(startedAt)), until: end });
    return segments;
  }
  let before: AttemptView | undefined;
  for (const attempt of taskRun.attempts) {
    const begins = Date.parse(attempt.startedAt);
    const ends = attempt.endedAt === undefined ? end : Date.parse(attempt.endedAt);
    if (ends < from) continue;
    upTo(begins, gapKind(before));
    segments.push({ kind: "ran", from: Math.max(from, begins), until: Math.max(begins, ends), attempt });
    at = Math.max(begins, ends);
    before = attempt;
  }
  if (state === "waiting") upTo(now, "waited");
  else if (state === "retrying") upTo(now, "between");
  else if (state === "queued") upTo(now, before ? gapKind(before) : "queued");
  return segments;
}

/** What it did after an attempt that was not its last. */
function gapKind(before: AttemptView | undefined): Segment["kind"] {
  if (before?.state === "suspended") return "waited";
  return before?.state === "failed" ? "between" : "queued";
}
