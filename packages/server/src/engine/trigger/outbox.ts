/**
 * The way of what was decided outside of the engine (deploys, operators' pauses) into the log.
 *
 * Z1: a row of the outbox leaves in the flush that puts its event into the log; its name makes a repeat known.
 * Z2: rows enter the log in their order: the log's owner alone takes them, and others leave it a message.
 * Z3: no row is forgotten: what failed is tried again with the next tick, and what a server did not live to tell, as soon as
 *     its shards are taken over.
 */
import { ownSource, triggerChanged } from "@millrace/core";
import type { EngineParts } from "../engine-parts.ts";
import { logShard, ownEvent } from "../event-log.ts";
import type { OutboxInboxMessage } from "../inbox-message.ts";
import { outboxPageMax } from "../limits.ts";

export class Outbox {
  readonly #parts: EngineParts;
  readonly #owns: (shard: number) => boolean;
  readonly #send: (shard: number, message: OutboxInboxMessage) => void;
  #isBehind = false;

  constructor(
    parts: EngineParts,
    owns: (shard: number) => boolean,
    send: (shard: number, message: OutboxInboxMessage) => void,
  ) {
    this.#parts = parts;
    this.#owns = owns;
    this.#send = send;
  }

  /** Resolves when what waits is in the log; where another node owns the log, once that is told. */
  async drain(): Promise<void> {
    this.#isBehind = false;
    if (!this.#owns(logShard)) {
      this.#send(logShard, { kind: "outbox" });
      return this.#parts.commit.drained();
    }
    try {
      await this.#take();
    } catch (error) {
      this.#isBehind = true;
      throw error;
    }
  }

  /** As `drain`, and nobody waits for it. */
  drainLater(): void {
    this.drain().catch((error: unknown) =>
      this.#parts.log.warn({ err: error }, "what belongs into the log could not be put there"),
    );
  }

  tick(): void {
    if (this.#isBehind) this.drainLater();
  }

  async #take(): Promise<void> {
    const { store, events, commit } = this.#parts;
    for (;;) {
      const rows = await store.loadOutbox(outboxPageMax);
      if (rows.length === 0) return;
      // R1: they were committed with what they ask for.
      if (rows.some(({ type }) => type === triggerChanged)) await this.#parts.asks.refresh();
      // The log went to another node meanwhile.
      if (!this.#owns(logShard)) return this.drain();
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
