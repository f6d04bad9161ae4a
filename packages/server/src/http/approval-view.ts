/** Approvals as people see them: open ones are rows, those that are over stand in the log. */
import {
  answerEventId,
  approvalId,
  MillraceError,
  ownSource,
  parseEventTime,
  requestEventId,
  runOfApproval,
  type AskedApproval,
  type Json,
  type JsonSchema,
  type LogEvent,
} from "@millrace/core";
import type { ApprovalAnswerView, ApprovalView } from "@millrace/protocol";
import { findEventPositions, findWaitsOfRun, type FoundWait } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isoTime } from "./run-summary.ts";

export function openApproval(wait: FoundWait): ApprovalView {
  return {
    id: approvalId(wait),
    run: wait.runId,
    pipeline: wait.pipeline,
    node: wait.node,
    item: wait.item,
    ...askedOf(wait.approval as unknown as AskedApproval),
    since: isoTime(wait.beganAt),
    ...(wait.timeoutAt === undefined ? {} : { timeoutAt: isoTime(wait.timeoutAt) }),
    state: "open",
  };
}

function askedOf({
  title,
  by,
  form,
  details,
}: AskedApproval): Pick<ApprovalView, "title" | "by" | "form" | "details"> {
  return {
    ...(title === null ? {} : { title }),
    ...(details === null ? {} : { details }),
    ...(by === null ? {} : { by }),
    ...(form === null ? {} : { form: form as JsonSchema }),
  };
}

/** The wait that an id names, while it is open. */
export async function findOpenWait(context: ApiContext, id: string): Promise<FoundWait | undefined> {
  const run = runOfApproval(id);
  if (run === "") return undefined;
  const waits = await findWaitsOfRun(context.database, workspaceId, run);
  return waits.find(
    (wait) => wait.approval !== undefined && wait.end === undefined && approvalId(wait) === id,
  );
}

/** Throws MILLRACE_APPROVAL_UNKNOWN. */
export async function findApproval(context: ApiContext, id: string): Promise<ApprovalView> {
  const [wait, answered] = await Promise.all([findOpenWait(context, id), findAnswer(context, id)]);
  if (wait) {
    const answer = answered && answerView(answered);
    return answer ? { ...openApproval(wait), state: "answered", answer } : openApproval(wait);
  }
  const requested = await findOwnEvent(context, requestEventId(id));
  if (!requested) throw unknownApproval(id);
  return pastApproval(id, requested, answered);
}

interface Requested extends AskedApproval {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly timeoutAt: string | null;
}

function pastApproval(id: string, requested: LogEvent, answered: LogEvent | undefined): ApprovalView {
  const { run, pipeline, node, item, timeoutAt, ...asked } = requested.data.value as unknown as Requested;
  const until = timeoutAt === null ? undefined : parseEventTime(timeoutAt);
  const answer = answered && isInTime(answered, until) ? answerView(answered) : undefined;
  return {
    id,
    run,
    pipeline,
    node,
    item,
    ...askedOf(asked),
    since: isoTime(requested.recordedAt),
    ...(until === undefined ? {} : { timeoutAt: isoTime(until) }),
    state: answer ? "answered" : "closed",
    ...(answer ? { answer } : {}),
  };
}

/** What an answer in the log answers; nothing where the question is no longer in the log, or the answer came too late. */
export async function answeredApproval(
  context: ApiContext,
  answered: LogEvent,
): Promise<ApprovalView | undefined> {
  const id = answered.subject ?? "";
  const [requested, value] = await Promise.all([
    findOwnEvent(context, requestEventId(id)),
    context.host.engine.values.loaded(answered.data),
  ]);
  if (!requested) return undefined;
  const view = pastApproval(id, requested, { ...answered, data: value });
  return view.state === "answered" ? view : undefined;
}

/** As the wait judges it: an answer at the very instant counts. */
export function isInTime({ recordedAt }: LogEvent, timeoutAt: number | undefined): boolean {
  return timeoutAt === undefined || recordedAt <= timeoutAt;
}

export function answerView(answered: LogEvent): ApprovalAnswerView {
  const { approved, by, note, form } = answered.data.value as { readonly [name: string]: Json };
  return {
    approved: approved === true,
    by: typeof by === "string" ? by : "somebody",
    at: isoTime(answered.recordedAt),
    ...(typeof note === "string" ? { note } : {}),
    ...(form === null || form === undefined ? {} : { form }),
  };
}

export function findAnswer(context: ApiContext, id: string): Promise<LogEvent | undefined> {
  return findOwnEvent(context, answerEventId(id));
}

async function findOwnEvent(context: ApiContext, id: string): Promise<LogEvent | undefined> {
  const [position] = await findEventPositions(context.database, workspaceId, { id, source: ownSource });
  if (position === undefined) return undefined;
  const { events, values } = context.host.engine;
  const event = (await events.read(position - 1, 1)).events[0];
  return event && { ...event, data: await values.loaded(event.data) };
}

export function unknownApproval(id: string): MillraceError {
  return new MillraceError("MILLRACE_APPROVAL_UNKNOWN", {
    message: `There is no approval ${JSON.stringify(id.slice(0, 300))}.`,
  });
}
