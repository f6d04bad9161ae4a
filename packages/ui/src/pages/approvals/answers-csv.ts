import type { ApprovalView } from "@millrace/protocol";
import { csvOf } from "../assets/csv.ts";

/** Who answered what, as far as it was read. */
export function answersCsv(approvals: readonly ApprovalView[]): string {
  return csvOf(
    [
      "approval",
      "question",
      "pipeline",
      "run",
      "node",
      "item",
      "asked",
      "answer",
      "by",
      "answered",
      "note",
      "form",
    ],
    approvals.map(({ id, title, pipeline, run, node, item, since, answer }) => [
      id,
      title,
      pipeline,
      run,
      node,
      item,
      since,
      answer && (answer.approved ? "approved" : "rejected"),
      answer?.by,
      answer?.at,
      answer?.note,
      answer?.form === undefined ? undefined : JSON.stringify(answer.form),
    ]),
  );
}
