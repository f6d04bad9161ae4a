/**
 * Finds the runs whose rows the database refuses in a flush, by trying parts of it without committing them: what it
 * takes is then committed as one flush, so that nothing which belongs together is torn apart.
 */
import type { Json } from "@millrace/core";
import { emptyBatch, type FlushBatch, type InboxMessage } from "@millrace/store";

export interface Sifted {
  /** What the database takes. */
  readonly good: FlushBatch;
  /** Rows of the refused runs; rows of no run when those alone are refused. */
  readonly refused: FlushBatch;
  readonly refusedRuns: ReadonlySet<string>;
}

type IsTaken = (batch: FlushBatch) => Promise<boolean>;

/**
 * `isTaken` tells whether the database would take a batch. The whole of `batch` was refused. What was taken when it was
 * tried may be refused a moment later, as others commit meanwhile: then no refusal since says anything, and all is tried
 * again.
 */
export async function siftBatch(batch: FlushBatch, isTaken: IsTaken): Promise<Sifted> {
  for (;;) {
    const sifted = await new Sieve(batch, isTaken).sift();
    if (sifted) return sifted;
  }
}

class Sieve {
  readonly #batch: FlushBatch;
  readonly #isTaken: IsTaken;
  readonly #good = new Set<string>();
  readonly #refusedRuns = new Set<string>();
  #isOthersTaken = false;

  constructor(batch: FlushBatch, isTaken: IsTaken) {
    this.#batch = batch;
    this.#isTaken = isTaken;
  }

  /** Nothing, when the database changed its mind. */
  async sift(): Promise<Sifted | undefined> {
    const batch = this.#batch;
    this.#isOthersTaken = await this.#isTaken(pick(batch, (id) => id === undefined));
    const ids = [...idsOf(batch)];
    if (ids.length > 0 && !(await this.#try(ids))) return undefined;
    const isGood = this.#isGood;
    const refused = pick(batch, (id) => !isGood(id));
    return { good: pick(batch, isGood), refused, refusedRuns: this.#refusedRuns };
  }

  readonly #isGood = (id: string | undefined): boolean =>
    id === undefined ? this.#isOthersTaken : this.#good.has(id);

  /** Adds those of `ids` that are taken together with what is good; false when that is not taken any more. */
  async #try(ids: readonly string[]): Promise<boolean> {
    for (const id of ids) this.#good.add(id);
    if (await this.#isTaken(pick(this.#batch, this.#isGood))) return true;
    for (const id of ids) this.#good.delete(id);
    if (ids.length === 1) {
      if (!(await this.#isTaken(pick(this.#batch, this.#isGood)))) return false;
      this.#refusedRuns.add(ids[0]!);
      return true;
    }
    const middle = Math.ceil(ids.length / 2);
    return (await this.#try(ids.slice(0, middle))) && (await this.#try(ids.slice(middle)));
  }
}

/**
 * Rows of limits are no run's: their entities have decided, whatever becomes of the run. Neither are messages, which go
 * with what caused them.
 */
const rowsOfNoRun: ReadonlySet<string> = new Set([
  "grants",
  "grantsGone",
  "requests",
  "requestsGone",
  "limits",
]);

function pick(batch: FlushBatch, isWanted: (runId: string | undefined) => boolean): FlushBatch {
  const picked = emptyBatch();
  for (const [table, rows] of Object.entries(batch) as [keyof FlushBatch, unknown[]][])
    for (const row of rows) {
      const isSent = table === "messagesSent" && isWanted(undefined);
      if (isSent) picked.messagesSent.push(withEventsOf(row as InboxMessage, isWanted));
      // The log's clock goes with every part: events can't be without it, and nothing refuses it.
      else if (table === "clocks" || isWanted(partOf(table, row))) (picked[table] as unknown[]).push(row);
    }
  return picked;
}

/** A message to the owner of the log tells of many runs, and of none that is refused. */
function withEventsOf(row: InboxMessage, isWanted: (runId: string | undefined) => boolean): InboxMessage {
  const events = eventsIn(row);
  if (events.length === 0) return row;
  const wanted = events.filter(({ runId }) => runId === undefined || isWanted(runId));
  return { ...row, message: { ...(row.message as object), events: wanted as unknown as Json } };
}

function eventsIn({ message }: InboxMessage): readonly { readonly runId?: string }[] {
  const { kind, events } = message as { readonly kind?: unknown; readonly events?: unknown };
  return kind === "events" ? (events as { readonly runId?: string }[]) : [];
}

function idsOf(batch: FlushBatch): Set<string> {
  const ids = new Set<string>();
  for (const [table, rows] of Object.entries(batch))
    for (const row of rows as unknown[]) {
      const id = partOf(table, row);
      if (id !== undefined) ids.add(id);
    }
  for (const message of batch.messagesSent)
    for (const { runId } of eventsIn(message)) if (runId !== undefined) ids.add(runId);
  return ids;
}

/** The run that a row belongs to; each event of the log is a part of its own, and each firing that has no run. */
function partOf(table: string, row: unknown): string | undefined {
  if (rowsOfNoRun.has(table)) return undefined;
  const fields = row as { readonly runId?: unknown; readonly id?: unknown; readonly source?: unknown };
  if (typeof fields.runId === "string") return fields.runId;
  if (table === "firings") return `firing ${JSON.stringify(row)}`;
  if (table === "events") return `event ${String(fields.source)} ${String(fields.id)}`;
  return typeof fields.id === "string" ? fields.id : undefined;
}
