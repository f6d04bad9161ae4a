/** `ctx.step`, `ctx.sleep`, `ctx.waitFor` and the others: reads what the function gives, and asks for it. */
import { createHash } from "node:crypto";
import {
  canonicalJson,
  describeCondition,
  MillraceError,
  nearestName,
  parseCondition,
  parseDuration,
  parseEventTime,
  requireSatisfiable,
  type AttemptError,
  type Condition,
  type ErrorCode,
  type Json,
  type JsonSchema,
} from "@millrace/core";
import { isStorable, outputBytesMax, inlineBytesMax, stepBytesMax, stepNameMax } from "@millrace/protocol";
import type { TaskContext } from "@millrace/sdk";
import type { LoadedProject } from "@millrace/sdk/internal";
import { limits } from "../limits.ts";
import type { ProducedWait, RunAttempt } from "../pool/child-message.ts";
import type { AttemptOperations } from "./attempt-operations.ts";
import { EmitPlace } from "./emit.ts";
import type { Operation, StepEnd } from "./operations.ts";
import { errorToRecord } from "./recorded-error.ts";
import { refuseInStep, runInStep, type StepScope } from "./step-scope.ts";
import type { Values } from "./value.ts";
import { issueText } from "./validated-params.ts";

export interface OperationCallParts {
  readonly run: RunAttempt;
  readonly signal: AbortSignal;
  readonly values: Values;
  /** Reads what only the bundle's own copy of the SDK knows. */
  readonly project: Pick<LoadedProject, "conditionOf" | "formSchema" | "validateForm">;
  /** Where the bundle lies. */
  readonly folder: string;
  /** Made at the first use. */
  operations(): AttemptOperations;
}

type Calls = Pick<TaskContext, "step" | "sleep" | "sleepUntil" | "waitFor" | "approve" | "call">;
type NameGiven = { readonly name?: unknown } | undefined;

export function makeOperationCalls(parts: OperationCallParts): Calls {
  return new OperationCalls(parts).calls();
}

class OperationCalls {
  readonly #parts: OperationCallParts;
  #waitsText = 0;

  constructor(parts: OperationCallParts) {
    this.#parts = parts;
  }

  /** Functions, so that they can be taken out of `ctx`. */
  calls(): Calls {
    const step = async (name: unknown, fn: unknown, options?: { readonly key?: unknown }): Promise<Json> => {
      checkNames(options, ["key"], "ctx.step");
      return this.#step(name, fn, options?.key, markBelow(step));
    };
    const sleep = async (duration: unknown, options?: NameGiven): Promise<void> => {
      checkNames(options, ["name"], "ctx.sleep");
      const op = { kind: "sleep", ms: readSpan(duration, "ctx.sleep") } as const;
      await this.#wait(nameOf(options, "sleep"), op, { what: "ctx.sleep", below: sleep });
    };
    const sleepUntil = async (instant: unknown, options?: NameGiven): Promise<void> => {
      checkNames(options, ["name"], "ctx.sleepUntil");
      const op = { kind: "sleep_until", at: readInstant(instant) } as const;
      await this.#wait(nameOf(options, "sleep until"), op, { what: "ctx.sleepUntil", below: sleepUntil });
    };
    const waitFor = async (given: unknown, options?: WaitGiven): Promise<Json> => {
      const condition = this.#condition(given);
      checkNames(options, ["name", "timeout"], "ctx.waitFor");
      const timeout = readTimeout(options, "ctx.waitFor");
      const op = { kind: "event", condition: condition as unknown as Json, ...timeout } as const;
      const place = { what: "ctx.waitFor", below: waitFor };
      return (await this.#wait(nameOf(options, conditionName(condition)), op, place)) ?? null;
    };
    const approve = async (options?: ApproveGiven): Promise<Json> => this.#approve(options ?? {}, approve);
    const call = async (pipeline: unknown, input?: unknown, options?: NameGiven): Promise<Json> => {
      refuseInStep("ctx.call");
      checkNames(options, ["name"], "ctx.call");
      const name = pipelineName(pipeline);
      const params = this.#parts.values.produce(input === undefined ? {} : input, {
        inlineBytesMax,
        bytesMax: outputBytesMax,
        what: `the input of pipeline "${name}"`,
        tooLarge: "MILLRACE_OUTPUT_TOO_LARGE",
      }).carried;
      const op = { kind: "call", pipeline: name, params } as const;
      return (
        (await this.#wait(nameOf(options, `call ${name}`), op, { what: "ctx.call", below: call })) ?? null
      );
    };
    return { step, sleep, sleepUntil, waitFor, approve, call } as unknown as Calls;
  }

