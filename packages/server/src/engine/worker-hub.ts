/**
 * The workers of this node: their connections, what runs on them, what they answer.
 *
 * W2, W3 (protocol): a result is acknowledged after the commit that it caused; one that is out of date at once.
 * K1: a worker that lost its connection is waited for during its lease; then its dispatches are lost.
 * K3: a dispatch that was sent over a connection and is missing in two heartbeats of it, half an interval or more apart,
 *     is lost: the worker dropped it. It is cancelled there all the same, as it may be under way.
 * What is connected elsewhere is watched by `DistantDispatches` (K2).
 */
import {
  currentTaskRun,
  errorCodeOf,
  taskRunsBelow,
  thingOfLook,
  type AttemptError,
  type Json,
  type RunMessage,
  type StoredValue,
  type TaskRun,
} from "@millrace/core";
import {
  protocolVersion,
  tokenKey,
  type AttemptOutcome,
  type DispatchToken,
  type Heartbeat,
  type Hello,
  type Results,
  type Steps,
  type Welcome,
} from "@millrace/protocol";
import type { Alarm, Clock } from "./clock.ts";
import type { Busy, ConnectedWorker, WorkerLink } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import { timeoutSlackMs, workerHeartbeatMs, workerLeaseMs } from "./limits.ts";
import { coreOutcome, lostError, resultMessage, stepMessages, stored } from "./attempt-outcome.ts";
import type { RecordedInboxMessage } from "./inbox-message.ts";
import type { RunEntry } from "./run-entry.ts";
import { StepForwarder } from "./step-forwarder.ts";
import { isInspected, revokedText, tokenOf } from "./task-input.ts";
import { workspaceId } from "./workspace.ts";

const leaseRetryMs = 1_000;
const storeRetryMs = 500;
const loadTriesMax = 10;
const loadRetryMs = 500;
/** A worker learns with a heartbeat that nobody answers, and gives up at the end of its lease (W4). */
const silenceMsMax = workerLeaseMs + workerHeartbeatMs;

export class WorkerHub {
  readonly #parts: EngineParts;
  readonly #clock: Clock;
  readonly #leases = new Map<ConnectedWorker, Alarm>();
  readonly #heardAt = new Map<ConnectedWorker, number>();
  readonly #forwarder: StepForwarder;
  #closed = false;

