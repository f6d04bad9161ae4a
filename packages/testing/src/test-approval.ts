/** Approvals that a testbed's tasks wait for. */
import { approvalAnswer, approvalId, MillraceError, type EventDraft, type Json } from "@millrace/core";
import { compileSchema, findIssues } from "@millrace/protocol/params-check";
import type { BedWait } from "./wait-desk.ts";

/** What a task waits for by `ctx.approve`. */
export interface TestApproval {
  /** Its name: the subject of its entries in the log. */
  readonly id: string;
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly title: string | undefined;
  /** Who may answer; absent: anybody. */
  readonly by: readonly string[] | undefined;
  readonly askedAt: Date;
}

export interface TestAnswer {
  /** True unless given. */
  readonly approved?: boolean;
  /** Who answers: the first of those who may, or `tester`, unless given. */
  readonly by?: string;
  /** What is entered. */
  readonly form?: Json;
}

export function approvalOf({ entry, taskRun, wait, beganAt }: BedWait): TestApproval | undefined {
  if (wait?.op.kind !== "approval") return undefined;
  return {
    id: approvalId(entry.run.id, taskRun, wait),
    run: entry.run.id,
    pipeline: entry.pipeline.definition.name,
    node: taskRun.node.definition.id,
    item: taskRun.item,
    title: wait.op.title,
    by: wait.op.by,
    askedAt: new Date(beganAt),
  };
}

/** The entry of the log that answers. Throws MILLRACE_FORM_INVALID. */
export function answerTo(approval: TestApproval, wait: BedWait, answer: TestAnswer): EventDraft {
  const { approved = true, form = {} } = answer;
  const by = answer.by ?? approval.by?.[0] ?? "tester";
  const schema = wait.wait?.op.kind === "approval" ? wait.wait.op.form : undefined;
  const entered = JSON.parse(JSON.stringify(form)) as Json;
  const issues = approved && schema !== undefined ? findIssues(compileSchema(schema), entered) : [];
  if (issues.length > 0) {
    throw new MillraceError("MILLRACE_FORM_INVALID", {
      message: issues.map(({ path, message }) => `${path} ${message}`).join("; "),
      fields: { approval: approval.id, issues },
    });
  }
  return approvalAnswer(approval.id, { approved, by, form: entered });
}
