/** A run's nodes in time, for its longest way. */
import type { NodePicture } from "@millrace/protocol/run-picture";
import {
  criticalPath,
  type PathStep,
  type RunSpan,
  type TimedNode,
} from "../../parts/timeline/critical-path.ts";
import { isUnderWay, type LiveRun } from "./use-run.ts";

export function spanOf({ run }: LiveRun, now: number): RunSpan {
  const from = Date.parse(run.startedAt ?? run.createdAt);
  const until = isUnderWay(run) || run.endedAt === undefined ? now : Date.parse(run.endedAt);
  return { from, until: Math.max(from + 1, until) };
}

export function wayOf({ picture }: LiveRun, span: RunSpan): PathStep[] {
  return criticalPath(picture.nodes().map(timed), span);
}

/** When its first attempt of this generation began: its row tells of the last one. */
export function beganAt({ startedAt, items, taskRun }: NodePicture): number | undefined {
  if (items || !taskRun || startedAt === undefined) return startedAt;
  const first = taskRun.attempts.find(({ generation }) => generation === taskRun.generation);
  return first ? Math.min(startedAt, Date.parse(first.startedAt)) : startedAt;
}

function timed(node: NodePicture): TimedNode {
  const { id, row, endedAt } = node;
  return { id, parents: row?.parents ?? [], startedAt: beganAt(node), endedAt };
}
