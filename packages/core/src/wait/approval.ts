/** Approvals in the log: a run asks, a person answers. What is asked, and how the answer is read. */
import { fnv1a64 } from "../condition/where/key-hash.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { liveLane, type EventDraft } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import { formatEventTime } from "../event/time.ts";
import type { Json } from "../json.ts";
import { approvalDetailsMax, approvalFormTextMax, approvalIdMax } from "../limits.ts";
import type { TaskRun } from "../run/state.ts";
import type { OpenWait, OperationName } from "../run/wait.ts";
import type { FiredEvent } from "../trigger/firing.ts";

/** Their subject is the approval's id. */
export const approvalRequested = "millrace.approval.requested";
export const approvalAnswered = "millrace.approval.answered";

/** What a run sees of the answer. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  /** Who answered, as they named themselves. */
  readonly by: string | null;
  /** Log time: ISO 8601 in UTC. */
  readonly at: string | null;
  readonly note: string | null;
  /** What was entered. */
  readonly form: Json;
}

/** What those see that go on although nobody answered. */
export const nobodyAnswered = {
  approved: false,
  by: null,
  at: null,
  note: null,
  form: null,
  timedOut: true,
} as const satisfies ApprovalAnswer & { readonly timedOut: boolean };

/** Which wait asks. */
export interface ApprovalPlace extends OperationName {
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
}

export function approvalPlace(
  runId: string,
  { node, item, generation }: TaskRun,
  { name, occurrence }: OperationName,
): ApprovalPlace {
  return { runId, node: node.definition.id, item, generation, name, occurrence };
}

/**
 * Names what is asked for: `RUN/NODE[ITEM]:GENERATION`, and of task code the wait's occurrence and name. No node's name has a
 * colon or a bracket, so that no two have one id. It is the subject of both events.
 */
export function approvalId({ runId, node, item, generation, name, occurrence }: ApprovalPlace): string {
  const place = `${runId}/${node}${item === "" ? "" : `[${item}]`}:${generation}`;
  const id = name === "" ? place : `${place}:${occurrence}:${name}`;
  if (id.length <= approvalIdMax) return id;
  const hash = fnv1a64(id);
  return `${id.slice(0, approvalIdMax - hash.length - 1)}~${hash}`;
}

/** The run that an approval's id names. */
export function runOfApproval(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf("/")));
}

export function requestEventId(id: string): string {
  return `${id}/requested`;
}

export function answerEventId(id: string): string {
  return `${id}/answered`;
}

/** The condition that an answer satisfies. */
export function answerCondition(id: string): Json {
  return { kind: "event", type: approvalAnswered, where: { op: "eq", path: ["subject"], value: id } };
}

/** What a person is asked. */
export interface AskedApproval {
  readonly title: string | null;
  readonly by: readonly string[] | null;
  readonly form: Json;
  readonly details: Json;
}

/**
 * What a wait asks of people, if it does; `details` are those of a node (without `wait`). Throws MILLRACE_EVENT_TOO_LARGE: people
 * are shown so much.
 */
export function approvalOf(
  taskRun: TaskRun,
  wait: OpenWait | undefined,
  details: Json,
): AskedApproval | undefined {
  const asked = wait
    ? wait.op.kind === "approval"
      ? wait.op
      : undefined
    : taskRun.node.definition.wait?.approval;
  if (!asked) return undefined;
  const characters = JSON.stringify(details).length;
  if (characters > approvalDetailsMax) {
    throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
      message: `The details of "${taskRun.node.definition.id}" have ${characters} characters as JSON; an approval shows ${approvalDetailsMax}.`,
      fields: { characters, charactersMax: approvalDetailsMax },
    });
  }
  const { title, by, form } = asked;
  return { title: title ?? null, by: by ? [...by] : null, form: (form as Json | undefined) ?? null, details };
}

/** The entry of the log that asks. A large form is left out of it. */
export function approvalRequest(
  place: ApprovalPlace,
  {
    asked,
    pipeline,
    timeoutAt,
  }: { readonly asked: AskedApproval; readonly pipeline: string; readonly timeoutAt: number | undefined },
): EventDraft {
  const id = approvalId(place);
  const { form, ...shown } = asked;
  return ownApproval(requestEventId(id), approvalRequested, id, {
    ...shown,
    form: JSON.stringify(form).length > approvalFormTextMax ? null : form,
    run: place.runId,
    pipeline,
    node: place.node,
    item: place.item,
    timeoutAt: timeoutAt === undefined ? null : formatEventTime(timeoutAt),
  });
}

/** What a person answers. */
export interface GivenAnswer {
  readonly approved: boolean;
  readonly by: string;
  readonly note: string | null;
  readonly form: Json;
}

/** The entry of the log that answers. An approval is answered once: its name makes a second answer another content. */
export function approvalAnswer(
  place: ApprovalPlace,
  pipeline: string,
  { approved, by, note, form }: GivenAnswer,
): EventDraft {
  const id = approvalId(place);
  const { runId: run, node, item } = place;
  const value = { run, pipeline, node, item, approved, by, note, form };
  return ownApproval(answerEventId(id), approvalAnswered, id, value);
}

/** What the run sees of the answer. */
export function readAnswer(event: FiredEvent | undefined): ApprovalAnswer {
  const { approved, by, form, note } = (event?.data ?? {}) as { readonly [name: string]: Json | undefined };
  return {
    approved: approved === true,
    by: typeof by === "string" ? by : null,
    at: event?.recordedAt ?? null,
    note: typeof note === "string" ? note : null,
    form: form ?? null,
  };
}

function ownApproval(id: string, type: string, subject: string, value: Json): EventDraft {
  return {
    lane: liveLane,
    source: ownSource,
    id,
    type,
    subject,
    time: undefined,
    data: { value },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
  };
}

/** Whether this person is among those who may answer; anybody is, where none are named. Throws MILLRACE_APPROVAL_FORBIDDEN. */
export function requireApprover(people: readonly string[] | null | undefined, by: string): void {
  if (!people || people.includes(by)) return;
  throw new MillraceError("MILLRACE_APPROVAL_FORBIDDEN", {
    message: `${by} may not answer this; ${people.join(", ")} may.`,
    fields: { by, people },
  });
}

/** What is entered where nothing is asked for. Throws MILLRACE_FORM_INVALID. */
export function refuseForm(form: Json | undefined): null {
  if (form === undefined || form === null) return null;
  throw new MillraceError("MILLRACE_FORM_INVALID", {
    message: "This approval has no form; nothing is entered with it.",
    advice: "Leave the form out. A remark goes into the note.",
  });
}

/** What is waited for, in words: `an answer of ann or bob to "Ship it?"`. */
export function describeAnswer({ title, by }: Pick<AskedApproval, "title" | "by">): string {
  const who = by === null ? "a person's answer" : `an answer of ${by.join(" or ")}`;
  return title === null ? who : `${who} to ${JSON.stringify(title)}`;
}
