/**
 * One dispatch of a task's attempt in the test's own process. What the function sees is the worker's own context; what it says
 * is kept for the test to look at.
 *
 * A1: it ends once; after a stop (timeout, cancel) its end says so, whatever the function does.
 * A2: an output is JSON of its own: who changes what it gave or got changes nothing that is recorded.
 */
import {
  parseCloudEvent,
  emittedOf,
  type AttemptOutcome,
  type CloudEvent,
  type ErrorCode,
  type EventDraft,
  type Json,
  type NamedReport,
  type OperationName,
  type OperationOutcome,
  type StoredValue,
  type WaitRequest,
} from "@millrace/core";
import { outputBytesMax } from "@millrace/protocol";
import type { LoadedProject } from "@millrace/sdk/internal";
import {
  AttemptOperations,
  describeThrown,
  EmitAnswers,
  Emitter,
  firingReader,
  LogGate,
  makeContext,
  nextRequestOf,
  validatedParams,
  type FromChild,
  type LocalValue,
  type ProducedStep,
  type ProducedWait,
  type RunAttempt,
} from "@millrace/worker/attempt";
import { MemoryValues } from "./memory-values.ts";
import type { FiredMembers } from "./run-desk.ts";
import type { Behaviour } from "./task-control.ts";

/** A line that a task logged. */
export interface TestLogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  readonly fields?: { readonly [name: string]: Json };
}

/** What a task kept by `ctx.artifact`. */
export interface TestArtifact {
  readonly name: string;
  readonly type: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** How a dispatch ends: with the attempt, or as its function waits. */
export type AttemptEnd =
  | AttemptOutcome
  | { readonly kind: "suspended"; readonly waits: readonly WaitRequest[] };

export interface FinishedStep extends OperationName {
  readonly outcome: OperationOutcome;
}

/** What a function, or a step of it, emitted, and what it told of assets. */
export interface Emitted {
  readonly events: readonly EventDraft[];
  readonly assets: readonly NamedReport[];
}

export interface AttemptOptions {
  readonly project: LoadedProject;
  readonly run: RunAttempt;
  readonly input: Json;
  /** Absent where the run has none. */
  readonly params: Json | undefined;
  /** Absent where its run was not fired. */
  readonly firedMembers: FiredMembers | undefined;
  readonly behaviour: Behaviour | undefined;
  /** Puts an event into the log at once. Throws what the log answers. */
  readonly emitNow: (event: EventDraft) => void;
  /** Records a step that finished, and calls back once that is done. */
  readonly recordStep: (step: FinishedStep, emitted: Emitted, recorded: () => void) => void;
  /** Whether nothing is under way in this process that was not when the attempt began. */
  readonly isIdle: () => boolean;
}

export class Attempt {
  readonly log: TestLogLine[] = [];
  readonly artifacts: TestArtifact[] = [];
  progress: { readonly fraction: number; readonly message?: string } | undefined;
  readonly #options: AttemptOptions;
  readonly #abort = new AbortController();
  readonly #emitAnswers = new EmitAnswers();
  readonly #values = new MemoryValues();
  readonly #gate = new LogGate({ post: (message) => this.#hear(message) });
  readonly #emitter: Emitter;
  #operations: AttemptOperations | undefined;
  #end: ((end: AttemptEnd) => void) | undefined;
  #isOver = false;
  #stop: AttemptOutcome | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#emitter = new Emitter(options.run, this.#emitAnswers, (message) => this.#post(message));
  }

