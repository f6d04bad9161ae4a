/**
 * Turns a pipeline's definition into the graph that the run machine walks: resolved edges, levels, leaves, gates.
 * Pure and done once per bundle and pipeline; a faulty definition throws a catalogued error.
 *
 * An edge's *level* is the number of regions that its two ends share. Parent instances below one scope of that level
 * all count for the child instances below the same scope.
 */
import { MillraceError } from "../error/millrace-error.ts";
import type { PipelineDefinition, RegionDefinition, Template } from "./definition.ts";
import {
  downstreamOf,
  isNode,
  nodesWithin,
  sharedDepth,
  successors,
  type Graph,
  type GraphEdge,
  type GraphNode,
  type GraphRegion,
  type GraphVertex,
} from "./graph.ts";

export function compileGraph(definition: PipelineDefinition): Graph {
  const regions = buildRegions(definition);
  const regionById = new Map(regions.map((region) => [region.definition.id, region]));
  const nodes = buildNodes(definition, regionById);
  const byId = new Map(nodes.map((node) => [node.definition.id, node]));
  for (const node of nodes) connectNode(node, byId, regionById, definition);
  for (const region of regions) {
    checkRegion(region, definition);
    connectRegion(region, byId, regionById, definition);
  }
  const order = sortTopologically(nodes, regions, definition);
  for (const node of nodes) {
    node.leaf = !node.teardown && [...successors(node)].every((next) => next.teardown);
    node.levels.sort((a, b) => a - b);
  }
  checkConcurrency(regions, definition);
  for (const vertex of order) if (isNode(vertex)) spreadGates(vertex);
  for (const node of nodes) {
    for (let region = node.region; region; region = region.parent) {
      if (node.levels.includes(region.depth)) region.counted.push(node);
    }
  }
  for (const id of referencedRegions(definition.output)) throw foreignItem(definition, "its output", id);
  for (const id of referencedNodes(definition.output)) {
    const node = byId.get(id);
    if (!node) throw invalid(definition, `its output refers to the node "${id}", which does not exist`);
    node.structural = true;
  }
  return {
    definition,
    nodes,
    regions,
    byId,
    order,
    rootCounted: nodes.filter((node) => node.levels.includes(0)),
    rootNodes: nodes.filter((node) => node.region === undefined),
    rootRegions: regions.filter((region) => region.parent === undefined),
  };
}

function buildRegions(definition: PipelineDefinition): GraphRegion[] {
  const built = new Map<string, GraphRegion>();
  const regions: GraphRegion[] = [];
  const open = new Set<string>();
  const byId = new Map(definition.regions.map((region) => [region.id, region]));
  let rootSlots = 0;
  const build = (region: RegionDefinition): GraphRegion => {
    const known = built.get(region.id);
    if (known) return known;
    if (open.has(region.id)) throw invalid(definition, `its region "${region.id}" contains itself`);
    open.add(region.id);
    const parentDefinition = region.parent === undefined ? undefined : byId.get(region.parent);
    if (region.parent !== undefined && !parentDefinition) {
      throw invalid(
        definition,
        `its region "${region.id}" stands in "${region.parent}", which does not exist`,
      );
    }
    const parent = parentDefinition && build(parentDefinition);
    const made: GraphRegion = {
      index: regions.length,
      definition: region,
      parent,
      depth: (parent?.depth ?? 0) + 1,
      slot: parent ? parent.children.length : rootSlots,
      nodes: [],
      children: [],
      sources: [],
      counted: [],
    };
    if (parent) parent.children.push(made);
    else rootSlots += 1;
    if (built.has(region.id)) throw duplicate(definition, region.id);
    built.set(region.id, made);
    regions.push(made);
    return made;
  };
  for (const region of definition.regions) build(region);
  if (regions.length !== definition.regions.length)
    throw invalid(definition, "two of its regions have one id");
  return regions;
}

