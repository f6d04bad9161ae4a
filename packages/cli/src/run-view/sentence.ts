/** A run's state in one sentence: what, since when, why. */
import { unreachable } from "@millrace/core";
import type { RunSummary, TaskRunView } from "@millrace/protocol";
import { firstLine, formatDuration, formatTime, harmless, plural } from "../terminal/format.ts";
import { failureOf } from "./tree.ts";

export function stateSentence(run: RunSummary, nodes: readonly TaskRunView[], now: number): string {
  const today = new Date(now);
  const at = (time: string | undefined): string =>
    time === undefined ? "" : formatTime(new Date(time), today);
  const took =
    run.startedAt === undefined || run.endedAt === undefined
      ? ""
      : ` after ${formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt))}`;
  const why =
    run.reason === undefined ? "" : `: ${harmless(firstLine(run.reason.message)).replace(/\.$/, "")}`;
  switch (run.state) {
    case "queued":
      return `Queued since ${at(run.createdAt)}${why}.`;
    case "running":
      return `Running since ${at(run.startedAt)}: ${progressOf(nodes)}.`;
    case "waiting":
      return `Waiting${why === "" ? `: ${progressOf(nodes)}` : why}.`;
    case "succeeded":
      return `Succeeded at ${at(run.endedAt)}${took}.`;
    case "failed":
      return `Failed at ${at(run.endedAt)}${took}${failedOf(nodes, why)}.`;
    case "cancelled":
      return `Cancelled at ${at(run.endedAt)}${took}${why}.`;
    case "superseded":
      return `Superseded at ${at(run.endedAt)}${why}.`;
    case "quarantined":
      return `Set aside at ${at(run.endedAt)}${why}. Mend the cause, then rerun it.`;
    default:
      return unreachable(run.state);
  }
}

function progressOf(nodes: readonly TaskRunView[]): string {
  const count = (state: string): number => nodes.filter((node) => node.state === state).length;
  const ended = nodes.filter(
    ({ state }) => !["pending", "queued", "running", "waiting", "retrying"].includes(state),
  );
  const now = (["running", "retrying", "waiting", "queued"] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  return [`${ended.length} of ${plural(nodes.length, "task run")} ended`, ...now].join(", ");
}

function failedOf(nodes: readonly TaskRunView[], why: string): string {
  const failed = nodes.filter(({ state }) => state === "failed");
  const [first] = failed;
  if (!first) return why;
  const item = first.item === "" ? "" : `[${first.item}]`;
  const others = failed.length > 1 ? ` (and ${plural(failed.length - 1, "other")})` : "";
  return `, in ${first.id}${item}${others}: ${failureOf(first).replace(/\.$/, "")}`;
}
