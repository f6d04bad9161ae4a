/**
 * One rehearsal on this worker: a function runs on its records in a child, as an attempt does, and what it asks for is told. Its
 * output, its logs and what it gives go nowhere.
 *
 * H1: it answers once: with what was asked for, or with why that is not known.
 */
import type { AttemptError } from "@millrace/core";
import type { Dispatch, Rehearsed } from "@millrace/protocol";
import type { PreparedBundle } from "../bundle/bundle-cache.ts";
import type { ChildExit } from "../pool/child.ts";
import type { FromChild } from "../pool/child-message.ts";
import type { ChildHolder, PooledChild } from "../pool/pool.ts";
import { limits } from "../limits.ts";
import type { AttemptHost } from "./attempt.ts";
import { infrastructureError, ours } from "./attempt-fault.ts";
import { AttemptValues, type LocalValues } from "./attempt-values.ts";
import { runMessage } from "./run-message.ts";

export type RehearsalHost = Pick<AttemptHost, "settings" | "pool" | "bundles" | "blobs">;

export class Rehearsal implements ChildHolder {
  readonly #dispatch: Dispatch;
  readonly #host: RehearsalHost;
  readonly #values: AttemptValues;
  readonly #tell: (answer: Omit<Rehearsed, "kind" | "number">) => void;
  #bundle: PreparedBundle | undefined;
  #given: LocalValues = { input: { value: null }, params: undefined, records: undefined };
  #child: PooledChild | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    dispatch: Dispatch,
    host: RehearsalHost,
    tell: (answer: Omit<Rehearsed, "kind" | "number">) => void,
  ) {
    this.#dispatch = dispatch;
    this.#host = host;
    this.#tell = tell;
    this.#values = new AttemptValues(host.blobs);
  }

  get bundle(): PreparedBundle {
    if (!this.#bundle)
      throw new Error("invariant broken: a rehearsal asks for a child before its bundle is there");
    return this.#bundle;
  }

  async start(): Promise<void> {
    this.#timer = setTimeout(() => this.#giveUp(), limits.rehearsalMs);
    try {
      this.#bundle = await this.#host.bundles.prepare(this.#dispatch.bundle);
      this.#given = await this.#values.fetch(this.#dispatch);
    } catch (error) {
      return this.#end({ error: infrastructureError(error) });
    }
    if (!this.#isOver) this.#host.pool.request(this);
  }

  granted(child: PooledChild): void {
    this.#child = child;
    const { settings } = this.#host;
    child.process.send({
      ...runMessage(this.#dispatch, this.#given, { id: child.attempts, settings }),
      isRehearsal: true,
    });
  }

  message(message: FromChild): void {
    const child = this.#child;
    if (!child) return;
    if (message.kind === "refused") {
      this.#child = undefined;
      this.#host.pool.release(child, "spoiled");
      this.#host.pool.request(this);
    } else if (message.kind === "result") {
      this.#child = undefined;
      // A process that did other things than it recorded is not used again.
      this.#host.pool.release(child, message.state === "clean" ? "clean" : "spoiled");
      const { outcome } = message;
      if (outcome.kind === "rehearsed") this.#end({ asked: outcome.asked });
      else this.#end({ error: outcome.kind === "failed" ? outcome.error : unknownEnd() });
    }
  }

  output(): void {}

  exited({ signal, code, startError }: ChildExit): void {
    this.#child = undefined;
    if (startError) return this.refused(startError);
    const how = signal === null ? `with exit code ${code}` : `by signal ${signal}`;
    return this.#end({ error: ours("MILLRACE_ATTEMPT_CRASHED", `The process ended ${how}.`) });
  }

  refused(error: Error): void {
    const message = `No child process could be started: ${error.message}`;
    this.#end({ error: ours("MILLRACE_CHILD_FAILED", message) });
  }

  #giveUp(): void {
    const child = this.#child;
    this.#host.pool.withdraw(this);
    this.#end({ error: ours("MILLRACE_ATTEMPT_TIMEOUT", "The function did not come to rest in time.") });
    if (child) this.#host.pool.kill(child, "rehearsal timeout");
  }

  #end(answer: Omit<Rehearsed, "kind" | "number">): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#values.unpin();
    this.#tell(answer);
  }
}

function unknownEnd(): AttemptError {
  return ours("MILLRACE_ATTEMPT_CRASHED", "The process gave no answer.");
}
