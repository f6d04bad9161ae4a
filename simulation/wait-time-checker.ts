/**
 * Judges how long functions wait.
 *
 * C28: a sleep ends once the log's clock has passed its instant, and not before: that which was asked for first, or so long after
 *      its wait began. In the same way a wait's timeout is so long after its beginning, and is over when the log's clock says so.
 */
import { operationKey, unreachable, type WaitOperation } from "@millrace/core";
import type { FlushBatch, StepRow, WaitRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";

type Place = Pick<WaitRow, "runId" | "node" | "item" | "name" | "occurrence">;

export class WaitTimeChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  /** What goes on, by what it is of. */
  readonly #asked = new Map<string, WaitOperation>();
  readonly #rows = new Map<string, WaitRow>();

  constructor(tables: MemoryTables, journal: Journal) {
    this.#tables = tables;
    this.#journal = journal;
  }

  onFlush(batch: FlushBatch): void {
    // The next generation asks for others under the same names.
    for (const { id } of batch.runsCreated) this.#forget(`${id}\n`);
    for (const { runId, node, item, code } of batch.codes)
      for (const wait of code.open) {
        const name = nameOf({ runId, node, item, ...wait });
        if (!this.#asked.has(name)) this.#asked.set(name, wait.op);
      }
    for (const wait of batch.waits) {
      const op = this.#asked.get(nameOf(wait));
      if (!op) continue;
      this.#rows.set(nameOf(wait), wait);
      const expected = timeoutOf(op, wait.beganAt);
      if (wait.timeoutAt !== expected)
        this.#violate(`${nameOf(wait)} until ${wait.timeoutAt}, expected ${expected}`);
    }
    for (const row of batch.steps) if (row.kind === "wait") this.#ended(row);
    for (const gone of batch.waitsGone) this.#gone(gone);
  }

  #gone({ runId, node, item, name, occurrence = 1 }: FlushBatch["waitsGone"][number]): void {
    const place = { runId, node, item };
    if (name === undefined) return this.#forget(`${placeOf(place)}/`);
    const key = nameOf({ ...place, name, occurrence });
    this.#asked.delete(key);
    this.#rows.delete(key);
  }

  #forget(prefix: string): void {
    for (const key of this.#asked.keys()) {
      if (!key.startsWith(prefix)) continue;
      this.#asked.delete(key);
      this.#rows.delete(key);
    }
  }

  #violate(detail: string): void {
    this.#journal.violate("C28 a wait lasts as long as was asked", detail);
  }

  #ended(row: StepRow): void {
    const wait = this.#rows.get(nameOf(row));
    if (!wait) return;
    const isSleep = wait.condition === undefined;
    if (isSleep) this.#journal.count("sleeps ended");
    if (isSleep && row.outcome.kind !== "value") this.#violate(`${nameOf(row)} ended ${row.outcome.kind}`);
    if (!isSleep && row.outcome.kind !== "timeout") return;
    const clock = this.#tables.logs.get(1)?.clock ?? 0;
    if (clock < (wait.timeoutAt ?? 0))
      this.#violate(`${nameOf(row)} ended at ${clock}, before ${wait.timeoutAt}`);
  }
}

function timeoutOf(op: WaitOperation, beganAt: number): number | undefined {
  switch (op.kind) {
    case "sleep":
      return beganAt + op.ms;
    case "sleep_until":
      return op.at;
    case "event":
    case "approval":
      return op.timeoutMs === undefined ? undefined : beganAt + op.timeoutMs;
    case "call":
      return undefined;
    default:
      return unreachable(op);
  }
}

function placeOf({ runId, node, item }: Pick<Place, "runId" | "node" | "item">): string {
  return keyOf(runId, node, item);
}

function nameOf(place: Place): string {
  return `${placeOf(place)}/${operationKey(place)}`;
}