function buildNodes(
  definition: PipelineDefinition,
  regionById: ReadonlyMap<string, GraphRegion>,
): GraphNode[] {
  const seen = new Set<string>();
  let rootSlots = 0;
  return definition.nodes.map((node, index) => {
    if (seen.has(node.id)) throw duplicate(definition, node.id);
    seen.add(node.id);
    const region = node.region === undefined ? undefined : regionById.get(node.region);
    if (node.region !== undefined && !region) {
      throw invalid(
        definition,
        `its node "${node.id}" stands in the region "${node.region}", which does not exist`,
      );
    }
    const made: GraphNode = {
      index,
      definition: node,
      region,
      depth: region?.depth ?? 0,
      slot: region ? region.nodes.length : rootSlots,
      parents: [],
      children: [],
      feeds: [],
      levels: [],
      gates: [],
      leaf: false,
      teardown: node.teardownOf !== undefined,
      structural: node.kind === "branch" || node.kind === "short_circuit",
    };
    if (region) region.nodes.push(made);
    else rootSlots += 1;
    return made;
  });
}

function connectNode(
  node: GraphNode,
  byId: ReadonlyMap<string, GraphNode>,
  regionById: ReadonlyMap<string, GraphRegion>,
  definition: PipelineDefinition,
): void {
  const choicesByParent = new Map<string, readonly string[] | undefined>();
  for (const id of referencedNodes(node.definition.input)) choicesByParent.set(id, undefined);
  for (const id of node.definition.teardownOf ?? []) choicesByParent.set(id, undefined);
  const key = node.definition.options.concurrency?.key;
  if (key) for (const id of referencedNodes(key)) choicesByParent.set(id, undefined);
  for (const edge of node.definition.after) {
    const known = choicesByParent.get(edge.node);
    if (edge.choices === undefined && choicesByParent.has(edge.node)) continue;
    choicesByParent.set(
      edge.node,
      edge.choices && known ? [...new Set([...known, ...edge.choices])] : edge.choices,
    );
  }
  checkRegionsInScope(node, regionById, definition);
  for (const [id, choices] of choicesByParent) {
    const parent = byId.get(id);
    if (!parent)
      throw invalid(definition, `its node "${node.definition.id}" depends on "${id}", which does not exist`);
    if (parent === node) throw cycle(definition, [id, id]);
    const level = sharedDepth(parent.region, node.region);
    if (choices && parent.definition.kind !== "branch") {
      throw invalid(
        definition,
        `its node "${node.definition.id}" follows choices of "${id}", which is not a branch`,
      );
    }
    const unknown = choices?.find((choice) => !parent.definition.choices?.includes(choice));
    if (unknown !== undefined) {
      throw invalid(
        definition,
        `its node "${node.definition.id}" follows the choice "${unknown}", which the branch "${id}" does not have`,
      );
    }
    if (choices && parent.depth > level) {
      throw invalid(
        definition,
        `its node "${node.definition.id}" follows choices of "${id}" from outside its fan-out`,
      );
    }
    const setup = node.definition.teardownOf?.includes(id) ?? false;
    const edge: GraphEdge = { parent, child: node, level, setup, ...(choices ? { choices } : {}) };
    node.parents.push(edge);
    parent.children.push(edge);
    if (!parent.levels.includes(level)) parent.levels.push(level);
  }
}

/** A region without nodes, or whose items may never begin, would never end. */
function checkRegion(region: GraphRegion, definition: PipelineDefinition): void {
  const { id, over, concurrency } = region.definition;
  if (nodesWithin(region)[Symbol.iterator]().next().done)
    throw invalid(definition, `its fan-out "${id}" has no nodes`);
  if (over.length === 0) throw invalid(definition, `its fan-out "${id}" has no list`);
  if (concurrency !== undefined && !(concurrency >= 1))
    throw invalid(definition, `its fan-out "${id}" has the concurrency ${concurrency}, expected at least 1`);
}

/**
 * With bounded concurrency an item that waits for what all items make would hold back those that it waits for: the run
 * would never end. What waits for all items of a bounded fan-out waits for every node in it, as later items begin when
 * earlier ones have ended; so two bounded fan-outs can hold each other back, too.
 */
