/** What the layout is made of: a pipeline's nodes with the groups and regions around them, some of these folded into one. */
import { compileGraph, type PipelineDefinition } from "@millrace/core";
import { parentsOf } from "@millrace/protocol/run-picture";
import type { GraphInput } from "./layout.ts";

export interface FoldedGraph {
  readonly inputs: readonly GraphInput[];
  /** What stands in each folded box, in the graph's order. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** What is drawn in place of a node: itself, or its outermost folded box. */
  readonly drawnAs: ReadonlyMap<string, string>;
}

export function inputsOf(definition: PipelineDefinition): GraphInput[] {
  const { nodes } = compileGraph(definition);
  return nodes.map((node) => {
    const own = [...new Set(node.parents.map(({ parent }) => parent))];
    // The list of its region is led to by those that begin within the region.
    const follows = own.some(({ region }) => region !== undefined && region === node.region);
    const parents = follows ? own : parentsOf(node);
    const { id } = node.definition;
    const regions = groupsOf(id);
    // One that is mapped by itself is its own region.
    for (let region = node.region; region; region = region.parent)
      if (!regions.includes(region.definition.id)) regions.push(region.definition.id);
    return { id, parents: parents.map(({ definition: { id: parent } }) => parent), regions };
  });
}

/** `a/b/c` stands in the groups `a` and `a/b`. */
function groupsOf(id: string): string[] {
  const parts = id.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

/** Groups and regions with several nodes, outermost first: those that can be folded. */
export function boxNames(inputs: readonly GraphInput[]): string[] {
  const counts = new Map<string, number>();
  for (const { regions } of inputs) for (const box of regions) counts.set(box, (counts.get(box) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > 1).map(([box]) => box);
}

export function foldGraph(inputs: readonly GraphInput[], folded: ReadonlySet<string>): FoldedGraph {
  const drawnAs = new Map<string, string>();
  const members = new Map<string, string[]>();
  const known = new Set(boxNames(inputs));
  for (const { id, regions } of inputs) {
    const box = regions.find((one) => folded.has(one) && known.has(one));
    drawnAs.set(id, box ?? id);
    if (box === undefined) continue;
    const of = members.get(box);
    if (of) of.push(id);
    else members.set(box, [id]);
  }
  if (members.size === 0) return { inputs, members, drawnAs };
  const drawn = new Map<string, { readonly parents: Set<string>; readonly regions: readonly string[] }>();
  for (const { id, parents, regions } of inputs) {
    const as = drawnAs.get(id)!;
    const found = drawn.get(as) ?? {
      parents: new Set<string>(),
      regions: as === id ? regions : regions.slice(0, regions.indexOf(as)),
    };
    drawn.set(as, found);
    for (const parent of parents) {
      const from = drawnAs.get(parent) ?? parent;
      if (from !== as) found.parents.add(from);
    }
  }
  return {
    inputs: [...drawn].map(([id, { parents, regions }]) => ({ id, parents: [...parents], regions })),
    members,
    drawnAs,
  };
}
