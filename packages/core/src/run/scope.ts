/**
 * Scopes, expansions and tallies: the shape of a run.
 *
 * S1: an open task run or placeholder counts in exactly one `open` of each tally of its node at the levels above it.
 * S2: `scope.open` is the number of its task runs and expansions that have not ended.
 * S3: a placeholder exists only while its expansion is pending or closed.
 */
import { assert } from "../assert.ts";
import { chainOf, nodesWithin, type Graph, type GraphNode, type GraphRegion } from "../graph/graph.ts";
import type { Json } from "../json.ts";
import { parentFacts } from "./rule.ts";
import type { EndState, Expansion, Scope, Tally, TaskRun } from "./state.ts";

export function createRootScope(graph: Graph): Scope {
  return createScope({
    region: undefined,
    parent: undefined,
    expansion: undefined,
    index: 0,
    item: undefined,
    nodes: graph.rootNodes,
    regions: graph.rootRegions,
    counted: graph.rootCounted,
    active: false,
  });
}

interface ScopeParts {
  readonly region: GraphRegion | undefined;
  readonly parent: Scope | undefined;
  readonly expansion: Expansion | undefined;
  readonly index: number;
  readonly item: Json | undefined;
  readonly nodes: readonly GraphNode[];
  readonly regions: readonly GraphRegion[];
  readonly counted: readonly GraphNode[];
  readonly active: boolean;
}

function createScope(parts: ScopeParts): Scope {
  const scope: Scope = {
    region: parts.region,
    parent: parts.parent,
    expansion: parts.expansion,
    index: parts.index,
    path: itemPath(parts.parent, parts.index),
    depth: parts.region?.depth ?? 0,
    item: parts.item,
    taskRuns: [],
    expansions: [],
    tallies: parts.counted.length === 0 ? undefined : new Map(),
    active: parts.active,
    open: parts.nodes.length + parts.regions.length,
  };
  for (const node of parts.nodes) scope.taskRuns.push(createTaskRun(node, scope));
  for (const region of parts.regions) scope.expansions.push(createExpansion(region, scope));
  for (const node of parts.counted) scope.tallies?.set(node.index, newTally());
  return scope;
}

function itemPath(parent: Scope | undefined, index: number): string {
  if (!parent) return "";
  return parent.path === "" ? String(index) : `${parent.path}.${index}`;
}

function newTally(): Tally {
  return { open: 1, succeeded: 0, failed: 0, upstreamFailed: 0, skipped: 0, cancelled: 0 };
}

function createExpansion(region: GraphRegion, scope: Scope): Expansion {
  return {
    region,
    scope,
    state: "pending",
    placeholders: [...nodesWithin(region)].map((node) => createTaskRun(node, scope)),
    items: [],
    openItems: 0,
    activeItems: 0,
    nextItem: 0,
  };
}

function createTaskRun(node: GraphNode, scope: Scope): TaskRun {
  return {
    node,
    scope,
    item: scope.path,
    state: "pending",
    reason: undefined,
    generation: 0,
    attempt: 0,
    dispatch: 0,
    losses: 0,
    worker: undefined,
    output: undefined,
    error: undefined,
    readyAt: undefined,
    startedAt: undefined,
    endedAt: undefined,
    resumeAt: undefined,
    childRunId: undefined,
    code: undefined,
    revoked: false,
    carried: false,
    openEdge: 0,
  };
}

/** Replaces an expansion's placeholders by one scope per item. */
export function fillExpansion(expansion: Expansion, items: readonly Json[]): void {
  assert(expansion.state === "pending" && items.length > 0, "an expansion is filled once, with items");
  const { region, scope } = expansion;
  expansion.state = "expanded";
  expansion.placeholders = [];
  expansion.openItems = items.length;
  for (const node of nodesWithin(region)) {
    for (const level of node.levels) {
      if (level <= scope.depth) tallyOf(node, scopeAt(scope, level)).open += items.length - 1;
    }
  }
  for (let index = 0; index < items.length; index += 1) {
    expansion.items.push(
      createScope({
        region,
        parent: scope,
        expansion,
        index,
        item: items[index],
        nodes: region.nodes,
        regions: region.children,
        counted: region.counted,
        active: false,
      }),
    );
  }
}

