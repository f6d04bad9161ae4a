/**
 * Brings ready task runs and free worker slots together.
 *
 * D1: a slot is taken in the turn in which its task run is decided as dispatched, and given back with its `released`.
 * D2: a dispatch leaves for its worker only after the commit of that decision.
 * D3: a worker that lost its connection keeps its dispatches for `workerLeaseMs`; then they are lost.
 * D4: a task run goes to a worker without a free slot only if its like has lately been short; a worker gives back what
 *     it could not begin within `aheadMsMax`.
 */
import type { TaskRun } from "@millrace/core";
import {
  tokenKey,
  type CarriedValue,
  type Dispatch,
  type DispatchToken,
  type ServerMessage,
  type StepName,
  type StepRecord,
} from "@millrace/protocol";
import { FairQueue } from "./fair-queue.ts";
import type { RunEntry } from "./run-entry.ts";

/** A task run that waits for a slot. */
export interface ReadyTask {
  readonly entry: RunEntry;
  readonly taskRun: TaskRun;
  readonly pipeline: string;
  readonly priority: number;
  readonly queue: string;
  /** Withdrawn: whoever still holds it lets it go. */
  gone: boolean;
  /** Set once it had to be fetched or stored. */
  input: CarriedValue | undefined;
  /** What its function has recorded, where that had to be read. */
  records: readonly StepRecord[] | undefined;
  /** How much was recorded when these were read. */
  recordsSeq: number;
  /** Limits that it needs, in the order of their acquisition. */
  wanted: readonly HeldLimit[];
  /** How many of them it holds or has asked for. */
  taken: number;
  /** How many of them it holds. */
  granted: number;
  /** Found to have no recorded output. */
  cacheKey: string | undefined;
}

export interface HeldLimit {
  readonly kind: "pool" | "key";
  readonly name: string;
  readonly slots: number;
  readonly limitSlots: number;
}

export interface WorkerInfo {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly queues: readonly string[];
  readonly slots: number;
  /** Short task runs that it takes beyond its slots. */
  readonly prefetch: number;
  readonly labels: { readonly [name: string]: string };
  readonly platform: string;
}

/** A connection to a worker. */
export interface WorkerLink {
  /** Each is a frame; they leave together. */
  send(...messages: ServerMessage[]): void;
  close(): void;
}

export interface Busy {
  readonly token: DispatchToken;
  /** Of a run in this node's memory; nothing when another node owns the run, or it is a look of a probe. */
  readonly own: { readonly entry: RunEntry; readonly taskRun: TaskRun } | undefined;
  /** What to send again to a worker that lost it; nothing when it is made anew from the run. */
  readonly message: Dispatch | undefined;
  /** When its slot was offered to another node (database time), which has not answered: there is no such dispatch yet. */
  readonly claimedAt?: number;
}

export interface ConnectedWorker {
  readonly info: WorkerInfo;
  readonly connectedAt: number;
  link: WorkerLink | undefined;
  readonly busy: Map<string, Busy>;
  /**
   * Of `busy`, what it was sent or has named over this connection; with the time since when its heartbeats miss it, by the
   * local clock.
   */
  readonly told: Map<string, number | undefined>;
  /** What it answered for runs of other nodes, and is not yet left for them. */
  readonly passing: Set<string>;
  draining: boolean;
}

interface Outgoing {
  readonly dispatches: Dispatch[];
  readonly acks: DispatchToken[];
  readonly recorded: { readonly token: DispatchToken; readonly steps: readonly StepName[] }[];
  readonly cancels: { readonly token: DispatchToken; readonly reason: string }[];
}

export interface DispatcherOptions {
  /** Decides the dispatch; gives the message to send, or nothing when the task run could not be dispatched now. */
  readonly dispatch: (task: ReadyTask, workerId: string, ahead: boolean) => Dispatch | undefined;
  /** Calls back after the commit of what was decided so far. */
  readonly afterCommit: (callback: () => void) => void;
  readonly cancelGraceMs: number;
}

