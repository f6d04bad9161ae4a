/** Firings and their members, as lines. */
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

/** `run r0…` or why there is none. */
export function firingOutcome({ runId, reason }: FiringView, paint: Colors): string {
  return runId === undefined ? paint.red(`no run: ${reason?.message ?? ""}`) : `run ${runId}`;
}

/** A firing that a simulation or a preview made. */
export function simulatedLines(firing: SimulatedFiring, paint: Colors, now: Date): string[] {
  const { key, interval, revision, partition, incomplete } = firing;
  const parts = [
    formatTime(new Date(firing.at), now),
    key === undefined ? "" : paint.bold(key),
    partition === undefined ? "" : paint.bold(harmless(partition)),
    revision > 1 ? `revision ${revision}` : "",
    incomplete ? "incomplete" : "",
    interval ? `for ${interval.from} to ${interval.to}` : "",
    paint.dim(plural(firing.memberCount, "member")),
  ];
  return [
    `  ${parts.filter((part) => part !== "").join("  ")}`,
    ...memberLines(firing, paint, now).map((line) => `      ${line}`),
  ];
}
