/**
 * The triggers of this node: an evaluator for each claim of shards, and the way of what was decided outside of the engine
 * (deploys, pauses) into the log.
 *
 * Z1: a row of the outbox leaves in the flush that puts its event into the log, or on its way there; its name makes a repeat
 *     known.
 */
import type { LoadedTriggers } from "@millrace/store";
import type { EngineParts } from "../engine-parts.ts";
import { ownEvent } from "../event-log.ts";
import { outboxPageMax } from "../limits.ts";
import { TriggerEvaluator } from "./evaluator.ts";
import type { FiringDesk } from "./firing-desk.ts";
import { ownSource } from "./trigger-event.ts";

export class TriggerHost {
  readonly #parts: EngineParts;
  readonly #desk: FiringDesk;
  readonly #evaluators = new Set<TriggerEvaluator>();

  constructor(parts: EngineParts, desk: FiringDesk) {
    this.#parts = parts;
    this.#desk = desk;
  }

  /** Shards were claimed, and what they have of triggers was loaded. */
  hold(shards: readonly number[], loaded: LoadedTriggers): void {
    const evaluator = new TriggerEvaluator({ parts: this.#parts, desk: this.#desk, shards, loaded });
    this.#evaluators.add(evaluator);
    evaluator.start();
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
