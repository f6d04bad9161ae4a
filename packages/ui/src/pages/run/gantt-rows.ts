/** A run's picture as rows of its timeline. */
import type { NodePicture } from "@millrace/protocol/run-picture";
import { stateWord } from "../../parts/state.tsx";
import { durationText } from "../../parts/time-text.ts";
import type { PathStep, RunSpan } from "../../parts/timeline/critical-path.ts";
import type { GanttRow } from "../../parts/timeline/gantt.ts";
import { segmentsOf } from "../../parts/timeline/segments.ts";
import { failureText, waitText } from "./sentence.ts";
import type { LiveRun } from "./use-run.ts";
import { beganAt } from "./way.ts";

interface RowsOptions {
  readonly span: RunSpan;
  readonly way: readonly PathStep[];
}

export function ganttRows({ picture }: LiveRun, { span, way }: RowsOptions): GanttRow[] {
  const steps = new Map(way.map((step) => [step.id, step]));
  const nodes = picture.nodes();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return nodes.map((node) => {
    const { id, row, state, items, taskRun, endedAt } = node;
    const startedAt = beganAt(node);
    const step = steps.get(id);
    const kind = row?.node.definition.kind;
    return {
      id,
      lead: row?.lead ?? "",
      state,
      told: toldOf(node, span.until),
      took: startedAt === undefined ? "" : durationText((endedAt ?? span.until) - startedAt),
      segments:
        items || !taskRun
          ? []
          : segmentsOf({
              taskRun,
              isWait: kind === "wait" || kind === "call",
              readyAt: readyAt(node, byId, span),
              from: span.from,
              now: span.until,
            }),
      whole: items && startedAt !== undefined ? { from: startedAt, until: endedAt ?? span.until } : undefined,
      way: step && { from: step.readyAt, until: step.until },
    };
  });
}

/** When the last of what it waits for ended; unknown of what began before (an early rule, or an earlier generation). */
function readyAt(
  node: NodePicture,
  byId: ReadonlyMap<string, NodePicture>,
  { from }: RunSpan,
): number | undefined {
  const { row } = node;
  const startedAt = beganAt(node);
  let ready = from;
  for (const name of row?.parents ?? []) {
    if (name === "") continue;
    const parent = byId.get(name);
    if (!parent) continue;
    const end = parent.endedAt ?? (isOver(parent) ? from : undefined);
    if (end === undefined) return undefined;
    ready = Math.max(ready, end);
  }
  return startedAt !== undefined && startedAt < ready ? undefined : ready;
}

function isOver({ state }: NodePicture): boolean {
  return state === "skipped" || state === "upstream_failed" || state === "cancelled";
}

/** What a name and a bar do not say. */
function toldOf({ items, taskRun, state }: NodePicture, now: number): string {
  if (items)
    return [...items.counts]
      .filter(([, count]) => count > 0)
      .map(([one, count]) => `${count} ${stateWord(one)}`)
      .join(", ");
  const last = taskRun?.attempts.at(-1);
  const text =
    state === "failed" && taskRun
      ? failureText(taskRun)
      : state === "waiting" && taskRun?.waits?.[0]
        ? waitText(taskRun.waits[0], now)
        : state === "running" && taskRun?.progress
          ? `${Math.round(taskRun.progress.fraction * 100)} % ${taskRun.progress.message ?? ""}`
          : ((state === "succeeded" ? undefined : taskRun?.reason?.message) ?? stateWord(state));
  return last && last.attempt > 1 ? `attempt ${last.attempt} · ${text}` : text;
}
