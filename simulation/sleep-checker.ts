/**
 * Judges what functions sleep.
 *
 * C28: a sleep ends once the log's clock has passed its instant, and not before: that which was asked for first, or so long after
 *      its wait began.
 */
import { operationKey, type WaitOperation } from "@millrace/core";
import type { FlushBatch, StepRow, WaitRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";

type Place = Pick<WaitRow, "runId" | "node" | "item" | "name" | "occurrence">;

export class SleepChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  /** By what they are of: sleeps that go on. */
  readonly #asked = new Map<string, WaitOperation>();
  readonly #rows = new Map<string, WaitRow>();

  constructor(tables: MemoryTables, journal: Journal) {
    this.#tables = tables;
    this.#journal = journal;
  }

  onFlush(batch: FlushBatch): void {
    for (const { runId, node, item, code } of batch.codes)
      for (const wait of code.open) {
        const name = nameOf({ runId, node, item, ...wait });
        if (isSleep(wait.op) && !this.#asked.has(name)) this.#asked.set(name, wait.op);
      }
    for (const wait of batch.waits) {
      const op = this.#asked.get(nameOf(wait));
      if (!op) continue;
      this.#rows.set(nameOf(wait), wait);
      this.#checkInstant(wait, op);
    }
    for (const row of batch.steps) if (row.kind === "wait") this.#ended(row);
    for (const { runId, node, item, name, occurrence } of batch.waitsGone) {
      const all = [...this.#asked.keys()].filter((key) =>
        key.startsWith(`${placeOf({ runId, node, item })}/`),
      );
      const gone =
        name === undefined ? all : [nameOf({ runId, node, item, name, occurrence: occurrence ?? 1 })];
      for (const key of gone) {
        this.#asked.delete(key);
        this.#rows.delete(key);
      }
    }
  }

  #checkInstant(wait: WaitRow, op: WaitOperation): void {
    const expected =
      op.kind === "sleep" ? wait.beganAt + op.ms : op.kind === "sleep_until" ? op.at : undefined;
    if (wait.timeoutAt === expected) return;
    this.#journal.violate(
      "C28 a sleep lasts as long as was asked",
      `${nameOf(wait)} until ${wait.timeoutAt}, expected ${expected}`,
    );
  }

  #ended(row: StepRow): void {
    const wait = this.#rows.get(nameOf(row));
    if (!wait) return;
    this.#journal.count("sleeps ended");
    const clock = this.#tables.logs.get(1)?.clock ?? 0;
    if (row.outcome.kind !== "value" || clock < (wait.timeoutAt ?? 0))
      this.#journal.violate(
        "C28 a sleep lasts as long as was asked",
        `${nameOf(row)} ended ${row.outcome.kind} at ${clock}, before ${wait.timeoutAt}`,
      );
  }
}

function isSleep({ kind }: WaitOperation): boolean {
  return kind === "sleep" || kind === "sleep_until";
}

function placeOf({ runId, node, item }: Pick<Place, "runId" | "node" | "item">): string {
  return keyOf(runId, node, item);
}

function nameOf(place: Place): string {
  return `${placeOf(place)}/${operationKey(place)}`;
}
