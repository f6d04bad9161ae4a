/** What a task run waits for, and what ended it, as lines. */
import type { Json } from "@millrace/core";
import type { EndedWaitView, OpenWaitView, StepView, TaskRunView } from "@millrace/protocol";
import { cut, firstLine, formatTime, harmless, plural } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { stateLines } from "../trigger-view/explanation.ts";

const textMax = 160;
const valueMax = 120;

/** `for an event order.paid, until 14:02:11`, of the first of them, and why they may wait in vain. */
export function waitsText(waits: readonly OpenWaitView[], now: Date): string {
  const [first] = waits;
  if (!first) return "";
  const more = waits.length > 1 ? `, and for ${waits.length - 1} more` : "";
  const trouble = waits.find((wait) => wait.trouble)?.trouble;
  const why = trouble ? `. ${harmless(firstLine(trouble.message))}` : "";
  return `for ${waitText(first, now)}${more}${why}`;
}

export function waitText({ kind, text, timeoutAt, childRunId }: OpenWaitView, now: Date): string {
  const time = timeoutAt === undefined ? undefined : formatTime(new Date(timeoutAt), now);
  if (kind === "time") return time ?? text;
  const run = childRunId === undefined ? "" : ` ${childRunId}`;
  return `${harmless(cut(firstLine(text), textMax))}${run}${time === undefined ? "" : `, until ${time}`}`;
}

/** What each waits for in full: the waits of task code, what a condition has gathered, how people answer. */
export function openWaitLines(taskRuns: readonly TaskRunView[], paint: Colors, now: Date): string[] {
  const lines: string[] = [];
  for (const taskRun of taskRuns) {
    const waits = (taskRun.waits ?? []).filter(
      ({ name, state, approval }) => name !== undefined || state !== undefined || approval !== undefined,
    );
    if (waits.length === 0) continue;
    const item = taskRun.item === "" ? "" : `[${taskRun.item}]`;
    lines.push("", `${paint.bold(`${taskRun.id}${item}`)} waits`);
    for (const wait of waits) {
      const since = wait.since === undefined ? "" : `  since ${formatTime(new Date(wait.since), now)}`;
      lines.push(`  ${nameOf(wait, paint)}${waitText(wait, now)}${paint.dim(since)}`);
      if (wait.trouble) lines.push(`      ${paint.yellow(harmless(wait.trouble.message))}`);
      if (wait.approval !== undefined)
        lines.push(paint.dim(`      millrace approve ${shellWord(harmless(wait.approval))}`));
      if (wait.state) for (const line of stateLines(wait.state, { paint, now })) lines.push(`      ${line}`);
    }
  }
  return lines;
}

function nameOf({ name, occurrence = 1 }: OpenWaitView, paint: Colors): string {
  if (name === undefined) return "";
  return `${paint.bold(harmless(name))}${occurrence > 1 ? paint.dim(` #${occurrence}`) : ""}  `;
}

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What ended a wait for events: `by event 12 order.paid`. */
export function endedText(output: Json | undefined): string | undefined {
  if (output === null || typeof output !== "object" || Array.isArray(output)) return undefined;
  const { timedOut, members } = output as { readonly timedOut?: Json; readonly members?: Json };
  if (timedOut === true) return "nothing came in time";
  if (members === null || typeof members !== "object" || members === undefined) return undefined;
  const events = Object.values(members as { readonly [operand: string]: Json }).flatMap((list) =>
    (Array.isArray(list) ? list : []).flatMap((member) => {
      const { position, type } = (member ?? {}) as { readonly position?: Json; readonly type?: Json };
      return typeof position === "number" ? [{ position, type: typeof type === "string" ? type : "" }] : [];
    }),
  );
  const last = events.at(-1);
  if (!last) return undefined;
  const more = events.length > 1 ? ` and ${events.length - 1} before` : "";
  return harmless(`by event ${last.position} ${last.type}${more}`);
}

/** What functions have recorded, below the name of each task run. */
export function stepLines(steps: readonly StepView[], paint: Colors, now: Date): string[] {
  const lines: string[] = [];
  let place = "";
  for (const step of steps) {
    const item = step.item === "" ? "" : `[${step.item}]`;
    const generation = step.generation > 1 ? `, generation ${step.generation}` : "";
    const own = `${step.node}${item}`;
    if (`${own}${generation}` !== place) {
      place = `${own}${generation}`;
      lines.push("", `${paint.bold(own)} has recorded${generation}`);
    }
    const occurrence = step.occurrence > 1 ? paint.dim(` #${step.occurrence}`) : "";
    const mark = step.outcome === "error" ? paint.red("✕") : step.kind === "wait" ? "◌" : paint.green("●");
    const when = paint.dim(formatTime(new Date(step.at), now));
    lines.push(
      `  ${mark} ${paint.bold(harmless(step.name))}${occurrence}  ${when}  ${outcomeText(step, paint)}`.trimEnd(),
    );
  }
  return lines;
}

function outcomeText({ outcome, value, valueBlob, error }: StepView, paint: Colors): string {
  if (outcome === "timeout") return "its time was over";
  if (outcome === "error")
    return paint.red(harmless(firstLine(`${error?.code ?? error?.name ?? ""}: ${error?.message ?? ""}`)));
  if (valueBlob) return paint.dim(`${valueBlob.bytes} bytes`);
  if (value === null || value === undefined) return "";
  return paint.dim(endedText(value) ?? harmless(cut(JSON.stringify(value), valueMax)));
}

const endedShown = 20;

/** The waits that an event was one of those to end. */
export function endedWaitLines(waits: readonly EndedWaitView[], paint: Colors): string[] {
  const lines = waits.slice(0, endedShown).map(({ run, pipeline, node, item, name, occurrence = 1 }) => {
    const place = `node ${node}${item === "" ? "" : `[${item}]`}`;
    const wait = name === undefined ? "" : `, wait ${name}${occurrence > 1 ? ` #${occurrence}` : ""}`;
    return `  ${paint.dim("ended a wait of")} ${paint.bold(harmless(pipeline ?? "a pipeline"))}  run ${run}, ${harmless(place + wait)}`;
  });
  const more = waits.length - endedShown;
  return more > 0 ? [...lines, paint.dim(`  … and ${plural(more, "more wait")}`)] : lines;
}
