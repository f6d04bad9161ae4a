/**
 * The way through a run that took longest: what ended last, what it waited for, and so on back to the start. To shorten the
 * run is to shorten one of these.
 */
import { durationText } from "../time-text.ts";

export interface TimedNode {
  readonly id: string;
  /** What it waits for. */
  readonly parents: readonly string[];
  readonly startedAt: number | undefined;
  /** Absent while it goes on. */
  readonly endedAt: number | undefined;
}

export interface PathStep {
  readonly id: string;
  /** When what it waited for was over. */
  readonly readyAt: number;
  /** When it began; with items that began before, `readyAt`. */
  readonly startedAt: number;
  readonly until: number;
}

export interface RunSpan {
  readonly from: number;
  /** The run's end; the present while it goes on. */
  readonly until: number;
}

/** In the order of time; empty where nothing has begun. */
export function criticalPath(nodes: Iterable<TimedNode>, { from, until: now }: RunSpan): PathStep[] {
  const byId = new Map<string, TimedNode>();
  let last: TimedNode | undefined;
  for (const node of nodes) {
    byId.set(node.id, node);
    if (node.startedAt === undefined || endOf(node, now) <= from) continue;
    if (!last || endOf(node, now) > endOf(last, now)) last = node;
  }
  const steps: PathStep[] = [];
  const seen = new Set<TimedNode>();
  for (let node = last; node && !seen.has(node);) {
    seen.add(node);
    const parent: TimedNode | undefined = awaited(node, byId, { from, until: now });
    const until = endOf(node, now);
    const readyAt = Math.min(until, Math.max(from, parent ? endOf(parent, now) : from));
    const startedAt = Math.min(until, Math.max(readyAt, node.startedAt ?? readyAt));
    steps.push({ id: node.id, readyAt, startedAt, until });
    node = parent;
  }
  return steps.reverse();
}

/** The parent whose end let it begin; of items that follow each other one by one, the one that ended last. */
function awaited(
  node: TimedNode,
  byId: ReadonlyMap<string, TimedNode>,
  { from, until: now }: RunSpan,
): TimedNode | undefined {
  const begins = node.startedAt ?? endOf(node, now);
  let before: TimedNode | undefined;
  let beside: TimedNode | undefined;
  for (const name of node.parents) {
    const parent = byId.get(name);
    const end = parent && endOf(parent, now);
    // What an earlier generation did was there from the start.
    if (end === undefined || end <= from) continue;
    if (end <= begins && end > (before ? endOf(before, now) : 0)) before = parent;
    if (end <= endOf(node, now) && end > (beside ? endOf(beside, now) : 0)) beside = parent;
  }
  return before ?? beside;
}

function endOf({ startedAt, endedAt }: TimedNode, now: number): number {
  return endedAt ?? (startedAt === undefined ? 0 : now);
}

/** Steps that are named: the longest ones. */
const stepsTold = 5;

/** `The longest way: extract 2m 00s → load 5m 00s, 92 % of the run.` */
export function criticalText(steps: readonly PathStep[], { from, until }: RunSpan): string | undefined {
  const last = steps.at(-1);
  if (!last || until <= from) return undefined;
  const tookOf = ({ startedAt, until: end }: PathStep): number => end - startedAt;
  const told = new Set([...steps].sort((a, b) => tookOf(b) - tookOf(a)).slice(0, stepsTold));
  const parts: string[] = [];
  for (const step of steps) {
    if (told.has(step)) parts.push(`${step.id} ${durationText(tookOf(step))}`);
    else if (parts.at(-1) !== "…") parts.push("…");
  }
  const whole = until - from;
  const busy = steps.reduce((sum, step) => sum + tookOf(step), 0);
  const queued = steps.reduce((sum, step) => sum + step.startedAt - step.readyAt, 0);
  const rest = percent(queued, whole) === 0 ? "" : `; ${percent(queued, whole)} % of it queued`;
  return `${steps.length === 1 ? "What took longest" : "The longest way"}: ${parts.join(" → ")}, ${percent(busy, whole)} % of the run${rest}.`;
}

function percent(part: number, whole: number): number {
  return Math.min(100, Math.max(0, Math.round((100 * part) / whole)));
}
