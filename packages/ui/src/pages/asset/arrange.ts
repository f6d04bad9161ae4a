/**
 * Partitions in rows: of days a row a month, of hours a row a day, of combinations a row for each of the other dimensions. Columns
 * are wall time, so that an hour stands below itself on each day: one that clocks skip is an empty place, one that they show
 * twice a place with two cells.
 */
import type { AssetCellsView, AssetCellView } from "@millrace/protocol";

export interface Arranged {
  /** Absent where places have no meaning: cells name themselves. */
  readonly heads?: readonly string[];
  readonly rows: readonly CellRow[];
}

export interface CellRow {
  readonly name: string;
  readonly places: readonly Place[];
  /** Clocks changed on that day. */
  readonly change?: "forward" | "back";
}

export interface Place {
  readonly cells: readonly AssetCellView[];
  /** Wall time that does not exist on that day. */
  readonly isSkipped?: true;
}

const day = /^(\d{4}-\d\d)-(\d\d)$/;
const month = /^(\d{4})-(\d\d)$/;
const instant = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/;
/** More columns than days in a month do not stand beside each other. */
const headsMax = 31;

export function arrange({ kind, cells }: AssetCellsView): Arranged {
  if (kind === "time") return calendarOf(cells.map((cell) => ({ cell, key: cell.key, group: "" })));
  if (kind === "tuple") return matrixOf(cells);
  return { rows: [{ name: "", places: cells.map((cell) => ({ cells: [cell] })) }] };
}

interface Placed {
  readonly cell: AssetCellView;
  /** Of its window. */
  readonly key: string;
  /** Of its other dimensions. */
  readonly group: string;
}

/** Newest first, as all lists. */
function calendarOf(placed: readonly Placed[]): Arranged {
  const heads = headsOf(placed.map(({ key }) => key));
  if (heads === undefined)
    return { rows: [{ name: "", places: placed.map(({ cell }) => ({ cells: [cell] })) }] };
  const at = new Map(heads.map((head, index) => [head, index]));
  const rows = new Map<string, { name: string; group: string; places: AssetCellView[][] }>();
  for (const { cell, key, group } of placed) {
    const [, name = "", head = ""] = day.exec(key) ?? month.exec(key) ?? instant.exec(key) ?? [];
    const id = `${group}\n${name}`;
    const row = rows.get(id) ?? { name, group, places: [] };
    const place = at.get(instant.test(key) ? head : String(Number(head))) ?? 0;
    (row.places[place] ??= []).push(cell);
    rows.set(id, row);
  }
  const order = [...new Set(placed.map(({ group }) => group))];
  const isOfHours = placed.some(({ key }) => instant.test(key));
  return {
    heads:
      isOfHours && heads.every((head) => head.endsWith(":00"))
        ? heads.map((head) => head.slice(0, 2))
        : heads,
    rows: order.flatMap((group) =>
      [...rows.values()]
        .filter((row) => row.group === group)
        .toReversed()
        .map(({ name, places }) => rowOf(group === "" ? name : `${group} ${name}`, places, isOfHours)),
    ),
  };
}

function rowOf(name: string, places: readonly (AssetCellView[] | undefined)[], isOfHours: boolean): CellRow {
  const first = places.findIndex((cells) => cells !== undefined);
  const whole = Array.from({ length: places.length }, (_, at): Place => {
    const cells = places[at] ?? [];
    const isSkipped = isOfHours && cells.length === 0 && at > first;
    return { cells, ...(isSkipped ? { isSkipped: true } : {}) };
  });
  const change = whole.some(({ isSkipped }) => isSkipped)
    ? "forward"
    : isOfHours && whole.some(({ cells }) => cells.length > 1)
      ? "back"
      : undefined;
  return { name, places: whole, ...(change === undefined ? {} : { change }) };
}

/** Days of a month, months of a year, or the times of day at which windows begin; nothing where these are too many. */
function headsOf(keys: readonly string[]): string[] | undefined {
  if (keys.every((key) => day.test(key))) return numbersTo(31);
  if (keys.every((key) => month.test(key))) return numbersTo(12);
  if (!keys.every((key) => instant.test(key))) return undefined;
  const times = new Set(keys.map((key) => instant.exec(key)?.[2] ?? ""));
  return times.size <= headsMax ? [...times].sort() : undefined;
}

function numbersTo(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(at + 1));
}

/** The dimension with the most parts lies across; the others, taken together, name the rows. */
function matrixOf(cells: readonly AssetCellView[]): Arranged {
  const values = new Map<string, Set<string>>();
  for (const { parts = {} } of cells)
    for (const [dimension, part] of Object.entries(parts)) {
      const of = values.get(dimension) ?? new Set<string>();
      values.set(dimension, of.add(part));
    }
  const isTime = (of: ReadonlySet<string>): boolean =>
    [...of].every((part) => day.test(part) || month.test(part) || instant.test(part));
  // Time lies across, where there is some: a matrix of days by regions is read from left to right.
  const [[across, columns] = ["", new Set<string>()]] = [...values].toSorted(
    ([, a], [, b]) => Number(isTime(b)) - Number(isTime(a)) || b.size - a.size,
  );
  const groupOf = ({ parts = {} }: AssetCellView): string =>
    Object.entries(parts)
      .filter(([dimension]) => dimension !== across)
      .map(([, part]) => part)
      .join(" / ");
  const placed = cells.map((cell) => ({ cell, key: cell.parts?.[across] ?? "", group: groupOf(cell) }));
  if (columns.size > 0 && isTime(columns)) return calendarOf(placed);
  const heads = [...columns];
  return {
    heads,
    rows: [...Map.groupBy(placed, ({ group }) => group)].map(([name, own]) => ({
      name,
      places: heads.map((head) => ({
        cells: own.filter(({ key }) => key === head).map(({ cell }) => cell),
      })),
    })),
  };
}
