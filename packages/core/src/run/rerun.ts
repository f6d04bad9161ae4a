/**
 * Reruns and late marks: which rows of an ended run the next generation keeps. What is kept is carried over as it is;
 * everything else starts afresh.
 */
import { chainOf, nodesWithin, type Graph, type GraphNode } from "../graph/graph.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { isEndState, type Reason, type StoredValue } from "./state.ts";
import type { TaskRunRecord } from "./hydrate.ts";

export interface RerunScope {
  readonly kind: "failed" | "nodes" | "all";
  readonly nodes: readonly string[];
}

/**
 * The rows that a rerun keeps. `graph` is the one that the next generation runs with; a needed node that it does not
 * have is MILLRACE_NODE_UNKNOWN with the list.
 */
export function planRerun(graph: Graph, rows: readonly TaskRunRecord[], scope: RerunScope): TaskRunRecord[] {
  if (scope.kind === "all") return [];
  const starts =
    scope.kind === "nodes"
      ? scope.nodes.map((node) => ({ node, item: "" }))
      : rows.filter((row) => row.state !== "succeeded" && row.state !== "skipped");
  requireNodes(
    graph,
    starts.map((start) => start.node),
  );
  const dirty = new DirtySet(graph);
  for (const start of starts) dirty.add(graph.byId.get(start.node)!, start.item);
  for (const row of rows) if (isMisplaced(graph, row)) dirty.add(graph.byId.get(row.node)!, "");
  dirty.complete(rows);
  return rows
    .filter((row) => isEndState(row.state) && graph.byId.has(row.node) && !dirty.has(row))
    .map(carry);
}

export interface LateMark {
  readonly node: string;
  readonly item: string;
  readonly state: "succeeded" | "failed" | "skipped";
  readonly output: StoredValue | undefined;
  readonly reason: Reason;
}

/**
 * The rows after a person's verdict on an ended task run: it gets the new state, and what is downstream of it and did
 * not run is decided again. Where its list is taken back, the items that were made of it are, too.
 */
export function planMark(
  graph: Graph,
  rows: readonly TaskRunRecord[],
  mark: LateMark,
  generation: number,
): TaskRunRecord[] {
  requireNodes(graph, [mark.node]);
  const instances = rows.filter((row) => row.node === mark.node);
  const marked = instances.find((row) => row.item === mark.item);
  if (!marked || isPlaceholderRow(graph, marked)) throw unknownItem(mark, instances);
  const dirty = new DirtySet(graph);
  dirty.add(graph.byId.get(mark.node)!, mark.item);
  const gone = new DirtySet(graph);
  if (mark.state !== "succeeded") gone.addItems(graph.byId.get(mark.node)!, mark.item);
  const didRun = (row: TaskRunRecord): boolean =>
    (row.state === "succeeded" || row.state === "failed") && !isPlaceholderRow(graph, row) && !gone.has(row);
  const kept = rows
    .filter((row) => row !== marked && graph.byId.has(row.node) && (!dirty.has(row) || didRun(row)))
    .map(carry);
  kept.push({
    ...marked,
    state: mark.state,
    reason: mark.reason,
    output: mark.output,
    error: mark.state === "failed" ? marked.error : undefined,
    generation,
    carried: false,
    revoked: false,
  });
  return kept;
}

/** The row of a node in a fan-out that ended without items. */
function isPlaceholderRow(graph: Graph, row: TaskRunRecord): boolean {
  const depth = row.item === "" ? 0 : row.item.split(".").length;
  return depth < (graph.byId.get(row.node)?.depth ?? 0);
}

/** The row of a version in which the node was in other fan-outs: nothing of this one's is named so. */
function isMisplaced(graph: Graph, row: TaskRunRecord): boolean {
  const node = graph.byId.get(row.node);
  if (!node) return false;
  const depth = row.item === "" ? 0 : row.item.split(".").length;
  if (depth >= node.depth) return depth > node.depth;
  return row.dispatch > 0 || (row.state === "succeeded" && row.reason?.code !== "empty_list");
}

function carry(row: TaskRunRecord): TaskRunRecord {
  return { ...row, carried: true };
}

function requireNodes(graph: Graph, names: readonly string[]): void {
  const gone = [...new Set(names)].filter((name) => !graph.byId.has(name));
  if (gone.length > 0) throw unknownNodes(graph, gone);
}

