/**
 * One attempt of a task in the test's own process. What the function sees is the worker's own context; what it says is kept
 * for the test to look at.
 *
 * A1: it answers once; after a stop (timeout, cancel) its answer says so, whatever the function does.
 * A2: an output is JSON of its own: who changes what it gave or got changes nothing that is recorded.
 */
import { createHash } from "node:crypto";
import {
  parseCloudEvent,
  requireForeign,
  type AttemptOutcome,
  type CloudEvent,
  type ErrorCode,
  type EventDraft,
  type Json,
} from "@millrace/core";
import { outputBytesMax } from "@millrace/protocol";
import type { LoadedProject } from "@millrace/sdk/internal";
import {
  checkOutput,
  describeThrown,
  EmitAnswers,
  Emitter,
  makeContext,
  nextRequestOf,
  validatedParams,
  type FromChild,
  type RunAttempt,
} from "@millrace/worker/attempt";
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

export interface AttemptOptions {
  readonly project: LoadedProject;
  readonly run: RunAttempt;
  readonly input: Json;
  /** Absent where the run has none. */
  readonly params: Json | undefined;
  readonly behaviour: Behaviour | undefined;
  /** Puts an event into the log at once. Throws what the log answers. */
  readonly emitNow: (event: EventDraft) => void;
}

export class Attempt {
  readonly log: TestLogLine[] = [];
  readonly artifacts: TestArtifact[] = [];
  progress: { readonly fraction: number; readonly message?: string } | undefined;
  readonly #options: AttemptOptions;
  readonly #abort = new AbortController();
  readonly #emitAnswers = new EmitAnswers();
  readonly #emitter: Emitter;
  readonly #kept = new Map<string, Uint8Array>();
  #isOver = false;
  #stop: AttemptOutcome | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#emitter = new Emitter(options.run, this.#emitAnswers, (message) => this.#hear(message));
  }

  /** Calls the function, and resolves with its outcome; never rejects. */
  async start(): Promise<AttemptOutcome> {
    try {
      const output = await this.#call();
      const { text } = checkOutput(output, { outputBytesMax });
      const events = this.#emitter.events.map(draftOf);
      this.#isOver = true;
      const stored = { value: JSON.parse(text) as Json };
      return this.#stop ?? { kind: "succeeded", output: stored, ...(events.length > 0 ? { events } : {}) };
    } catch (thrown) {
      this.#isOver = true;
      return this.#stop ?? outcomeOf(thrown);
    }
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

  #call(): unknown {
    const { behaviour, run, project, params } = this.#options;
    switch (behaviour?.kind) {
      case "returns":
        return behaviour.value;
      case "throws":
        throw behaviour.error;
      default: {
        const fn = behaviour?.kind === "calls" ? behaviour.fn : project.taskFunction(run.pipeline, run.node);
        if (!fn) throw new Error(`invariant broken: the node "${run.node}" has a function`);
        const call = (seen: unknown): unknown => fn(this.#options.input as never, this.#context(seen));
        return params === undefined
          ? call({})
          : validatedParams(project, run.pipeline, structuredClone(params)).then(call);
      }
    }
  }

  #context(params: unknown): ReturnType<typeof makeContext> {
    return makeContext({
      run: this.#options.run,
      params,
      abort: this.#abort,
      capture: { admit: () => !this.#isOver, addLine: () => {} },
      values: { write: (bytes) => this.#keep(bytes) },
      emitter: this.#emitter,
      post: (message) => this.#hear(message),
    });
  }

  #keep(bytes: Uint8Array): { readonly file: string; readonly blob: string; readonly bytes: number } {
    const blob = createHash("sha256").update(bytes).digest("hex");
    this.#kept.set(blob, Uint8Array.from(bytes));
    return { file: blob, blob, bytes: bytes.length };
  }

  #hear(message: FromChild): void {
    if (this.#isOver) return;
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
        const { name, type, mediaType, blob } = message;
        this.artifacts.push({ name, type, mediaType, bytes: this.#kept.get(blob)! });
        return;
      }
      case "emit":
        return this.#emitNow(message.number, message.event);
      default:
        return;
    }
  }

  #emitNow(number: number, event: CloudEvent): void {
    try {
      this.#options.emitNow(draftOf(event));
      this.#emitAnswers.answered(number, undefined);
    } catch (error) {
      const { code, message } = error as { readonly code: ErrorCode; readonly message: string };
      this.#emitAnswers.answered(number, { code, message });
    }
  }
}

function draftOf(event: CloudEvent): EventDraft {
  return requireForeign(parseCloudEvent(event as unknown as Json));
}

function outcomeOf(thrown: unknown): AttemptOutcome {
  const next = nextRequestOf(thrown);
  if (next?.kind === "skip") return { kind: "skipped", reason: next.reason };
  return { kind: "failed", error: describeThrown(thrown, process.cwd()) };
}
