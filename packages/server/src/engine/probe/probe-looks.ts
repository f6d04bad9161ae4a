/**
 * Looks: attempts of probes. A look is a dispatch as a task run's is, with a slot, a timeout and logs; but it belongs to no run, and
 * has no rows. One that is lost is looked again.
 *
 * L1: a look is answered once, or given up after its time; what comes later is nobody's.
 * L2: a look waits for a slot of any worker of its queue. Where this node has none, it is offered to all nodes, as task runs are (O1 to
 *     O3); what it comes to is told to the shard of its thing.
 * L3: of a worker's slots half at most (and one at least) go to looks before task runs, the others only when no task run wants them:
 *     looks that hang don't keep tasks from running, and tasks don't keep waits from ending.
 */
import {
  assert,
  lookRunId,
  probePipeline,
  thingOfLook,
  type AttemptError,
  type Json,
  type LookOutcome,
  type ProbeDefinition,
} from "@millrace/core";
import { tokenKey, type AttemptOutcome, type Dispatch, type DispatchToken } from "@millrace/protocol";
import type { OfferKey } from "@millrace/store";
import type { Alarm } from "../clock.ts";
import type { ConnectedWorker } from "../dispatcher.ts";
import type { EngineParts } from "../engine-parts.ts";
import { lookMarginMs, offersMax } from "../limits.ts";
import type { OfferInboxMessage } from "../offers.ts";
import { workspaceId } from "../workspace.ts";
import { outcomeOfLook } from "./look-outcome.ts";
import { probeShard } from "./probe-shard.ts";

export interface LookRequest {
  readonly definition: ProbeDefinition;
  readonly bundle: string;
  readonly args: Json;
  /** Of the thing, and how often it was looked at. */
  readonly id: string;
  readonly looks: number;
  /** How long it waits for a slot. */
  readonly waitMs: number;
}

/** `lost`: nobody's fault, so that it is looked again. `untaken`: no worker had a slot in its time. */
export type LookEnd = LookOutcome | { readonly kind: "lost" } | { readonly kind: "untaken" };

/** To the node that holds the thing. */
export interface LookEndedMessage {
  readonly kind: "look_ended";
  readonly token: DispatchToken;
  readonly outcome: AttemptOutcome;
}

export interface ProbeLooksOptions {
  readonly parts: Pick<
    EngineParts,
    "alarms" | "clock" | "commit" | "dispatcher" | "log" | "nodeId" | "revokeDistant" | "store"
  >;
  readonly owns: (shard: number) => boolean;
  readonly send: (shard: number, message: LookEndedMessage | OfferInboxMessage) => void;
  readonly liveNodes: () => number;
}

interface Look {
  readonly id: string;
  readonly definition: ProbeDefinition;
  readonly dispatch: Dispatch;
  readonly end: (end: LookEnd) => void;
  /** Until it has a slot, then until it has an answer. */
  alarm: Alarm;
  isOffered: boolean;
  /** That another node has a slot of. */
  distantWorker: string | undefined;
}

export class ProbeLooks {
  readonly #options: ProbeLooksOptions;
  /** By their tokens: those that wait for a slot, and those that have one. */
  readonly #open = new Map<string, Look>();
  /** The one of each thing (P2). */
  readonly #ofThing = new Map<string, Look>();
  /** By queue: those that wait for a slot, the longest first. */
  readonly #waiting = new Map<string, Set<Look>>();
  #last = 0;

  constructor(options: ProbeLooksOptions) {
    this.#options = options;
  }

  /** Resolves with what came of it. */
  look(request: LookRequest): Promise<LookEnd> {
    const { alarms, clock, commit, nodeId } = this.#options.parts;
    const { definition, id, waitMs } = request;
    this.#last += 1;
    // A worker runs a token once, so each try has one of its own.
    const dispatch = dispatchOf(request, `${nodeId()}.${this.#last}`);
    return new Promise((resolve) => {
      const look: Look = {
        id,
        definition,
        dispatch,
        alarm: alarms.set(clock.now() + waitMs, () => this.#end(look, { kind: "untaken" })),
        isOffered: false,
        distantWorker: undefined,
        end: resolve,
      };
      this.#open.set(tokenKey(dispatch.token), look);
      this.#ofThing.set(id, look);
      const { queue } = definition;
      const waiting = this.#waiting.get(queue) ?? new Set();
      this.#waiting.set(queue, waiting.add(look));
      commit.request();
    });
  }

  /** No worker has a slot for the look at this thing, which this node is to make. */
  waitsForSlot(id: string): boolean {
    const look = this.#ofThing.get(id);
    return look !== undefined && this.#waiting.get(look.definition.queue)?.has(look) === true;
  }

  /** Its thing is no longer this node's: what it comes to is the next owner's, who does not know it. */
  forget(id: string): void {
    const look = this.#ofThing.get(id);
    if (look) this.#end(look, { kind: "lost" });
  }

  // --- slots --------------------------------------------------------------------------------------------------------

  /** Before task runs take slots. */
  takeShare(): void {
    this.#take(({ busy, info }) => looksOn(busy) < Math.ceil(info.slots / 2));
  }

  /** After task runs took slots; what still waits is offered to other nodes. */
  takeRest(): void {
    this.#take(() => true);
    if (this.#options.liveNodes() > 1) this.#offer();
  }

  #take(isFit: (worker: ConnectedWorker) => boolean): void {
    for (const [queue, waiting] of this.#waiting)
      for (const look of waiting) {
        if (!this.#options.parts.dispatcher.place(queue, look.dispatch, isFit)) break;
        this.#taken(look);
      }
  }

  #taken(look: Look): void {
    const { alarms, clock } = this.#options.parts;
    const { timeoutMs } = look.definition;
    this.#leaveQueue(look);
    look.alarm.cancel();
    look.alarm = alarms.set(clock.now() + timeoutMs + lookMarginMs, () => {
      const message = `No worker has answered within ${timeoutMs} ms and ${lookMarginMs} ms more.`;
      this.#revoke(look, message);
      this.#end(look, { kind: "failed", error: { code: "MILLRACE_PROBE_FAILED", message } });
    });
  }

  #leaveQueue(look: Look): void {
    const { queue } = look.definition;
    const waiting = this.#waiting.get(queue);
    waiting?.delete(look);
    if (waiting?.size === 0) this.#waiting.delete(queue);
    if (!look.isOffered) return;
    look.isOffered = false;
    this.#options.parts.commit.batch.offersGone.push(offerKey(look));
    this.#options.parts.commit.request();
  }

  /** The worker ends it, in case it still runs: its answer frees the slot. */
  #revoke({ dispatch: { token }, distantWorker }: Look, reason: string): void {
    const { dispatcher, revokeDistant, commit } = this.#options.parts;
    const worker = dispatcher.workerOf(token);
    if (worker) dispatcher.cancel(worker, token, reason);
    else if (distantWorker !== undefined) revokeDistant(distantWorker, token, reason);
    commit.request();
  }

