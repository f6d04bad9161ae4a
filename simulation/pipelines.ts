/** Random pipelines: chains, fans, nested maps, rules, branches, retries, timeouts, calls, limits, cache. */
import {
  compileGraph,
  noRetry,
  triggerRules,
  unreachable,
  type EdgeDefinition,
  type Json,
  type NodeDefinition,
  type NodeKind,
  type NodeOptions,
  type PipelineDefinition,
  type RegionDefinition,
  type Template,
} from "@millrace/core";
import type { SeededRandom } from "@millrace/testkit";
import { withAssets } from "./assets.ts";

export const pools: ReadonlyMap<string, number> = new Map([
  ["small", 1],
  ["middle", 3],
  ["wide", 6],
]);
export const queues: readonly string[] = ["default", "heavy"];

interface Draft {
  readonly random: SeededRandom;
  readonly nodes: NodeDefinition[];
  readonly regions: RegionDefinition[];
  readonly callable: readonly string[];
}

/** `count` pipelines, each of which calls earlier ones only. */
export function makePipelines(random: SeededRandom, count: number): PipelineDefinition[] {
  const made: PipelineDefinition[] = [];
  while (made.length < count) made.push(makeValidPipeline(random, made.length));
  return made;
}

function nameOf(at: number): string {
  return `p${at}`;
}

function makeValidPipeline(random: SeededRandom, at: number): PipelineDefinition {
  const callable = Array.from({ length: at }, (_, before) => nameOf(before));
  for (;;) {
    const definition = makePipeline(random, nameOf(at), callable);
    if (isValid(definition)) return definition;
  }
}

function isValid(definition: PipelineDefinition): boolean {
  try {
    compileGraph(definition);
    return true;
  } catch {
    return false;
  }
}

/** What the next deploy has of these: most as it was, some with other nodes or limits, some not at all. */
export function changePipelines(
  random: SeededRandom,
  pipelines: readonly PipelineDefinition[],
): PipelineDefinition[] {
  return pipelines.flatMap((pipeline, at) => {
    const what = random.below(20);
    if (what === 0 && at > 0) return [];
    // What triggers start keeps its name.
    if (what === 1 && pipeline.name.startsWith("t-")) return [pipeline];
    if (what === 1) return [makeValidPipeline(random, Number(pipeline.name.slice(1)))];
    if (what < 8) return [pipeline];
    const changed = changePipeline(random, pipeline);
    return [isValid(changed) ? changed : pipeline];
  });
}

function changePipeline(random: SeededRandom, pipeline: PipelineDefinition): PipelineDefinition {
  const { nodes } = pipeline;
  if (nodes.length === 0) return pipeline;
  const one = random.pick(nodes);
  const last = nodes.at(-1)!;
  const change = random.pick(["add", "remove", "options", "limit"] as const);
  switch (change) {
    case "add": {
      const id = `n${nodes.length + random.below(3)}`;
      const added = withAssets({
        id,
        kind: "task",
        name: `task-${id}`,
        input: { kind: "params", path: [] },
        after: [{ node: last.id }, { node: one.id }],
        rule: "all_success",
        options: makeOptions({ random }, "task", undefined),
      });
      return { ...pipeline, nodes: [...nodes, added] };
    }
    case "remove":
      return { ...pipeline, nodes: nodes.filter((node) => node !== one) };
    case "options": {
      const options = makeOptions({ random }, one.kind, one.region);
      return { ...pipeline, nodes: nodes.map((node) => (node === one ? { ...node, options } : node)) };
    }
    case "limit": {
      const { maxActiveRuns: _maxActiveRuns, ...rest } = pipeline;
      return random.chance(0.5) ? rest : { ...rest, maxActiveRuns: 1 + random.below(3) };
    }
    default:
      return unreachable(change);
  }
}

