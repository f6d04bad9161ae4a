/** Runs and their nodes as a test looks at them: always as they are now. */
import {
  isPlaceholder,
  isRunEnded,
  taskRunsBelow,
  type AttemptError,
  type Json,
  type Reason,
  type RunState,
  type TaskRun,
  type TaskRunState,
} from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { TestArtifact, TestLogLine } from "./attempt.ts";
import { unknown } from "./definitions.ts";
import type { RunEntry } from "./run-desk.ts";
import type { TaskDesk } from "./task-desk.ts";

/** One run. */
export interface TestRun<Out = unknown> {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  /** 1, and one more with each rerun. */
  readonly generation: number;
  /** Why a state that is not progress is what it is. */
  readonly reason: Reason | undefined;
  readonly hasEnded: boolean;
  /** What the pipeline's body returned, filled in; `undefined` unless it succeeded. */
  readonly output: Out | undefined;
  readonly params: Json;
  /** What its tasks see of its firing; `undefined` where the pipeline has no trigger. */
  readonly firing: Json | undefined;
  /** The id of the run that called it. */
  readonly calledBy: string | undefined;
  readonly createdAt: Date;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly nodes: readonly TestNode[];
  /** Node states by id, with the item path behind that of a fan-out: `{ "list": "succeeded", "measure[0]": "failed" }`. */
  readonly states: { readonly [node: string]: TaskRunState };
  /** One node. Throws MILLRACE_NODE_UNKNOWN, also where a fan-out has several items and none is named. */
  node(id: string, item?: string | number): TestNode;
}

/** One node of a run, or one item of a fan-out's. */
export interface TestNode {
  readonly id: string;
  readonly task: string;
  /** `""` outside fan-outs, else the item path: `"3"`, nested `"3.0"`. */
  readonly item: string;
  readonly state: TaskRunState;
  readonly reason: Reason | undefined;
  /** Attempts that have begun: none where the output came from the cache, or the input could not be prepared. */
  readonly attempts: number;
  readonly output: Json | undefined;
  readonly error: AttemptError | undefined;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** When it is tried again. */
  readonly retryAt: Date | undefined;
  /** The run that a call started. */
  readonly calls: string | undefined;
  /** What it wrote by `ctx.log`, in all attempts. */
  readonly log: readonly TestLogLine[];
  readonly artifacts: readonly TestArtifact[];
  /** What it said last by `ctx.progress`. */
  readonly progress: { readonly fraction: number; readonly message?: string } | undefined;
}

export class RunView implements TestRun {
  readonly #entry: RunEntry;
  readonly #tasks: TaskDesk;

  constructor(entry: RunEntry, tasks: TaskDesk) {
    this.#entry = entry;
    this.#tasks = tasks;
  }

  get id(): string {
    return this.#entry.run.id;
  }

  get generation(): number {
    return this.#entry.run.generation;
  }

  get pipeline(): string {
    return this.#entry.pipeline.definition.name;
  }

  get state(): RunState {
    return this.#entry.run.state;
  }

  get reason(): Reason | undefined {
    return this.#entry.run.reason;
  }

  get hasEnded(): boolean {
    return isRunEnded(this.state) || this.state === "quarantined";
  }

  get output(): Json | undefined {
    return this.state === "succeeded" ? (this.#entry.run.output?.value ?? null) : undefined;
  }

  get params(): Json {
    return this.#entry.run.params.value ?? null;
  }

  get firing(): Json | undefined {
    return this.#entry.run.firing?.value;
  }

  get calledBy(): string | undefined {
    return this.#entry.parent?.entry.run.id;
  }

  get createdAt(): Date {
    return new Date(this.#entry.run.createdAt);
  }

  get startedAt(): Date | undefined {
    return dateOf(this.#entry.run.startedAt);
  }

  get endedAt(): Date | undefined {
    return dateOf(this.#entry.run.endedAt);
  }

  get nodes(): readonly TestNode[] {
    return this.#taskRuns().map((taskRun) => new NodeView(taskRun, this.#tasks));
  }

  get states(): { readonly [node: string]: TaskRunState } {
    return Object.fromEntries(
      this.#taskRuns().map((taskRun) => [
        taskRun.node.definition.id + (taskRun.item === "" ? "" : `[${taskRun.item}]`),
        taskRun.state,
      ]),
    );
  }

  node(id: string, item?: string | number): TestNode {
    const all = this.#taskRuns();
    const named = all.filter((taskRun) => taskRun.node.definition.id === id);
    if (named.length === 0) {
      const ids = this.#entry.pipeline.definition.nodes.map((node) => node.id);
      throw unknown("MILLRACE_NODE_UNKNOWN", "node", id, ids);
    }
    const found = item === undefined ? named : named.filter((one) => one.item === String(item));
    const [taskRun] = found;
    if (taskRun && found.length === 1) return new NodeView(taskRun, this.#tasks);
    const items = named.map((one) => one.item).slice(0, 20);
    throw new MillraceError("MILLRACE_NODE_UNKNOWN", {
      message:
        item === undefined
          ? `The node "${id}" has ${named.length} items in run ${this.id}.`
          : `The node "${id}" has no item "${item}" in run ${this.id}.`,
      advice:
        items.join("") === ""
          ? "It is no fan-out: leave the item out."
          : `Name one of its items: ${items.join(", ")}.`,
      fields: { node: id, items },
    });
  }

  /** Nodes of a fan-out that has not expanded stand for their items. What a run that has ended never came to is no part of it. */
  #taskRuns(): TaskRun[] {
    const all = [...taskRunsBelow(this.#entry.run.root)];
    return this.hasEnded ? all.filter(({ state }) => state !== "pending") : all;
  }
}

class NodeView implements TestNode {
  readonly #taskRun: TaskRun;
  readonly #tasks: TaskDesk;

  constructor(taskRun: TaskRun, tasks: TaskDesk) {
    this.#taskRun = taskRun;
    this.#tasks = tasks;
  }

  get id(): string {
    return this.#taskRun.node.definition.id;
  }

  get task(): string {
    return this.#taskRun.node.definition.name;
  }

  get item(): string {
    return this.#taskRun.item;
  }

  get state(): TaskRunState {
    return this.#taskRun.state;
  }

  get reason(): Reason | undefined {
    return this.#taskRun.reason;
  }

  get attempts(): number {
    const { attempt, dispatch } = this.#taskRun;
    return isPlaceholder(this.#taskRun) || dispatch === 0 ? 0 : attempt;
  }

  get output(): Json | undefined {
    return this.state === "succeeded" ? this.#taskRun.output?.value : undefined;
  }

  get error(): AttemptError | undefined {
    return this.#taskRun.error;
  }

  get startedAt(): Date | undefined {
    return dateOf(this.#taskRun.startedAt);
  }

  get endedAt(): Date | undefined {
    return dateOf(this.#taskRun.endedAt);
  }

  get retryAt(): Date | undefined {
    return dateOf(this.#taskRun.resumeAt);
  }

  get calls(): string | undefined {
    return this.#taskRun.childRunId;
  }

  get log(): readonly TestLogLine[] {
    return this.#tasks.attemptsOf(this.#taskRun).flatMap(({ log }) => log);
  }

  get artifacts(): readonly TestArtifact[] {
    return this.#tasks.attemptsOf(this.#taskRun).flatMap(({ artifacts }) => artifacts);
  }

  get progress(): TestNode["progress"] {
    return this.#tasks.attemptsOf(this.#taskRun).at(-1)?.progress;
  }
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at);
}
