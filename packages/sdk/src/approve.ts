/** Approvals in a graph: a node that waits for a person's answer. */
import {
  approvalAnswered,
  approvalRequested,
  type ApprovalOptions as ApprovalDefinition,
  type Json,
} from "@millrace/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { currentPlace, markIn } from "./build.ts";
import type { EventType } from "./condition/event-type.ts";
import { checkName } from "./name.ts";
import {
  checkOptionNames,
  choiceOption,
  optionError,
  textListOption,
  textOption,
  type OptionOwner,
} from "./options.ts";
import type { Ref } from "./reference.ts";
import { exportJsonSchema, isParamsSchema } from "./schema.ts";
import { locate } from "./source.ts";
import { addWaitNode, type WaitOptions } from "./wait.ts";

type Verdict = "fail" | "skip" | "continue";

/** Options of an approval. */
export interface ApprovalOptions<
  Form extends StandardSchemaV1 = StandardSchemaV1,
  OnReject extends Verdict = Verdict,
  OnTimeout extends Verdict = Verdict,
> extends Omit<WaitOptions, "onTimeout"> {
  /** The question. */
  readonly title?: string;
  /** What the person is shown with it: JSON of at most 16,384 characters, with references. */
  readonly details?: unknown;
  /** Who may answer: names. Anybody who may operate runs, unless given. */
  readonly by?: string | readonly string[];
  /**
   * What is entered with an approval: a schema as a pipeline's `params` takes it. The server checks its JSON Schema and fills
   * in its defaults; refinements and transforms do not run.
   */
  readonly form?: Form;
  /**
   * What becomes of the node when the answer is no: it is skipped, and so is what follows (`skip`, the default), it fails
   * (`fail`), or it succeeds and its output says `approved: false` (`continue`).
   */
  readonly onReject?: OnReject;
  /** As for `wait`: it fails (`fail`, the default), is skipped, or succeeds and its output says `timedOut`. */
  readonly onTimeout?: OnTimeout;
}

/** What a person answered. */
export interface ApprovalResult<Form = unknown> {
  /** False only with `onReject` or `onTimeout` `"continue"`. */
  readonly approved: boolean;
  /** Who answered, as they named themselves. Null where nobody did. */
  readonly by: string | null;
  /** When: ISO 8601 in UTC. */
  readonly at: string | null;
  readonly note: string | null;
  /** What was entered. */
  readonly form: Form;
  /** Only with `onTimeout: "continue"`: nobody answered. */
  readonly timedOut: boolean;
}

type FormOf<Schema extends StandardSchemaV1> = StandardSchemaV1 extends Schema
  ? null
  : StandardSchemaV1.InferInput<Schema>;
type NullIf<Choice> = "continue" extends Choice ? null : never;

const optionNames = [
  "id",
  "after",
  "rule",
  "timeout",
  "onTimeout",
  "title",
  "details",
  "by",
  "form",
  "onReject",
];

/**
 * A node that waits for a person: `millrace approve` and `millrace reject` answer it. It holds no slot and no process.
 *
 * @example
 * const totals = count({ day: params.day });
 * const asked = approve({ title: "Publish the report?", details: { rows: totals.rows }, timeout: "2d" });
 * publish({ day: params.day, by: asked.by }, { after: asked });
 */
export function approve<
  Form extends StandardSchemaV1 = StandardSchemaV1,
  const OnReject extends Verdict = "skip",
  const OnTimeout extends Verdict = "fail",
>(
  options: ApprovalOptions<Form, OnReject, OnTimeout> = {},
): Ref<ApprovalResult<FormOf<Form> | NullIf<OnReject> | NullIf<OnTimeout>>> {
  const place = currentPlace("`approve`", approve);
  const { build } = place;
  const mark = markIn(build, approve);
  const owner: OptionOwner = { what: `In pipeline "${build.name}", the approval`, mark, root: build.root };
  checkOptionNames(options, optionNames, owner);
  if (options.id !== undefined) checkName(options.id, owner);
  return addWaitNode({
    place,
    owner,
    mark,
    options,
    name: options.id ?? "approve",
    what: "the details",
    input: options.details,
    approval: definitionOf(options, owner),
  });
}

function definitionOf(options: ApprovalOptions, owner: OptionOwner): ApprovalDefinition {
  const { title, by, form, onReject } = options;
  return {
    onReject: choiceOption(onReject ?? "skip", "onReject", owner, ["fail", "skip", "continue"]),
    ...(title === undefined ? {} : { title: textOption(title, "title", owner) }),
    ...(by === undefined ? {} : { by: peopleOf(by, owner) }),
    ...(form === undefined ? {} : { form: formOf(form, owner) }),
  };
}

function peopleOf(by: unknown, owner: OptionOwner): readonly string[] {
  const people = typeof by === "string" ? [textOption(by, "by", owner)] : textListOption(by, "by", owner);
  if (people.length > 0) return people;
  throw optionError(owner, 'option "by" names nobody: nobody could answer');
}

function formOf(form: unknown, owner: OptionOwner): NonNullable<ApprovalDefinition["form"]> {
  if (!isParamsSchema(form)) {
    throw optionError(
      owner,
      'option "form" must be a schema of zod, valibot, arktype or another Standard Schema library',
    );
  }
  return exportJsonSchema(form, {
    what: owner.what,
    of: "its form",
    option: "form",
    source: locate(owner.mark, owner.root),
  });
}

/** Data of `approvals.requested`. */
export interface ApprovalRequested {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  /** `""` outside fan-outs. */
  readonly item: string;
  readonly title: string | null;
  readonly by: readonly string[] | null;
  readonly details: Json;
}

/** Data of `approvals.answered`. */
export interface ApprovalAnswered {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly approved: boolean;
  readonly by: string;
  readonly note: string | null;
  readonly form: Json;
}

/**
 * What the log tells of approvals. The subject of both is the approval's id, so that a condition with `.by("subject")` holds a
 * question and its answer together.
 *
 * @example
 * const unanswered = on
 *   .absent(on.event(approvals.answered), { after: on.event(approvals.requested), within: "4h" })
 *   .by((event) => event.subject);
 */
export const approvals: {
  readonly requested: EventType<ApprovalRequested, typeof approvalRequested>;
  readonly answered: EventType<ApprovalAnswered, typeof approvalAnswered>;
} = Object.freeze({
  requested: Object.freeze({ type: approvalRequested }),
  answered: Object.freeze({ type: approvalAnswered }),
});
