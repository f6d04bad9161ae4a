/**
 * A graph as an outline: each node stands below the node through which every way to it leads (its dominator). A chain
 * stays flat, a fan is indented below the node that it leaves, and what joins a fan follows below it at the old level.
 */
import { compileGraph, isNode, type GraphNode, type PipelineDefinition } from "@millrace/core";

export interface OutlineRow {
  readonly id: string;
  /** Lines that lead to the node's mark: `├─ `, `│  └─ `. */
  readonly lead: string;
  /** What stands in front of further lines about the node. */
  readonly leadBelow: string;
  readonly node: GraphNode;
  readonly parents: readonly string[];
  /** True when the node's only parent is the one that it stands below, so that naming it adds nothing. */
  readonly follows: boolean;
}

interface Place {
  readonly node: GraphNode | undefined;
  readonly index: number;
  readonly parents: Place[];
  readonly below: Place[];
  /** The places that it waits for in the end, one bit each. */
  readonly ancestors: Uint32Array;
  dominator: Place | undefined;
}

export function outlineOf(definition: PipelineDefinition): OutlineRow[] {
  const root = buildPlaces(definition);
  const rows: OutlineRow[] = [];
  drawBelow(root, "", rows);
  return rows;
}

/** The nodes that a node waits for: its inputs, its order, and the lists of the regions around it. */
export function parentsOf(node: GraphNode): GraphNode[] {
  const parents = new Set(node.parents.map((edge) => edge.parent));
  for (let region = node.region; region; region = region.parent) {
    for (const source of region.sources) if (source.node !== node) parents.add(source.node);
  }
  return [...parents];
}

function buildPlaces(definition: PipelineDefinition): Place {
  const vertices = compileGraph(definition).order.filter(isNode);
  const words = Math.ceil((vertices.length + 1) / 32);
  const newPlace = (node: GraphNode | undefined, index: number): Place => {
    return { node, index, parents: [], below: [], ancestors: new Uint32Array(words), dominator: undefined };
  };
  const root = newPlace(undefined, 0);
  const places = new Map<GraphNode, Place>();
  // Parents come first, so one pass in order finds every ancestor and dominator.
  for (const [index, vertex] of vertices.entries()) {
    const place = newPlace(vertex, index + 1);
    places.set(vertex, place);
    const parents = parentsOf(vertex).flatMap((parent) => places.get(parent) ?? []);
    place.parents.push(...parents.filter((parent) => !parents.some((other) => isAncestor(parent, other))));
    for (const parent of parents) addAncestors(place, parent);
    place.dominator = place.parents.reduce<Place | undefined>(nearestCommon, undefined) ?? root;
    place.dominator.below.push(place);
  }
  return root;
}

/** A parent that another parent waits for goes without saying. */
function isAncestor(place: Place, of: Place): boolean {
  return ((of.ancestors[place.index >>> 5] ?? 0) & (1 << (place.index & 31))) !== 0;
}

function addAncestors(place: Place, parent: Place): void {
  const { ancestors } = place;
  parent.ancestors.forEach((word, at) => {
    ancestors[at] = (ancestors[at] ?? 0) | word;
  });
  const at = parent.index >>> 5;
  ancestors[at] = (ancestors[at] ?? 0) | (1 << (parent.index & 31));
}

function nearestCommon(a: Place | undefined, b: Place): Place {
  let [left, right] = [a ?? b, b];
  while (left !== right) {
    if (left.index > right.index) left = left.dominator ?? left;
    else right = right.dominator ?? right;
  }
  return left;
}

/** The groups of places below one: a single one, or the last one when all the others lead to it, stays at its level. */
function drawBelow(place: Place, lead: string, rows: OutlineRow[]): void {
  for (let current: Place | undefined = place; current;) {
    const below: readonly Place[] = current.below;
    const next = below.length === 1 || current.node === undefined ? undefined : continuation(below);
    if (below.length === 1) {
      current = below[0];
      if (current) rows.push(rowOf(current, lead, lead));
      continue;
    }
    const fan: Place[] = below.filter((child) => child !== next);
    const isRoot = current.node === undefined;
    fan.forEach((child, index) => {
      const isLast = index === fan.length - 1;
      const inner = isRoot ? lead : lead + (isLast ? "   " : "│  ");
      rows.push(rowOf(child, isRoot ? lead : lead + (isLast ? "└─ " : "├─ "), inner));
      drawBelow(child, inner, rows);
    });
    current = next;
    if (current) rows.push(rowOf(current, lead, lead));
  }
}

/** The last of several, if every other one is on a way to it. */
function continuation(below: readonly Place[]): Place | undefined {
  const last = below.at(-1);
  if (!last) return undefined;
  const reached = new Set<Place>();
  const open = [last];
  for (let place = open.pop(); place; place = open.pop()) {
    for (const parent of place.parents) {
      if (reached.has(parent)) continue;
      reached.add(parent);
      open.push(parent);
    }
  }
  return below.every((place) => place === last || reached.has(place)) ? last : undefined;
}

function rowOf(place: Place, lead: string, leadBelow: string): OutlineRow {
  const node = place.node!;
  return {
    id: node.definition.id,
    lead,
    leadBelow,
    node,
    parents: place.parents.map((parent) => parent.node?.definition.id ?? ""),
    follows: place.parents.length === 1 && place.parents[0] === place.dominator,
  };
}
