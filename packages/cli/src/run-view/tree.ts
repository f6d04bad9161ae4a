/** Draws a run as a tree of nodes: for a terminal that follows it, for its end, and for `show`. */
import type { AttemptView, RunSummary, TaskRunState, TaskRunView } from "@millrace/protocol";
import { answerText } from "../approval-view/asked.ts";
import {
  cut,
  cutPainted,
  firstLine,
  formatDuration,
  harmless,
  plural,
  visibleWidth,
} from "../terminal/format.ts";
import { paintState, stateMark, stateWord } from "../terminal/marks.ts";
import type { Colors } from "../terminal/terminal.ts";
import { endedText, waitsText } from "../wait-view/wait.ts";
import type { NodePicture, RunPicture } from "@millrace/protocol/run-picture";

export interface TreeOptions {
  readonly paint: Colors;
  readonly width: number;
  readonly now: number;
  /** At most so many lines. */
  readonly linesMax: number;
}

const nameWidthMax = 48;
const barWidth = 12;

/** `flights r0k… running, 3.2 s` */
export function headLine(run: RunSummary, { paint, now }: TreeOptions): string {
  const span = spanOf(run.startedAt, run.endedAt, now);
  const again = run.generation > 1 ? paint.dim(`  generation ${run.generation}`) : "";
  const state = paintState(run.state, `${stateWord(run.state)}${span}`, paint);
  return `${stateMark(run.state, paint)} ${paint.bold(run.pipeline)} ${paint.dim(run.id)}  ${state}${again}`;
}

/** The nodes, and below each failed one what went wrong. What does not fit is folded, quiet nodes first. */
export function treeLines(picture: RunPicture, options: TreeOptions): string[] {
  const nodes = picture.nodes();
  const nameWidth = Math.min(
    nameWidthMax,
    Math.max(0, ...nodes.map((node) => visibleWidth(`${node.row?.lead ?? ""}${node.id}`))),
  );
  const blocks = nodes.map((node) => ({
    node,
    lines: [nodeLine(node, nameWidth, options), ...detailLines(picture, node, options)],
  }));
  return fold(blocks, options);
}

interface Block {
  readonly node: NodePicture;
  readonly lines: readonly string[];
}

const loudness: { readonly [state in TaskRunState]: number } = {
  failed: 5,
  running: 4,
  retrying: 4,
  cancelled: 3,
  queued: 2,
  waiting: 2,
  upstream_failed: 1,
  succeeded: 1,
  skipped: 1,
  pending: 0,
};

function fold(blocks: readonly Block[], { linesMax, paint }: TreeOptions): string[] {
  const total = blocks.reduce((sum, block) => sum + block.lines.length, 0);
  if (total <= linesMax) return blocks.flatMap(({ lines }) => lines);
  const byLoudness = [...blocks].sort((a, b) => loudness[b.node.state] - loudness[a.node.state]);
  const shown = new Set<Block>();
  let left = linesMax - 1;
  for (const block of byLoudness) {
    if (block.lines.length > left) continue;
    shown.add(block);
    left -= block.lines.length;
  }
  const hidden = new Map<TaskRunState, number>();
  for (const block of blocks) {
    if (!shown.has(block)) hidden.set(block.node.state, (hidden.get(block.node.state) ?? 0) + 1);
  }
  const told = [...hidden].map(([state, count]) => `${count} ${stateWord(state)}`).join(", ");
  return [
    ...blocks.filter((block) => shown.has(block)).flatMap(({ lines }) => lines),
    paint.dim(`  … ${told}`),
  ];
}

function nodeLine(node: NodePicture, nameWidth: number, options: TreeOptions): string {
  const { paint, now, width } = options;
  const lead = node.row?.lead ?? "";
  const name = cut(node.id, Math.max(8, nameWidth - visibleWidth(lead)));
  const blanks = " ".repeat(Math.max(0, nameWidth - visibleWidth(lead) - visibleWidth(name)));
  const quiet = node.state === "pending" || node.state === "skipped" || node.state === "upstream_failed";
  const head = `  ${paint.dim(lead)}${stateMark(node.state, paint)} ${quiet ? paint.dim(name) : name}${blanks}`;
  const time = node.startedAt === undefined ? "" : formatDuration((node.endedAt ?? now) - node.startedAt);
  const line = `${head}  ${paint.dim(time.padStart(8))}  ${summaryOf(node, options)}`;
  return cutPainted(line.trimEnd(), width);
}

