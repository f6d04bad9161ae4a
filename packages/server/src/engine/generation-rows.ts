/** Which rows of history are those of a generation: what it ran itself, and what it kept of earlier ones. */
import type { TaskRunName, TaskRunRow } from "@millrace/store";

/** Rows come newest generation first. */
export function newestRows(rows: readonly TaskRunRow[], generation: number): TaskRunRow[] {
  const newest = new Map<string, TaskRunRow>();
  for (const row of rows) {
    const name = `${row.node}\n${row.item}`;
    if (row.generation <= generation && !newest.has(name)) newest.set(name, row);
  }
  return [...newest.values()];
}

export function outputName({ node, item, generation }: TaskRunName): string {
  return `${node}\n${item}\n${generation}`;
}
