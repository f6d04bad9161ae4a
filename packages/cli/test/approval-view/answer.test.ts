import { createColors } from "picocolors";
import { expect, test } from "vitest";
import type { ApprovalView } from "@millrace/protocol";
import { answeredLine } from "../../src/approval-view/answer.ts";

test("what a task calls its approval steers no terminal, neither by its title nor in its id", () => {
  const title = "Go \u001b[31mred\u0007\u009b0m?";
  const answered = {
    id: `r1/ask:1:1:approval ${title}`,
    node: "ask",
    title,
    answer: {
      approved: true,
      by: "ann\u001b[2J",
      at: "2026-03-01T12:00:00Z",
      note: "\u001b]0;x\u0007",
      form: null,
    },
  } as unknown as ApprovalView & Required<Pick<ApprovalView, "answer">>;
  const line = answeredLine(answered, createColors(false), new Date("2026-03-01T12:00:00Z"));
  expect(line).toMatch(/^Go red/);
  expect(line).toContain("approved by ann");
  expect(line).not.toMatch(/\p{Cc}/u);
});
