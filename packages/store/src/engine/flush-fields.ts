/** How values stand in the JSON text of a flush. */
import type { StoredValue } from "@millrace/core";

/** JSON inside of JSON, or of a record: a column's text. */
export function jsonText(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

export function outputText(value: StoredValue | undefined): string | undefined {
  return value === undefined || value.blob !== undefined ? undefined : JSON.stringify(value.value);
}

export function add<Row>(
  rest: Record<string, unknown[]>,
  name: string,
  rows: readonly Row[],
  shape: (row: Row) => unknown,
): void {
  if (rows.length > 0) rest[name] = rows.map(shape);
}