export function scopeAt(scope: Scope, depth: number): Scope {
  let current = scope;
  while (current.depth > depth) current = current.parent!;
  return current;
}

export function tallyOf(node: GraphNode, scope: Scope): Tally {
  const tally = scope.tallies?.get(node.index);
  assert(tally, `the outcomes of ${node.definition.id} are counted at level ${scope.depth}`);
  return tally;
}

/** Which outcomes a tally holds, as the rules ask for them. */
export function factsOf(tally: Tally): number {
  return (
    (tally.open > 0 ? parentFacts.open : 0) |
    (tally.succeeded > 0 ? parentFacts.succeeded : 0) |
    (tally.failed > 0 ? parentFacts.failed : 0) |
    (tally.upstreamFailed > 0 ? parentFacts.upstreamFailed : 0) |
    (tally.skipped > 0 ? parentFacts.skipped : 0) |
    (tally.cancelled > 0 ? parentFacts.cancelled : 0)
  );
}

const tallyField = {
  succeeded: "succeeded",
  failed: "failed",
  upstream_failed: "upstreamFailed",
  skipped: "skipped",
  cancelled: "cancelled",
} as const satisfies Record<EndState, keyof Tally>;

/** Moves one instance from open to its outcome; tells whether the facts changed. */
export function countOutcome(tally: Tally, state: EndState): boolean {
  const before = factsOf(tally);
  tally.open -= 1;
  tally[tallyField[state]] += 1;
  assert(tally.open >= 0, "a tally never counts an outcome twice");
  return factsOf(tally) !== before;
}

/**
 * The outcome of what stands in `scope` as those see it who read from `level`: settled regions hide from the outside
 * that items failed. A region that was closed without items has none to hide.
 */
export function outcomeSeenFrom(scope: Scope, level: number, state: EndState): EndState {
  if (state === "succeeded" || state === "skipped") return state;
  for (let { region } = scope; region && region.depth > level; region = region.parent) {
    if (region.definition.settled) return "succeeded";
  }
  return state;
}

/** Calls `visit` for every existing scope of `region` (or the root) below `scope`. */
export function forEachScope(
  region: GraphRegion | undefined,
  scope: Scope,
  visit: (scope: Scope) => void,
): void {
  if ((region?.depth ?? 0) === scope.depth) {
    visit(scope);
    return;
  }
  let step = region!;
  while (step.depth > scope.depth + 1) step = step.parent!;
  const expansion = scope.expansions[step.slot]!;
  for (const item of expansion.items) forEachScope(region, item, visit);
}

/** Every task run below `scope`; placeholders, too, where nothing is expanded. */
export function* taskRunsBelow(scope: Scope): Iterable<TaskRun> {
  yield* scope.taskRuns;
  for (const expansion of scope.expansions) {
    yield* expansion.placeholders;
    for (const item of expansion.items) yield* taskRunsBelow(item);
  }
}

/** Finds a task run by its node and item path, placeholders included. */
export function findTaskRun(root: Scope, node: GraphNode, item: string): TaskRun | undefined {
  const indexes = item === "" ? [] : item.split(".").map(Number);
  const chain = chainOf(node.region);
  if (indexes.length > chain.length) return undefined;
  let scope = root;
  for (let depth = 0; depth < indexes.length; depth += 1) {
    const next = scope.expansions[chain[depth]!.slot]!.items[indexes[depth]!];
    if (!next) return undefined;
    scope = next;
  }
  if (scope.depth === node.depth) return scope.taskRuns[node.slot];
  return scope.expansions[chain[scope.depth]!.slot]!.placeholders.find((taskRun) => taskRun.node === node);
}
