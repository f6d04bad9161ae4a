/**
 * Runs by nodes as they came in pages: columns from the oldest to the newest, rows in the order of the newest page.
 *
 * The newest page is asked for again as runs change. Older ones stay as they came, but for those that have a run under way: a
 * run of long ago that a person reruns elsewhere shows when the page is opened again.
 */
import { gridStates, type GridPage, type GridRun, type TaskRunState } from "@millrace/protocol";

export interface GridColumn {
  readonly run: GridRun;
  /** By the index of a node: digits of `gridStates`, `none` where there is nothing. */
  readonly cells: Uint8Array;
}

export interface GridView {
  readonly columns: readonly GridColumn[];
  /** Indexes of nodes, in the order of their rows. */
  readonly rows: readonly number[];
  readonly names: readonly string[];
}

const none = 255;

export class GridModel {
  readonly #index = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #columns = new Map<string, GridColumn>();
  #rows: readonly number[] = [];

  /** True where what is known is older than all of the page, and more lies between: it was forgotten. */
  merge(page: GridPage, isNewest: boolean): boolean {
    const newestKnown = [...this.#columns.keys()].reduce((a, b) => (a > b ? a : b), "");
    const oldest = page.runs.at(-1)?.id ?? "";
    const hasGap = isNewest && newestKnown !== "" && page.nextCursor !== undefined && oldest > newestKnown;
    if (hasGap) this.#columns.clear();
    const places = page.nodes.map((node) => this.#place(node));
    for (const run of page.runs) this.#columns.set(run.id, { run, cells: this.#cells(run, places) });
    if (isNewest || this.#rows.length === 0) {
      const shown = new Set(places);
      this.#rows = [...places, ...[...this.#names.keys()].filter((place) => !shown.has(place))];
    } else this.#rows = [...new Set([...this.#rows, ...places])];
    return hasGap;
  }

  view(): GridView {
    const columns = [...this.#columns.values()].sort((a, b) => (a.run.id < b.run.id ? -1 : 1));
    return { columns, rows: this.#rows, names: this.#names };
  }

  #place(node: string): number {
    const known = this.#index.get(node);
    if (known !== undefined) return known;
    const place = this.#names.push(node) - 1;
    this.#index.set(node, place);
    return place;
  }

  #cells({ states = "" }: GridRun, places: readonly number[]): Uint8Array {
    const cells = new Uint8Array(this.#names.length).fill(none);
    for (const [at, place] of places.entries()) {
      const digit = states.charCodeAt(at) - 48;
      if (digit >= 0 && digit < gridStates.length) cells[place] = digit;
    }
    return cells;
  }
}

/** Nothing where the run has none of the node. */
export function stateAt({ cells }: GridColumn, node: number): TaskRunState | undefined {
  return gridStates[cells[node] ?? none];
}
