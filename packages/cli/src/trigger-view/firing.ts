/** Firings and their members, as lines. */
import { unreachable } from "@millrace/core";
import type { FiringMemberView, FiringView, SimulatedFiring } from "@millrace/protocol";
import { formatTime, harmless, plural } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";

const membersShown = 20;

/** The members of a firing, by operand. */
export function memberLines(
  { members, memberCount }: Pick<SimulatedFiring, "members" | "memberCount">,
  paint: Colors,
  now: Date,
): string[] {
  const lines = members.slice(0, membersShown).map((member) => memberLine(member, paint, now));
  const more = memberCount - lines.length;
  return more > 0 ? [...lines, paint.dim(`… and ${more} more`)] : lines;
}

export function memberLine(member: FiringMemberView, paint: Colors, now: Date): string {
  const { operand, position, event, recordedAt, from, at } = member;
  if (position === undefined) {
    const span = [from, at].map((time) => (time === undefined ? "" : formatTime(new Date(time), now)));
    return `${paint.bold(operand)}  ${span.join(" to ")}`;
  }
  const about = event ? [event.type, event.subject ?? "", event.source, event.id] : ["no longer in the log"];
  const when = recordedAt === undefined ? "" : formatTime(new Date(recordedAt), now);
  const parts = [
    paint.bold(operand),
    `event ${position}`,
    paint.dim(when),
    paint.dim(harmless(about.filter(Boolean).join(" "))),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

/** `run r0…`, or what became of it instead. */
export function firingOutcome(firing: FiringView, paint: Colors): string {
  const { state, runId, mergedInto, reason } = firing;
  switch (state) {
    case "started":
      return `run ${runId}`;
    case "waiting":
      return paint.cyan(`waits for a slot, as run ${runId}`);
    case "merged":
      return paint.dim(`merged into run ${mergedInto}`);
    case "superseded": {
      const by = reason?.fields?.["run"];
      return paint.dim(`superseded by run ${typeof by === "string" ? by : ""}`);
    }
    case "refused":
      return paint.red(`no run: ${reason?.message ?? ""}`);
    default:
      return unreachable(state);
  }
}

const outcomeWords = {
  starts: "starts",
  waits: "waits for a slot",
  merged: "is merged into one that waits",
  superseded: "is superseded by a later one",
} as const;

/** A firing that a simulation or a preview made. */
export function simulatedLines(firing: SimulatedFiring, paint: Colors, now: Date): string[] {
  const { key, interval, revision, partition, incomplete } = firing;
  const parts = [
    formatTime(new Date(firing.at), now),
    key === undefined ? "" : paint.bold(key),
    partition === undefined ? "" : paint.bold(harmless(partition)),
    revision > 1 ? `revision ${revision}` : "",
    incomplete ? "incomplete" : "",
    interval
      ? `for ${formatTime(new Date(interval.from), now)} to ${formatTime(new Date(interval.to), now)}`
      : "",
    paint.dim(plural(firing.memberCount, "member")),
    firing.outcome === undefined ? "" : paint.cyan(outcomeWords[firing.outcome]),
  ];
  return [
    `  ${parts.filter((part) => part !== "").join("  ")}`,
    ...memberLines(firing, paint, now).map((line) => `      ${line}`),
  ];
}
