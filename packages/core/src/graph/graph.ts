/** A pipeline's compiled graph, and the ways to walk it. `compile.ts` makes it. */
import type { NodeDefinition, PipelineDefinition, RegionDefinition } from "./definition.ts";

export interface GraphEdge {
  readonly parent: GraphNode;
  readonly child: GraphNode;
  readonly level: number;
  /** Set when the edge follows a branch. */
  readonly choices?: readonly string[];
  /** The parent is one of the child's setups (the child is a teardown). */
  readonly setup: boolean;
}

export interface RegionSource {
  readonly node: GraphNode;
  readonly level: number;
}

export interface GraphRegion {
  readonly index: number;
  readonly definition: RegionDefinition;
  readonly parent: GraphRegion | undefined;
  /** 1 for a region that stands in none. */
  readonly depth: number;
  /** Position among the regions of the same parent. */
  readonly slot: number;
  readonly nodes: GraphNode[];
  readonly children: GraphRegion[];
  /** Nodes whose outputs the lists are read from; the region is expanded when all of them succeeded. */
  readonly sources: RegionSource[];
  /** Nodes here or deeper whose outcomes are counted per item of this region. */
  readonly counted: GraphNode[];
}

export interface GraphNode {
  readonly index: number;
  readonly definition: NodeDefinition;
  readonly region: GraphRegion | undefined;
  readonly depth: number;
  /** Position among the nodes of the same region (or of the root). */
  readonly slot: number;
  readonly parents: GraphEdge[];
  readonly children: GraphEdge[];
  /** Regions that read their lists from this node. */
  readonly feeds: { readonly region: GraphRegion; readonly level: number }[];
  /** Levels (≤ depth) at which somebody counts this node's outcomes. */
  readonly levels: number[];
  /** Short circuits that skip this node (unless it is a teardown) together with everything downstream. */
  readonly gates: { readonly node: GraphNode; readonly level: number }[];
  /** Its outcome counts for the run's: nothing hangs on it, or nothing but teardowns. */
  leaf: boolean;
  readonly teardown: boolean;
  /** The machine itself reads this node's output, so it must be at hand in memory. */
  structural: boolean;
}

export interface Graph {
  readonly definition: PipelineDefinition;
  readonly nodes: readonly GraphNode[];
  readonly regions: readonly GraphRegion[];
  readonly rootNodes: readonly GraphNode[];
  readonly rootRegions: readonly GraphRegion[];
  readonly byId: ReadonlyMap<string, GraphNode>;
  /** Nodes whose outcomes are counted over the whole run. */
  readonly rootCounted: readonly GraphNode[];
  /** Nodes and regions in an order in which what is depended on comes first. */
  readonly order: readonly GraphVertex[];
}

export type GraphVertex = GraphNode | GraphRegion;

export function isNode(vertex: GraphVertex): vertex is GraphNode {
  return "leaf" in vertex;
}

/** Everything that hangs on `start`, in data or order, without `start` itself. */
export function downstreamOf(
  start: Iterable<GraphNode>,
  waiters: (node: GraphNode) => Iterable<GraphNode> = successors,
): Set<GraphNode> {
  const found = new Set<GraphNode>();
  const open = [...start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of waiters(node)) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

/** What hangs on a node directly: its children, and the nodes of fan-outs over its output. */
export function* successors(node: GraphNode): Iterable<GraphNode> {
  for (const edge of node.children) yield edge.child;
  for (const feed of node.feeds) yield* nodesWithin(feed.region);
}

/** All nodes of a region, those of regions inside it included. */
export function* nodesWithin(region: GraphRegion): Iterable<GraphNode> {
  yield* region.nodes;
  for (const child of region.children) yield* nodesWithin(child);
}

/** The regions around a place, outermost first. */
export function chainOf(region: GraphRegion | undefined): readonly GraphRegion[] {
  const chain: GraphRegion[] = [];
  for (let current = region; current; current = current.parent) chain.unshift(current);
  return chain;
}

/** How many regions, counted from the outside, two places share. */
export function sharedDepth(a: GraphRegion | undefined, b: GraphRegion | undefined): number {
  const left = chainOf(a);
  const right = chainOf(b);
  let depth = 0;
  while (depth < left.length && depth < right.length && left[depth] === right[depth]) depth += 1;
  return depth;
}
