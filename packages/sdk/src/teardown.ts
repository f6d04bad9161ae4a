/**
 * Teardowns wait for all that came of their setups. That is known only when the body has ended, so their order is
 * added then.
 */
import type { Template } from "@millrace/core";
import { encloses, graphError, type Build, type NodeDraft } from "./build.ts";

/** Nodes by id, and who hangs on whom, in data or order. */
export interface Dependents {
  readonly childrenOf: ReadonlyMap<string, readonly string[]>;
}

/**
 * Adds to each teardown's `after` everything downstream of its setups, except what is downstream of the teardown itself.
 * A teardown inside a fan-out waits within it. Two teardowns of setups that depend on neither other don't wait for each other.
 */
export function orderTeardowns(build: Build): void {
  const teardowns = [...build.nodes.values()].filter((node) => node.teardownOf !== undefined);
  if (teardowns.length === 0) return;
  const childrenOf = findChildren(build);
  const downstream = new Map(teardowns.map((node) => [node.id, reach(childrenOf, node.teardownOf ?? [])]));
  for (const teardown of teardowns) {
    const own = reach(childrenOf, [teardown.id]);
    const known = new Set([
      ...teardown.after.map((edge) => edge.node),
      ...(teardown.teardownOf ?? []),
      teardown.id,
    ]);
    const added: { node: string }[] = [];
    for (const id of downstream.get(teardown.id) ?? []) {
      if (own.has(id) || known.has(id)) continue;
      if (downstream.get(id)?.has(teardown.id)) continue;
      if (!encloses(build, teardown.region, build.nodes.get(id)?.region)) continue;
      added.push({ node: id });
    }
    teardown.after = [...teardown.after, ...added];
  }
}

/** Refuses nodes that wait for each other in a circle, naming them. */
export function refuseCycles(build: Build): void {
  const parentsLeft = new Map<string, number>();
  const childrenOf = findChildren(build);
  for (const id of build.nodes.keys()) parentsLeft.set(id, 0);
  for (const children of childrenOf.values()) {
    for (const child of children) parentsLeft.set(child, (parentsLeft.get(child) ?? 0) + 1);
  }
  const ready = [...parentsLeft].filter(([, count]) => count === 0).map(([id]) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    parentsLeft.delete(id);
    for (const child of childrenOf.get(id) ?? []) {
      const left = (parentsLeft.get(child) ?? 0) - 1;
      parentsLeft.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  if (parentsLeft.size === 0) return;
  const circle = findCircle(childrenOf, parentsLeft);
  throw graphError(build, "MILLRACE_GRAPH_CYCLE", {
    message: `nodes wait for each other in a circle: ${circle.map((id) => `"${id}"`).join(" → ")}.`,
    mark: build.nodes.get(circle[0] ?? "")?.mark,
  });
}

/** Every remaining node has a remaining parent, so walking up must come round. */
function findCircle(
  childrenOf: ReadonlyMap<string, readonly string[]>,
  remaining: ReadonlyMap<string, number>,
): string[] {
  const parentOf = new Map<string, string>();
  for (const id of remaining.keys()) {
    for (const child of childrenOf.get(id) ?? []) if (remaining.has(child)) parentOf.set(child, id);
  }
  const walked: string[] = [];
  let id = remaining.keys().next().value ?? "";
  while (!walked.includes(id)) {
    walked.push(id);
    id = parentOf.get(id) ?? "";
  }
  return [...walked.slice(walked.indexOf(id)), id].reverse();
}

function findChildren(build: Build): Map<string, string[]> {
  const childrenOf = new Map<string, string[]>();
  for (const node of build.nodes.values()) {
    for (const parent of parentsOf(build, node)) {
      const children = childrenOf.get(parent);
      if (children) children.push(node.id);
      else childrenOf.set(parent, [node.id]);
    }
  }
  return childrenOf;
}

function parentsOf(build: Build, node: NodeDraft): Set<string> {
  const parents = new Set<string>(node.teardownOf);
  for (const edge of node.after) parents.add(edge.node);
  collectNodes(node.input, parents);
  for (let region = node.region; region !== undefined; region = build.regions.get(region)?.parent) {
    for (const list of build.regions.get(region)?.over ?? []) collectNodes(list, parents);
  }
  return parents;
}

function collectNodes(template: Template, into: Set<string>): void {
  if (template.kind === "output") into.add(template.node);
  else if (template.kind === "array") for (const item of template.items) collectNodes(item, into);
  else if (template.kind === "object")
    for (const entry of Object.values(template.entries)) collectNodes(entry, into);
}

function reach(childrenOf: ReadonlyMap<string, readonly string[]>, from: readonly string[]): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const child of childrenOf.get(id) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      open.push(child);
    }
  }
  return found;
}
