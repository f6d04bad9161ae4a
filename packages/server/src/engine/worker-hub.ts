/**
 * The workers of this node: their connections, what runs on them, what they answer.
 *
 * W2, W3 (protocol): a result is acknowledged after the commit that it caused; one that is out of date at once.
 * K1: a worker that lost its connection is waited for during its lease; then its dispatches are lost.
 * K2: a dispatch that was taken over from another node is waited for during one lease from then on; a worker that
 *     comes with it is believed.
 */
import {
  taskRunsBelow,
  type AttemptError,
  type AttemptOutcome as CoreOutcome,
  type RunMessage,
  type TaskRun,
} from "@millrace/core";
import {
  protocolVersion,
  tokenKey,
  type AttemptOutcome,
  type CarriedValue,
  type DispatchToken,
  type Hello,
  type Results,
  type Welcome,
} from "@millrace/protocol";
import type { Json, StoredValue } from "@millrace/core";
import type { Alarm, Clock } from "./clock.ts";
import type { ConnectedWorker, WorkerLink } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import { timeoutSlackMs, workerHeartbeatMs, workerLeaseMs } from "./limits.ts";
import type { RunEntry } from "./run-entry.ts";
import { tokenOf } from "./task-input.ts";

export class WorkerHub {
  readonly #parts: EngineParts;
  readonly #clock: Clock;
  readonly #leases = new Map<ConnectedWorker, Alarm>();
  readonly #heardAt = new Map<ConnectedWorker, number>();
  /** Dispatches that were taken over and that no worker has claimed yet, with the time when they count as lost. */
  readonly #orphans = new Map<
    string,
    {
      readonly entry: RunEntry;
      readonly taskRun: TaskRun;
      readonly token: DispatchToken;
      readonly lostAt: number;
    }
  >();

  constructor(parts: EngineParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  workers(): Iterable<ConnectedWorker> {
    return this.#parts.dispatcher.workers.values();
  }

  /** A worker said hello over `link`; the answer must be sent before anything else. */
  connect(hello: Hello, link: WorkerLink): { readonly worker: ConnectedWorker; readonly welcome: Welcome } {
    const { dispatcher } = this.#parts;
    const known = dispatcher.workers.get(hello.workerId);
    known?.link?.close();
    const worker: ConnectedWorker = known ?? {
      info: {
        id: hello.workerId,
        name: hello.name,
        version: hello.version,
        queues: hello.queues,
        slots: hello.slots,
        prefetch: hello.prefetch ?? 0,
        labels: hello.labels,
        platform: hello.platform,
      },
      connectedAt: this.#parts.clock.now(),
      link: undefined,
      busy: new Map(),
      draining: false,
    };
    worker.link = link;
    worker.draining = false;
    dispatcher.workers.set(hello.workerId, worker);
    this.#leases.get(worker)?.cancel();
    this.#leases.delete(worker);
    this.#heardAt.set(worker, this.#clock.monotonic());
    const revoked = this.#reconcile(worker, hello.running);
    this.#parts.commit.request();
    return {
      worker,
      welcome: {
        kind: "welcome",
        protocol: protocolVersion,
        leaseMs: workerLeaseMs,
        heartbeatMs: workerHeartbeatMs,
        revoked,
      },
    };
  }

  /** Brings what the worker says it runs and what it should run together; gives what it must stop. */
  #reconcile(worker: ConnectedWorker, running: readonly DispatchToken[]): DispatchToken[] {
    const { dispatcher } = this.#parts;
    const revoked: DispatchToken[] = [];
    const said = new Set(running.map(tokenKey));
    for (const token of running) {
      const key = tokenKey(token);
      if (worker.busy.has(key)) continue;
      const orphan = this.#orphans.get(key);
      if (orphan) {
        this.#orphans.delete(key);
        dispatcher.occupy(worker, { token, entry: orphan.entry, taskRun: orphan.taskRun });
      } else revoked.push(token);
    }
    for (const [key, busy] of worker.busy) {
      if (!said.has(key)) this.#sendAgain(worker, busy.entry, busy.taskRun, busy.token);
    }
    return revoked;
  }

