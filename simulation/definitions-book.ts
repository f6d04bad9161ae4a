/** What is deployed in a simulation, and how many slots each limit has by it. */
import { compileGraph, type Graph, type NodeDefinition, type PipelineDefinition } from "@millrace/core";
import type { ActivePipeline, DefinitionSource } from "@millrace/server";
import { keyOf } from "@millrace/testkit";
import { pools } from "./pipelines.ts";

export const bundle = "b1";

export class DefinitionsBook {
  readonly pipelines: readonly PipelineDefinition[];
  readonly #byName: ReadonlyMap<string, PipelineDefinition>;
  readonly #graphs = new Map<string, Graph>();
  readonly #operatorSlots = new Map<string, number>();

  constructor(pipelines: readonly PipelineDefinition[]) {
    this.pipelines = pipelines;
    this.#byName = new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
  }

  definition(name: string): PipelineDefinition {
    return this.#byName.get(name)!;
  }

  graph(name: string): Graph {
    const graph = this.#graphs.get(name) ?? compileGraph(this.definition(name));
    this.#graphs.set(name, graph);
    return graph;
  }

  node(pipeline: string, id: string): NodeDefinition {
    return this.definition(pipeline).nodes.find((node) => node.id === id)!;
  }

  active(name: string): ActivePipeline {
    return { project: "main", bundle, paused: false, definition: this.definition(name) };
  }

  source(): DefinitionSource {
    return {
      findActive: async (_workspace, name) => (this.#byName.has(name) ? this.active(name) : undefined),
      definitionOf: async (_workspace, _bundle, name) => this.#byName.get(name),
    };
  }

  setPool(name: string, slots: number): void {
    this.#operatorSlots.set(name, Math.max(slots, this.#operatorSlots.get(name) ?? pools.get(name) ?? 1));
  }

  /** The most slots that a limit may have had; undefined when that is not known. */
  slotsMax(key: string): number | undefined {
    const [, kind, name] = key.split("\n");
    if (kind === "pool") return this.#operatorSlots.get(name!) ?? pools.get(name!);
    if (kind === "pipeline") return this.definition(name!).maxActiveRuns;
    let most: number | undefined;
    for (const pipeline of this.pipelines) {
      for (const node of pipeline.nodes) {
        const { concurrency } = node.options;
        if (concurrency && name!.startsWith(`${node.name}/`)) most = Math.max(most ?? 0, concurrency.limit);
      }
    }
    return most;
  }
}

export function limitName(kind: string, name: string): string {
  return keyOf(1, kind, name);
}