  /** Calls the function, and resolves with the dispatch's end; never rejects. */
  start(): Promise<AttemptEnd> {
    if (this.#options.run.records) {
      this.#gate.hold();
      this.#operationsHere();
    }
    return new Promise((resolve) => {
      this.#end = resolve;
      void this.#call().then(
        (output) => this.#afterSteps(() => this.#finish(this.#successOf(output))),
        (thrown: unknown) => this.#afterSteps(() => this.#finish(outcomeOf(thrown))),
      );
    });
  }

  get stopped(): AttemptOutcome | undefined {
    return this.#stop;
  }

  timeOut(timeoutMs: number): void {
    const code: ErrorCode = "MILLRACE_ATTEMPT_TIMEOUT";
    const message = `The attempt ran longer than its timeout of ${timeoutMs} ms.`;
    this.#stopWith({ kind: "failed", error: { name: code, message, code } }, message);
  }

  cancel(reason: string): void {
    this.#stopWith({ kind: "cancelled" }, reason);
  }

  #stopWith(outcome: AttemptOutcome, reason: string): void {
    this.#stop ??= outcome;
    this.#abort.abort(new DOMException(reason, "AbortError"));
  }

  #finish(end: AttemptEnd): void {
    if (this.#isOver) return;
    this.#operations?.operations.stop();
    this.#gate.open();
    this.#isOver = true;
    this.#end?.(this.#stop ?? end);
  }

  #afterSteps(then: () => void): void {
    if (this.#operations) this.#operations.operations.functionEnded(then);
    else then();
  }

  #successOf(output: unknown): AttemptOutcome {
    try {
      const { carried } = this.#values.produce(output, {
        inlineBytesMax: outputBytesMax,
        bytesMax: outputBytesMax,
        what: "the task's output",
        tooLarge: "MILLRACE_OUTPUT_TOO_LARGE",
      });
      const { events } = this.#emitter;
      const emitted = events.length > 0 ? emittedOf(events) : {};
      return { kind: "succeeded", output: this.#stored(carried), ...emitted };
    } catch (thrown) {
      return outcomeOf(thrown);
    }
  }

  #stored(value: LocalValue): StoredValue {
    return "value" in value ? { value: value.value } : { value: this.#values.read(value) };
  }

  async #call(): Promise<unknown> {
    const { behaviour, run, project, params, input } = this.#options;
    switch (behaviour?.kind) {
      case "returns":
        return behaviour.value;
      case "throws":
        throw behaviour.error;
      default: {
        const fn = behaviour?.kind === "calls" ? behaviour.fn : project.taskFunction(run.pipeline, run.node);
        if (!fn) throw new Error(`invariant broken: the node "${run.node}" has a function`);
        const seen =
          params === undefined ? {} : await validatedParams(project, run.pipeline, structuredClone(params));
        return fn(input as never, this.#context(seen));
      }
    }
  }

  #context(params: unknown): ReturnType<typeof makeContext> {
    const { project, run } = this.#options;
    return makeContext({
      run,
      params,
      abort: this.#abort,
      capture: { admit: () => !this.#isOver, addLine: () => {} },
      values: this.#values,
      emitter: this.#emitter,
      firing: firingReader(async ({ operand }) => ({
        items: membersOf(this.#options.firedMembers, operand),
      })),
      calls: { project, folder: process.cwd(), operations: () => this.#operationsHere() },
      post: (message) => this.#post(message),
    });
  }

  #operationsHere(): AttemptOperations {
    this.#operations ??= new AttemptOperations({
      run: this.#options.run,
      values: this.#values,
      state: { isIdle: this.#options.isIdle },
      gate: this.#gate,
      post: (message) => this.#post(message),
      isEmitting: () => this.#emitAnswers.isWaiting,
      suspend: (waits) =>
        this.#finish({ kind: "suspended", waits: waits.map((wait) => this.#request(wait)) }),
    });
    return this.#operations;
  }

  #request({ name, occurrence, op }: ProducedWait): WaitRequest {
    if (op.kind !== "call") return { name, occurrence, op };
    return { name, occurrence, op: { ...op, params: this.#stored(op.params) } };
  }

  #post(message: FromChild): void {
    if (!this.#isOver) this.#gate.post(message);
  }

  #hear(message: FromChild): void {
    switch (message.kind) {
      case "log": {
        const { level, text, fields } = message;
        this.log.push({ level, text, ...(fields ? { fields } : {}) });
        return;
      }
      case "progress": {
        const { fraction, message: text } = message;
        this.progress = { fraction, ...(text === undefined ? {} : { message: text }) };
        return;
      }
      case "artifact": {
        const { name, type, mediaType, file } = message;
        this.artifacts.push({ name, type, mediaType, bytes: this.#values.bytesOf(file) });
        return;
      }
      case "emit":
        return this.#emitNow(message.number, message.event);
      case "step":
        return this.#record(message.step);
      default:
        return;
    }
  }

  #record({ name, occurrence, outcome, events = [] }: ProducedStep): void {
    const recorded =
      outcome.kind === "value" ? { kind: "value" as const, value: this.#stored(outcome.value) } : outcome;
    this.#options.recordStep({ name, occurrence, outcome: recorded }, emittedOf(events), () =>
      this.#operations?.operations.recorded([{ name, occurrence }]),
    );
  }

  #emitNow(number: number, event: CloudEvent): void {
    try {
      this.#options.emitNow(parseCloudEvent(event as unknown as Json));
      this.#emitAnswers.answered(number, undefined);
    } catch (error) {
      const { code, message } = error as { readonly code: ErrorCode; readonly message: string };
      this.#emitAnswers.answered(number, { code, message });
    }
  }
}

function outcomeOf(thrown: unknown): AttemptOutcome {
  const next = nextRequestOf(thrown);
  if (next?.kind === "skip") return { kind: "skipped", reason: next.reason };
  return { kind: "failed", error: describeThrown(thrown, process.cwd()) };
}

/** The members that a firing's value lists, operand by operand. */
function membersOf(
  firedMembers: FiredMembers | undefined,
  operand: string | undefined,
): { readonly operand: string; readonly value: Json }[] {
  return Object.entries(firedMembers?.() ?? {})
    .filter(([name]) => operand === undefined || name === operand)
    .flatMap(([name, list]) => list.map((value) => ({ operand: name, value })));
}
