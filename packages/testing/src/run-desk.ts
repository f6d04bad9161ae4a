/**
 * The runs of a testbed: steps their machines and does what these ask for, as the engine does, but in memory, at once, and
 * with slots for everybody.
 *
 * R1: a machine is stepped to its end before anything that follows from the step is begun: what follows waits in `#next`, and is
 *     taken in its order.
 * R2: the triggers that led to a run go with every event of it, and with its calls (L1 of the core's causes): the watch stops
 *     loops by them.
 */
import {
  callError,
  createRun,
  decide,
  hydrateRun,
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
  requireCallDepth,
  runEnded,
  runStarted,
  runStartedEvent,
  toldEntries,
  unreachable,
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
} from "@millrace/core";
import type { Definitions, BedPipeline } from "./definitions.ts";
import { labelsOfChild, partitionOf } from "./partition-label.ts";
import type { LimitBook } from "./limit-book.ts";
import { activeRuns } from "./held-limit.ts";
import { partitionLabel } from "@millrace/protocol";
import type { Emitted, FinishedStep } from "./attempt.ts";
import { withCauses } from "./run-causes.ts";
import { assetJudge } from "./given-event.ts";
import { dispatchName, namedToken, tokenOf } from "./dispatch-id.ts";
import { ReadyTasks, resolve, type ReadyTask } from "./ready-tasks.ts";
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
  /** Of its newest generation. */
  run: Run;
  /** Where the log ended when that was made: its waits look back to there. */
  logPosition: number;
  readonly depth: number;
  /** Absent from its first rerun on: its caller has been told. */
  parent: Parent | undefined;
  isGated: boolean;
  /** Absent where it was not fired. */
  readonly firedMembers: FiredMembers | undefined;
  /** The triggers that led to it (R3); none where a person started it. */
  readonly causes: Causes;
  readonly labels: { readonly [name: string]: string };
  readonly alarms: Set<Alarm>;
  readonly ready: Map<TaskRun, ReadyTask>;
  /** What the functions of its tasks have recorded: steps that finished, waits that ended. */
  readonly records: Map<TaskRun, StepRecords>;
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
  /** Where the log ends. */
  readonly logPosition: () => number;
}

export interface NewRun {
  readonly params: Json;
  readonly firing?: Json | undefined;
  /** The key of the partition that it is for. */
  readonly partition?: string | undefined;
  readonly causes?: Causes | undefined;
  /** Of `newRunId`, where it has been given. */
  readonly id?: string | undefined;
  /** It stands at its trigger's gate: the log tells of its end, whatever that is. */
  readonly isGated?: boolean | undefined;
  readonly firedMembers?: FiredMembers | undefined;
}

/** The members of a firing as tasks see them, operand by operand. */
export type FiredMembers = () => { readonly [operand: string]: readonly Json[] };

export class RunDesk {
  readonly runs: RunEntry[] = [];
  readonly byId = new Map<string, RunEntry>();
  readonly #options: RunDeskOptions;
  #asks: readonly RunAsk[] | undefined;
  readonly #ready: ReadyTasks;
  #ids = 0;
  /** What follows from steps, and is to be begun (R1). */
  readonly #next: (() => void)[] = [];

