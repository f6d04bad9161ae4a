/**
 * Finds the runs whose rows the database refuses in a flush, by trying parts of it without committing them: what it
 * takes is then committed as one flush, so that nothing which belongs together is torn apart.
 */
import { emptyBatch, type FlushBatch } from "@millrace/store";

export interface Sifted {
  /** What the database takes. */
  readonly good: FlushBatch;
  /** Rows of the refused runs; rows of no run when those alone are refused. */
  readonly refused: FlushBatch;
  readonly refusedRuns: ReadonlySet<string>;
}

/** `isTaken` tells whether the database would take a batch. The whole of `batch` was refused. */
export async function siftBatch(
  batch: FlushBatch,
  isTaken: (batch: FlushBatch) => Promise<boolean>,
): Promise<Sifted> {
  const isOthersTaken = await isTaken(pick(batch, (id) => id === undefined));
  const good = new Set<string>();
  const refusedRuns = new Set<string>();
  const isGood = (id: string | undefined): boolean => (id === undefined ? isOthersTaken : good.has(id));
  const sift = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) good.add(id);
    if (await isTaken(pick(batch, isGood))) return;
    for (const id of ids) good.delete(id);
    if (ids.length === 1) {
      refusedRuns.add(ids[0]!);
      return;
    }
    const middle = Math.ceil(ids.length / 2);
    await sift(ids.slice(0, middle));
    await sift(ids.slice(middle));
  };
  const ids = [...idsOf(batch)];
  if (ids.length > 0) await sift(ids);
  return { good: pick(batch, isGood), refused: pick(batch, (id) => !isGood(id)), refusedRuns };
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
      // The log's clock goes with every part: events can't be without it, and nothing refuses it.
      if (table === "clocks" || isWanted(partOf(table, row))) (picked[table] as unknown[]).push(row);
    }
  return picked;
}

function idsOf(batch: FlushBatch): Set<string> {
  const ids = new Set<string>();
  for (const [table, rows] of Object.entries(batch))
    for (const row of rows as unknown[]) {
      const id = partOf(table, row);
      if (id !== undefined) ids.add(id);
    }
  return ids;
}

/** The run that a row belongs to; each event of the log is a part of its own. */
function partOf(table: string, row: unknown): string | undefined {
  if (rowsOfNoRun.has(table)) return undefined;
  const fields = row as { readonly runId?: unknown; readonly id?: unknown; readonly source?: unknown };
  if (table === "events") return `event ${String(fields.source)} ${String(fields.id)}`;
  if (typeof fields.runId === "string") return fields.runId;
  return typeof fields.id === "string" ? fields.id : undefined;
}
