/** Lineage as the layers of a picture need it: without circles. What leads back is drawn, and places nothing. */
import type { LineageEdge, LineageView } from "@millrace/protocol";
import type { GraphInput } from "../../parts/graph/layout.ts";

export interface Layers {
  readonly inputs: readonly GraphInput[];
  /** Edges that lead back, such as that of a pipeline to an asset that it reads as well. */
  readonly back: readonly LineageEdge[];
}

export function layersOf({ nodes, edges }: LineageView): Layers {
  const next = Map.groupBy(edges, ({ from }) => from);
  const back = new Set<LineageEdge>();
  const state = new Map<string, "open" | "done">();
  const isEntered = new Set(edges.map(({ to }) => to));
  // What nothing leads to comes first: a circle is cut where one comes back to what one came from.
  const begins = [...nodes].sort((a, b) => Number(isEntered.has(a.id)) - Number(isEntered.has(b.id)));
  for (const { id } of begins) walk(id, next, { state, back });
  const parents = Map.groupBy(
    edges.filter((edge) => !back.has(edge)),
    ({ to }) => to,
  );
  return {
    inputs: nodes.map(({ id }) => ({
      id,
      parents: (parents.get(id) ?? []).map(({ from }) => from),
      regions: [],
    })),
    back: [...back],
  };
}

interface Seen {
  readonly state: Map<string, "open" | "done">;
  readonly back: Set<LineageEdge>;
}

/** By hand, as a chain may be longer than calls may be deep. */
function walk(begin: string, next: ReadonlyMap<string, LineageEdge[]>, { state, back }: Seen): void {
  if (state.has(begin)) return;
  const path = [{ id: begin, at: 0 }];
  state.set(begin, "open");
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const edge = next.get(top.id)?.[top.at];
    top.at += 1;
    if (!edge) {
      state.set(top.id, "done");
      path.pop();
    } else if (state.get(edge.to) === "open") back.add(edge);
    else if (!state.has(edge.to)) {
      state.set(edge.to, "open");
      path.push({ id: edge.to, at: 0 });
    }
  }
}
