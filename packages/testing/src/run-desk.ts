/**
 * The runs of a testbed: steps their machines and does what these ask for, as the engine does, but in memory, at once, and
 * with slots for everybody.
 *
 * R1: a machine is stepped to its end before anything that follows from the step is begun: what follows waits in `#next`, and is
 *     taken in its order.
 * R2: a dispatch holds its limits from before its beginning to its `released`.
 * R3: the triggers that led to a run go with every event of it, and with its calls (L1 of the core's causes): the watch stops
 *     loops by them.
 */
import {
  callError,
  concurrencyKeyError,
  createRun,
  decide,
  isRunEnded,
  liveLane,
  manualFiringValue,
  noCauses,
  nodeFailed,
  nodeSucceeded,
  nodeSucceededEvent,
  runAsksOfPipeline,
  runSucceeded,
  type RunAsk,
  type RunNewsType,
  operationKey,
  preparingError,
  rankOf,
  requireCallDepth,
  resolveTemplate,
  runEnded,
  toldEntries,
  unreachable,
  wholeOutput,
  type Causes,
  type DispatchName,
  type OpenWait,
  type OperationName,
  type EventDraft,
  type Json,
  type Reason,
  type Run,
  type RunEffect,
  type RunMessage,
  type TaskRun,
  type Template,
} from "@millrace/core";
import type { Definitions, BedPipeline } from "./definitions.ts";
import { labelsOfChild, partitionOf } from "./partition-label.ts";
import type { LimitBook } from "./limit-book.ts";
import { activeRuns, limitHolder, type HeldLimit } from "./held-limit.ts";
import { partitionLabel } from "@millrace/protocol";
import type { Emitted, FinishedStep } from "./attempt.ts";
import { withCauses } from "./run-causes.ts";
import { dispatchName, namedToken, tokenOf } from "./dispatch-id.ts";
import { OutputCache } from "./output-cache.ts";
import { StepRecords } from "./step-records.ts";
import type { Dispatched, TaskDesk } from "./task-desk.ts";
import type { Alarm, VirtualTime } from "./virtual-time.ts";
import type { WaitDesk } from "./wait-desk.ts";

interface Parent {
  readonly entry: RunEntry;
  readonly token: DispatchName;
  /** Of a call in code. */
  readonly wait: OperationName | undefined;
}

/** A run and what is known of it besides. */
export interface RunEntry {
  readonly pipeline: BedPipeline;
  readonly run: Run;
  readonly depth: number;
  readonly parent: Parent | undefined;
  /** The triggers that led to it (R3); none where a person started it. */
  readonly causes: Causes;
  readonly labels: { readonly [name: string]: string };
  readonly alarms: Set<Alarm>;
  readonly ready: Map<TaskRun, ReadyTask>;
  /** What the functions of its tasks have recorded: steps that finished, waits that ended. */
  readonly records: Map<TaskRun, StepRecords>;
}

interface ReadyTask {
  readonly wanted: readonly HeldLimit[];
  taken: number;
  cacheKey?: string;
}

export interface RunDeskOptions {
  readonly definitions: Definitions;
  readonly time: VirtualTime;
  readonly limits: LimitBook;
  readonly random: () => number;
  readonly pools: { readonly [name: string]: number };
  readonly tasks: TaskDesk;
  readonly waits: () => WaitDesk;
  /** Events into the log; who asks for them is told later (R1). */
  readonly record: (events: readonly EventDraft[]) => void;
}

export interface NewRun {
  readonly params: Json;
  readonly firing?: Json | undefined;
  /** The key of the partition that it is for. */
  readonly partition?: string | undefined;
  readonly causes?: Causes | undefined;
}

export class RunDesk {
  readonly runs: RunEntry[] = [];
  readonly byId = new Map<string, RunEntry>();
  readonly #options: RunDeskOptions;
  #asks: readonly RunAsk[] | undefined;
  readonly #held = new Map<string, readonly HeldLimit[]>();
  readonly #cache: OutputCache;
  /** What follows from steps, and is to be begun (R1). */
  readonly #next: (() => void)[] = [];

  constructor(options: RunDeskOptions) {
    this.#options = options;
    this.#cache = new OutputCache(options.time);
  }

  start(pipeline: BedPipeline, { params, firing, partition, causes }: NewRun): RunEntry {
    const labels = partition === undefined ? {} : { [partitionLabel]: partition };
    return this.#enter(pipeline, { params, firing, depth: 0, parent: undefined, labels, causes });
  }

