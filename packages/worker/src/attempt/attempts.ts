/**
 * Owns what this worker was given: attempts that run, and results that the server has not acknowledged.
 *
 * W1, W2, W4, W6 and W7 of the protocol are kept here.
 */
import {
  tokenKey,
  type AttemptOutcome,
  type AttemptTimes,
  type Dispatch,
  type DispatchToken,
  type Rehearse,
  type StepName,
  type WorkerMessage,
} from "@millrace/protocol";
import type { BlobCache } from "../blob/blob-cache.ts";
import type { BundleCache } from "../bundle/bundle-cache.ts";
import { limits } from "../limits.ts";
import type { WorkerSettings } from "../options.ts";
import type { ChildPool } from "../pool/pool.ts";
import type { Transfer } from "../transfer.ts";
import { Attempt, type AttemptHost } from "./attempt.ts";
import { Rehearsal } from "./rehearsal.ts";
import { TurnBarrier } from "./turn-barrier.ts";

/** The way to the server, as attempts see it. */
export interface Outlet {
  readonly isOpen: boolean;
  readonly bufferedBytes: number;
  send(message: WorkerMessage): void;
}

interface AttemptResult {
  readonly token: DispatchToken;
  readonly outcome: AttemptOutcome;
  readonly times: AttemptTimes;
}

interface Unacknowledged {
  readonly attempt: Attempt;
  readonly result: AttemptResult;
}

