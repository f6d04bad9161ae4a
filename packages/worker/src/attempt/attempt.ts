/**
 * One dispatch on this worker, from its arrival to its outcome:
 *
 *   preparing → waiting → loading → running → finishing → ended
 *
 * It asks for what it needs (bundle, large inputs, a child), listens to the child, keeps its time, and reports one outcome.
 *
 * A1: it reports at most once; after `abandon` never.
 * A2: all log lines leave before the outcome.
 * A3: once a stop was asked for (timeout, cancel), the outcome says so, whatever the task answers.
 * A4: all steps that its child told leave before the outcome.
 */
import { causesAttribute, errorCodeOf, type AttemptError, type CloudEvent } from "@millrace/core";
import type { AttemptOutcome, Dispatch, DispatchToken, StepName, WorkerMessage } from "@millrace/protocol";
import { aheadMsMax, tokenKey } from "@millrace/protocol";
import type { BlobCache } from "../blob/blob-cache.ts";
import type { BundleCache, PreparedBundle } from "../bundle/bundle-cache.ts";
import { limits } from "../limits.ts";
import type { WorkerSettings } from "../options.ts";
import type { ChildExit } from "../pool/child.ts";
import type {
  ChildOutcome,
  ChildResult,
  FromChild,
  ProducedStep,
  RunAttempt,
} from "../pool/child-message.ts";
import type { ChildHolder, ChildPool, PooledChild } from "../pool/pool.ts";
import type { Transfer } from "../transfer.ts";
import {
  infrastructureError,
  inspectRefused,
  killedFromOutside,
  ours,
  stopOutcome,
  type Stop,
} from "./attempt-fault.ts";
import { AttemptValues, carriedOutcome, valuesAtHand, type LocalValues } from "./attempt-values.ts";
import { runMessage } from "./run-message.ts";
import { LogBuffer } from "./log-buffer.ts";
import { StepOutbox } from "./step-outbox.ts";
import type { TurnBarrier } from "./turn-barrier.ts";

/** What an attempt uses of its worker. */
export interface AttemptHost {
  readonly settings: WorkerSettings;
  readonly pool: ChildPool;
  readonly bundles: BundleCache;
  readonly blobs: BlobCache;
  readonly transfer: Transfer;
  readonly barrier: TurnBarrier;
  /** There are lines or progress to send. */
  touched(attempt: Attempt): void;
  /** There are steps to send. */
  stepsEnded(attempt: Attempt): void;
  send(message: WorkerMessage): void;
  report(attempt: Attempt, outcome: AttemptOutcome): void;
}

type Phase = "preparing" | "waiting" | "loading" | "running" | "finishing" | "ended";

export class Attempt implements ChildHolder {
  readonly key: string;
  readonly token: DispatchToken;
  readonly number: number;
  readonly log = new LogBuffer();
  readonly steps = new StepOutbox();
  startedAt = 0;
  endedAt = 0;
  progress: { readonly fraction: number; readonly message?: string } | undefined;
  readonly #dispatch: Dispatch;
  readonly #host: AttemptHost;
  readonly #values: AttemptValues;
  readonly #uploads: Promise<void>[] = [];
  #phase: Phase = "preparing";
  #bundle: PreparedBundle | undefined;
  #given: LocalValues = { input: { value: null }, params: undefined, records: undefined };
  #child: PooledChild | undefined;
  #runId = 0;
  #stop: Stop | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAbandoned = false;

  constructor(dispatch: Dispatch, host: AttemptHost) {
    this.key = tokenKey(dispatch.token);
    this.token = dispatch.token;
    this.number = dispatch.attempt;
    this.#dispatch = dispatch;
    this.#host = host;
    this.#values = new AttemptValues(host.blobs);
  }