  constructor(parts: EngineParts, clock: Clock) {
    this.#forwarder = new StepForwarder({
      parts,
      clock,
      insist: (what, work) => this.#insist(what, work),
      isClosed: () => this.#closed,
    });
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
      told: new Map(),
      passing: new Set(),
      draining: false,
    };
    worker.link = link;
    worker.draining = hello.draining ?? false;
    dispatcher.workers.set(hello.workerId, worker);
    this.#leases.get(worker)?.cancel();
    this.#leases.delete(worker);
    this.#heardAt.set(worker, this.#clock.monotonic());
    const revoked = this.#reconcile(worker, hello.running);
    this.#saveConnection(worker);
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
    const { dispatcher, distant, runs } = this.#parts;
    const revoked: DispatchToken[] = [];
    const said = new Set(running.map(tokenKey));
    worker.told.clear();
    for (const key of said) worker.told.set(key, undefined);
    for (const token of running) {
      if (worker.busy.has(tokenKey(token))) continue;
      const own = distant.take(token);
      // Of a run that is not here its owner decides: the result is forwarded, and the token fences it.
      if (own || !runs.get(token.runId)) dispatcher.occupy(worker, { token, own, message: undefined });
      else revoked.push(token);
    }
    for (const [key, busy] of worker.busy) {
      if (!said.has(key)) this.#sendAgain(worker, busy);
      else if (busy.own) this.#cancelAgain(worker, busy.token, busy.own.taskRun);
    }
    return revoked;
  }

  /** A cancel may have been said to a connection that was lost, or by an owner that is gone; said twice it changes nothing. */
  #cancelAgain(worker: ConnectedWorker, token: DispatchToken, taskRun: TaskRun): void {
    if (taskRun.revoked) this.#parts.dispatcher.cancel(worker, token, revokedText(taskRun));
  }

  /** W1: a worker answers a repeated dispatch with what it has. */
  #sendAgain(worker: ConnectedWorker, busy: Busy): void {
    const { dispatcher, readiness, runs } = this.#parts;
    if (busy.claimedAt !== undefined) return;
    if (busy.message) return dispatcher.resend(worker, busy.message);
    if (!busy.own) {
      // Its run went to another node while it was on its way to this worker, which never had it.
      dispatcher.free(busy.token);
      this.#tellLost(busy.token, { blame: false, error: lostError(`${worker.info.name} never had it.`) });
      return;
    }
    const { entry, taskRun } = busy.own;
    void readiness.messageAgain(entry, taskRun).then(
      (message) => {
        if (worker.busy.get(tokenKey(busy.token)) === busy) dispatcher.resend(worker, message);
      },
      (error: unknown) => runs.setAside(entry, error),
    );
  }

  heard(worker: ConnectedWorker): void {
    this.#heardAt.set(worker, this.#clock.monotonic());
  }

  heartbeat(worker: ConnectedWorker, { running }: Heartbeat): void {
    this.heard(worker);
    if (!running || worker.told.size === 0) return;
    const said = new Set(running.map(tokenKey));
    const now = this.#clock.monotonic();
    for (const [key, missedAt] of worker.told) {
      const busy = worker.busy.get(key);
      if (!busy) worker.told.delete(key);
      else if (said.has(key)) worker.told.set(key, undefined);
      else if (missedAt === undefined) worker.told.set(key, now);
      else if (now - missedAt >= workerHeartbeatMs / 2) this.#dropped(worker, busy);
    }
  }

  /** K3. Nobody is blamed: the worker lives. */
  #dropped(worker: ConnectedWorker, { token, own }: Busy): void {
    const { dispatcher, runs, commit, log } = this.#parts;
    log.warn({ worker: worker.info.id, run: token.runId, node: token.node }, "a worker dropped an attempt");
    const message = `The worker ${worker.info.name} does not run it any more.`;
    dispatcher.cancel(worker, token, message);
    dispatcher.free(token);
    const how = { blame: false, error: lostError(message) };
    if (own) runs.step(own.entry, { kind: "lost", token, ...how });
    else this.#tellLost(token, how);
    commit.request();
  }

  drain(worker: ConnectedWorker): void {
    worker.draining = true;
    this.#saveConnection(worker);
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
    const { runs, dispatcher, probes } = this.#parts;
    if (thingOfLook(token.runId) !== undefined) return probes.looks.answered(worker, token, outcome);
    const entry = runs.get(token.runId);
    if (!entry) {
      dispatcher.free(token);
      void this.#forward(worker, token, outcome);
      return;
    }
    const structural = entry.run.graph.byId.get(token.node)?.structural ?? false;
    if (outcome.kind === "succeeded" && "blob" in outcome.output && structural) {
      void this.#resultWithBlob(worker, entry, token, outcome).catch((error: unknown) =>
        runs.setAside(entry, error),
      );
      return;
    }
    runs.step(entry, resultMessage(token, outcome, this.#parts.random()));
    dispatcher.free(token);
    dispatcher.acknowledge(worker, token);
  }

  /** Steps that ended, told again after the commit (W6); of a run that is not here its owner records them. */
  steps(worker: ConnectedWorker, message: Steps): void {
    this.heard(worker);
    const { runs, dispatcher, commit } = this.#parts;
    const entry = runs.get(message.token.runId);
    if (!entry) {
      void this.#forwarder.forward(worker, message);
      return;
    }
    // A step of a dispatch that is over is not recorded: who runs it all the same must not go on to the next one.
    if (currentTaskRun(entry.run, message.token)?.state !== "running") return;
    for (const step of stepMessages(message)) runs.step(entry, step);
    dispatcher.noteRecorded(worker, message.token, message.steps);
    commit.request();
  }

  /** The owner of its run has recorded a step. */
  recorded(message: RecordedInboxMessage): void {
    this.#forwarder.recorded(message);
  }

  async #resultWithBlob(
    worker: ConnectedWorker,
    entry: RunEntry,
    token: DispatchToken,
    outcome: Extract<AttemptOutcome, { kind: "succeeded" }>,
  ): Promise<void> {
    const { runs, dispatcher } = this.#parts;
    const loaded = await this.#loaded(stored(outcome.output));
    runs.step(entry, {
      kind: "result",
      token,
      outcome: { ...coreOutcome(outcome), kind: "succeeded", output: loaded },
      random: this.#parts.random(),
    });
    dispatcher.free(token);
    dispatcher.acknowledge(worker, token);
  }

  /** A blob store that is away for a moment is asked again; a blob that is not there will not come. */
  async #loaded(output: StoredValue): Promise<StoredValue> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#parts.values.loaded(output);
      } catch (error) {
        if (tries === loadTriesMax || errorCodeOf(error) === "MILLRACE_INTERNAL") throw error;
        this.#parts.log.warn({ err: error }, "a result could not be loaded; trying again");
      }
      await new Promise<void>((resolve) => {
        this.#clock.after(loadRetryMs, resolve);
      });
    }
  }

  /** The run is not in this node's memory: its owner gets the result; if it has ended, nobody needs it. */
  async #forward(worker: ConnectedWorker, token: DispatchToken, outcome: AttemptOutcome): Promise<void> {
    const key = tokenKey(token);
    // The worker came back and repeats itself.
    if (worker.passing.has(key)) return;
    worker.passing.add(key);
    const { store, dispatcher, commit } = this.#parts;
    const message = resultMessage(token, outcome, this.#parts.random());
    const content = { kind: "run", runId: token.runId, message } as unknown as Json;
    const isLeft = await this.#insist("a result could not be forwarded", () =>
      store.sendToRun({ workspace: workspaceId, id: token.runId }, content),
    );
    worker.passing.delete(key);
    if (!isLeft) return;
    dispatcher.acknowledge(worker, token);
    commit.request();
  }

  /** Does it again until the store takes it; false when this engine ends before that. */
  async #insist(what: string, work: () => Promise<unknown>): Promise<boolean> {
    for (let tries = 1; !this.#closed; tries += 1) {
      try {
        await work();
        return true;
      } catch (error) {
        if (tries === 1) this.#parts.log.warn({ err: error }, `${what}; trying again`);
      }
      await new Promise<void>((resolve) => {
        this.#clock.after(storeRetryMs, resolve);
      });
    }
    return false;
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
      this.#clock.after(workerLeaseMs, () => this.#endLease(worker)),
    );
  }

  /** A worker that came back to another node is not lost: that node answers for what it runs (K2). */
  #endLease(worker: ConnectedWorker): void {
    const { store, log, distant, dispatcher } = this.#parts;
    const isAway = (): boolean => !worker.link && dispatcher.workers.get(worker.info.id) === worker;
    void store.liveWorkers([worker.info.id], this.#parts.nodeId()).then(
      ([elsewhere]) => {
        if (!isAway()) return;
        if (elsewhere === undefined) return this.#lose(worker, true);
        const busy = [...worker.busy.values()];
        this.#remove(worker);
        for (const { token, own } of busy) {
          dispatcher.free(token);
          if (own) distant.watch({ ...own, token });
        }
      },
      (error: unknown) => {
        log.warn({ err: error }, "a worker's whereabouts could not be asked for");
        if (isAway())
          this.#leases.set(
            worker,
            this.#clock.after(leaseRetryMs, () => this.#endLease(worker)),
          );
      },
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
    const { dispatcher, runs, commit } = this.#parts;
    const error = lostError(`The worker ${worker.info.name} disappeared.`);
    for (const { token, own, claimedAt } of lost) {
      dispatcher.free(token);
      // An answer to the claim finds no worker, and is given back then.
      if (claimedAt !== undefined) continue;
      if (own) runs.step(own.entry, { kind: "lost", token, blame, error });
      else this.#tellLost(token, { blame, error });
    }
    commit.request();
  }

  /** To the run, at another node. What does not arrive is found out by its owner (K2). */
  #tellLost(token: DispatchToken, how: { readonly blame: boolean; readonly error: AttemptError }): void {
    const { store, log, probes } = this.#parts;
    if (thingOfLook(token.runId) !== undefined) return probes.looks.lost(token, how);
    const message: RunMessage = { kind: "lost", token, ...how };
    const content = { kind: "run", runId: token.runId, message } as unknown as Json;
    void store
      .sendToRun({ workspace: workspaceId, id: token.runId }, content)
      .catch((failure: unknown) => log.warn({ err: failure }, "a lost dispatch could not be told"));
  }

  /** Other nodes look there whether a dispatch of theirs is still in good hands: without the row it counts as lost (K2). */
  #saveConnection(worker: ConnectedWorker): void {
    const { store, nodeId, dispatcher } = this.#parts;
    const { id, name, version, queues, slots, labels } = worker.info;
    const { connectedAt } = worker;
    void this.#insist("a worker's connection could not be recorded", async () => {
      if (dispatcher.workers.get(id) !== worker) return;
      const detail = { name, version, queues, slots, labels, draining: worker.draining };
      await store.saveWorker({ id, nodeId: nodeId(), detail, connectedAt });
    });
  }

  #removeConnection(worker: ConnectedWorker): void {
    const { store, nodeId, dispatcher } = this.#parts;
    const { id } = worker.info;
    void this.#insist("a worker's end could not be recorded", async () => {
      if (!dispatcher.workers.has(id)) await store.removeWorker(id, nodeId());
    });
  }

  #remove(worker: ConnectedWorker): void {
    this.#leases.get(worker)?.cancel();
    this.#leases.delete(worker);
    this.#heardAt.delete(worker);
    this.#parts.dispatcher.workers.delete(worker.info.id);
    this.#removeConnection(worker);
  }

  /** Runs were taken over: what they have under way runs on workers that are connected elsewhere, or soon here. */
  adopt(entry: RunEntry): void {
    for (const taskRun of taskRunsBelow(entry.run.root)) {
      if (taskRun.state !== "running") continue;
      const token = tokenOf(entry.identity.id, taskRun);
      const worker = this.#parts.dispatcher.workerOf(token);
      if (worker) {
        this.#parts.dispatcher.occupy(worker, { token, own: { entry, taskRun }, message: undefined });
        this.#cancelAgain(worker, token, taskRun);
      } else this.#parts.distant.watch({ entry, taskRun, token });
    }
  }

  /** Runs went to another node: their dispatches stay on our workers, whose results are forwarded. */
  forget(entries: readonly RunEntry[]): void {
    const gone = new Set(entries);
    for (const worker of this.#parts.dispatcher.workers.values()) {
      for (const busy of worker.busy.values()) {
        if (!busy.own || !gone.has(busy.own.entry)) continue;
        this.#parts.dispatcher.occupy(worker, { token: busy.token, own: undefined, message: undefined });
      }
    }
    this.#parts.distant.forget(gone);
  }

  /** Now and then: workers that fell silent, attempts whose worker did not end them. */
  checkOverdue(): void {
    const now = this.#clock.monotonic();
    for (const worker of this.#parts.dispatcher.workers.values()) {
      if (worker.link && now - (this.#heardAt.get(worker) ?? now) > silenceMsMax) this.#cut(worker);
      for (const busy of worker.busy.values())
        if (busy.own) this.#checkTimeout(worker, busy.own.entry, busy.own.taskRun, busy.token);
    }
  }

  /** A silent worker does not answer the close either, and its lease is over: it is not waited for again. */
  #cut(worker: ConnectedWorker): void {
    const { link } = worker;
    worker.link = undefined;
    link?.close();
    this.#endLease(worker);
  }

  #checkTimeout(worker: ConnectedWorker, entry: RunEntry, taskRun: TaskRun, token: DispatchToken): void {
    const { timeoutMs } = taskRun.node.definition.options;
    if (timeoutMs === undefined || taskRun.startedAt === undefined) return;
    if (isInspected(entry.identity.labels, taskRun)) return;
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

  /** This engine ends. What it could not leave for others is said again by the workers, to the next one. */
  closeAll(): void {
    this.#closed = true;
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