  // --- other nodes --------------------------------------------------------------------------------------------------

  #offer(): void {
    const { commit, nodeId, store, log } = this.#options.parts;
    let offered = 0;
    for (const [queue, waiting] of this.#waiting)
      for (const look of waiting) {
        if (look.isOffered) continue;
        if (commit.batch.offers.length >= offersMax) break;
        look.isOffered = true;
        offered += 1;
        const { generation, dispatch } = look.dispatch.token;
        const shard = probeShard(look.id);
        commit.batch.offers.push({
          ...offerKey(look),
          generation,
          dispatch,
          queue,
          nodeId: nodeId(),
          shard,
        });
      }
    if (offered === 0) return;
    commit.afterCommit(() => {
      void store
        .wakeOffers()
        .catch((error: unknown) => log.warn({ err: error }, "looks could not be announced"));
    });
  }

  /** A worker elsewhere has a slot: it gets the look, or learns that nobody needs it any more. */
  claimed({ token, workerId, shard }: Extract<OfferInboxMessage, { kind: "claimed" }>): void {
    const { send } = this.#options;
    const look = this.#open.get(tokenKey(token));
    if (!look?.isOffered) return send(shard, { kind: "not_given", workerId, token });
    look.distantWorker = workerId;
    this.#taken(look);
    send(shard, { kind: "given", workerId, message: look.dispatch, shard: probeShard(look.id) });
  }

  // --- answers ------------------------------------------------------------------------------------------------------

  /** By a worker of this node, which learns that it was heard with the next commit. */
  answered(worker: ConnectedWorker, token: DispatchToken, outcome: AttemptOutcome): void {
    const { dispatcher } = this.#options.parts;
    dispatcher.free(token);
    dispatcher.acknowledge(worker, token);
    this.#ended(token, outcome);
  }

  /** A worker of this node disappeared with it (for which it is blamed), or does not have it. */
  lost(
    token: DispatchToken,
    { blame, error }: { readonly blame: boolean; readonly error: AttemptError },
  ): void {
    this.#ended(token, blame ? { kind: "failed", error } : { kind: "returned" });
  }

  #ended(token: DispatchToken, outcome: AttemptOutcome): void {
    const id = thingOfLook(token.runId);
    assert(id !== undefined, "what ended is a look");
    const shard = probeShard(id);
    const { owns, send } = this.#options;
    if (owns(shard)) this.receive({ kind: "look_ended", token, outcome });
    else send(shard, { kind: "look_ended", token, outcome });
  }

  /** Also of a look that another owner of its thing has begun, which is nobody's. */
  receive({ token, outcome }: LookEndedMessage): void {
    const look = this.#open.get(tokenKey(token));
    if (look) this.#end(look, outcomeOfLook(outcome));
  }

  #end(look: Look, end: LookEnd): void {
    look.alarm.cancel();
    this.#leaveQueue(look);
    this.#open.delete(tokenKey(look.dispatch.token));
    this.#ofThing.delete(look.id);
    look.end(end);
  }
}

function looksOn(busy: ConnectedWorker["busy"]): number {
  let looks = 0;
  for (const { token } of busy.values()) if (thingOfLook(token.runId) !== undefined) looks += 1;
  return looks;
}

function dispatchOf({ definition, bundle, args, id, looks }: LookRequest, item: string): Dispatch {
  const { name, timeoutMs, env, connections } = definition;
  return {
    token: { runId: lookRunId(id), node: name, item, generation: 1, dispatch: looks + 1 },
    pipeline: probePipeline,
    bundle,
    attempt: 1,
    input: { value: args },
    timeoutMs,
    env,
    connections,
    idempotencyKey: `${id}/${looks + 1}`,
  };
}

function offerKey({ dispatch: { token } }: Look): OfferKey {
  const { runId, node, item } = token;
  return { workspace: workspaceId, runId, node, item };
}