function checkConcurrency(regions: readonly GraphRegion[], definition: PipelineDefinition): void {
  const exits = new Map<GraphRegion, Set<GraphNode>>();
  for (const region of regions) {
    if (region.definition.concurrency === undefined) continue;
    const inside = new Set(nodesWithin(region));
    const left = new Set<GraphNode>();
    for (const node of inside) for (const next of successors(node)) if (!inside.has(next)) left.add(next);
    exits.set(region, left);
  }
  const waiters = function* (node: GraphNode): Iterable<GraphNode> {
    yield* successors(node);
    for (let around = node.region; around; around = around.parent) yield* exits.get(around) ?? [];
  };
  for (const [region, left] of exits) {
    const inside = new Set(nodesWithin(region));
    for (const node of downstreamOf(left, waiters)) {
      if (!inside.has(node)) continue;
      const { id } = region.definition;
      throw invalid(
        definition,
        `its fan-out "${id}" has a concurrency, but its node "${node.definition.id}" waits for all of its items`,
      );
    }
  }
}

function connectRegion(
  region: GraphRegion,
  byId: ReadonlyMap<string, GraphNode>,
  regionById: ReadonlyMap<string, GraphRegion>,
  definition: PipelineDefinition,
): void {
  const ids = new Set<string>();
  for (const list of region.definition.over) {
    for (const id of referencedNodes(list)) ids.add(id);
    for (const id of referencedRegions(list)) {
      if (!encloses(regionById.get(id), region.parent))
        throw foreignItem(definition, region.definition.id, id);
    }
  }
  for (const id of ids) {
    const node = byId.get(id);
    if (!node)
      throw invalid(definition, `its region "${region.definition.id}" reads "${id}", which does not exist`);
    const level = sharedDepth(node.region, region.parent);
    node.structural = true;
    region.sources.push({ node, level });
    node.feeds.push({ region, level });
    if (!node.levels.includes(level)) node.levels.push(level);
  }
}

function checkRegionsInScope(
  node: GraphNode,
  regionById: ReadonlyMap<string, GraphRegion>,
  definition: PipelineDefinition,
): void {
  const { input, options } = node.definition;
  for (const id of [...referencedRegions(input), ...referencedRegions(options.concurrency?.key)]) {
    if (!encloses(regionById.get(id), node.region)) throw foreignItem(definition, node.definition.id, id);
  }
}

function encloses(outer: GraphRegion | undefined, inner: GraphRegion | undefined): boolean {
  if (!outer) return false;
  for (let region = inner; region; region = region.parent) if (region === outer) return true;
  return false;
}

/** Ids of the nodes whose outputs a template reads. */
export function referencedNodes(template: Template | undefined): Set<string> {
  const found = new Set<string>();
  visit(template, (leaf) => leaf.kind === "output" && found.add(leaf.node));
  return found;
}

function referencedRegions(template: Template | undefined): Set<string> {
  const found = new Set<string>();
  visit(template, (leaf) => (leaf.kind === "item" || leaf.kind === "index") && found.add(leaf.region));
  return found;
}

function visit(template: Template | undefined, onLeaf: (leaf: Template) => unknown): void {
  if (template === undefined) return;
  if (template.kind === "object") for (const entry of Object.values(template.entries)) visit(entry, onLeaf);
  else if (template.kind === "array") for (const entry of template.items) visit(entry, onLeaf);
  else onLeaf(template);
}

