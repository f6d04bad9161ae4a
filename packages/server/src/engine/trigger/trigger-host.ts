/**
 * The triggers of this node: an evaluator for each claim of shards, and the way of what was decided outside of the engine
 * (deploys, pauses) into the log.
 *
 * Z1: a row of the outbox leaves in the flush that puts its event into the log, or on its way there; its name makes a repeat
 *     known.
 */
import { ownSource } from "@millrace/core";
import type { EngineParts } from "../engine-parts.ts";
import { logShard, ownEvent } from "../event-log.ts";
import { nodeLeaseMs, outageMsMin, outboxPageMax } from "../limits.ts";
import { TriggerEvaluator } from "./evaluator.ts";
import type { FiringDesk } from "./firing-desk.ts";
import { logResumed } from "./trigger-event.ts";

export class TriggerHost {
  readonly #parts: EngineParts;
  readonly #desk: FiringDesk;
  readonly #evaluators = new Set<TriggerEvaluator>();

  constructor(parts: EngineParts, desk: FiringDesk) {
    this.#parts = parts;
    this.#desk = desk;
  }

  /** Reads what shards that are being claimed have; `enter` begins to evaluate them. */
  async load(shards: readonly number[]): Promise<{ readonly enter: () => void }> {
    const { store, nodeId } = this.#parts;
    const loaded = await store.loadTriggers(shards);
    const ownsLog = shards.includes(logShard);
    const lastLease = ownsLog ? await store.lastLease(nodeId()) : undefined;
    return {
      enter: () => {
        // Before anything advances the log's clock.
        if (lastLease !== undefined) this.#tellOutage(lastLease - nodeLeaseMs);
        const evaluator = new TriggerEvaluator({ parts: this.#parts, desk: this.#desk, shards, loaded });
        this.#evaluators.add(evaluator);
        evaluator.start();
        if (ownsLog) this.#drainLater();
      },
    };
  }

  /** When no server has been up since `from`, the log says so (C3: what fires then is the same for everybody). */
  #tellOutage(from: number): void {
    const { clock, events, nodeId } = this.#parts;
    const to = clock.now();
    if (to - from < outageMsMin) return;
    const data = { value: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } };
    events.emit([
      ownEvent({ source: ownSource, id: `node/${nodeId()}`, type: logResumed, subject: undefined, data }),
    ]);
  }

  #drainLater(): void {
    void this.drainOutbox().catch((error: unknown) =>
      this.#parts.log.warn({ err: error }, "what belongs into the log could not be put there"),
    );
  }

  drop(shards: ReadonlySet<number>): void {
    for (const evaluator of this.#evaluators) {
      evaluator.drop(shards);
      if (evaluator.shards.size === 0) this.#evaluators.delete(evaluator);
    }
  }

  stop(): void {
    for (const evaluator of this.#evaluators) evaluator.stop();
    this.#evaluators.clear();
  }

  /** Puts what waits outside into the log; resolves when it is committed. */
  async drainOutbox(): Promise<void> {
    const { store, events, commit } = this.#parts;
    for (;;) {
      const rows = await store.loadOutbox(outboxPageMax);
      if (rows.length === 0) return;
      events.emit(
        rows.map(({ id, type, subject, data }) =>
          ownEvent({ source: ownSource, id: `outbox/${id}`, type, subject, data: { value: data } }),
        ),
      );
      commit.batch.outboxTaken.push(...rows.map(({ id }) => id));
      await commit.drained();
      if (rows.length < outboxPageMax) return;
    }
  }
}
