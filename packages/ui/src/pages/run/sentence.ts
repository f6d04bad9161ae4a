/** A run's and a node's state in one sentence: what, since when, why. */
import { unreachable } from "@millrace/core";
import type { OpenWaitView, RunSummary, TaskRunView } from "@millrace/protocol";
import type { RunPicture } from "@millrace/protocol/run-picture";
import { clockText, durationText } from "../../parts/time-text.ts";

export function runSentence(run: RunSummary, picture: RunPicture, now: number): string {
  const why = run.reason === undefined ? "" : `: ${firstLine(run.reason.message)}`;
  const ended = run.endedAt === undefined ? "" : clockText(Date.parse(run.endedAt), now);
  const took =
    run.startedAt === undefined || run.endedAt === undefined
      ? ""
      : ` after ${durationText(Date.parse(run.endedAt) - Date.parse(run.startedAt))}`;
  switch (run.state) {
    case "queued":
      return `Queued since ${clockText(Date.parse(run.createdAt), now)}${why}.`;
    case "running":
      return `Running${run.startedAt === undefined ? "" : ` since ${clockText(Date.parse(run.startedAt), now)}`}: ${progressText(picture)}.`;
    case "waiting":
      return `Waiting ${firstWait(picture, now) ?? why}.`;
    case "succeeded":
      return `Succeeded at ${ended}${took}.`;
    case "failed":
      return `Failed at ${ended}${took}${failedText(picture, why)}.`;
    case "cancelled":
      return `Cancelled at ${ended}${took}${why}.`;
    case "superseded":
      return `Superseded at ${ended}${why}.`;
    case "quarantined":
      return `Set aside at ${ended}${why}. Mend the cause, then rerun it.`;
    default:
      return unreachable(run.state);
  }
}

function progressText(picture: RunPicture): string {
  const nodes = picture.nodes();
  const ended = nodes.filter(({ endedAt, state }) => endedAt !== undefined || state === "skipped").length;
  const now = (["running", "retrying", "waiting", "queued"] as const).flatMap((state) => {
    const names = nodes.filter((node) => node.state === state).map(({ id }) => id);
    if (names.length === 0) return [];
    return [names.length > 2 ? `${names.length} ${state}` : `${names.join(" and ")} ${state}`];
  });
  return [`${ended} of ${nodes.length} nodes ended`, ...now].join(", ");
}

function firstWait(picture: RunPicture, now: number): string | undefined {
  for (const { taskRun } of picture.nodes())
    if (taskRun?.state === "waiting" && taskRun.waits?.[0]) return waitText(taskRun.waits[0], now);
  return undefined;
}

/** `for an event order.paid where …, until 14:02:11`. */
export function waitText({ kind, text, timeoutAt }: OpenWaitView, now: number): string {
  const until = timeoutAt === undefined ? undefined : clockText(Date.parse(timeoutAt), now);
  if (kind === "time") return `until ${until ?? text}`;
  return `for ${firstLine(text)}${until === undefined ? "" : `, until ${until}`}`;
}

function failedText(picture: RunPicture, why: string): string {
  const failed = picture.nodes().filter(({ state }) => state === "failed");
  const [first] = failed;
  if (!first?.taskRun) return why;
  const others = failed.length > 1 ? ` (and ${failed.length - 1} other${failed.length > 2 ? "s" : ""})` : "";
  return `, in ${nodeName(first.taskRun)}${others}: ${failureText(first.taskRun)}`;
}

export function nodeName({ id, item }: { readonly id: string; readonly item: string }): string {
  return item === "" ? id : `${id}[${item}]`;
}

/** The error of the last attempt, or the reason where none was made. */
export function failureText({ attempts, reason }: TaskRunView): string {
  const error = attempts.at(-1)?.error;
  if (error) return firstLine(`${error.name}: ${error.message}`);
  return reason === undefined ? "no reason is known" : firstLine(reason.message);
}

export function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").replace(/\.$/, "");
}