function unknownNodes(graph: Graph, names: readonly string[]): MillraceError {
  return new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `The pipeline "${graph.definition.name}" has no ${names.map((name) => `"${name}"`).join(", ")} in the version that the rerun would use.`,
    fields: { nodes: names },
  });
}

/** What is wrong with an item's name; `instances` are the node's, in its run. */
export function unknownItem(
  { node, item }: { readonly node: string; readonly item: string },
  instances: readonly { readonly item: string }[],
): MillraceError {
  const count = instances.filter((instance) => instance.item !== "").length;
  const items = count === 1 ? "1 item" : `${count === 0 ? "no" : count} items`;
  return new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message:
      item === ""
        ? `The node "${node}" has ${items} in this run${count === 0 ? "" : ": one must be named"}.`
        : `The node "${node}" has no item ${item} in this run: it has ${items}${count === 0 ? "" : ", counted from 0"}.`,
    advice: "See them with `millrace show`, and name one with `--item`.",
    fields: { nodes: [node], item, items: count },
  });
}

/** Instances that start afresh: nodes with the item prefixes below which they do. */
class DirtySet {
  readonly #graph: Graph;
  readonly #prefixes = new Map<GraphNode, Set<string>>();
  #size = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Adds a node's instances below `prefix`, and all that hangs on them. */
  add(start: GraphNode, startPrefix: string): void {
    const open: { node: GraphNode; prefix: string }[] = [{ node: start, prefix: startPrefix }];
    for (let next = open.pop(); next; next = open.pop()) {
      const { node, prefix } = next;
      if (!this.#note(node, prefix)) continue;
      for (const edge of node.children) open.push({ node: edge.child, prefix: cut(prefix, edge.level) });
      for (const feed of node.feeds) {
        for (const inner of nodesWithin(feed.region))
          open.push({ node: inner, prefix: cut(prefix, feed.level) });
      }
    }
  }

  /** Adds the instances that were made of a node's list. */
  addItems(node: GraphNode, prefix: string): void {
    for (const feed of node.feeds)
      for (const inner of nodesWithin(feed.region)) this.#note(inner, cut(prefix, feed.level));
  }

  /** Adds what can't be kept beside what starts afresh, until nothing follows any more. */
  complete(rows: readonly TaskRunRecord[]): void {
    const placeholders = rows.filter((row) => isPlaceholderRow(this.#graph, row));
    for (let before = -1; before < this.#size;) {
      before = this.#size;
      for (const [node, prefixes] of this.#prefixes)
        for (const prefix of prefixes) this.#addSetups(node, prefix);
      for (const row of placeholders) if (this.has(row)) this.#addClosed(row);
    }
  }

  /**
   * A teardown that runs again needs its setups again, and those all their teardowns, and new items where they make a
   * list. What else hangs on them stays.
   */
  #addSetups(node: GraphNode, prefix: string): void {
    for (const { parent, level, setup } of node.parents) {
      const above = cut(prefix, level);
      if (!setup || !this.#note(parent, above)) continue;
      for (const edge of parent.children) if (edge.setup) this.add(edge.child, cut(above, edge.level));
      for (const feed of parent.feeds)
        for (const inner of nodesWithin(feed.region)) this.add(inner, cut(above, feed.level));
    }
  }

  /** A fan-out that ended without items is decided as a whole. */
  #addClosed(row: TaskRunRecord): void {
    const depth = row.item === "" ? 0 : row.item.split(".").length;
    const region = chainOf(this.#graph.byId.get(row.node)!.region)[depth]!;
    for (const inner of nodesWithin(region)) this.add(inner, row.item);
  }

  has(row: TaskRunRecord): boolean {
    const node = this.#graph.byId.get(row.node);
    const prefixes = node && this.#prefixes.get(node);
    if (!prefixes) return false;
    if (prefixes.has("") || prefixes.has(row.item)) return true;
    for (const prefix of prefixes) if (row.item.startsWith(`${prefix}.`)) return true;
    return false;
  }

  #note(node: GraphNode, prefix: string): boolean {
    const known = this.#prefixes.get(node) ?? new Set<string>();
    this.#prefixes.set(node, known);
    if (known.has("") || known.has(prefix)) return false;
    known.add(prefix);
    this.#size += 1;
    return true;
  }
}

function cut(prefix: string, level: number): string {
  if (level === 0 || prefix === "") return "";
  return prefix.split(".").slice(0, level).join(".");
}
