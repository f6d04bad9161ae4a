/**
 * `POST /approvals/:id`: a person's answer.
 *
 * P1: an answer is one event, whose id is made of the approval's: the log takes the first, and who comes later is told of it.
 * P2: what is answered to the person is what the run will see: an answer that the log took after the timeout is refused.
 */
import {
  approvalAnswer,
  canonicalJson,
  refuseForm,
  requireApprover,
  MillraceError,
  type AskedApproval,
  type EventDraft,
  type Json,
  type JsonSchema,
  type LogEvent,
} from "@millrace/core";
import type { AnswerRequest, ApprovalView } from "@millrace/protocol";
import type { FoundWait } from "@millrace/store";
import type { FastifyReply } from "fastify";
import type { ApiContext } from "./api-context.ts";
import {
  answerView,
  findAnswer,
  findApproval,
  findOpenWait,
  isInTime,
  openApproval,
} from "./approval-view.ts";
import { answerCharactersMax, answerNameMax, answerPollMs, answerSettleMs } from "./limits.ts";

/** Who answers where nobody says: the one local user. */
const localUser = "local";

export async function answerApproval(
  context: ApiContext,
  id: string,
  request: AnswerRequest,
  reply: FastifyReply,
): Promise<ApprovalView> {
  const wait = await findOpenWait(context, id);
  if (!wait) throw await refusalOf(context, id);
  const by = nameOf(request.by);
  requireApprover((wait.approval as unknown as AskedApproval).by, by);
  const draft = draftOf(context, { wait, by, request, form: formOf(context, wait, request) });
  const row = await context.host.engine.events.prepare(draft);
  const [outcome] = await context.host.run(({ events }) => events.append([row]));
  const kind = outcome!.kind;
  const found = kind === "accepted" ? await settled(context, id) : await findAnswer(context, id);
  if (!found) {
    reply.code(202);
    return openApproval(wait);
  }
  const isOurs = kind === "recorded" || (kind === "accepted" && isSame(found, draft));
  if (!isOurs) throw answeredBefore(id, found);
  if (!isInTime(found, wait.timeoutAt)) throw closed(id, "its time was over just before the answer");
  return { ...openApproval(wait), state: "answered", answer: answerView(found) };
}

/** Why nobody can answer it. */
async function refusalOf(context: ApiContext, id: string): Promise<MillraceError> {
  const { state, timeoutAt } = await findApproval(context, id);
  const answered = state === "answered" ? await findAnswer(context, id) : undefined;
  if (answered) return answeredBefore(id, answered);
  const isOver = timeoutAt !== undefined && Date.parse(timeoutAt) <= context.host.engine.now();
  return closed(id, isOver ? `its time was over at ${timeoutAt}` : "its node or its run ended");
}

function nameOf(given: string | undefined): string {
  const by = given?.trim() ?? localUser;
  if (by !== "" && by.length <= answerNameMax) return by;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `"by" must be a name of 1 to ${answerNameMax} characters.`,
    fields: { path: "/by" },
  });
}

/** What was entered, with defaults. A rejection needs no form. */
function formOf(context: ApiContext, wait: FoundWait, { approved, form }: AnswerRequest): Json {
  const { form: schema } = wait.approval as unknown as AskedApproval;
  if (!approved) return form ?? null;
  if (schema !== null) return context.params.checkForm(schema as JsonSchema, form ?? {});
  return refuseForm(form);
}

interface Answer {
  readonly wait: FoundWait;
  readonly by: string;
  readonly request: AnswerRequest;
  readonly form: Json;
}

function draftOf(context: ApiContext, { wait, by, request, form }: Answer): EventDraft {
  const { approved, note = null } = request;
  const draft = approvalAnswer(wait, wait.pipeline, { approved, by, note, form });
  const { length } = JSON.stringify(draft.data.value);
  if (length > answerCharactersMax) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The answer has ${length} characters as JSON; one may have ${answerCharactersMax}.`,
      advice: "Put large things into storage, and their address into the form.",
    });
  }
  // Its time tells this answer from another one of the same content.
  return { ...draft, time: Math.floor(context.host.engine.now()) };
}

/** Another server records it: whose answer was first is seen when one is in the log. */
async function settled(context: ApiContext, id: string): Promise<LogEvent | undefined> {
  const { clock } = context;
  const until = clock.monotonic() + answerSettleMs;
  for (;;) {
    const found = await findAnswer(context, id);
    if (found || clock.monotonic() >= until) return found;
    await new Promise<void>((resolve) => {
      clock.after(answerPollMs, resolve);
    });
  }
}

/** Two people may answer in the same millisecond. */
function isSame(found: LogEvent, draft: EventDraft): boolean {
  const { value = null } = found.data;
  return found.time === draft.time && canonicalJson(value) === canonicalJson(draft.data.value ?? null);
}

function answeredBefore(id: string, found: LogEvent): MillraceError {
  const { approved, by, at } = answerView(found);
  return new MillraceError("MILLRACE_APPROVAL_ANSWERED", {
    message: `${by} ${approved ? "approved" : "rejected"} ${id} at ${at}.`,
    fields: { approval: id, approved, by, at },
  });
}

function closed(id: string, why: string): MillraceError {
  return new MillraceError("MILLRACE_APPROVAL_CLOSED", {
    message: `Nobody is asked for ${id} any more: ${why}.`,
    fields: { approval: id },
  });
}
