/**
 * Messages between nodes: what others left for this node's shards, and what is sent to shards of others.
 *
 * I1: a message is deleted in the flush that carries what it caused; it is received again if that flush is lost.
 * I2: messages are received in the order of their ids, one page after the other.
 */
import { unreachable, type Json } from "@millrace/core";
import type { InboxRow } from "@millrace/store";
import type { EngineParts } from "./engine-parts.ts";
import type { InboxContent } from "./inbox-message.ts";
import { inboxPageMax } from "./limits.ts";
import type { Membership } from "./membership.ts";
import type { RunEntrance } from "./run-entrance.ts";
import type { RunMoves } from "./run-moves.ts";
import type { Outbox } from "./trigger/outbox.ts";
import type { WorkerHub } from "./worker-hub.ts";
import { workspaceId } from "./workspace.ts";

export interface InboxOptions {
  readonly parts: EngineParts;
  readonly membership: Membership;
  readonly entrance: RunEntrance;
  readonly outbox: Outbox;
  readonly hub: WorkerHub;
  readonly moves: RunMoves;
}

export class Inbox {
  readonly #parts: EngineParts;
  readonly #membership: Membership;
  readonly #entrance: RunEntrance;
  readonly #outbox: Outbox;
  readonly #hub: WorkerHub;
  readonly #moves: RunMoves;
  readonly #taken = new Set<number>();
  #reading: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  /** The last reading failed. */
  isBehind = false;

  constructor({ parts, membership, entrance, outbox, hub, moves }: InboxOptions) {
    this.#parts = parts;
    this.#membership = membership;
    this.#entrance = entrance;
    this.#outbox = outbox;
    this.#hub = hub;
    this.#moves = moves;
  }

  /** With the next flush; the receiver is woken after it. */
  send(shard: number, message: InboxContent): void {
    const { commit, store, log } = this.#parts;
    commit.batch.messagesSent.push({ shard, message: message as unknown as Json });
    commit.afterCommit(() => {
      if (this.#membership.owns(shard)) this.read();
      else
        void store
          .wake([shard])
          .catch((error: unknown) => log.warn({ err: error }, "another server could not be woken"));
    });
  }

  /** Reads what is there, and once more if something came meanwhile. */
  read(): void {
    if (this.#stopped) return;
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.isBehind = false;
    this.#reading = this.#drain()
      .catch((error: unknown) => {
        this.isBehind = true;
        this.#parts.log.warn({ err: error }, "the inbox could not be read");
      })
      .finally(() => {
        this.#reading = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.read();
      });
  }

  /** Resolves when nothing is being received. */
  async idle(): Promise<void> {
    await this.#reading;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const shards = [...this.#membership.shards];
      if (shards.length === 0 || this.#stopped) return;
      const rows = await this.#parts.store.loadInbox(shards, inboxPageMax);
      const fresh = rows.filter((row) => !this.#taken.has(row.id) && this.#membership.owns(row.shard));
      await Promise.all(fresh.map((row) => this.#prepare(row)));
      for (const row of fresh) {
        await this.#receive(row, () => this.#take(row.id));
      }
      if (fresh.length === 0) return;
      await this.#parts.commit.drained();
      for (const row of fresh) this.#taken.delete(row.id);
      if (rows.length < inboxPageMax) return;
    }
  }

  /** Runs that wait outside of memory come back at the same time; receiving would bring them one after the other. */
  async #prepare({ message, shard }: InboxRow): Promise<void> {
    const content = message as unknown as InboxContent;
    if (content.kind === "run")
      await this.#entrance.recall({ workspace: workspaceId, id: content.runId, shard });
  }

  /** In the turn in which the message is heard: its deletion and what it causes are one flush (I1). */
  #take(id: number): void {
    this.#taken.add(id);
    this.#parts.commit.batch.messagesTaken.push(id);
    this.#parts.commit.request();
  }

  async #receive(row: InboxRow, taken: () => void): Promise<void> {
    const content = row.message as unknown as InboxContent;
    if (content.kind === "run") return this.#entrance.receive(content, row.shard, taken);
    if (content.kind === "move") return this.#moves.receive(content, row.shard, taken);
    taken();
    switch (content.kind) {
      case "limit_request":
      case "limit_release":
      case "limit_granted":
      case "limit_slots":
        return this.#parts.limits.receive(content);
      case "claimed":
      case "given":
      case "not_given":
      case "asked":
      case "revoked":
        return this.#parts.offers.receive(content);
      case "recorded":
        return this.#hub.recorded(content);
      case "events":
      case "log_clock":
        return this.#parts.events.receive(content);
      case "probe_wanted":
        return this.#parts.probes.receive(content);
      case "look_ended":
        return this.#parts.probes.looks.receive(content);
      case "outbox":
        return this.#outbox.drainLater();
      default:
        return unreachable(content);
    }
  }
}