  /** W1: a worker answers a repeated dispatch with what it has. */
  #sendAgain(worker: ConnectedWorker, entry: RunEntry, taskRun: TaskRun, token: DispatchToken): void {
    const { dispatcher, readiness, runs } = this.#parts;
    void readiness.inputAgain(entry, taskRun).then(
      (input) => {
        if (worker.busy.has(tokenKey(token)))
          dispatcher.resend(worker, readiness.messageFor(entry, taskRun, input));
      },
      (error: unknown) => runs.setAside(entry, error),
    );
  }

  heard(worker: ConnectedWorker): void {
    this.#heardAt.set(worker, this.#clock.monotonic());
  }

  drain(worker: ConnectedWorker): void {
    worker.draining = true;
  }

  /** Takes results in one turn, so that they share a flush. */
  results(worker: ConnectedWorker, message: Results): void {
    this.heard(worker);
    for (const { token, outcome, times } of message.results) {
      if (outcome.kind !== "returned")
        this.#parts.dispatcher.noteDuration(token, times.endedAt - times.startedAt);
      this.#result(worker, token, outcome);
    }
    this.#parts.commit.request();
  }

  #result(worker: ConnectedWorker, token: DispatchToken, outcome: AttemptOutcome): void {
    const { runs, dispatcher } = this.#parts;
    this.#orphans.delete(tokenKey(token));
    const entry = runs.get(token.runId);
    if (!entry) {
      dispatcher.free(token);
      this.#forward(worker, token, outcome);
      return;
    }
    if (outcome.kind === "infrastructure" || outcome.kind === "returned") {
      runs.step(entry, notRunMessage(token, outcome));
      dispatcher.free(token);
      dispatcher.acknowledge(worker, token);
      return;
    }
    const structural = entry.run.graph.byId.get(token.node)?.structural ?? false;
    if (outcome.kind === "succeeded" && "blob" in outcome.output && structural) {
      void this.#resultWithBlob(worker, entry, token, outcome.output).catch((error: unknown) =>
        runs.setAside(entry, error),
      );
      return;
    }
    runs.step(entry, { kind: "result", token, outcome: coreOutcome(outcome), random: this.#parts.random() });
    dispatcher.free(token);
    dispatcher.acknowledge(worker, token);
  }

  async #resultWithBlob(
    worker: ConnectedWorker,
    entry: RunEntry,
    token: DispatchToken,
    output: CarriedValue,
  ): Promise<void> {
    const loaded = await this.#parts.values.loaded(stored(output));
    const { runs, dispatcher } = this.#parts;
    runs.step(entry, {
      kind: "result",
      token,
      outcome: { kind: "succeeded", output: loaded },
      random: this.#parts.random(),
    });
    dispatcher.free(token);
    dispatcher.acknowledge(worker, token);
  }

  /** The run is not in this node's memory: its owner gets the result; if it has ended, nobody needs it. */
  #forward(worker: ConnectedWorker, token: DispatchToken, outcome: AttemptOutcome): void {
    const { store, dispatcher, commit, log } = this.#parts;
    const message =
      outcome.kind === "infrastructure" || outcome.kind === "returned"
        ? notRunMessage(token, outcome)
        : { kind: "result" as const, token, outcome: coreOutcome(outcome), random: this.#parts.random() };
    const content = { kind: "run", runId: token.runId, message } as unknown as Json;
    void store.sendToRun({ workspace: 1, id: token.runId }, content).then(
      () => {
        dispatcher.acknowledge(worker, token);
        commit.request();
      },
      (error: unknown) =>
        log.warn({ err: error }, "a result could not be forwarded; the worker will repeat it"),
    );
  }

  /** The connection ended: the worker has its lease to come back (K1). */
  disconnected(worker: ConnectedWorker, link: WorkerLink): void {
    if (worker.link !== link) return;
    worker.link = undefined;
    if (worker.busy.size === 0) {
      this.#remove(worker);
      return;
    }
    this.#leases.set(
      worker,
      this.#clock.after(workerLeaseMs, () => this.#lose(worker, true)),
    );
  }

  /** The worker's process is known to be gone: its lease need not be waited for. */
  gone(workerId: string): void {
    const worker = this.#parts.dispatcher.workers.get(workerId);
    if (worker) this.#lose(worker, true);
  }

  #lose(worker: ConnectedWorker, blame: boolean): void {
    worker.link?.close();
    worker.link = undefined;
    const lost = [...worker.busy.values()];
    this.#remove(worker);
    const error: AttemptError = {
      name: "MILLRACE_WORKER_LOST",
      code: "MILLRACE_WORKER_LOST",
      message: `The worker ${worker.info.name} disappeared.`,
    };
    for (const busy of lost) {
      this.#parts.dispatcher.free(busy.token);
      this.#parts.runs.step(busy.entry, { kind: "lost", token: busy.token, blame, error });
    }
    this.#parts.commit.request();
  }

  #remove(worker: ConnectedWorker): void {
    this.#leases.get(worker)?.cancel();
    this.#leases.delete(worker);
    this.#heardAt.delete(worker);
    this.#parts.dispatcher.workers.delete(worker.info.id);
  }

  /** Runs were taken over: what they have under way runs on workers that were another node's (K2). */
  adopt(entry: RunEntry): void {
    const lostAt = this.#clock.monotonic() + workerLeaseMs;
    for (const taskRun of taskRunsBelow(entry.run.root)) {
      if (taskRun.state !== "running") continue;
      const token = tokenOf(entry.identity.id, taskRun);
      if (!this.#parts.dispatcher.workerOf(token))
        this.#orphans.set(tokenKey(token), { entry, taskRun, token, lostAt });
    }
    if (this.#orphans.size > 0) this.#clock.after(workerLeaseMs, () => this.#loseOrphans());
  }

  #loseOrphans(): void {
    const now = this.#clock.monotonic();
    const error: AttemptError = {
      name: "MILLRACE_WORKER_LOST",
      code: "MILLRACE_WORKER_LOST",
      message: "Its worker did not come back after a take-over.",
    };
    for (const [key, orphan] of this.#orphans) {
      if (orphan.lostAt > now + 1) continue;
      this.#orphans.delete(key);
      if (this.#parts.runs.get(orphan.entry.identity.id) === orphan.entry) {
        this.#parts.runs.step(orphan.entry, { kind: "lost", token: orphan.token, blame: false, error });
      }
    }
    this.#parts.commit.request();
  }

  /** Runs went to another node: their dispatches stay on our workers, whose results are forwarded. */
  forget(entries: readonly RunEntry[]): void {
    const gone = new Set(entries);
    for (const worker of this.#parts.dispatcher.workers.values()) {
      for (const busy of worker.busy.values()) {
        if (!gone.has(busy.entry)) continue;
        this.#parts.dispatcher.free(busy.token);
      }
    }
    for (const [key, orphan] of this.#orphans) if (gone.has(orphan.entry)) this.#orphans.delete(key);
  }

  /** Now and then: workers that fell silent, attempts whose worker did not end them. */
  checkOverdue(): void {
    const now = this.#clock.monotonic();
    for (const worker of this.#parts.dispatcher.workers.values()) {
      if (worker.link && now - (this.#heardAt.get(worker) ?? now) > workerLeaseMs) worker.link.close();
      for (const busy of worker.busy.values())
        this.#checkTimeout(worker, busy.entry, busy.taskRun, busy.token);
    }
  }

  #checkTimeout(worker: ConnectedWorker, entry: RunEntry, taskRun: TaskRun, token: DispatchToken): void {
    const { timeoutMs } = taskRun.node.definition.options;
    if (timeoutMs === undefined || taskRun.startedAt === undefined) return;
    if (this.#parts.clock.now() - taskRun.startedAt < timeoutMs + timeoutSlackMs) return;
    const message = `The attempt ran longer than ${timeoutMs} ms, and its worker did not end it.`;
    const error: AttemptError = {
      name: "MILLRACE_ATTEMPT_TIMEOUT",
      code: "MILLRACE_ATTEMPT_TIMEOUT",
      message,
    };
    this.#parts.dispatcher.cancel(worker, token, message);
    this.#parts.runs.step(entry, {
      kind: "result",
      token,
      outcome: { kind: "failed", error },
      random: this.#parts.random(),
    });
  }

  closeAll(): void {
    for (const worker of this.#parts.dispatcher.workers.values()) {
      worker.link?.send({
        kind: "goodbye",
        code: "MILLRACE_LEASE_LOST",
        message: "The server stops.",
        retry: true,
      });
      worker.link?.close();
      worker.link = undefined;
    }
    for (const alarm of this.#leases.values()) alarm.cancel();
  }
}

function stored(value: CarriedValue): StoredValue {
  return "blob" in value ? { blob: value.blob, bytes: value.bytes } : { value: value.value };
}

/** A child that was killed from outside may be the task's doing: too much memory. Enough such ends set the run aside. */
function notRunMessage(
  token: DispatchToken,
  outcome: Extract<AttemptOutcome, { kind: "infrastructure" | "returned" }>,
): Extract<RunMessage, { kind: "lost" | "returned" }> {
  if (outcome.kind === "returned") return { kind: "returned", token };
  const blame = outcome.error.code === "MILLRACE_ATTEMPT_CRASHED";
  return { kind: "lost", token, blame, error: outcome.error };
}

function coreOutcome(outcome: Exclude<AttemptOutcome, { kind: "infrastructure" | "returned" }>): CoreOutcome {
  return outcome.kind === "succeeded" ? { kind: "succeeded", output: stored(outcome.output) } : outcome;
}
