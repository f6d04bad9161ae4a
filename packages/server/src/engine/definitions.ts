/** What is deployed, as the engine needs it: active pipelines by name, compiled graphs by bundle. */
import { compileGraph, type Graph, type PipelineDefinition, type RunAsk } from "@millrace/core";

export interface ActivePipeline {
  readonly project: string;
  readonly bundle: string;
  readonly paused: boolean;
  readonly definition: PipelineDefinition;
}

/** Where definitions come from; answers of `definitionOf` never change. */
export interface DefinitionSource {
  findActive(workspace: number, pipeline: string): Promise<ActivePipeline | undefined>;
  definitionOf(workspace: number, bundle: string, pipeline: string): Promise<PipelineDefinition | undefined>;
  /** What active pipelines want to hear of runs. */
  runAsks(workspace: number): Promise<readonly RunAsk[]>;
}

/** Compiled graphs that are kept; a graph of some nodes costs some kilobytes. */
const graphsMax = 500;

export class Definitions {
  readonly #source: DefinitionSource;
  readonly #active = new Map<string, Promise<ActivePipeline | undefined>>();
  readonly #known = new Map<string, ActivePipeline>();
  readonly #graphs = new Map<string, Graph>();
  readonly #asked = new Map<string, Promise<PipelineDefinition | undefined>>();

  constructor(source: DefinitionSource) {
    this.#source = source;
  }

  /** What is known without asking: for the hot path. */
  known(workspace: number, pipeline: string): ActivePipeline | undefined {
    return this.#known.get(`${workspace}/${pipeline}`);
  }

  async active(workspace: number, pipeline: string): Promise<ActivePipeline | undefined> {
    const name = `${workspace}/${pipeline}`;
    const known = this.#active.get(name);
    if (known) return known;
    const asked = this.#source.findActive(workspace, pipeline);
    this.#active.set(name, asked);
    try {
      const found = await asked;
      if (found && this.#active.get(name) === asked) this.#known.set(name, found);
      if (!found) this.#active.delete(name);
      return found;
    } catch (error) {
      this.#active.delete(name);
      throw error;
    }
  }

  /** Deployments or operators' settings changed: what is active is asked for again. */
  forgetActive(): void {
    this.#active.clear();
    this.#known.clear();
  }

  /** The graph of an active pipeline, compiled once. */
  graphOf(active: ActivePipeline): Graph {
    return this.#compiled(`${active.bundle}/${active.definition.name}`, active.definition);
  }

  /** Lookups of one graph that are under way are one question. */
  async graph(workspace: number, bundle: string, pipeline: string): Promise<Graph | undefined> {
    const name = `${bundle}/${pipeline}`;
    const known = this.#graphs.get(name);
    if (known) return known;
    const asked = this.#asked.get(name) ?? this.#source.definitionOf(workspace, bundle, pipeline);
    this.#asked.set(name, asked);
    try {
      const definition = await asked;
      return definition && this.#compiled(name, definition);
    } finally {
      this.#asked.delete(name);
    }
  }

  #compiled(name: string, definition: PipelineDefinition): Graph {
    const known = this.#graphs.get(name);
    if (known) return known;
    const graph = compileGraph(definition);
    this.#graphs.set(name, graph);
    if (this.#graphs.size > graphsMax) {
      const [oldest] = this.#graphs.keys();
      if (oldest !== undefined) this.#graphs.delete(oldest);
    }
    return graph;
  }
}
