/**
 * What the function of one task run has recorded in a generation: steps that finished, waits that ended.
 *
 * S1: the first record of a name and occurrence holds; a step that failed is run again by a later attempt, and its record replaced.
 * S2: a dispatch gets them in the order of the dispatches that came by them, of one dispatch steps before waits.
 */
import { operationKey, type StepRecord } from "@millrace/core";

interface Row {
  readonly record: StepRecord;
  readonly attempt: number;
  readonly dispatch: number;
}

export class StepRecords {
  readonly #rows = new Map<string, Row>();

  add(
    record: StepRecord,
    { attempt, dispatch }: { readonly attempt: number; readonly dispatch: number },
  ): void {
    const key = `${record.kind} ${operationKey(record)}`;
    const known = this.#rows.get(key);
    const isOld = known && isFailedStep(known.record) && known.attempt < attempt;
    if (known && !isOld) return;
    this.#rows.set(key, { record, attempt, dispatch });
  }

  /** What a dispatch of this attempt is told. */
  for(attempt: number): readonly StepRecord[] {
    return [...this.#rows.values()]
      .filter((row) => !isFailedStep(row.record) || row.attempt === attempt)
      .toSorted((a, b) => a.dispatch - b.dispatch || order(a.record, b.record))
      .map(({ record }, index) => ({ ...record, seq: index + 1 }));
  }
}

function isFailedStep({ kind, outcome }: StepRecord): boolean {
  return kind === "step" && outcome.kind === "error";
}

function order(a: StepRecord, b: StepRecord): number {
  if (a.kind !== b.kind) return a.kind === "step" ? -1 : 1;
  return a.seq - b.seq;
}