  get bundle(): PreparedBundle {
    if (!this.#bundle)
      throw new Error("invariant broken: an attempt asks for a child before its bundle is there");
    return this.#bundle;
  }

  /** Where everything is at hand, the child has the attempt when this returns. */
  start(): void {
    this.startedAt = Date.now();
    const { inspect } = this.#dispatch;
    if (inspect && !this.#host.settings.allowInspect)
      return this.#reportOnce(inspectRefused(this.#host.settings.name));
    this.#bundle = this.#host.bundles.peek(this.#dispatch.bundle);
    const given = valuesAtHand(this.#dispatch);
    if (!this.#bundle || !given) {
      void this.#prepare();
      return;
    }
    this.#given = given;
    this.#askForChild();
  }

  /** The run does not want it any more. */
  cancel(reason: string, graceMs: number): void {
    if (this.#phase === "finishing" || this.#phase === "ended" || this.#stop?.kind === "cancel") return;
    this.#stopWith({ kind: "cancel", reason }, graceMs);
  }

  /** The dispatch was given to others: its process is killed and nothing is reported. */
  abandon(): void {
    this.#isAbandoned = true;
    clearTimeout(this.#timer);
    this.#host.pool.withdraw(this);
    const child = this.#child;
    this.#end();
    if (child) this.#host.pool.kill(child, "dispatch given up");
  }

  async #prepare(): Promise<void> {
    try {
      this.#bundle = await this.#host.bundles.prepare(this.#dispatch.bundle);
      this.#given = await this.#values.fetch(this.#dispatch);
    } catch (error) {
      this.#reportOnce({ kind: "infrastructure", error: infrastructureError(error) });
      this.#values.unpin();
      return;
    }
    if (this.#phase === "preparing") this.#askForChild();
    else this.#values.unpin();
  }

  #askForChild(): void {
    this.#phase = "waiting";
    if (this.#dispatch.ahead) this.#timer = setTimeout(() => this.#giveBack(), aheadMsMax);
    this.#host.pool.request(this);
  }

  /** It was sent ahead and its turn did not come: another worker may have a free slot. */
  #giveBack(): void {
    if (this.#phase !== "waiting") return;
    this.#host.pool.withdraw(this);
    this.#reportOnce({ kind: "returned" });
  }

  granted(child: PooledChild, loaded: boolean): void {
    if (this.#dispatch.ahead) clearTimeout(this.#timer);
    this.startedAt = Date.now();
    this.#child = child;
    this.#runId = child.attempts;
    this.#phase = "loading";
    child.process.send(this.#runMessage());
    if (loaded) this.#begin();
  }

  #runMessage(): RunAttempt {
    return {
      ...runMessage(this.#dispatch, this.#given, { id: this.#runId, settings: this.#host.settings }),
      ...(this.#dispatch.inspect ? { inspect: true } : {}),
      ...(this.#host.settings.checkReplay ? { checkReplay: true } : {}),
    };
  }

  /** The task's time starts when its code can. */
  #begin(): void {
    this.#phase = "running";
    const { timeoutMs } = this.#dispatch;
    if (timeoutMs === undefined || this.#stop) return;
    const isResumed = this.#dispatch.records?.some((record) => record.kind === "wait") ?? false;
    const allowed = isResumed
      ? `the ${timeoutMs} ms that its timeout had left after its waits`
      : `its timeout of ${timeoutMs} ms`;
    const stop: Stop = { kind: "timeout", reason: `The attempt ran longer than ${allowed}.` };
    // A timer holds at most 2^31 − 1 ms, which is 24 days.
    this.#timer = setTimeout(
      () => this.#stopWith(stop, this.#host.settings.killGraceMs),
      Math.min(timeoutMs, 2 ** 31 - 1),
    );
  }

  #stopWith(stop: Stop, graceMs: number): void {
    this.#stop = stop;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child) {
      this.#host.pool.withdraw(this);
      this.#reportOnce(stopOutcome(stop));
      return;
    }
    child.process.send({ kind: "abort", id: this.#runId, reason: stop.reason });
    this.#timer = setTimeout(() => this.#host.pool.kill(child, stop.kind), Math.min(graceMs, 2 ** 31 - 1));
  }

  message(message: FromChild): void {
    switch (message.kind) {
      case "output":
        this.log.addText(message.stream, message.text, Date.now());
        break;
      case "log": {
        const { level, text, fields } = message;
        this.log.addLine({ at: Date.now(), stream: "log", level, text, ...(fields ? { fields } : {}) });
        break;
      }
      case "dropped":
        this.log.drop(message.bytes, Date.now());
        break;
      case "progress": {
        const { fraction, message: text } = message;
        this.progress = text === undefined ? { fraction } : { fraction, message: text };
        break;
      }
      case "artifact":
        this.#keepArtifact(message);
        return;
      case "step":
        this.#keepStep(message.step);
        return;
      case "emit":
        void this.#emit(message.number, message.event);
        return;
      case "members":
        void this.#tellMembers(message);
        return;
      case "loaded":
        this.#begin();
        return;
      case "refused":
        this.#tryAnotherChild();
        return;
      case "result":
        this.#receiveResult(message);
        return;
      default:
        return;
    }
    this.#host.touched(this);
  }

  /** The server has committed them. */
  recorded(steps: readonly StepName[]): void {
    this.steps.recorded(steps);
    this.#child?.process.send({ kind: "recorded", id: this.#runId, steps });
  }

  #keepStep(step: ProducedStep): void {
    const { name, occurrence, outcome } = step;
    const place = this.steps.add({ name, occurrence });
    if (outcome.kind === "error" || "value" in outcome.value) {
      place(step);
      this.#host.stepsEnded(this);
      return;
    }
    const storing = this.#values.store(outcome.value).then((value) => {
      place({ ...step, outcome: { kind: "value", value } });
      if (!this.#isAbandoned) this.#host.stepsEnded(this);
    });
    storing.catch((error: unknown) => this.#stepLost(error));
    this.#uploads.push(storing);
  }

  /** Its function would wait for it for ever. */
  #stepLost(error: unknown): void {
    const child = this.#child;
    if (!child || this.#stop || this.#phase === "finishing" || this.#phase === "ended") return;
    this.#child = undefined;
    this.#reportOnce({ kind: "infrastructure", error: infrastructureError(error) });
    this.#host.pool.kill(child, "a step's value could not be stored");
  }

  /** A page of the run's firing, which its child asks for. */
  async #tellMembers({ number, operand, cursor }: Extract<FromChild, { kind: "members" }>): Promise<void> {
    const child = this.#child;
    try {
      const page = await this.#host.transfer.members(this.token.runId, { operand, cursor });
      child?.process.send({ kind: "member_page", number, page });
    } catch (thrown) {
      const { message } = infrastructureError(thrown);
      const page = { code: errorCodeOf(thrown) ?? "MILLRACE_INTERNAL", message } as const;
      child?.process.send({ kind: "member_page", number, page });
    }
  }

  /** Recorded at once; its child is told, unless it has gone on to another attempt in a process of its own. */
  async #emit(number: number, event: CloudEvent): Promise<void> {
    const child = this.#child;
    try {
      const { causes } = this.#dispatch;
      await this.#host.transfer.emit(causes === undefined ? event : { ...event, [causesAttribute]: causes });
      child?.process.send({ kind: "emitted", number });
    } catch (thrown) {
      const { message } = infrastructureError(thrown);
      child?.process.send({
        kind: "emitted",
        number,
        error: { code: errorCodeOf(thrown) ?? "MILLRACE_INTERNAL", message },
      });
    }
  }

  output(stream: "stdout" | "stderr", chunk: Buffer): void {
    this.log.addRaw(stream, chunk, Date.now());
    this.#host.touched(this);
  }

  #tryAnotherChild(): void {
    const child = this.#child;
    this.#child = undefined;
    clearTimeout(this.#timer);
    if (child) this.#host.pool.release(child, "spoiled");
    this.#askForChild();
  }

  #receiveResult(result: ChildResult): void {
    if (result.id !== this.#runId || this.#phase === "finishing") return;
    clearTimeout(this.#timer);
    this.#phase = "finishing";
    this.endedAt = Date.now();
    this.#host.barrier.pass(() => this.#finish(result));
  }

  #finish(result: ChildResult): void {
    const child = this.#child;
    this.#child = undefined;
    // A process that died after its result has already left the pool.
    if (child && child.holder === this) this.#host.pool.release(child, this.#stop ? "spoiled" : result.state);
    const { outcome } = result;
    // Who is told to stop and still succeeds, has succeeded: what a setup made needs its teardown.
    const succeeded = outcome.kind === "succeeded" && this.#stop?.kind === "cancel";
    if (this.#stop && !succeeded) return this.#reportAfterArtifacts(stopOutcome(this.#stop));
    // No attempt is a rehearsal.
    if (outcome.kind === "rehearsed") return;
    const carried = carriedOutcome(outcome);
    if (carried && this.#uploads.length === 0) this.#reportOnce(carried);
    else void this.#reportAfterUploads(outcome);
  }

  /** For an attempt that failed anyway: what it made before is kept when that works. */
  #reportAfterArtifacts(outcome: AttemptOutcome): void {
    this.#phase = "finishing";
    this.endedAt = Date.now();
    if (this.#uploads.length === 0) this.#reportOnce(outcome);
    else void Promise.allSettled(this.#uploads).then(() => this.#reportOnce(outcome));
  }

  async #reportAfterUploads(outcome: ChildOutcome): Promise<void> {
    try {
      await Promise.all(this.#uploads);
      const carried = carriedOutcome(outcome);
      this.#reportOnce(carried ?? (await this.#values.storeOutcome(outcome)));
    } catch (error) {
      this.#reportOnce({ kind: "infrastructure", error: infrastructureError(error) });
    }
  }

  /** Awaited before the outcome; a failure is seen there. Stored side by side, told in the order of their making. */
  #keepArtifact(message: Extract<FromChild, { kind: "artifact" }>): void {
    const before = this.#uploads.at(-1);
    const storing = this.#storeArtifact(message, before);
    storing.catch(() => {});
    this.#uploads.push(storing);
  }

  async #storeArtifact(
    artifact: Extract<FromChild, { kind: "artifact" }>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const { name, type, mediaType, file, blob, bytes } = artifact;
    await this.#host.blobs.store(file, blob, bytes);
    await before?.catch(() => {});
    if (this.#isAbandoned) return;
    this.#host.send({
      kind: "artifact",
      token: this.token,
      attempt: this.number,
      name,
      type,
      mediaType,
      blob,
      bytes,
    });
  }

  exited(exit: ChildExit): void {
    const child = this.#child;
    this.#child = undefined;
    // The result came before the end: it stands.
    if (this.#phase === "finishing" || this.#phase === "ended") return;
    clearTimeout(this.#timer);
    const reason = child?.mustEnd;
    if (this.#stop) this.#reportAfterArtifacts(stopOutcome(this.#stop));
    else if (exit.startError) this.refused(exit.startError);
    else if (killedFromOutside(exit, reason)) {
      this.#reportAfterArtifacts({ kind: "infrastructure", error: this.#exitError(exit, reason) });
    } else this.#reportAfterArtifacts({ kind: "failed", error: this.#exitError(exit, reason) });
  }

  #exitError(exit: ChildExit, reason: string | undefined): AttemptError {
    const memoryMb = this.#host.settings.childMemoryMb;
    if (exit.outOfMemory) {
      return ours(
        "MILLRACE_ATTEMPT_OUT_OF_MEMORY",
        `The process ran out of memory; its heap may hold ${memoryMb} MiB.`,
      );
    }
    if (reason === "load timeout") {
      return ours(
        "MILLRACE_LOAD_TIMEOUT",
        `Importing the bundle did not end within ${limits.bundleLoadMs} ms.`,
      );
    }
    const how =
      exit.signal === null
        ? `with exit code ${exit.code} (process.exit?)`
        : `by signal ${exit.signal}${exit.signal === "SIGKILL" ? " (the system's out-of-memory killer?)" : ""}`;
    const when = this.#phase === "loading" ? "while the bundle was imported" : "before the task answered";
    return ours("MILLRACE_ATTEMPT_CRASHED", `The process ended ${how} ${when}.`);
  }

  refused(error: Error): void {
    const message = `No child process could be started: ${error.message}`;
    this.#reportOnce({ kind: "infrastructure", error: ours("MILLRACE_CHILD_FAILED", message) });
  }

  #reportOnce(outcome: AttemptOutcome): void {
    if (this.#phase === "ended") return;
    if (this.endedAt === 0) this.endedAt = Date.now();
    this.#end();
    this.log.finish(this.endedAt);
    this.#host.report(this, outcome);
  }

  #end(): void {
    this.#phase = "ended";
    clearTimeout(this.#timer);
    this.#values.unpin();
  }
}
