/** A run in a pipe or a file: a line when a node begins or ends, and a line now and then for many items. */
import { isEndState } from "@millrace/core";
import type { TaskRunState } from "@millrace/protocol";
import { awayNote } from "../api/reconnect.ts";
import { formatDuration, formatTime, harmless, firstLine } from "../terminal/format.ts";
import { stateLabel, stateWord } from "../terminal/marks.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { every } from "../pause.ts";
import { logLine, type RunView } from "./live-view.ts";
import type { NodePicture, RunPicture } from "@millrace/protocol/run-picture";
import { failureOf } from "./tree.ts";
import { waitsText } from "../wait-view/wait.ts";

const lookMs = 250;
/** A fan-out's line is printed again after this time at the earliest. */
const countsMs = 5_000;

interface Told {
  state: TaskRunState;
  attempts: number;
  /** What it waits for, as it was printed. */
  waits: string;
  countsAt: number;
}

export function plainView(terminal: Terminal, showLogs: boolean): RunView {
  const told = new Map<string, Told>();
  let stopLooking = (): void => undefined;
  const look = (picture: RunPicture): void => {
    for (const node of picture.nodes()) tell(node, picture, told, terminal);
  };
  return {
    start: (picture) => {
      const { run } = picture;
      terminal.print(`${stamp()} ${stateLabel("running", terminal.paint)}  ${run.pipeline} ${run.id}`);
      stopLooking = every(lookMs, () => look(picture));
    },
    changed: () => undefined,
    log: (entry) => {
      if (showLogs) terminal.print(logLine(entry, terminal));
    },
    away: () => terminal.note(awayNote),
    end: (picture, run) => {
      stopLooking();
      look(picture);
      if (!run) return;
      const took =
        run.startedAt === undefined || run.endedAt === undefined
          ? ""
          : ` in ${formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt))}`;
      const why = run.reason && run.state !== "succeeded" ? `: ${run.reason.message}` : "";
      terminal.print(
        `${stamp()} ${stateLabel(run.state, terminal.paint)}  ${run.pipeline} ${run.id}${took}${why}`,
      );
    },
  };
}

function tell(node: NodePicture, picture: RunPicture, told: Map<string, Told>, terminal: Terminal): void {
  if (node.state === "pending" || node.state === "queued") return;
  const known = told.get(node.id);
  const attempts = node.taskRun?.attempts.length ?? 0;
  const now = Date.now();
  const waits = waitsOf(node);
  const isCounting = node.items !== undefined && node.state === "running" && known?.state === "running";
  if (isCounting && now - known.countsAt < countsMs) return;
  if (!isCounting && known?.state === node.state && known.attempts === attempts && known.waits === waits)
    return;
  if (!isCounting && node.items && known?.state === node.state) return;
  told.set(node.id, { state: node.state, attempts, waits, countsAt: now });
  terminal.print(`${stamp()} ${lineOf(node, terminal)}`);
  if (node.state !== "failed" || !node.taskRun) return;
  for (const entry of picture.lastLogs(node.taskRun)) {
    terminal.print(`         ${terminal.paint.dim(`│ ${harmless(firstLine(entry.text))}`)}`);
  }
}

function lineOf(node: NodePicture, { paint }: Terminal): string {
  const parts = [stateLabel(node.state, paint), node.id];
  if (node.items) {
    const { counts, ended, total } = node.items;
    const rest = (["failed", "skipped", "upstream_failed", "cancelled"] as const)
      .filter((state) => (counts.get(state) ?? 0) > 0)
      .map((state) => `${counts.get(state)} ${stateWord(state)}`);
    parts.push([`${ended}/${total}`, ...rest].join(", "));
  }
  if (isEndState(node.state) && node.startedAt !== undefined && node.endedAt !== undefined) {
    parts.push(paint.dim(formatDuration(node.endedAt - node.startedAt)));
  }
  const last = node.taskRun?.attempts.at(-1);
  if (node.items === undefined && last && last.attempt > 1) parts.push(paint.dim(`attempt ${last.attempt}`));
  if (node.state === "failed" && node.taskRun) parts.push(paint.red(failureOf(node.taskRun)));
  else if (node.state === "retrying" && last?.error)
    parts.push(firstLine(`${last.error.name}: ${last.error.message}`));
  else if (waitsOf(node) !== "") parts.push(paint.dim(waitsOf(node)));
  else if (node.taskRun?.reason && node.state !== "succeeded" && node.state !== "running") {
    parts.push(paint.dim(firstLine(node.taskRun.reason.message)));
  }
  return parts.join("  ");
}

/** Empty where it waits for nothing. A task that waits for one thing after the other may never be seen in between. */
function waitsOf({ state, taskRun }: NodePicture): string {
  return state === "waiting" && taskRun?.waits ? waitsText(taskRun.waits, new Date()) : "";
}

function stamp(): string {
  const now = new Date();
  return formatTime(now, now);
}
