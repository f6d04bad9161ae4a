/** Which rows of history are those of a generation: what it ran itself, and what it kept of earlier ones. */
import { hydrateRun, taskRunsBelow, type Graph } from "@millrace/core";
import type { EndedRun, LiveRun, TaskRunName, TaskRunRow } from "@millrace/store";

type GenerationRow = Pick<TaskRunRow, "node" | "item" | "generation">;

/**
 * The newest row of each node and item. The items of a node displace the row of an earlier generation whose fan-out ended
 * without items, and the other way round. Rows come newest generation first.
 */
export function newestRows<Row extends GenerationRow>(rows: readonly Row[], generation: number): Row[] {
  const newest = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    if (row.generation > generation) continue;
    const ofNode = newest.get(row.node) ?? new Map<string, Row>();
    newest.set(row.node, ofNode);
    if (!ofNode.has(row.item)) ofNode.set(row.item, row);
  }
  return [...newest.values()].flatMap((ofNode) => withoutDisplaced([...ofNode.values()]));
}

function withoutDisplaced<Row extends GenerationRow>(rows: readonly Row[]): readonly Row[] {
  if (rows.every((row) => row.generation === rows[0]!.generation)) return rows;
  /** The newest generation of what stands below each item. */
  const below = new Map<string, number>();
  for (const row of rows)
    for (const above of itemsAbove(row.item))
      below.set(above, Math.max(below.get(above) ?? 0, row.generation));
  const byItem = new Map(rows.map((row) => [row.item, row.generation]));
  return rows.filter(
    (row) =>
      (below.get(row.item) ?? 0) <= row.generation &&
      itemsAbove(row.item).every((above) => (byItem.get(above) ?? 0) <= row.generation),
  );
}

/** "1.2" has "" and "1" above it. */
function itemsAbove(item: string): string[] {
  if (item === "") return [];
  const parts = item.split(".");
  return ["", ...parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("."))];
}

/** Whether lists that became shorter may have left rows of items that are no more. */
export function mayHaveLostItems(graph: Graph, rows: readonly TaskRunRow[], generation: number): boolean {
  return graph.regions.length > 0 && rows.some((row) => row.generation < generation);
}

/** Those of `rows` whose items are in their lists; rows of nodes that the graph does not have stay. Outputs of
 *  structural nodes, and the parameters, must be at hand. */
export function rowsInLists(
  graph: Graph,
  run: LiveRun | EndedRun,
  rows: readonly TaskRunRow[],
): TaskRunRow[] {
  const record = { endedAt: undefined, output: undefined, ...run, cancel: undefined };
  const hydrated = hydrateRun(graph, record, rows);
  const names = new Set<string>();
  for (const { node, item } of taskRunsBelow(hydrated.root)) names.add(`${node.definition.id}\n${item}`);
  return rows.filter((row) => names.has(`${row.node}\n${row.item}`) || !graph.byId.has(row.node));
}

export function outputName({ node, item, generation }: TaskRunName): string {
  return `${node}\n${item}\n${generation}`;
}
