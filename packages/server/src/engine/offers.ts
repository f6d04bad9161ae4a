/**
 * Task runs that find no slot here are offered to all nodes; what others offer is claimed for free slots here.
 *
 * O1: an offer is claimed by deleting its row; the deletion and the message to its owner are one transaction.
 * O2: only the owner dispatches: a claim that comes too late is answered with `not_given`, and the slot is free again.
 * O3: the dispatch and the message that carries it to the claimer are one flush.
 * O4: with one node there are no offers.
 * O5: what is answered to a message of the owner leaves in the flush that takes the message: else it could be answered
 *     twice, and differently.
 * O6: a claim that was not answered for `claimMsMax` is dropped: its answer went to the next owner of the shard that asked.
 *     One that comes later is heard all the same.
 * O7: an answer that was on its way while its dispatch was given up, and comes where the run is, begins nothing.
 */
import { currentTaskRun, thingOfLook } from "@millrace/core";
import { tokenKey, type Dispatch, type DispatchToken } from "@millrace/protocol";
import type { OfferKey } from "@millrace/store";
import type { ConnectedWorker, ReadyTask } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RunInboxMessage } from "./inbox-message.ts";
import type { LookEndedMessage } from "./probe/probe-looks.ts";
import { claimMsMax, offersMax } from "./limits.ts";

export type OfferInboxMessage =
  | {
      readonly kind: "claimed";
      readonly runId: string;
      readonly token: DispatchToken;
      readonly workerId: string;
      readonly shard: number;
    }
  | {
      readonly kind: "given";
      readonly workerId: string;
      readonly message: Dispatch;
      /** The run's. */
      readonly shard: number;
    }
  | { readonly kind: "not_given"; readonly workerId: string; readonly token: DispatchToken }
  | {
      readonly kind: "asked";
      readonly workerId: string;
      readonly token: DispatchToken;
      /** The run's. */
      readonly shard: number;
    }
  | {
      readonly kind: "revoked";
      readonly workerId: string;
      readonly token: DispatchToken;
      readonly reason: string;
    };

export interface OffersOptions {
  readonly liveNodes: () => number;
  readonly nodeId: () => number;
  /** A shard of this node, for answers; none while it holds none. */
  readonly replyShard: () => number | undefined;
  readonly send: (shard: number, message: OfferInboxMessage | RunInboxMessage | LookEndedMessage) => void;
}

export class Offers {
  readonly #parts: EngineParts;
  readonly #options: OffersOptions;
  readonly #offered = new Map<string, ReadyTask>();
  #claiming = false;
  #mayExist = true;

  constructor(parts: EngineParts, options: OffersOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  // --- as owner -----------------------------------------------------------------------------------------------------

  /** After the free slots here were filled: offers what still waits. */
  offerWaiting(): void {
    if (this.#options.liveNodes() <= 1) return;
    const before = this.#offered.size;
    for (const task of this.#parts.dispatcher.waiting()) {
      if (this.#offered.size >= offersMax) break;
      const key = offerName(task);
      if (this.#offered.has(key)) continue;
      this.#offered.set(key, task);
      const { generation, dispatch } = task.taskRun;
      this.#parts.commit.batch.offers.push({
        ...offerKey(task),
        generation: generation,
        dispatch: dispatch + 1,
        queue: task.queue,
        nodeId: this.#options.nodeId(),
        shard: task.entry.identity.shard,
      });
    }
    if (this.#offered.size === before) return;
    this.#parts.commit.afterCommit(() =>
      this.#own(this.#parts.store.wakeOffers(), "offers could not be announced"),
    );
  }

  /** The task run was dispatched here, or waits no longer. */
  withdraw(task: ReadyTask): void {
    if (!this.#offered.delete(offerName(task))) return;
    this.#parts.commit.batch.offersGone.push(offerKey(task));
    this.#parts.commit.request();
  }

  /** A worker elsewhere has a slot for one of ours. */
  #claimed(message: Extract<OfferInboxMessage, { kind: "claimed" }>): void {
    const { token, workerId, shard } = message;
    const name = `${token.runId}/${token.node}/${token.item}`;
    const task = this.#offered.get(name);
    // The claim may be of an earlier owner's offer: then ours still stands.
    if (task) this.withdraw(task);
    const current =
      task &&
      !task.gone &&
      task.taskRun.generation === token.generation &&
      task.taskRun.dispatch + 1 === token.dispatch;
    const dispatch = current ? this.#parts.readiness.dispatch(task, workerId, false) : undefined;
    if (!task || !dispatch) {
      this.#options.send(shard, { kind: "not_given", workerId, token });
      return;
    }
    this.#parts.dispatcher.remove(task);
    this.#parts.distant.watch({ entry: task.entry, taskRun: task.taskRun, token: dispatch.token });
    this.#options.send(shard, {
      kind: "given",
      workerId,
      message: dispatch,
      shard: task.entry.identity.shard,
    });
  }

  // --- as claimer ---------------------------------------------------------------------------------------------------

  /** There may be offers of others. */
  announced(): void {
    this.#mayExist = true;
    this.claim();
  }

