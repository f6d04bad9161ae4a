/** Approvals that a testbed's runs wait for. */
import {
  approvalAnswer,
  approvalId,
  approvalPlace,
  MillraceError,
  nodeWait,
  refuseForm,
  requireApprover,
  type ApprovalPlace,
  type EventDraft,
  type Json,
  type JsonSchema,
} from "@millrace/core";
import { compileSchema, findIssues, tellIssues } from "@millrace/protocol/params-check";
import type { BedWait } from "./wait-desk.ts";

/** What a node waits for (`approve`), or a task (`ctx.approve`). */
export interface TestApproval {
  /** Its name: the subject of its entries in the log. */
  readonly id: string;
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly title: string | undefined;
  /** What the person is shown by a node; null without it. */
  readonly details: Json;
  /** Who may answer; absent: anybody. */
  readonly by: readonly string[] | undefined;
  readonly askedAt: Date;
}

export interface TestAnswer {
  /** True unless given. */
  readonly approved?: boolean;
  /** Who answers: the first of those who may, or `tester`, unless given. */
  readonly by?: string;
  readonly note?: string;
  /** What is entered. */
  readonly form?: Json;
}

export function approvalOf({ entry, taskRun, wait, asked, beganAt }: BedWait): TestApproval | undefined {
  if (!asked) return undefined;
  const place = approvalPlace(entry.run.id, taskRun, wait ?? nodeWait);
  return {
    id: approvalId(place),
    run: entry.run.id,
    pipeline: entry.pipeline.definition.name,
    node: place.node,
    item: place.item,
    title: asked.title ?? undefined,
    details: asked.details,
    by: asked.by ?? undefined,
    askedAt: new Date(beganAt),
  };
}

/** Throws MILLRACE_APPROVAL_UNKNOWN where it is none, MILLRACE_RUN_STATE_CONFLICT when nobody waits for it any more. */
export function requireAsked(open: Iterable<BedWait>, approval: TestApproval | undefined): BedWait {
  if (typeof approval?.id !== "string") {
    throw new MillraceError("MILLRACE_APPROVAL_UNKNOWN", {
      message: "What is to be answered is no approval: maybe `t.approvals` is empty.",
      advice: "Give one of `t.approvals`; `t.unfinished` says what runs wait for.",
    });
  }
  const { id } = approval;
  for (const wait of open) if (approvalOf(wait)?.id === id) return wait;
  throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
    message: `Nobody waits for the approval ${id} any more.`,
    advice: "Look at `t.approvals`.",
    fields: { approval: id },
  });
}

/** The entry of the log that answers. Throws MILLRACE_FORM_INVALID, MILLRACE_APPROVAL_FORBIDDEN. */
export function answerTo(approval: TestApproval, open: BedWait, answer: TestAnswer): EventDraft {
  const { approved = true, note = null } = answer;
  const by = answer.by ?? approval.by?.[0] ?? "tester";
  requireApprover(approval.by, by);
  const schema = open.asked?.form ?? null;
  const given =
    approved && schema === null ? refuseForm(answer.form) : (answer.form ?? (approved ? {} : null));
  const form = JSON.parse(JSON.stringify(given)) as Json;
  const issues = approved && schema !== null ? findIssues(compileSchema(schema as JsonSchema), form) : [];
  if (issues.length > 0) {
    throw new MillraceError("MILLRACE_FORM_INVALID", {
      message: tellIssues(issues, "the form"),
      fields: { approval: approval.id, issues },
    });
  }
  const place: ApprovalPlace = approvalPlace(open.entry.run.id, open.taskRun, open.wait ?? nodeWait);
  return approvalAnswer(place, approval.pipeline, { approved, by, note, form });
}