  #step(given: unknown, fn: unknown, key: unknown, mark: Error): Promise<Json> {
    refuseInStep("ctx.step");
    if (typeof fn !== "function")
      throw wrong("MILLRACE_OPTION_INVALID", "ctx.step takes a name and a function");
    const name = readName(stepName(given, key), "ctx.step");
    return this.#parts
      .operations()
      .operations.step(name, mark, (operation) => this.#run(operation, fn as (step: object) => unknown));
  }

  async #run(operation: Operation, fn: (step: object) => unknown): Promise<StepEnd> {
    const { run, signal, folder } = this.#parts;
    const { name, occurrence } = operation;
    const scope: StepScope = { operation, emits: new EmitPlace(run, operation), isOver: false };
    const idempotencyKey = `${run.idempotencyKey}/${name}/${occurrence}`;
    try {
      const given = await runInStep(scope, () => fn({ idempotencyKey }));
      scope.isOver = true;
      const { carried, text } = this.#record(operation, given);
      const { events } = scope.emits;
      const step = {
        name,
        occurrence,
        outcome: { kind: "value", value: carried },
        ...(events.length === 0 ? {} : { events }),
      } as const;
      return { kind: "value", step, value: JSON.parse(text) as Json };
    } catch (thrown) {
      scope.isOver = true;
      if (signal.aborted) return { kind: "stopped", thrown };
      const error: AttemptError = errorToRecord(thrown, folder);
      return { kind: "error", step: { name, occurrence, outcome: { kind: "error", error } }, error };
    }
  }

  #record(operation: Operation, given: unknown): ReturnType<Values["produce"]> {
    const { values } = this.#parts;
    return this.#parts.operations().budget.take((inlineMax) =>
      values.produce(given, {
        inlineBytesMax: inlineMax,
        bytesMax: stepBytesMax,
        what: `what step "${operation.name}" gives`,
        tooLarge: "MILLRACE_STEP_TOO_LARGE",
      }),
    );
  }

  #wait(name: string, op: ProducedWait["op"], { what, below }: CallPlace): Promise<Json | undefined> {
    refuseInStep(what);
    const text = JSON.stringify(op).length;
    if (text > limits.waitTextMax) throw tooLong(`what ${what} waits for`, text, limits.waitTextMax);
    this.#waitsText += text;
    if (this.#waitsText > limits.waitsTextMax)
      throw tooLong("what the attempt waits for in all", this.#waitsText, limits.waitsTextMax);
    return this.#parts.operations().operations.wait(readName(name, what), markBelow(below), op);
  }

  #condition(given: unknown): Condition {
    const found = this.#parts.project.conditionOf(given);
    if (!found) {
      throw wrong(
        "MILLRACE_CONDITION_INVALID",
        "ctx.waitFor takes a condition, which the functions of `on` give",
      );
    }
    const condition = parseCondition(JSON.parse(JSON.stringify(found)) as Json);
    if (condition.by !== undefined) {
      throw wrong(
        "MILLRACE_CONDITION_INVALID",
        "ctx.waitFor: the condition has a key (`.by`), which keeps many states: a wait has one. Ask for one key's events by `where`",
      );
    }
    requireSatisfiable(condition);
    return condition;
  }

  async #approve(options: ApproveGiven, below: (...given: never[]) => unknown): Promise<Json> {
    const { title, by, form } = options;
    const what = "ctx.approve";
    checkNames(options, ["name", "timeout", "title", "by", "form"], what);
    if (title !== undefined && !isText(title))
      throw wrong("MILLRACE_OPTION_INVALID", `${what}: "title" must be a text`);
    const people = by === undefined ? undefined : Array.isArray(by) ? (by as unknown[]) : [by];
    if (people && (people.length === 0 || !people.every(isText)))
      throw wrong("MILLRACE_OPTION_INVALID", `${what}: "by" must be a name or a list of names`);
    const { project } = this.#parts;
    const schema: JsonSchema | undefined = form === undefined ? undefined : project.formSchema(form);
    const op = {
      kind: "approval",
      ...(title === undefined ? {} : { title }),
      ...(people === undefined ? {} : { by: people }),
      ...(schema === undefined ? {} : { form: schema }),
      ...readTimeout(options, what),
    } as const;
    const name = nameOf(options, title === undefined ? "approval" : `approval ${title}`);
    const answer = await this.#wait(name, op, { what, below });
    if (answer === undefined) return null;
    return form === undefined ? answer : this.#readForm(form, answer as { readonly [field: string]: Json });
  }

  async #readForm(form: unknown, answer: { readonly [field: string]: Json }): Promise<Json> {
    if (answer["approved"] !== true) return answer;
    const result = await this.#parts.project.validateForm(form, answer["form"] ?? null);
    if ("value" in result) return { ...answer, form: result.value as Json };
    const list = result.issues.map(issueText).join("; ");
    throw new MillraceError("MILLRACE_FORM_INVALID", {
      message: `The form's validator refused what ${JSON.stringify(answer["by"] ?? null)} entered: ${list}`,
    });
  }
}