  /** Takes offers for slots that nothing of ours needs. */
  claim(): void {
    if (this.#claiming || !this.#mayExist || this.#options.liveNodes() <= 1) return;
    const shard = this.#options.replyShard();
    if (shard === undefined) return;
    const free = [...this.#parts.dispatcher.workers.values()].filter((worker) => freeSlots(worker) > 0);
    if (free.length === 0) return;
    this.#claiming = true;
    this.#own(
      this.#claimFor(free, shard).finally(() => {
        this.#claiming = false;
      }),
      "offers could not be claimed",
    );
  }

  async #claimFor(workers: readonly ConnectedWorker[], shard: number): Promise<void> {
    this.#mayExist = false;
    for (const worker of workers) {
      const queues = worker.info.queues.filter(
        (queue) => (this.#parts.dispatcher.queued().get(queue) ?? 0) === 0,
      );
      const limit = freeSlots(worker);
      if (queues.length === 0 || limit <= 0) continue;
      const nodeId = this.#options.nodeId();
      const claimed = await this.#parts.store.claimOffers({
        nodeId,
        shard,
        workerId: worker.info.id,
        queues,
        limit,
      });
      for (const offer of claimed) {
        const token = {
          runId: offer.runId,
          node: offer.node,
          item: offer.item,
          generation: offer.generation,
          dispatch: offer.dispatch,
        };
        this.#parts.dispatcher.occupy(worker, {
          token,
          own: undefined,
          message: undefined,
          claimedAt: this.#parts.clock.now(),
        });
      }
      if (claimed.length === limit) this.#mayExist = true;
    }
  }

  /** Called now and then. */
  dropUnanswered(): void {
    const { dispatcher, clock } = this.#parts;
    const dropped = [...dispatcher.workers.values()].flatMap((worker) =>
      [...worker.busy.values()].filter(
        ({ claimedAt }) => claimedAt !== undefined && clock.now() - claimedAt > claimMsMax,
      ),
    );
    for (const { token } of dropped) dispatcher.free(token);
    if (dropped.length > 0) this.announced();
  }

  receive(message: OfferInboxMessage): void {
    const { dispatcher, probes } = this.#parts;
    if (message.kind === "claimed")
      return thingOfLook(message.token.runId) === undefined
        ? this.#claimed(message)
        : probes.looks.claimed(message);
    const worker = dispatcher.workers.get(message.workerId);
    const token = message.kind === "given" ? message.message.token : message.token;
    switch (message.kind) {
      case "given":
        if (this.#isOver(token)) return dispatcher.free(token);
        if (!worker || worker.draining) {
          dispatcher.free(token);
          return this.#refuse(token, message.shard);
        }
        dispatcher.occupy(worker, { token, own: undefined, message: message.message });
        dispatcher.resend(worker, message.message);
        return;
      case "not_given":
        // The offer may have been made, and claimed, once more; that claim's answer is another one.
        if (
          dispatcher.workerOf(token) === worker &&
          worker?.busy.get(tokenKey(token))?.claimedAt !== undefined
        )
          dispatcher.free(token);
        this.announced();
        return;
      case "asked":
        if (!worker || !isKnown(worker, token)) this.#deny(token, message.shard);
        return;
      case "revoked":
        if (worker) dispatcher.cancel(worker, token, message.reason);
    }
  }

  /** Its run, which is here by now, has gone on without this dispatch (O7). */
  #isOver(token: DispatchToken): boolean {
    const entry = this.#parts.runs.get(token.runId);
    return entry !== undefined && currentTaskRun(entry.run, token)?.state !== "running";
  }

  /** The worker went away or drains since its claim. */
  #refuse(token: DispatchToken, shard: number): void {
    if (thingOfLook(token.runId) !== undefined)
      return this.#options.send(shard, { kind: "look_ended", token, outcome: { kind: "returned" } });
    this.#options.send(shard, { kind: "run", runId: token.runId, message: { kind: "returned", token } });
  }

  /** The worker does not run what its owner thinks it runs. */
  #deny(token: DispatchToken, shard: number): void {
    const code = "MILLRACE_WORKER_LOST";
    const error = { name: code, code, message: "Its worker does not run it any more." };
    const message = { kind: "lost", token, blame: false, error } as const;
    this.#options.send(shard, { kind: "run", runId: token.runId, message });
  }

  #own(work: Promise<unknown>, what: string): void {
    void work.catch((error: unknown) => this.#parts.log.warn({ err: error }, what));
  }
}

/** Whether the node that a worker is connected to answers for this dispatch (K2). */
export function isKnown({ busy, passing }: ConnectedWorker, token: DispatchToken): boolean {
  const key = tokenKey(token);
  return busy.has(key) || passing.has(key);
}

function freeSlots(worker: ConnectedWorker): number {
  return worker.link && !worker.draining ? worker.info.slots - worker.busy.size : 0;
}

function offerKey(task: ReadyTask): OfferKey {
  const { node, item } = task.taskRun;
  return {
    workspace: task.entry.identity.workspace,
    runId: task.entry.identity.id,
    node: node.definition.id,
    item,
  };
}

function offerName(task: ReadyTask): string {
  const key = offerKey(task);
  return `${key.runId}/${key.node}/${key.item}`;
}
