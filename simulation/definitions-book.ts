/**
 * What is deployed in a simulation: bundle after bundle, each with a definition of every pipeline that is active then;
 * and how many slots each limit has by them.
 */
import {
  compileGraph,
  runStarted,
  runSucceeded,
  type Graph,
  type NodeDefinition,
  type PipelineDefinition,
} from "@millrace/core";
import type { ActivePipeline, DefinitionSource } from "@millrace/server";
import { keyOf, type SeededRandom } from "@millrace/testkit";
import { changePipelines, pools } from "./pipelines.ts";

interface Bundle {
  readonly name: string;
  readonly pipelines: ReadonlyMap<string, PipelineDefinition>;
  readonly activeFrom: number;
  activeUntil: number;
}

type Finish = (pipeline: PipelineDefinition) => PipelineDefinition;

export class DefinitionsBook {
  readonly #finish: Finish;
  readonly #bundles: Bundle[] = [];
  readonly #byName = new Map<string, Bundle>();
  readonly #graphs = new Map<string, Graph>();
  readonly #operatorSlots = new Map<string, number>();

  /** `finish`: what becomes of each pipeline that is deployed. */
  constructor(pipelines: readonly PipelineDefinition[], finish: Finish = (pipeline) => pipeline) {
    this.#finish = finish;
    this.#add(pipelines, 0);
  }

  #add(pipelines: readonly PipelineDefinition[], now: number): void {
    const before = this.#bundles.at(-1);
    if (before) before.activeUntil = now;
    const bundle = {
      name: `b${this.#bundles.length + 1}`,
      pipelines: new Map(pipelines.map((pipeline) => [pipeline.name, this.#finish(pipeline)])),
      activeFrom: now,
      activeUntil: Number.POSITIVE_INFINITY,
    };
    this.#bundles.push(bundle);
    this.#byName.set(bundle.name, bundle);
  }

  get #active(): Bundle {
    return this.#bundles.at(-1)!;
  }

  get activeNames(): string[] {
    return [...this.#active.pipelines.keys()];
  }

  /** The next bundle: some pipelines have changed, some are retired, some are back. */
  deploy(random: SeededRandom, now: number): string {
    const newest = new Map<string, PipelineDefinition>();
    for (const { pipelines } of this.#bundles) for (const [name, one] of pipelines) newest.set(name, one);
    this.#add(changePipelines(random, [...newest.values()]), now);
    return this.#active.name;
  }

  definition(bundle: string, name: string): PipelineDefinition {
    return this.#byName.get(bundle)!.pipelines.get(name)!;
  }

  has(bundle: string, name: string): boolean {
    return this.#byName.get(bundle)?.pipelines.has(name) ?? false;
  }

  /** Those that have this pipeline, the oldest first. */
  bundlesOf(pipeline: string): string[] {
    return this.#bundles.flatMap(({ name, pipelines }) => (pipelines.has(pipeline) ? [name] : []));
  }

  /** Whether a bundle was the active one at some moment since `from`. */
  wasActive(bundle: string, from: number): boolean {
    return (this.#byName.get(bundle)?.activeUntil ?? 0) >= from;
  }

  graph(bundle: string, name: string): Graph {
    const key = `${bundle}/${name}`;
    const graph = this.#graphs.get(key) ?? compileGraph(this.definition(bundle, name));
    this.#graphs.set(key, graph);
    return graph;
  }

  node(bundle: string, pipeline: string, id: string): NodeDefinition {
    return this.definition(bundle, pipeline).nodes.find((node) => node.id === id)!;
  }

  source(): DefinitionSource {
    return {
      findActive: async (_workspace, name) => this.#activePipeline(name),
      definitionOf: async (_workspace, bundle, name) => this.#byName.get(bundle)?.pipelines.get(name),
      // What a condition on all of it would ask for.
      runAsks: async () => [
        { type: runStarted, subject: undefined },
        { type: runSucceeded, subject: undefined },
      ],
    };
  }

  #activePipeline(name: string): ActivePipeline | undefined {
    const definition = this.#active.pipelines.get(name);
    return definition && { project: "main", bundle: this.#active.name, paused: false, definition };
  }

  /** The most runs that it may have had under way by any bundle; undefined where one did not limit them. */
  activeRunsMax(name: string): number | undefined {
    let most = 0;
    for (const { pipelines } of this.#bundles) {
      const definition = pipelines.get(name);
      if (definition) most = Math.max(most, definition.maxActiveRuns ?? Number.POSITIVE_INFINITY);
    }
    return Number.isFinite(most) ? most : undefined;
  }

  setPool(name: string, slots: number): void {
    this.#operatorSlots.set(name, Math.max(slots, this.#operatorSlots.get(name) ?? pools.get(name) ?? 1));
  }

  /** The most slots that a limit may have had by any bundle; undefined when that is not known. */
  slotsMax(key: string): number | undefined {
    const [, kind, name] = key.split("\n");
    if (kind === "pool") return this.#operatorSlots.get(name!) ?? pools.get(name!);
    let most: number | undefined;
    for (const { pipelines } of this.#bundles)
      for (const pipeline of pipelines.values())
        for (const slots of slotsIn(pipeline, kind!, name!)) most = Math.max(most ?? 0, slots);
    return most;
  }
}

function* slotsIn(pipeline: PipelineDefinition, kind: string, name: string): Iterable<number> {
  if (kind === "pipeline") {
    if (pipeline.name === name && pipeline.maxActiveRuns !== undefined) yield pipeline.maxActiveRuns;
    return;
  }
  for (const node of pipeline.nodes) {
    const { concurrency } = node.options;
    if (concurrency && name.startsWith(`${node.name}/`)) yield concurrency.limit;
  }
}

export function limitName(kind: string, name: string): string {
  return keyOf(1, kind, name);
}