function makePipeline(random: SeededRandom, name: string, callable: readonly string[]): PipelineDefinition {
  const draft: Draft = { random, nodes: [], regions: [], callable };
  const count = 1 + random.below(random.chance(0.3) ? 14 : 6);
  const shape = random.pick(["chain", "fan", "graph", "graph", "graph"] as const);
  for (let at = 0; at < count; at += 1) {
    if (draft.regions.length < 3 && random.chance(0.25)) makeRegion(draft);
    draft.nodes.push(makeNode(draft, `n${at}`, shape));
  }
  const used = (id: string): boolean =>
    draft.nodes.some((node) => node.region === id) ||
    draft.regions.some((inner) => inner.parent === id && used(inner.id));
  return {
    name,
    tags: [],
    paused: false,
    nodes: draft.nodes,
    regions: draft.regions.filter(({ id }) => used(id)),
    ...(random.chance(0.5)
      ? { output: { kind: "output", node: random.pick(draft.nodes).id, path: [] } }
      : {}),
    ...(random.chance(0.3) ? { maxActiveRuns: 1 + random.below(3) } : {}),
    ...(random.chance(0.1) ? { deadlineMs: 5_000 + random.below(60_000) } : {}),
  };
}

function makeRegion({ random, regions, nodes }: Draft): void {
  const outer = regions.filter(({ parent }) => parent === undefined);
  const parent = outer.length > 0 && random.chance(0.4) ? random.pick(outer).id : undefined;
  const over: Template[] = [makeList({ random, nodes }, parent)];
  const concurrency = random.chance(0.3) ? { concurrency: 1 + random.below(3) } : {};
  regions.push({
    id: `r${regions.length}`,
    over,
    combine: "zip",
    settled: random.chance(0.3),
    ...(parent === undefined ? {} : { parent }),
    ...concurrency,
  });
}

function makeList({ random, nodes }: Pick<Draft, "random" | "nodes">, parent: string | undefined): Template {
  const outside = nodes.filter((node) => node.kind === "task" && node.region === undefined);
  if (outside.length > 0 && random.chance(0.6))
    return { kind: "output", node: random.pick(outside).id, path: ["list"] };
  if (parent !== undefined && random.chance(0.3)) return { kind: "item", region: parent, path: ["more"] };
  const length = random.pick([0, 1, 2, 3, 5, 9]);
  return { kind: "value", value: Array.from({ length }, (_, at) => ({ at, more: [at, at + 1] })) };
}

const kinds: readonly NodeKind[] = [
  "task",
  "task",
  "task",
  "task",
  "task",
  "branch",
  "short_circuit",
  "call",
  "wait",
];

function makeNode(draft: Draft, id: string, shape: "chain" | "fan" | "graph"): NodeDefinition {
  const { random, nodes, regions, callable } = draft;
  const region = regions.length > 0 && random.chance(0.5) ? random.pick(regions).id : undefined;
  let kind: NodeKind = shape === "graph" ? random.pick(kinds) : "task";
  if (kind === "call" && callable.length === 0) kind = "task";
  const setups =
    nodes.length > 0 && random.chance(0.1) && region === undefined ? [random.pick(nodes).id] : undefined;
  const calls = random.pick(callable.length > 0 ? callable : [""]);
  return withAssets({
    id,
    kind,
    name: kind === "call" ? calls : `task-${id}`,
    input: makeInput(draft, region),
    after: makeEdges(draft, region, shape),
    rule: setups
      ? "all_done_setup_success"
      : random.chance(0.3)
        ? random.pick(triggerRules.slice(0, 12))
        : "all_success",
    options: makeOptions(draft, kind, region),
    ...(region === undefined ? {} : { region }),
    ...(setups ? { teardownOf: setups } : {}),
    ...(kind === "branch" ? { choices: ["a", "b"] } : {}),
    ...(kind === "short_circuit" ? { skips: random.pick(["all", "direct"] as const) } : {}),
    ...(kind === "call" ? { calls } : {}),
    ...(kind === "wait" ? makeWait(random) : {}),
  });
}

/** Every wait has a timeout: what it waits for may never come. */
function makeWait(random: SeededRandom): Pick<NodeDefinition, "input" | "wait"> {
  return {
    input: { kind: "value", value: makeCondition(random) },
    wait: {
      timeoutMs: random.pick([300, 5_000, 40_000]),
      onTimeout: random.pick(["fail", "skip", "continue"] as const),
    },
  };
}