function sortTopologically(
  nodes: readonly GraphNode[],
  regions: readonly GraphRegion[],
  definition: PipelineDefinition,
): GraphVertex[] {
  const waitingFor = new Map<GraphVertex, number>();
  for (const node of nodes) waitingFor.set(node, node.parents.length + (node.region ? 1 : 0));
  for (const region of regions) waitingFor.set(region, region.sources.length + (region.parent ? 1 : 0));
  const ready: GraphVertex[] = [...nodes, ...regions].filter((vertex) => waitingFor.get(vertex) === 0);
  for (let at = 0; at < ready.length; at += 1) {
    const vertex = ready[at]!;
    for (const next of vertexSuccessors(vertex)) {
      const left = waitingFor.get(next)! - 1;
      waitingFor.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  if (ready.length < nodes.length + regions.length) {
    throw cycle(
      definition,
      findCycle([...nodes, ...regions].filter((vertex) => waitingFor.get(vertex)! > 0)),
    );
  }
  return ready;
}

function vertexSuccessors(vertex: GraphVertex): GraphVertex[] {
  if (isNode(vertex)) {
    return [...vertex.children.map((edge) => edge.child), ...vertex.feeds.map((feed) => feed.region)];
  }
  return [...vertex.nodes, ...vertex.children];
}

/** Walks from one stuck vertex to the next until one comes again. */
function findCycle(stuck: readonly GraphVertex[]): string[] {
  const inCircle = new Set(stuck);
  const path: GraphVertex[] = [];
  let current = stuck[0]!;
  while (!path.includes(current)) {
    path.push(current);
    current = vertexPredecessors(current).find((vertex) => inCircle.has(vertex))!;
  }
  return [...path.slice(path.indexOf(current)), current].reverse().map((vertex) => vertex.definition.id);
}

function vertexPredecessors(vertex: GraphVertex): GraphVertex[] {
  if (isNode(vertex)) {
    return [...vertex.parents.map((edge) => edge.parent), ...(vertex.region ? [vertex.region] : [])];
  }
  return [...vertex.sources.map((source) => source.node), ...(vertex.parent ? [vertex.parent] : [])];
}

/**
 * A node passes on what gates it, and itself when it is a short circuit that skips everything. A teardown passes it on,
 * too, though it is not skipped itself.
 */
function spreadGates(node: GraphNode): void {
  const own =
    node.definition.kind === "short_circuit" && node.definition.skips !== "direct"
      ? [{ node, level: node.depth }]
      : [];
  const passed = [...node.gates, ...own];
  if (passed.length === 0) return;
  for (const next of successors(node)) {
    for (const gate of passed) {
      const shares = sharedDepth(gate.node.region, next.region) === gate.node.depth;
      if (shares && !next.gates.some((known) => known.node === gate.node))
        next.gates.push({ node: gate.node, level: gate.node.depth });
    }
  }
}

function invalid(definition: PipelineDefinition, what: string): MillraceError {
  return new MillraceError("MILLRACE_GRAPH_INVALID", {
    message: `The pipeline "${definition.name}" is not valid: ${what}.`,
    fields: { pipeline: definition.name },
    ...(definition.source ? { source: definition.source } : {}),
  });
}

function duplicate(definition: PipelineDefinition, id: string): MillraceError {
  const lines = definition.nodes.flatMap((node) =>
    node.id === id && node.source ? [`${node.source.file}:${node.source.line}`] : [],
  );
  return new MillraceError("MILLRACE_GRAPH_DUPLICATE_ID", {
    message: `The pipeline "${definition.name}" has two nodes with the id "${id}"${lines.length ? ` (${lines.join(" and ")})` : ""}.`,
    fields: { pipeline: definition.name, id },
  });
}

function cycle(definition: PipelineDefinition, ids: readonly string[]): MillraceError {
  const source = definition.nodes.find((node) => node.id === ids[0])?.source;
  return new MillraceError("MILLRACE_GRAPH_CYCLE", {
    message: `The pipeline "${definition.name}" has a cycle: ${ids.join(" → ")}.`,
    fields: { pipeline: definition.name, cycle: ids },
    ...(source ? { source } : {}),
  });
}

function foreignItem(definition: PipelineDefinition, id: string, region: string): MillraceError {
  return new MillraceError("MILLRACE_GRAPH_FOREIGN_REFERENCE", {
    message: `In the pipeline "${definition.name}", "${id}" uses the item of the fan-out "${region}" outside it.`,
    fields: { pipeline: definition.name, id, region },
  });
}
