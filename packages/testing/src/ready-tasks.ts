/**
 * Task runs of a testbed from ready to dispatched: the cache, the limits, and what they are given.
 *
 * D1: a dispatch holds its limits from before its beginning to its `released`.
 */
import {
  concurrencyKeyError,
  preparingError,
  rankOf,
  resolveTemplate,
  wholeOutput,
  type Json,
  type RunMessage,
  type TaskRun,
  type Template,
} from "@millrace/core";
import { dispatchName, namedToken } from "./dispatch-id.ts";
import { limitHolder, type HeldLimit } from "./held-limit.ts";
import { OutputCache } from "./output-cache.ts";
import type { RunDeskOptions, RunEntry } from "./run-desk.ts";

export interface ReadyTask {
  readonly wanted: readonly HeldLimit[];
  taken: number;
  cacheKey?: string;
}

export interface ReadyTasksOptions extends Pick<
  RunDeskOptions,
  "definitions" | "time" | "limits" | "pools" | "random" | "tasks"
> {
  readonly step: (entry: RunEntry, message: RunMessage) => void;
  /** Does this once what is under way has been done. */
  readonly next: (work: () => void) => void;
}

export class ReadyTasks {
  readonly #options: ReadyTasksOptions;
  readonly #held = new Map<string, readonly HeldLimit[]>();
  readonly #cache: OutputCache;

  constructor(options: ReadyTasksOptions) {
    this.#options = options;
    this.#cache = new OutputCache(options.time);
  }

  prepare(entry: RunEntry, taskRun: TaskRun): void {
    if (taskRun.state !== "queued" || entry.ready.has(taskRun)) return;
    const { cache, pool, concurrency } = taskRun.node.definition.options;
    const task: ReadyTask = { wanted: [], taken: 0 };
    entry.ready.set(taskRun, task);
    if (!cache && !pool && !concurrency) return this.#dispatch(entry, taskRun, task);
    try {
      if (cache && this.#answerFromCache(entry, taskRun, task)) return;
      const held = { ...task, wanted: this.#limitsOf(entry, taskRun) };
      entry.ready.set(taskRun, held);
      this.#acquire(entry, taskRun, held);
    } catch (error) {
      entry.ready.delete(taskRun);
      this.#options.step(entry, { kind: "refuse", taskRun, error: preparingError(error) });
    }
  }

  #answerFromCache(entry: RunEntry, taskRun: TaskRun, task: ReadyTask): boolean {
    const { project } = this.#options.definitions.project.definition;
    const input = resolve(entry, taskRun, taskRun.node.definition.input);
    task.cacheKey = this.#cache.keyOf(project, taskRun, input);
    const output = this.#cache.find(task.cacheKey);
    if (!output) return false;
    entry.ready.delete(taskRun);
    this.#options.step(entry, { kind: "cached", taskRun, output });
    return true;
  }

  #limitsOf(entry: RunEntry, taskRun: TaskRun): HeldLimit[] {
    const { options, name } = taskRun.node.definition;
    const limits: HeldLimit[] = [];
    if (options.concurrency) {
      const key = resolve(entry, taskRun, options.concurrency.key);
      if (typeof key !== "string" && typeof key !== "number") throw concurrencyKeyError(name, key);
      limits.push({ kind: "key", name: `${name}/${key}`, slots: 1, limitSlots: options.concurrency.limit });
    }
    if (options.pool) {
      const { name: pool, slots } = options.pool;
      limits.push({ kind: "pool", name: pool, slots, limitSlots: this.#options.pools[pool] ?? 1 });
    }
    return limits;
  }

  #acquire(entry: RunEntry, taskRun: TaskRun, task: ReadyTask): void {
    const next = task.wanted[task.taken];
    if (!next) return this.#dispatch(entry, taskRun, task);
    task.taken += 1;
    this.#options.limits.ask(next, next.limitSlots, {
      holder: limitHolder(entry.run, taskRun, taskRun.dispatch + 1),
      runId: entry.run.id,
      slots: next.slots,
      rank: rankOf(taskRun.readyAt ?? 0, taskRun.node.definition.options.priority),
      granted: () =>
        this.#options.next(() => {
          if (entry.ready.get(taskRun) === task) this.#acquire(entry, taskRun, task);
        }),
    });
  }

  withdraw(entry: RunEntry, taskRun: TaskRun): void {
    const task = entry.ready.get(taskRun);
    entry.ready.delete(taskRun);
    const holder = limitHolder(entry.run, taskRun, taskRun.dispatch + 1);
    for (const limit of task?.wanted.slice(0, task.taken) ?? []) this.#options.limits.release(limit, holder);
  }

  release(entry: RunEntry, taskRun: TaskRun, dispatch: number): void {
    const holder = limitHolder(entry.run, taskRun, dispatch);
    for (const limit of this.#held.get(holder) ?? []) this.#options.limits.release(limit, holder);
    this.#held.delete(holder);
  }

  #dispatch(entry: RunEntry, taskRun: TaskRun, { wanted, cacheKey }: ReadyTask): void {
    const { input } = taskRun.node.definition;
    const given = wholeOutput(entry.run, taskRun.scope, input)?.value ?? resolve(entry, taskRun, input);
    entry.ready.delete(taskRun);
    if (wanted.length > 0) this.#held.set(limitHolder(entry.run, taskRun, taskRun.dispatch + 1), wanted);
    this.#options.step(entry, { kind: "dispatch", taskRun, worker: "testbed" });
    if (taskRun.state !== "running") return;
    const name = dispatchName(entry.run, taskRun, taskRun.dispatch);
    const records = entry.records.get(taskRun)?.for(taskRun.attempt) ?? [];
    this.#options.tasks.begin({ entry, taskRun, input: given, name, records }, (outcome) => {
      const token = namedToken(name);
      if (outcome.kind === "suspended") return this.#options.step(entry, { ...outcome, token });
      this.#options.step(entry, { kind: "result", token, outcome, random: this.#options.random() });
      if (outcome.kind === "succeeded" && cacheKey !== undefined) this.#cache.note(cacheKey, taskRun);
    });
  }
}

export function resolve(entry: RunEntry, taskRun: TaskRun, template: Template): Json {
  const resolved = resolveTemplate(entry.run, taskRun.scope, template);
  if (resolved.kind === "value") return resolved.value;
  throw new Error("invariant broken: a testbed keeps all values in memory");
}