/** What waits of graphs and of functions wait for. */
export function makeCondition(random: SeededRandom): Json {
  const order = (type: string): Json => ({
    kind: "event",
    type,
    ...(random.chance(0.7)
      ? { where: { op: "eq", path: ["data", "customer"], value: `c${random.below(5)}` } }
      : {}),
  });
  return random.pick<() => Json>([
    () => order("order.paid"),
    () => order("order.placed"),
    () => order("order.*"),
    () => ({ kind: "all", of: [order("order.placed"), order("order.paid")] }),
    () => ({ kind: "count", of: order("order.placed"), n: 2 + random.below(3) }),
    () => ({ kind: "absent", of: order("order.paid"), withinMs: random.pick([1_000, 10_000]) }),
    () => ({
      kind: "any",
      of: [
        order("order.paid"),
        { kind: "schedule", schedule: { kind: "every", every: { n: 20, unit: "seconds" }, tz: "UTC" } },
      ],
    }),
  ])();
}

function makeInput({ random, nodes }: Draft, region: string | undefined): Template {
  const entries: Record<string, Template> = { seed: { kind: "params", path: [] } };
  if (nodes.length > 0 && random.chance(0.6))
    entries["from"] = { kind: "output", node: random.pick(nodes).id, path: [] };
  if (region !== undefined) entries["item"] = { kind: "item", region, path: [] };
  if (nodes.length > 0 && random.chance(0.15))
    return { kind: "output", node: random.pick(nodes).id, path: [] };
  return { kind: "object", entries };
}

function makeEdges(
  { random, nodes, regions }: Draft,
  region: string | undefined,
  shape: string,
): EdgeDefinition[] {
  const last = nodes.at(-1);
  if (!last) return [];
  if (shape === "chain") return [{ node: last.id }];
  if (shape === "fan")
    return random.chance(0.8) ? [{ node: nodes[0]!.id }] : nodes.slice(1).map(({ id }) => ({ node: id }));
  const around = regionsAround(regions, region);
  return Array.from({ length: random.below(3) }, () => {
    const parent = random.pick(nodes);
    const encloses = parent.region === undefined || around.includes(parent.region);
    return parent.kind === "branch" && encloses && random.chance(0.7)
      ? { node: parent.id, choices: random.pick([["a"], ["b"], ["a", "b"]]) }
      : { node: parent.id };
  });
}

function regionsAround(regions: readonly RegionDefinition[], id: string | undefined): string[] {
  if (id === undefined) return [];
  return [id, ...regionsAround(regions, regions.find((region) => region.id === id)?.parent)];
}

function makeOptions(
  { random }: Pick<Draft, "random">,
  kind: NodeKind,
  region: string | undefined,
): NodeOptions {
  const retries = random.pick([0, 0, 1, 2, 3]);
  const delayMs = random.pick([0, 100, 2_000, 30_000]);
  const key: Template =
    region !== undefined && random.chance(0.3)
      ? { kind: "index", region }
      : { kind: "value", value: random.pick(["k1", "k2"]) };
  const isCall = kind === "call";
  return {
    retry: {
      ...noRetry,
      retries,
      delayMs,
      backoff: random.pick(["fixed", "exponential"]),
      jitter: random.pick(["none", "full"]),
    },
    priority: random.pick([0, 0, 0, 1, -1, 5]),
    queue: random.chance(0.2) ? "heavy" : "default",
    env: [],
    connections: [],
    ...(random.chance(0.2) ? { timeoutMs: 1_000 + random.below(20_000) } : {}),
    ...(!isCall && random.chance(0.25) ? { pool: { name: random.pick([...pools.keys()]), slots: 1 } } : {}),
    ...(!isCall && random.chance(0.15) ? { concurrency: { key, limit: 1 + random.below(2) } } : {}),
    ...(kind === "task" && random.chance(0.1)
      ? { cache: { version: "1", ...(random.chance(0.5) ? { expiryMs: 60_000 } : {}) } }
      : {}),
  };
}

/** What a task of this node answers when it succeeds: lists for whoever maps over it, choices for branches. */
export function makeOutput(random: SeededRandom, node: NodeDefinition): Json {
  if (node.kind === "branch") return random.pick<Json>(["a", "b", ["a", "b"], [], "wrong"]);
  if (node.kind === "short_circuit") return random.chance(0.7);
  const length = random.pick([0, 1, 2, 4, 8]);
  const list = Array.from({ length }, (_, at) => ({ at, more: random.chance(0.8) ? [at] : at }));
  const filler = random.chance(0.02) ? "x".repeat(20_000) : "";
  return { list: random.chance(0.97) ? list : "no list", value: random.below(1_000_000), filler };
}