/** The call that the function made. */
interface CallPlace {
  readonly what: string;
  readonly below: (...given: never[]) => unknown;
}

interface WaitGiven {
  readonly name?: unknown;
  readonly timeout?: unknown;
}

interface ApproveGiven extends WaitGiven {
  readonly title?: unknown;
  readonly by?: unknown;
  readonly form?: unknown;
}

/** The stack of whoever called `below`; it is written out only when someone reads it. */
function markBelow(below: (...given: never[]) => unknown): Error {
  const mark = new Error("asked");
  Error.captureStackTrace(mark, below);
  return mark;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function stepName(name: unknown, key: unknown): unknown {
  if (key === undefined) return name;
  if (!isText(key) && typeof key !== "number")
    throw wrong("MILLRACE_OPTION_INVALID", `the "key" of a step must be a text or a number`);
  return `${String(name)}[${key}]`;
}

/** An option that is misspelt would say nothing: a wait, say, would have no end. */
function checkNames(options: unknown, known: readonly string[], what: string): void {
  if (options === undefined) return;
  if (options === null || typeof options !== "object")
    throw wrong("MILLRACE_OPTION_INVALID", `${what}: its options must be an object`);
  const other = Object.keys(options).find((name) => !known.includes(name));
  if (other === undefined) return;
  const near = nearestName(other, known);
  throw wrong(
    "MILLRACE_OPTION_INVALID",
    `${what} has no option "${other}"${near === undefined ? "." : `; did you mean "${near}"?`} Known are ${known.join(", ")}`,
  );
}

function nameOf(options: NameGiven, otherwise: string): string {
  if (options?.name === undefined) return shortened(otherwise);
  return options.name as string;
}

function readName(name: unknown, what: string): string {
  if (isText(name) && name.length <= stepNameMax && isStorable(name)) return name;
  const found = typeof name === "string" ? JSON.stringify(name.slice(0, stepNameMax)) : typeof name;
  throw wrong(
    "MILLRACE_OPTION_INVALID",
    `${what}: a name is a text of 1 to ${stepNameMax} characters, its key included; found ${found}`,
  );
}

/**
 * Two waits with the same words are one name, and the second looks back to the first only; so what differs must show. Values of
 * the `where` are in the words.
 */
function conditionName(condition: Condition): string {
  const words = describeCondition(condition);
  if (words.length <= nameShownMax && isStorable(words)) return words;
  const hash = createHash("sha256")
    .update(canonicalJson(condition as unknown as Json))
    .digest("hex");
  return `${words.slice(0, nameShownMax).toWellFormed().replaceAll("\u0000", "")}… ${hash.slice(0, 16)}`;
}

const nameShownMax = 120;

function shortened(name: string): string {
  if (name.length <= stepNameMax) return name;
  return `${name.slice(0, nameShownMax).toWellFormed()}… ${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
}

function readTimeout(options: WaitGiven | undefined, what: string): { readonly timeoutMs?: number } {
  if (options?.timeout === undefined) return {};
  return { timeoutMs: readSpan(options.timeout, `${what}, "timeout"`) };
}

function readSpan(given: unknown, what: string): number {
  const ms = parseDuration(given);
  if (ms !== undefined) return ms;
  throw wrong(
    "MILLRACE_OPTION_INVALID",
    `${what} takes a span of at most ten years, such as "30s", "2h" or ms`,
  );
}

function readInstant(given: unknown): number {
  const at =
    given instanceof Date ? given.getTime() : typeof given === "string" ? parseEventTime(given) : given;
  if (typeof at === "number" && Math.abs(at) <= dateMsMax) return Math.round(at);
  throw wrong(
    "MILLRACE_OPTION_INVALID",
    "ctx.sleepUntil takes a date, ms since the epoch, or ISO 8601 with its offset, such as 2026-01-31T08:00:00+01:00",
  );
}

/** What a date can say. */
const dateMsMax = 8_640_000_000_000_000;

function pipelineName(pipeline: unknown): string {
  const name =
    pipeline !== null && typeof pipeline === "object" ? (pipeline as { name?: unknown }).name : undefined;
  if (isText(name)) return name;
  throw wrong(
    "MILLRACE_OPTION_INVALID",
    "ctx.call takes a pipeline, which `pipeline(…)` gives, and its parameters",
  );
}

function tooLong(what: string, length: number, max: number): MillraceError {
  return wrong("MILLRACE_OPTION_INVALID", `${what} has ${length} characters as JSON; ${max} are taken`);
}

function wrong(code: ErrorCode, message: string): MillraceError {
  return new MillraceError(code, { message: `${message}.` });
}
