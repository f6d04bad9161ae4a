/**
 * The rows of functions that record and wait, in the flush that is being put together. Of one step, and of what one function
 * waits for, several may be decided before a flush (a worker's repeat, two waits that end together): each has one row.
 */
import type { CodeRow, FlushBatch, StepRow } from "@millrace/store";

/** Where in its list a row stands, by its name. */
const places = new WeakMap<readonly object[], Map<string, number>>();

/** The first outcome of a step counts, but for an error that a later attempt replaces; as the store has it. */
export function putStep({ steps }: Pick<FlushBatch, "steps">, row: StepRow): void {
  const { runId, node, item, generation, kind, name, occurrence } = row;
  put(steps, [runId, node, item, generation, kind, name, occurrence], row, isReplaced);
}

function isReplaced(known: StepRow, row: StepRow): boolean {
  return known.kind === "step" && known.outcome.kind === "error" && known.attempt < row.attempt;
}

/** The last state counts. */
export function putCode({ codes }: Pick<FlushBatch, "codes">, row: CodeRow): void {
  put(codes, [row.runId, row.node, row.item], row, () => true);
}

function put<Row extends object>(
  rows: Row[],
  name: readonly (string | number)[],
  row: Row,
  replaces: (known: Row, row: Row) => boolean,
): void {
  const known = places.get(rows) ?? new Map<string, number>();
  places.set(rows, known);
  const key = name.join("\n");
  const at = known.get(key);
  if (at === undefined) known.set(key, rows.push(row) - 1);
  else if (replaces(rows[at]!, row)) rows[at] = row;
}