  constructor(options: RunDeskOptions) {
    this.#options = options;
    this.#ready = new ReadyTasks({
      ...options,
      step: (entry, message) => this.#step(entry, message),
      next: (work) => void this.#next.push(work),
    });
  }

  newRunId(): string {
    return `r${(this.#ids += 1)}`;
  }

  start(pipeline: BedPipeline, made: NewRun): RunEntry {
    const entry = this.#make(pipeline, { ...made, depth: 0, parent: undefined, labels: labelsOf(made) });
    this.#begin(entry);
    return entry;
  }

  /** The run of a firing that waited until a later one took its place: it is made as it ends. */
  enterSuperseded(pipeline: BedPipeline, made: NewRun, reason: Reason): RunEntry {
    const entry = this.#make(pipeline, { ...made, depth: 0, parent: undefined, labels: labelsOf(made) });
    const end = { state: "superseded", reason, endedAt: this.#options.time.now() } as const;
    const row = { ...entry.run, ...end };
    entry.run = hydrateRun(pipeline.graph, row, []);
    this.#record(entry, [runEnded(entry.run, this.#told(entry))]);
    return entry;
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

  /** The next generation of a run that has ended: `next`, of which nothing has begun. */
  beginNext(entry: RunEntry, next: Run): void {
    this.#options.tasks.carry(entry.run, next);
    entry.run = next;
    entry.logPosition = this.#options.logPosition();
    entry.parent = undefined;
    entry.isGated = false;
    entry.records.clear();
    this.#begin(entry);
  }

  // --- beginning ----------------------------------------------------------------------------------------------------

  #make(pipeline: BedPipeline, parts: Pick<RunEntry, "depth" | "parent" | "labels"> & NewRun): RunEntry {
    const { depth, parent, labels, isGated = false, firedMembers } = parts;
    const { graph, program } = pipeline;
    const partition = labels[partitionLabel];
    const firing =
      parts.firing ?? (program && manualFiringValue(program, null, partitionOf(pipeline, partition)));
    const run = createRun(graph, {
      id: parts.id ?? this.newRunId(),
      generation: 1,
      depth,
      params: { value: parts.params },
      firing: firing === undefined ? undefined : { value: firing },
      createdAt: this.#options.time.now(),
    });
    const held = { alarms: new Set<Alarm>(), ready: new Map(), records: new Map() };
    const causes = parts.causes ?? parent?.entry.causes ?? noCauses;
    const entry: RunEntry = {
      pipeline,
      run,
      logPosition: this.#options.logPosition(),
      depth,
      parent,
      causes,
      labels,
      isGated,
      firedMembers,
      ...held,
    };
    this.runs.push(entry);
    this.byId.set(run.id, entry);
    return entry;
  }

  /** When its pipeline has room for it. */
  #begin(entry: RunEntry, message: RunMessage = { kind: "start" }): void {
    const { pipeline, run } = entry;
    const { maxActiveRuns } = pipeline.definition;
    const begin = (): void => void this.#next.push(() => this.#step(entry, message));
    if (maxActiveRuns === undefined) return begin();
    this.#options.limits.ask(activeRuns(pipeline), maxActiveRuns, {
      holder: run.id,
      runId: run.id,
      slots: 1,
      rank: run.createdAt,
      granted: begin,
    });
  }

  // --- steps --------------------------------------------------------------------------------------------------------

  #step(entry: RunEntry, message: RunMessage): void {
    const { effects } = decide(entry.run, message, this.#options.time.now());
    if (message.kind === "start" && this.#isAsked(runStarted, entry.pipeline.definition.name))
      this.#record(entry, [runStartedEvent(entry.run, this.#told(entry))]);
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
        this.#next.push(() => this.#ready.prepare(entry, effect.taskRun));
        return;
      case "unready":
        return this.#ready.withdraw(entry, effect.taskRun);
      case "revoke":
        return tasks.cancel(dispatchName(entry.run, effect.taskRun, effect.dispatch), effect.reason);
      case "released":
        return this.#ready.release(entry, effect.taskRun, effect.dispatch);
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
    return toldEntries(
      teller,
      effect,
      assetJudge(this.#options.definitions.project, this.#options.time.now()),
    );
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
    for (const taskRun of entry.ready.keys()) this.#ready.withdraw(entry, taskRun);
    this.#options.waits().forget(entry);
    const isAsked = entry.isGated || this.#isAsked(runSucceeded, pipeline.definition.name);
    if (run.state !== "succeeded" || isAsked) this.#record(entry, [runEnded(run, this.#told(entry))]);
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

  // --- calls --------------------------------------------------------------------------------------------------------

  #call(entry: RunEntry, taskRun: TaskRun): void {
    if (taskRun.state !== "waiting" || taskRun.childRunId !== undefined) return;
    const token = tokenOf(taskRun);
    try {
      const { calls = "", input } = taskRun.node.definition;
      const called = this.#called(entry, calls, resolve(entry, taskRun, input));
      if (taskRun.revoked)
        return this.#step(entry, { kind: "result", token, outcome: { kind: "cancelled" }, random: 0 });
      const child = this.#make(called.pipeline, {
        ...called.parts,
        parent: { entry, token, wait: undefined },
      });
      this.#step(entry, { kind: "call_started", token, childRunId: child.run.id });
      this.#begin(child);
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
      const child = this.#make(called.pipeline, { ...called.parts, parent });
      this.#step(entry, { kind: "call_started", token, childRunId: child.run.id, wait: parent.wait });
      this.#begin(child);
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

function labelsOf({ partition }: NewRun): RunEntry["labels"] {
  return partition === undefined ? {} : { [partitionLabel]: partition };
}