export class Attempts implements AttemptHost {
  readonly settings: WorkerSettings;
  readonly pool: ChildPool;
  readonly bundles: BundleCache;
  readonly blobs: BlobCache;
  readonly transfer: Transfer;
  readonly barrier = new TurnBarrier(() => this.#sendResults());
  readonly #outlet: Outlet;
  readonly #active = new Map<string, Attempt>();
  readonly #unacknowledged = new Map<string, Unacknowledged>();
  /** Acknowledged tokens, the oldest first: a dispatch that comes late and twice is not run again. */
  readonly #remembered = new Set<string>();
  readonly #touched = new Set<Attempt>();
  readonly #withSteps = new Set<Attempt>();
  /** What a broken connection keeps back: artifacts, which nothing repeats. */
  readonly #held: WorkerMessage[] = [];
  #results: AttemptResult[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #memoryTimer: NodeJS.Timeout | undefined;
  #resultsScheduled = false;
  #idle: (() => void)[] = [];

  constructor(
    parts: Pick<AttemptHost, "settings" | "pool" | "bundles" | "blobs" | "transfer">,
    outlet: Outlet,
    readMemory: () => void,
  ) {
    this.settings = parts.settings;
    this.pool = parts.pool;
    this.bundles = parts.bundles;
    this.blobs = parts.blobs;
    this.transfer = parts.transfer;
    this.#outlet = outlet;
    this.#readMemory = readMemory;
  }

  readonly #readMemory: () => void;

  /** What runs here, and what ended without an acknowledgement. */
  tokens(): DispatchToken[] {
    const running = [...this.#active.values()].map((attempt) => attempt.token);
    return [...running, ...[...this.#unacknowledged.values()].map(({ result }) => result.token)];
  }

  get active(): number {
    return this.#active.size;
  }

  /** W1: a repeated dispatch starts nothing; its result is sent again when there is one. */
  accept(dispatch: Dispatch): void {
    const key = tokenKey(dispatch.token);
    if (this.#active.has(key) || this.#remembered.has(key)) return;
    const known = this.#unacknowledged.get(key);
    if (known) {
      this.#results.push(known.result);
      this.#scheduleResults();
      return;
    }
    const attempt = new Attempt(dispatch, this);
    this.#active.set(key, attempt);
    if (this.pool.waiting >= limits.waitingMax || this.#unacknowledged.size >= limits.unackedMax) {
      const message = `The worker holds ${this.#active.size} attempts, more than its ${this.settings.slots} slots allow.`;
      const error = { name: "MILLRACE_OVERLOADED", code: "MILLRACE_OVERLOADED", message };
      attempt.startedAt = attempt.endedAt = Date.now();
      this.report(attempt, { kind: "infrastructure", error });
      return;
    }
    this.#memoryTimer ??= setInterval(this.#readMemory, limits.memoryCheckMs);
    this.settings.onEvent({ kind: "attempt_started", token: dispatch.token });
    attempt.start();
  }

  /** Whoever asked waits for its answer for a bounded time: without a connection nobody does. */
  rehearse({ number, dispatch }: Rehearse): void {
    const rehearsal = new Rehearsal(dispatch, this, (answer) => {
      if (this.#outlet.isOpen) this.#outlet.send({ kind: "rehearsed", number, ...answer });
    });
    void rehearsal.start();
  }

  cancel(token: DispatchToken, reason: string, graceMs: number): void {
    this.#active.get(tokenKey(token))?.cancel(reason, graceMs);
  }

  acknowledge(tokens: readonly DispatchToken[]): void {
    for (const token of tokens) {
      const key = tokenKey(token);
      if (this.#unacknowledged.delete(key)) this.#remember(key);
    }
    this.#checkIdle();
  }

  /** Those steps are committed. An attempt that ended meanwhile has nobody to tell. */
  recorded(token: DispatchToken, steps: readonly StepName[]): void {
    const key = tokenKey(token);
    const attempt = this.#active.get(key) ?? this.#unacknowledged.get(key)?.attempt;
    attempt?.recorded(steps);
  }

  /** Those were given to others while this worker was away. */
  revoke(tokens: readonly DispatchToken[]): void {
    for (const token of tokens) this.#abandon(tokenKey(token));
    this.#checkIdle();
  }

  /** W4. Results that are ready stay: the server's fence judges them. */
  abandonAll(): number {
    const count = this.#active.size;
    for (const key of this.#active.keys()) this.#abandon(key);
    this.#checkIdle();
    return count;
  }

  /** After a (re)connection: what the server may not have. Logs first, for an ended attempt's log must be complete. */
  resend(): void {
    const ended = [...this.#unacknowledged.values()];
    for (const attempt of [...ended.map((entry) => entry.attempt), ...this.#active.values()]) {
      for (const { from, lines } of attempt.log.kept()) this.#sendLines(attempt, from, lines);
      this.#sendPending(attempt);
      attempt.steps.forgetSent();
      this.#sendSteps(attempt);
    }
    for (const message of this.#held.splice(0)) this.#outlet.send(message);
    this.#results = ended.map(({ result }) => result);
    this.#sendResults();
  }

  /** Resolves when nothing runs and everything is acknowledged. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#checkIdle();
    });
  }

  stop(): void {
    clearTimeout(this.#flushTimer);
    this.abandonAll();
  }

  touched(attempt: Attempt): void {
    this.#touched.add(attempt);
    if (attempt.log.pendingBytes >= limits.logFrameBytesMax && !this.#isCongested())
      this.#sendPending(attempt);
    this.#flushTimer ??= setTimeout(() => this.#flush(), limits.logFlushMs);
  }

  /** What comes in one turn leaves together. */
  stepsEnded(attempt: Attempt): void {
    this.#withSteps.add(attempt);
    if (this.#withSteps.size > 1) return;
    queueMicrotask(() => {
      for (const one of this.#withSteps) this.#sendSteps(one);
      this.#withSteps.clear();
    });
  }

  #sendSteps(attempt: Attempt): void {
    if (!this.#outlet.isOpen) return;
    for (const steps of attempt.steps.take())
      this.#outlet.send({ kind: "steps", token: attempt.token, steps });
  }

  /** For what is sent once: kept until there is a connection. */
  send(message: WorkerMessage): void {
    if (this.#outlet.isOpen) this.#outlet.send(message);
    else this.#held.push(message);
  }

  report(attempt: Attempt, outcome: AttemptOutcome): void {
    const { key, token, startedAt, endedAt } = attempt;
    this.#active.delete(key);
    const result = { token, outcome, times: { startedAt, endedAt } };
    this.#unacknowledged.set(key, { attempt, result });
    this.#sendPending(attempt);
    this.#touched.delete(attempt);
    this.#sendSteps(attempt);
    this.#results.push(result);
    this.#scheduleResults();
    this.#stopMemoryCheck();
    const code = "error" in outcome ? outcome.error.code : undefined;
    const ended = { kind: "attempt_ended", token, outcome: outcome.kind } as const;
    this.settings.onEvent(code === undefined ? ended : { ...ended, code });
  }

  #abandon(key: string): void {
    this.#unacknowledged.delete(key);
    const attempt = this.#active.get(key);
    if (!attempt) return;
    this.#active.delete(key);
    this.#touched.delete(attempt);
    this.#withSteps.delete(attempt);
    attempt.abandon();
    this.#remember(key);
    this.#stopMemoryCheck();
  }

  /** The barrier sends at the end of its turn; what comes from elsewhere is sent at the end of this one. */
  #scheduleResults(): void {
    if (this.#resultsScheduled) return;
    this.#resultsScheduled = true;
    setImmediate(() => {
      this.#resultsScheduled = false;
      this.#sendResults();
    });
  }

  #sendResults(): void {
    if (this.#results.length === 0 || !this.#outlet.isOpen) return;
    const results = this.#results;
    this.#results = [];
    this.#outlet.send({ kind: "results", results });
  }

  #flush(): void {
    this.#flushTimer = undefined;
    if (!this.#isCongested()) for (const attempt of this.#touched) this.#sendPending(attempt);
    if (this.#touched.size > 0) this.#flushTimer = setTimeout(() => this.#flush(), limits.logFlushMs);
  }

  /** Lines wait in their bounded buffer while the connection has too much to carry. */
  #isCongested(): boolean {
    return this.#outlet.bufferedBytes > limits.linkBufferedBytesMax;
  }

  #sendPending(attempt: Attempt): void {
    if (!this.#outlet.isOpen) return;
    this.#touched.delete(attempt);
    for (const { from, lines } of attempt.log.take()) this.#sendLines(attempt, from, lines);
    const { progress, token } = attempt;
    attempt.progress = undefined;
    if (progress) this.#outlet.send({ kind: "progress", token, ...progress });
  }

  #sendLines(attempt: Attempt, from: number, lines: Extract<WorkerMessage, { kind: "logs" }>["lines"]): void {
    this.#outlet.send({ kind: "logs", token: attempt.token, attempt: attempt.number, from, lines });
  }

  #remember(key: string): void {
    this.#remembered.add(key);
    if (this.#remembered.size <= limits.rememberedTokensMax) return;
    for (const oldest of this.#remembered) {
      this.#remembered.delete(oldest);
      return;
    }
  }

  #stopMemoryCheck(): void {
    if (this.#active.size > 0) return;
    clearInterval(this.#memoryTimer);
    this.#memoryTimer = undefined;
  }

  #checkIdle(): void {
    if (this.#active.size > 0 || this.#unacknowledged.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