/** Task runs up to this long are sent ahead: what stands before them costs them little. */
const shortMsMax = 20;
const durationsMax = 10_000;

function durationName(entry: RunEntry, taskRun: TaskRun): string {
  return `${entry.identity.bundle}/${entry.identity.pipeline}/${taskRun.node.definition.id}`;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #queues = new Map<string, FairQueue<ReadyTask>>();
  readonly workers = new Map<string, ConnectedWorker>();
  readonly #busyWorker = new Map<string, ConnectedWorker>();
  /** Mean running time in ms of what was dispatched lately, by bundle, pipeline and node. */
  readonly #durations = new Map<string, number>();
  #outgoing: Map<ConnectedWorker, Outgoing> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  enqueue(task: ReadyTask): void {
    let queue = this.#queues.get(task.queue);
    if (!queue) {
      queue = new FairQueue();
      this.#queues.set(task.queue, queue);
    }
    queue.push(task);
  }

  remove(task: ReadyTask): void {
    this.#queues.get(task.queue)?.remove(task);
  }

  /** What waits, queue after queue, in no order within one. */
  *waiting(): Iterable<ReadyTask> {
    for (const queue of this.#queues.values()) yield* queue.values();
  }

  /** How many wait in each queue. */
  queued(): Map<string, number> {
    return new Map([...this.#queues].map(([name, queue]) => [name, queue.size]));
  }

  /** Those of one queue, in no order. */
  waitingIn(queue: string): Iterable<ReadyTask> {
    return this.#queues.get(queue)?.values() ?? [];
  }

  /** Fills free slots. */
  pump(): void {
    for (const [name, queue] of this.#queues) {
      if (queue.size === 0) continue;
      for (let worker = this.#freeWorker(name); worker; worker = this.#freeWorker(name)) {
        const free = worker.info.slots - worker.busy.size;
        if (free <= 0 && !this.#isShort(queue.first())) break;
        const task = queue.pop();
        if (!task) break;
        if (task.gone) continue;
        const message = this.#options.dispatch(task, worker.info.id, free <= 0);
        if (!message) continue;
        const own = { entry: task.entry, taskRun: task.taskRun };
        this.occupy(worker, { token: message.token, own, message: undefined });
        this.#outgoingTo(worker).dispatches.push(message);
      }
    }
  }

  /** How long a finished dispatch ran, so that more like it may be sent ahead (D4). */
  noteDuration(token: DispatchToken, durationMs: number): void {
    const busy = this.#busyWorker.get(tokenKey(token))?.busy.get(tokenKey(token));
    if (!busy?.own) return;
    const name = durationName(busy.own.entry, busy.own.taskRun);
    const known = this.#durations.get(name);
    const mean = known === undefined ? durationMs : known + (durationMs - known) / 8;
    this.#durations.delete(name);
    this.#durations.set(name, mean);
    if (this.#durations.size <= durationsMax) return;
    for (const oldest of this.#durations.keys()) {
      this.#durations.delete(oldest);
      return;
    }
  }

  #isShort(task: ReadyTask | undefined): boolean {
    if (!task) return false;
    const mean = this.#durations.get(durationName(task.entry, task.taskRun));
    return mean !== undefined && mean <= shortMsMax;
  }

  /** Gives a dispatch that is of no run to a worker with a free slot; false where there is none. */
  place(queue: string, message: Dispatch, isFit: (worker: ConnectedWorker) => boolean): boolean {
    const worker = this.#freeWorker(
      queue,
      (candidate) => candidate.info.slots > candidate.busy.size && isFit(candidate),
    );
    if (!worker) return false;
    this.occupy(worker, { token: message.token, own: undefined, message });
    this.#outgoingTo(worker).dispatches.push(message);
    return true;
  }

  /** The connected worker of a queue with the most free slots; one that takes ahead when no slot is free. */
  #freeWorker(
    queue: string,
    isFit: (worker: ConnectedWorker) => boolean = () => true,
  ): ConnectedWorker | undefined {
    let best: ConnectedWorker | undefined;
    let bestFree = Number.NEGATIVE_INFINITY;
    for (const worker of this.workers.values()) {
      if (!worker.link || worker.draining || !worker.info.queues.includes(queue)) continue;
      const free = worker.info.slots - worker.busy.size;
      if (free <= bestFree || free <= -worker.info.prefetch || !isFit(worker)) continue;
      best = worker;
      bestFree = free;
    }
    return best;
  }

  /** One worker holds a dispatch. A claim takes it from nobody: its answer says who gets it. */
  occupy(worker: ConnectedWorker, busy: Busy): void {
    const key = tokenKey(busy.token);
    const holder = this.#busyWorker.get(key);
    if (holder && holder !== worker) {
      if (busy.claimedAt !== undefined) return;
      holder.busy.delete(key);
    }
    worker.busy.set(key, busy);
    this.#busyWorker.set(key, worker);
  }

  /** Gives a dispatch's slot back. */
  free(token: DispatchToken): void {
    const key = tokenKey(token);
    const worker = this.#busyWorker.get(key);
    worker?.busy.delete(key);
    worker?.told.delete(key);
    this.#busyWorker.delete(key);
  }

  workerOf(token: DispatchToken): ConnectedWorker | undefined {
    return this.#busyWorker.get(tokenKey(token));
  }

  /** Sends a dispatch again to the worker that should have it (its link came back without it). */
  resend(worker: ConnectedWorker, message: Dispatch): void {
    this.#outgoingTo(worker).dispatches.push(message);
  }

  acknowledge(worker: ConnectedWorker, token: DispatchToken): void {
    this.#outgoingTo(worker).acks.push(token);
  }

  /** These steps are committed with what is decided now. */
  noteRecorded(worker: ConnectedWorker, token: DispatchToken, steps: readonly StepName[]): void {
    const names = steps.map(({ name, occurrence }) => ({ name, occurrence }));
    this.#outgoingTo(worker).recorded.push({ token, steps: names });
  }

  cancel(worker: ConnectedWorker, token: DispatchToken, reason: string): void {
    this.#outgoingTo(worker).cancels.push({ token, reason });
  }

  /** What goes to the worker with the next commit: one frame of each kind. */
  #outgoingTo(worker: ConnectedWorker): Outgoing {
    let all = this.#outgoing;
    if (!all) {
      const fresh = new Map<ConnectedWorker, Outgoing>();
      all = fresh;
      this.#outgoing = fresh;
      this.#options.afterCommit(() => this.#send(fresh));
    }
    let outgoing = all.get(worker);
    if (!outgoing) {
      outgoing = { dispatches: [], acks: [], recorded: [], cancels: [] };
      all.set(worker, outgoing);
    }
    return outgoing;
  }

  /** The flush was put together: what is decided from now on belongs to the next one. */
  sealOutgoing(): void {
    this.#outgoing = undefined;
  }

  #send(all: ReadonlyMap<ConnectedWorker, Outgoing>): void {
    for (const [worker, outgoing] of all) {
      if (!worker.link) continue;
      // What was given up while its flush was under way stays here.
      const dispatches = outgoing.dispatches.filter(({ token }) => worker.busy.has(tokenKey(token)));
      for (const { token } of dispatches) worker.told.set(tokenKey(token), undefined);
      const messages: ServerMessage[] = [];
      if (dispatches.length > 0) messages.push({ kind: "dispatches", dispatches });
      if (outgoing.acks.length > 0) messages.push({ kind: "ack", tokens: outgoing.acks });
      for (const recorded of outgoing.recorded) messages.push({ kind: "recorded", ...recorded });
      const graceMs = this.#options.cancelGraceMs;
      for (const cancel of outgoing.cancels) messages.push({ kind: "cancel", ...cancel, graceMs });
      if (messages.length > 0) worker.link.send(...messages);
    }
  }
}
