/** What a person is asked, and what was answered, as lines. */
import type { ApprovalView } from "@millrace/protocol";
import { cut, formatAgo, formatTime, harmless } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";

const detailsMax = 400;

export function askedLines(approval: ApprovalView, paint: Colors, now: Date): string[] {
  const { id, title, pipeline, node, item, details, by, form, since, timeoutAt } = approval;
  const until = timeoutAt === undefined ? "" : `, until ${formatTime(new Date(timeoutAt), now)}`;
  const place = `${pipeline} ${node}${item === "" ? "" : `[${item}]`}`;
  const lines = [
    `${paint.bold(harmless(title ?? `${node}?`))}  ${harmless(id)}`,
    paint.dim(`  ${place}, asked ${formatAgo(new Date(since), now)}${until}`),
  ];
  if (details !== undefined)
    lines.push(`  ${paint.dim("details")} ${harmless(cut(JSON.stringify(details), detailsMax))}`);
  if (by) lines.push(`  ${paint.dim("may answer")} ${harmless(by.join(", "))}`);
  const fields = Object.keys(
    (typeof form === "object" ? (form["properties"] as object | undefined) : undefined) ?? {},
  );
  if (fields.length > 0) lines.push(`  ${paint.dim("form")} ${harmless(fields.join(", "))}`);
  return lines;
}

/** `approved by ann at 14:02:11: all good {"copies":3}` */
export function answerText(
  answer: {
    readonly approved: boolean;
    readonly by?: string | null;
    readonly at?: string | null;
    readonly note?: string | null;
    readonly form?: unknown;
  },
  now: Date,
): string {
  const { approved, by, at, note, form } = answer;
  const parts = [
    `${approved ? "approved" : "rejected"} by ${by ?? "somebody"}`,
    ...(at ? [`at ${formatTime(new Date(at), now)}`] : []),
  ].join(" ");
  const entered = form === null || form === undefined ? "" : ` ${cut(JSON.stringify(form), detailsMax)}`;
  return harmless(`${parts}${note ? `: ${note}` : ""}${entered}`);
}
