/** Partitions in rows: of days a row a month, of hours a row a day, of combinations a row for each of the other dimensions. */
import type { AssetCellsView, AssetCellView } from "@millrace/protocol";

export interface CellRow {
  readonly name: string;
  /** Nothing where there is no partition of that place. */
  readonly cells: readonly (AssetCellView | undefined)[];
  /** Names of cells, where their place does not say it. */
  readonly labels: readonly (string | undefined)[];
}

const day = /^(\d{4}-\d\d)-(\d\d)$/;
const month = /^(\d{4})-(\d\d)$/;
const instant = /^(\d{4}-\d\d-\d\d)T/;

export function arrange({ kind, cells }: AssetCellsView): CellRow[] {
  if (kind === "tuple") return matrixOf(cells);
  if (kind === "time") return calendarOf(cells);
  return [{ name: "", cells, labels: cells.map(({ key }) => key) }];
}

/** Newest first, as all lists. */
function calendarOf(cells: readonly AssetCellView[], keyOf = (cell: AssetCellView) => cell.key): CellRow[] {
  const rows = new Map<string, (AssetCellView | undefined)[]>();
  for (const cell of cells) {
    const key = keyOf(cell);
    const [, name = "", place] = day.exec(key) ?? month.exec(key) ?? instant.exec(key) ?? [];
    const row = rows.get(name) ?? [];
    if (place === undefined) row.push(cell);
    else row[Number(place) - 1] = cell;
    rows.set(name, row);
  }
  return [...rows]
    .map(([name, row]) => {
      const whole = Array.from({ length: row.length }, (_, at) => row[at]);
      // The place of a year says nothing.
      return {
        name,
        cells: whole,
        labels: whole.map((cell) => (name === "" && cell ? keyOf(cell) : undefined)),
      };
    })
    .reverse();
}

/** The dimension with the most parts lies across; the others, taken together, name the rows. */
function matrixOf(cells: readonly AssetCellView[]): CellRow[] {
  const values = new Map<string, Set<string>>();
  for (const { parts = {} } of cells)
    for (const [dimension, part] of Object.entries(parts)) {
      const of = values.get(dimension) ?? new Set<string>();
      values.set(dimension, of.add(part));
    }
  const [across = ""] = [...values].toSorted(([, a], [, b]) => b.size - a.size).map(([name]) => name);
  const columns = [...(values.get(across) ?? [])];
  const isCalendar = columns.every(
    (column) => day.test(column) || month.test(column) || instant.test(column),
  );
  const rows = Map.groupBy(cells, ({ parts = {} }) =>
    Object.entries(parts)
      .filter(([dimension]) => dimension !== across)
      .map(([, part]) => part)
      .join(" / "),
  );
  return [...rows].flatMap(([name, own]) => {
    const partOf = (cell: AssetCellView): string => cell.parts?.[across] ?? "";
    if (isCalendar) return calendarOf(own, partOf).map((row) => ({ ...row, name: `${name} ${row.name}` }));
    const byColumn = new Map(own.map((cell) => [partOf(cell), cell]));
    return {
      name,
      cells: columns.map((column) => byColumn.get(column)),
      labels: columns.map(() => undefined),
    };
  });
}
