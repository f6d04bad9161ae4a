/** Short ways to write definitions and to drive the machine by hand. */
import { compileGraph } from "../src/graph/compile.ts";
import type { Graph } from "../src/graph/graph.ts";
import type {
  NodeDefinition,
  NodeOptions,
  PipelineDefinition,
  RegionDefinition,
  Template,
} from "../src/graph/definition.ts";
import type { Json, Path } from "../src/json.ts";
import { noRetry } from "../src/retry/policy.ts";
import { createRun, hydrateRun, type TaskRunRecord } from "../src/run/hydrate.ts";
import { decide } from "../src/run/machine.ts";
import { taskRunsBelow } from "../src/run/scope.ts";
import { codeRecordOf } from "../src/run/wait.ts";
import type {
  AttemptOutcome,
  DispatchName,
  Reason,
  Run,
  RunEffect,
  RunMessage,
  StoredValue,
  TaskRun,
} from "../src/run/state.ts";

export const plainOptions: NodeOptions = {
  retry: noRetry,
  priority: 0,
  queue: "default",
  env: [],
  connections: [],
};

export const value = (json: Json): Template => ({ kind: "value", value: json });
export const output = (node: string, path: Path = []): Template => ({ kind: "output", node, path });

type NodeParts = Partial<Omit<NodeDefinition, "after">> & { readonly after?: readonly string[] };

/** A task that hangs on `after`, with all else as an author who gives no options gets it. */
export function node(id: string, parts: NodeParts = {}): NodeDefinition {
  const { after, ...rest } = parts;
  return {
    id,
    kind: "task",
    name: id,
    input: value(null),
    after: (after ?? []).map((name) => ({ node: name })),
    rule: parts.teardownOf ? "all_done_setup_success" : "all_success",
    options: plainOptions,
    ...rest,
  };
}

export function region(id: string, over: Template, parts: Partial<RegionDefinition> = {}): RegionDefinition {
  return { id, over: [over], combine: "zip", settled: false, ...parts };
}

export function pipeline(
  nodes: readonly NodeDefinition[],
  regions: readonly RegionDefinition[] = [],
  parts: Partial<PipelineDefinition> = {},
): PipelineDefinition {
  return { name: "p", tags: [], paused: false, nodes, regions, ...parts };
}

export const why: Reason = { code: "test", message: "because" };
export const failure: AttemptOutcome = { kind: "failed", error: { name: "Error", message: "it broke" } };
export const success = (json: Json = null): AttemptOutcome => ({
  kind: "succeeded",
  output: { value: json },
});

export const identity = {
  id: "r1",
  generation: 1,
  depth: 0,
  params: { value: {} },
  createdAt: 0,
} as const;

/** A run that is driven by hand, with its rows as a store would have them. */
export class Bench {
  run: Run;
  readonly graph: Graph;
  readonly rows = new Map<string, TaskRunRecord>();
  readonly effects: RunEffect[] = [];
  now = 1_000;

  constructor(
    definition: PipelineDefinition,
    parts: { rows?: readonly TaskRunRecord[]; generation?: number; params?: StoredValue } = {},
  ) {
    const { rows = [], ...own } = parts;
    this.graph = compileGraph(definition);
    this.run = createRun(this.graph, { ...identity, ...own });
    for (const row of rows) this.rows.set(`${row.node}[${row.item}]`, row);
    if (rows.length > 0) this.run = hydrateRun(this.graph, { ...this.run }, rows);
  }

  send(message: RunMessage): RunEffect[] {
    const { effects } = decide(this.run, message, this.now);
    this.effects.push(...effects);
    for (const effect of effects)
      if (effect.kind === "task_run" || effect.kind === "code" || effect.kind === "record")
        this.rows.set(nameOf(effect.taskRun), rowOf(effect.taskRun));
    return effects;
  }

  start(): this {
    this.send({ kind: "start" });
    return this;
  }

  /** Throws this state away and goes on from the rows. */
  reload(): RunEffect[] {
    this.run = hydrateRun(this.graph, { ...this.run }, this.rows.values());
    return this.send({ kind: "resume" });
  }

  /** `a`, or `a[0.1]`. */
  get(name: string): TaskRun {
    const full = name.includes("[") ? name : `${name}[]`;
    for (const taskRun of taskRunsBelow(this.run.root)) if (nameOf(taskRun) === full) return taskRun;
    throw new Error(`the run has no ${full}`);
  }

  dispatch(name: string): DispatchName {
    this.send({ kind: "dispatch", taskRun: this.get(name), worker: "w" });
    return this.token(name);
  }

  token(name: string): DispatchName {
    const { node, item, generation, dispatch } = this.get(name);
    return { node: node.definition.id, item, generation, dispatch };
  }

  /** Dispatches `name` and answers. */
  finish(name: string, outcome: AttemptOutcome = success()): RunEffect[] {
    return this.send({ kind: "result", token: this.dispatch(name), outcome, random: 0.5 });
  }

  /** Dispatches and answers everything, `answer` deciding how, until nothing is queued. */
  drain(answer: (taskRun: TaskRun) => AttemptOutcome = () => success()): this {
    for (let queued = this.queued(); queued.length > 0; queued = this.queued())
      for (const name of queued) this.finish(name, answer(this.get(name)));
    return this;
  }

  queued(): string[] {
    return this.states((taskRun) => taskRun.state === "queued").map(([name]) => name!);
  }

  /** Names with states, such as `["a", "queued"]`, `["b[0]", "failed"]`. */
  states(which: (taskRun: TaskRun) => boolean = () => true): string[][] {
    return [...taskRunsBelow(this.run.root)]
      .filter(which)
      .map((taskRun) => [nameOf(taskRun).replace("[]", ""), taskRun.state]);
  }
}

export function nameOf(taskRun: TaskRun): string {
  return `${taskRun.node.definition.id}[${taskRun.item}]`;
}

/** The row that a store keeps of a task run. */
export function rowOf(taskRun: TaskRun): TaskRunRecord {
  const { node, scope: _, readyAt: __, openEdge: ___, code, ...rest } = taskRun;
  return { ...rest, node: node.definition.id, code: code && codeRecordOf(code) };
}