function summaryOf(node: NodePicture, { paint, now }: TreeOptions): string {
  if (node.items) return itemsSummary(node, paint);
  const { taskRun } = node;
  const word = paintState(node.state, stateWord(node.state), paint);
  if (!taskRun) return paint.dim(stateWord(node.state));
  const parts = [word];
  const last = taskRun.attempts.at(-1);
  if (last && last.attempt > 1) parts.push(paint.dim(`attempt ${last.attempt}`));
  if (taskRun.state === "running" && taskRun.progress) {
    parts.push(bar(taskRun.progress.fraction, paint));
    if (taskRun.progress.message) parts.push(paint.dim(harmless(firstLine(taskRun.progress.message))));
  }
  if (taskRun.state === "retrying" && last?.error) {
    parts.push(paint.dim(harmless(firstLine(`${last.error.name}: ${last.error.message}`))));
  }
  if (taskRun.state === "waiting" && taskRun.waits)
    parts.push(paint.dim(waitsText(taskRun.waits, new Date(now))));
  else if (isTold(taskRun)) parts.push(paint.dim(harmless(firstLine(taskRun.reason?.message ?? ""))));
  if (taskRun.childRunId !== undefined) parts.push(paint.dim(`→ ${taskRun.childRunId}`));
  const answer = answerOf(node);
  if (answer !== undefined) parts.push(paint.dim(answer(now)));
  return parts.join("  ");
}

/** What a person answered, or which event ended a wait. */
function answerOf({ row, taskRun }: NodePicture): ((now: number) => string) | undefined {
  const { output } = taskRun ?? {};
  const wait = row?.node.definition.wait;
  if (!wait || taskRun?.state !== "succeeded") return undefined;
  if (!wait.approval) {
    const ended = endedText(output);
    return ended === undefined ? undefined : () => ended;
  }
  if (output === null || typeof output !== "object") return undefined;
  const answered = output as unknown as Parameters<typeof answerText>[0] & { readonly timedOut?: boolean };
  return (now) => (answered.timedOut === true ? "nobody answered" : answerText(answered, new Date(now)));
}

function isTold(taskRun: TaskRunView): boolean {
  return (
    taskRun.reason !== undefined &&
    ["queued", "waiting", "skipped", "upstream_failed", "cancelled", "pending"].includes(taskRun.state)
  );
}

function itemsSummary({ items, state }: NodePicture, paint: Colors): string {
  if (!items) return "";
  if (items.total === 0) return paint.dim(state === "pending" ? "pending" : stateWord(state));
  const count = paintState(state, `${items.ended}/${items.total}`, paint);
  const others = (
    ["failed", "retrying", "running", "queued", "upstream_failed", "skipped", "cancelled"] as const
  )
    .filter((name) => (items.counts.get(name) ?? 0) > 0)
    .map((name) => paintState(name, `${items.counts.get(name)} ${stateWord(name)}`, paint));
  const isUnderWay = items.ended < items.total && items.ended > 0;
  const parts = [...(isUnderWay ? [bar(items.ended / items.total, paint)] : []), count];
  const why = items.queuedFor === undefined ? [] : [paint.dim(harmless(firstLine(items.queuedFor)))];
  return [parts.join(" "), ...others, ...why].join("  ");
}

function bar(fraction: number, paint: Colors): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return `${paint.cyan("━".repeat(full))}${paint.dim("─".repeat(barWidth - full))} ${Math.floor(fraction * 100)}%`;
}

/** What a failed node said: its error, and the last lines of its log. */
function detailLines(picture: RunPicture, node: NodePicture, options: TreeOptions): string[] {
  const { taskRun } = node;
  const { paint, width } = options;
  if (node.state !== "failed" && (node.items?.counts.get("failed") ?? 0) === 0) return [];
  if (!taskRun || taskRun.state !== "failed") return [];
  const margin = `  ${paint.dim(node.row?.leadBelow ?? "")}    `;
  const item = taskRun.item === "" ? "" : paint.dim(`item ${taskRun.item}: `);
  const lines = [`${margin}${item}${paint.red(failureOf(taskRun))}`];
  for (const entry of picture.lastLogs(taskRun)) {
    lines.push(`${margin}${paint.dim(`│ ${harmless(firstLine(entry.text))}`)}`);
  }
  return lines.map((line) => cutPainted(line, width));
}

/** One line about why a task run failed. */
export function failureOf(taskRun: TaskRunView): string {
  const attempt: AttemptView | undefined = taskRun.attempts.findLast(({ error }) => error !== undefined);
  const tries = taskRun.attempts.at(-1)?.attempt ?? 0;
  const after = tries > 1 ? ` (after ${plural(tries, "attempt")})` : "";
  if (attempt?.error) {
    const { name, message, code } = attempt.error;
    return `${harmless(firstLine(`${code ?? name}: ${message}`))}${after}`;
  }
  return taskRun.reason ? harmless(firstLine(taskRun.reason.message)) : "failed";
}

function spanOf(startedAt: string | undefined, endedAt: string | undefined, now: number): string {
  if (startedAt === undefined) return "";
  const end = endedAt === undefined ? now : Date.parse(endedAt);
  return endedAt === undefined
    ? `, ${formatDuration(end - Date.parse(startedAt))}`
    : ` in ${formatDuration(end - Date.parse(startedAt))}`;
}