  /** A step of a running function finished. */
  recordStep({ entry, name }: Dispatched, step: FinishedStep, emitted: Emitted): void {
    this.#step(entry, { kind: "step", token: namedToken(name), step, ...emitted });
  }

  /** Does what waits to be begun; true when there was any. */
  work(): boolean {
    if (this.#next.length === 0) return false;
    for (const next of this.#next.splice(0)) next();
    return true;
  }

  /** Tells a run something, once what is under way has been done (R1). */
  tell(entry: RunEntry, message: RunMessage): void {
    this.#next.push(() => this.#step(entry, message));
  }

  /** A person's request. */
  cancel(entry: RunEntry, reason: Reason): void {
    this.#step(entry, { kind: "cancel", by: "user", reason });
  }

  // --- beginning ----------------------------------------------------------------------------------------------------

  #enter(
    pipeline: BedPipeline,
    parts: Pick<RunEntry, "depth" | "parent" | "labels"> & NewRun,
    onId?: (id: string) => void,
  ): RunEntry {
    const { depth, parent, labels } = parts;
    const { graph, program, definition } = pipeline;
    const partition = labels[partitionLabel];
    const firing =
      parts.firing ?? (program && manualFiringValue(program, null, partitionOf(pipeline, partition)));
    const run = createRun(graph, {
      id: `r${this.runs.length + 1}`,
      generation: 1,
      depth,
      params: { value: parts.params },
      firing: firing === undefined ? undefined : { value: firing },
      createdAt: this.#options.time.now(),
    });
    const held = { alarms: new Set<Alarm>(), ready: new Map(), records: new Map() };
    const causes = parts.causes ?? parent?.entry.causes ?? noCauses;
    const entry: RunEntry = { pipeline, run, depth, parent, causes, labels, ...held };
    this.runs.push(entry);
    this.byId.set(run.id, entry);
    onId?.(run.id);
    const begin = (): void => void this.#next.push(() => this.#step(entry, { kind: "start" }));
    if (definition.maxActiveRuns === undefined) begin();
    else
      this.#options.limits.ask(activeRuns(entry.pipeline), definition.maxActiveRuns, {
        holder: run.id,
        runId: run.id,
        slots: 1,
        rank: run.createdAt,
        granted: begin,
      });
    return entry;
  }

  // --- steps --------------------------------------------------------------------------------------------------------

  #step(entry: RunEntry, message: RunMessage): void {
    const { effects } = decide(entry.run, message, this.#options.time.now());
    for (const effect of effects) this.#apply(entry, effect);
    if (entry.run.state === "quarantined") this.#ended(entry);
  }

  #apply(entry: RunEntry, effect: RunEffect): void {
    const { tasks } = this.#options;
    switch (effect.kind) {
      case "task_run":
        if (effect.taskRun.state === "failed")
          this.#record(entry, [nodeFailed(entry.run, this.#told(entry), effect.taskRun)]);
        if (effect.taskRun.state === "succeeded") this.#tellNode(entry, effect.taskRun);
        return;
      case "attempt":
      case "run":
        return;
      case "send":
        // Whoever asked for this step begins the attempt.
        return;
      case "ready":
        this.#next.push(() => this.#prepare(entry, effect.taskRun));
        return;
      case "unready":
        return this.#withdraw(entry, effect.taskRun);
      case "revoke":
        return tasks.cancel(dispatchName(entry.run, effect.taskRun, effect.dispatch), effect.reason);
      case "released":
        return this.#release(entry, effect.taskRun, effect.dispatch);
      case "emitted":
        return this.#record(entry, [...effect.events, ...this.#toldOf(entry, effect)]);
      case "retry_at": {
        const { node, item, generation } = effect.taskRun;
        return this.#alarm(entry, effect.at, {
          kind: "retry_due",
          node: node.definition.id,
          item,
          generation,
        });
      }
      case "deadline_at":
        return this.#alarm(entry, effect.at, { kind: "deadline" });
      case "call":
        this.#next.push(() => this.#call(entry, effect.taskRun));
        return;
      case "wait": {
        const { taskRun, wait } = effect;
        this.#next.push(() =>
          wait?.op.kind === "call"
            ? this.#callInCode(entry, taskRun, wait)
            : this.#options.waits().begin(entry, taskRun, wait),
        );
        return;
      }
      case "unwait":
        return this.#options.waits().end(entry, effect.taskRun, effect.wait);
      case "record": {
        const records = entry.records.get(effect.taskRun) ?? new StepRecords();
        entry.records.set(effect.taskRun, records);
        return records.add(effect.record, effect.taskRun);
      }
      case "code":
        return;
      case "cancel_child": {
        const child = this.byId.get(effect.childRunId);
        const reason = entry.run.cancel?.reason ?? {
          code: "cancelled",
          message: "Its caller was cancelled.",
        };
        const { force } = effect;
        if (child) this.#next.push(() => this.#step(child, { kind: "cancel", by: "parent", reason, force }));
        return;
      }
      case "ended":
        return this.#ended(entry);
      default:
        return unreachable(effect);
    }
  }

  #record(entry: RunEntry, events: readonly EventDraft[]): void {
    this.#options.record(events.map((event) => withCauses(event, entry)));
  }

  /** What a task run told of assets, and what its success updates by itself. */
  #toldOf(
    { run, pipeline, labels }: RunEntry,
    effect: Extract<RunEffect, { kind: "emitted" }>,
  ): EventDraft[] {
    const partition = labels[partitionLabel];
    const { revision } = (run.firing?.value ?? {}) as { readonly revision?: number };
    const teller = {
      id: run.id,
      pipeline: pipeline.definition.name,
      lane: liveLane,
      ...(partition === undefined ? {} : { partition, ...(revision! > 1 ? { revision: revision! } : {}) }),
    };
    return toldEntries(teller, effect, (name) => this.#options.definitions.project.asset(name));
  }

  #alarm(entry: RunEntry, at: number, message: RunMessage): void {
    const alarm = this.#options.time.set(at, () => {
      entry.alarms.delete(alarm);
      this.#step(entry, message);
    });
    entry.alarms.add(alarm);
  }

  #tellNode(entry: RunEntry, taskRun: TaskRun): void {
    const subject = `${entry.pipeline.definition.name}/${taskRun.node.definition.id}`;
    if (!taskRun.carried && this.#isAsked(nodeSucceeded, subject))
      this.#record(entry, [nodeSucceededEvent(entry.run, this.#told(entry), taskRun)]);
  }

  /** As a server tells it: only what conditions of the project ask for. */
  #isAsked(type: RunNewsType, subject: string): boolean {
    this.#asks ??= this.#options.definitions.project.definition.pipelines.flatMap(runAsksOfPipeline);
    return this.#asks.some((ask) => ask.type === type && (ask.subject ?? subject) === subject);
  }

  #ended(entry: RunEntry): void {
    const { run, parent, pipeline } = entry;
    for (const alarm of entry.alarms) alarm.cancel();
    entry.alarms.clear();
    for (const taskRun of entry.ready.keys()) this.#withdraw(entry, taskRun);
    this.#options.waits().forget(entry);
    if (run.state !== "succeeded" || this.#isAsked(runSucceeded, pipeline.definition.name))
      this.#record(entry, [runEnded(run, this.#told(entry))]);
    if (pipeline.definition.maxActiveRuns !== undefined)
      this.#options.limits.release(activeRuns(entry.pipeline), run.id);
    if (!parent) return;
    this.#next.push(() =>
      this.#step(parent.entry, {
        kind: "child_ended",
        token: parent.token,
        wait: parent.wait,
        childRunId: run.id,
        state: run.state,
        output: run.output ?? { value: null },
        reason: run.reason,
        random: this.#options.random(),
      }),
    );
  }

  #told({ pipeline, labels }: RunEntry): Parameters<typeof runEnded>[1] {
    const { project } = this.#options.definitions.project.definition;
    return { pipeline: pipeline.definition.name, project, labels };
  }

  // --- from ready to dispatched -------------------------------------------------------------------------------------

  #prepare(entry: RunEntry, taskRun: TaskRun): void {
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
      this.#step(entry, { kind: "refuse", taskRun, error: preparingError(error) });
    }
  }

  #answerFromCache(entry: RunEntry, taskRun: TaskRun, task: ReadyTask): boolean {
    const { project } = this.#options.definitions.project.definition;
    const input = resolve(entry, taskRun, taskRun.node.definition.input);
    task.cacheKey = this.#cache.keyOf(project, taskRun, input);
    const output = this.#cache.find(task.cacheKey);
    if (!output) return false;
    entry.ready.delete(taskRun);
    this.#step(entry, { kind: "cached", taskRun, output });
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
        void this.#next.push(() => {
          if (entry.ready.get(taskRun) === task) this.#acquire(entry, taskRun, task);
        }),
    });
  }

  #withdraw(entry: RunEntry, taskRun: TaskRun): void {
    const task = entry.ready.get(taskRun);
    entry.ready.delete(taskRun);
    const holder = limitHolder(entry.run, taskRun, taskRun.dispatch + 1);
    for (const limit of task?.wanted.slice(0, task.taken) ?? []) this.#options.limits.release(limit, holder);
  }

  #release(entry: RunEntry, taskRun: TaskRun, dispatch: number): void {
    const holder = limitHolder(entry.run, taskRun, dispatch);
    for (const limit of this.#held.get(holder) ?? []) this.#options.limits.release(limit, holder);
    this.#held.delete(holder);
  }

  #dispatch(entry: RunEntry, taskRun: TaskRun, { wanted, cacheKey }: ReadyTask): void {
    const { input } = taskRun.node.definition;
    const given = wholeOutput(entry.run, taskRun.scope, input)?.value ?? resolve(entry, taskRun, input);
    entry.ready.delete(taskRun);
    if (wanted.length > 0) this.#held.set(limitHolder(entry.run, taskRun, taskRun.dispatch + 1), wanted);
    this.#step(entry, { kind: "dispatch", taskRun, worker: "testbed" });
    if (taskRun.state !== "running") return;
    const name = dispatchName(entry.run, taskRun, taskRun.dispatch);
    const records = entry.records.get(taskRun)?.for(taskRun.attempt) ?? [];
    this.#options.tasks.begin({ entry, taskRun, input: given, name, records }, (outcome) => {
      const token = namedToken(name);
      if (outcome.kind === "suspended") return this.#step(entry, { ...outcome, token });
      this.#step(entry, { kind: "result", token, outcome, random: this.#options.random() });
      if (outcome.kind === "succeeded" && cacheKey !== undefined) this.#cache.note(cacheKey, taskRun);
    });
  }

  // --- calls --------------------------------------------------------------------------------------------------------

  #call(entry: RunEntry, taskRun: TaskRun): void {
    if (taskRun.state !== "waiting" || taskRun.childRunId !== undefined) return;
    const token = tokenOf(taskRun);
    try {
      const { calls = "", input } = taskRun.node.definition;
      const called = this.#called(entry, calls, resolve(entry, taskRun, input));
      if (taskRun.revoked)
        return this.#step(entry, { kind: "result", token, outcome: { kind: "cancelled" }, random: 0 });
      this.#enter(
        called.pipeline,
        { ...called.parts, parent: { entry, token, wait: undefined } },
        (childRunId) => this.#step(entry, { kind: "call_started", token, childRunId }),
      );
    } catch (error) {
      this.#step(entry, { kind: "call_failed", token, error: callError(error) });
    }
  }

  #callInCode(entry: RunEntry, taskRun: TaskRun, wait: OpenWait): void {
    const { name, occurrence, op } = wait;
    if (op.kind !== "call" || taskRun.code?.open.get(operationKey(wait)) !== wait || wait.childRunId) return;
    const token = tokenOf(taskRun);
    const parent = { entry, token, wait: { name, occurrence } };
    try {
      const called = this.#called(entry, op.pipeline, op.params.value ?? null);
      this.#enter(called.pipeline, { ...called.parts, parent }, (childRunId) =>
        this.#step(entry, { kind: "call_started", token, childRunId, wait: parent.wait }),
      );
    } catch (error) {
      const { node, item, generation } = token;
      const outcome = { kind: "error" as const, error: callError(error) };
      const ended = { kind: "wait_ended" as const, node, item, generation, name, occurrence };
      this.#step(entry, { ...ended, outcome, position: undefined });
    }
  }

  /** Throws MILLRACE_CALL_DEPTH, MILLRACE_PIPELINE_UNKNOWN, MILLRACE_PARAMS_INVALID. */
  #called(
    { depth: above, labels }: RunEntry,
    name: string,
    given: Json,
  ): { readonly pipeline: BedPipeline; readonly parts: Pick<RunEntry, "depth" | "labels"> & NewRun } {
    const depth = above + 1;
    requireCallDepth(name, depth);
    const pipeline = this.#options.definitions.pipeline(name);
    const params = pipeline.checkParams(structuredClone(given ?? {}));
    return { pipeline, parts: { params, depth, labels: labelsOfChild(pipeline, labels) } };
  }

  /** Runs that have not ended. */
  unfinished(): RunEntry[] {
    return this.runs.filter(({ run }) => !isRunEnded(run.state));
  }
}

function resolve(entry: RunEntry, taskRun: TaskRun, template: Template): Json {
  const resolved = resolveTemplate(entry.run, taskRun.scope, template);
  if (resolved.kind === "value") return resolved.value;
  throw new Error("invariant broken: a testbed keeps all values in memory");
}
