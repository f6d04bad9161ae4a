/**
 * From ready to dispatched: looks for a recorded output, takes shared limits, resolves the input, makes the dispatch.
 *
 * Y1: a task run holds its limits from before its dispatch to its `released`, and gives back whatever it had taken
 *     when it is withdrawn.
 * Y3: each dispatch asks in its own name, so that no late answer or release of an earlier one means the next.
 * Y2: limits are taken one after another in one order (keys, then pools), so that no two task runs wait for each other.
 */
import {
  errorCodeOf,
  concurrencyKeyError,
  holderOf,
  preparingError,
  rankOf,
  listedBytesMax,
  listedMembersMax,
  MillraceError,
  resolveTemplate,
  streamedMembersIn,
  taskRunsBelow,
  wholeOutput,
  type Json,
  type Template,
  type TaskRun,
} from "@millrace/core";
import { partitionLabel, type CarriedValue, type Dispatch, type StepRecord } from "@millrace/protocol";
import type { CacheRow, LimitKey, LiveRun } from "@millrace/store";
import { carriedRecord } from "./attempt-outcome.ts";
import type { HeldLimit, ReadyTask } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import { causesTextOf } from "./run-causes.ts";
import type { RunEntry } from "./run-entry.ts";
import { cacheKeyOf, carried, isEmptyObject, isInspected, isLargeValue, tokenOf } from "./task-input.ts";

const recordsRetryMs = 200;

export class Readiness {
  readonly #parts: EngineParts;
  /** Task runs between their first request and their dispatch, by holder. */
  readonly #waiting = new Map<string, ReadyTask>();
  /** What dispatched task runs hold, by holder. */
  readonly #held = new Map<string, readonly HeldLimit[]>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  prepare(entry: RunEntry, taskRun: TaskRun): void {
    const { options } = taskRun.node.definition;
    const task: ReadyTask = {
      entry,
      taskRun,
      pipeline: entry.identity.pipeline,
      priority: options.priority,
      queue: options.queue,
      gone: false,
      input: undefined,
      records: undefined,
      recordsSeq: 0,
      wanted: [],
      taken: 0,
      granted: 0,
      cacheKey: undefined,
    };
    entry.ready.set(taskRun, task);
    if (options.cache || options.concurrency) this.#own(task, this.#prepareSlowly(task));
    else if (options.pool) this.#acquire(task, [this.#poolOf(task)]);
    else this.#enqueue(task);
  }

  /** What the task runs that are under way in a run on its way into memory hold. */
  async heldBy(entry: RunEntry): Promise<Map<TaskRun, readonly HeldLimit[]>> {
    const held = new Map<TaskRun, readonly HeldLimit[]>();
    for (const taskRun of taskRunsBelow(entry.run.root)) {
      const { options } = taskRun.node.definition;
      if (taskRun.state === "running" && (options.pool || options.concurrency))
        held.set(taskRun, await this.#limitsOf(entry, taskRun));
    }
    return held;
  }

  /** A task run of a run that was taken over is under way and holds these. */
  adopt(entry: RunEntry, taskRun: TaskRun, held: readonly HeldLimit[]): void {
    this.#held.set(limitHolder(entry, taskRun, taskRun.dispatch), held);
  }

  /** Its run went to another node, where it is adopted. */
  disown(entry: RunEntry, taskRun: TaskRun): void {
    this.#held.delete(limitHolder(entry, taskRun, taskRun.dispatch));
  }

  /** It goes to another node with its shard: what it holds there it finds again, under the same name. */
  letGo(task: ReadyTask): string {
    task.gone = true;
    task.entry.ready.delete(task.taskRun);
    this.#parts.dispatcher.remove(task);
    this.#parts.offers.withdraw(task);
    const holder = limitHolder(task.entry, task.taskRun, task.taskRun.dispatch + 1);
    this.#waiting.delete(holder);
    return holder;
  }

  withdraw(task: ReadyTask): void {
    const { entry, taskRun, wanted, taken } = task;
    const holder = this.letGo(task);
    const giveBack = (limits: readonly HeldLimit[]): void => {
      for (const limit of limits) this.#parts.limits.release(limitKey(entry, limit), holder);
    };
    giveBack(wanted.slice(0, taken));
    const { pool, concurrency } = taskRun.node.definition.options;
    if (entry.storedRows !== undefined || (!pool && !concurrency)) return;
    // The run was loaded: an earlier owner may have asked for what was not asked for here yet.
    if (wanted.length > 0) giveBack(wanted.slice(taken));
    else
      void this.#limitsOf(entry, taskRun).then(giveBack, (error: unknown) =>
        this.#parts.log.warn({ err: error, run: entry.identity.id }, "limits wait to be reaped"),
      );
  }

  /** A dispatch is over: its limits come back. */
  release(entry: RunEntry, taskRun: TaskRun, dispatch: number): void {
    const holder = limitHolder(entry, taskRun, dispatch);
    for (const limit of this.#held.get(holder) ?? [])
      this.#parts.limits.release(limitKey(entry, limit), holder);
    this.#held.delete(holder);
  }

  async #limitsOf(entry: RunEntry, taskRun: TaskRun): Promise<HeldLimit[]> {
    const { options, name } = taskRun.node.definition;
    const limits: HeldLimit[] = [];
    if (options.concurrency) {
      const key = await this.resolve(entry, taskRun, options.concurrency.key);
      if (typeof key !== "string" && typeof key !== "number") throw concurrencyKeyError(name, key);
      limits.push({ kind: "key", name: `${name}/${key}`, slots: 1, limitSlots: options.concurrency.limit });
    }
    if (options.pool) limits.push(this.#poolOf({ entry, taskRun }));
    return limits;
  }

  #poolOf(task: Pick<ReadyTask, "entry" | "taskRun">): HeldLimit {
    const pool = task.taskRun.node.definition.options.pool!;
    return {
      kind: "pool",
      name: pool.name,
      slots: pool.slots,
      limitSlots: this.#parts.poolSlots(task.entry.identity, pool.name),
    };
  }

  /** Looks for a recorded output, then takes the limits; both need the input itself. */
  async #prepareSlowly(task: ReadyTask): Promise<void> {
    const { entry, taskRun } = task;
    const { options, name, input } = taskRun.node.definition;
    if (options.cache) {
      const value = await this.resolve(entry, taskRun, input);
      const key = cacheKeyOf(entry.identity, name, options.cache.version, value);
      const found = await this.#findCached(entry.identity.workspace, key);
      if (task.gone) return;
      task.cacheKey = key;
      if (found) {
        const output = taskRun.node.structural ? await this.#parts.values.loaded(found.output) : found.output;
        if (task.gone) return;
        this.withdraw(task);
        this.#parts.runs.step(entry, { kind: "cached", taskRun, output });
        return;
      }
    }
    const limits = await this.#limitsOf(entry, taskRun);
    if (!task.gone) this.#acquire(task, limits);
  }

  /**
   * What ended before this one became ready is recorded first: its output may be the one. A database that does not answer is
   * no reason not to look: the output may be recorded, or not.
   */
  async #findCached(workspace: number, key: string): Promise<CacheRow | undefined> {
    const { store, clock, commit, log } = this.#parts;
    try {
      await commit.drained();
      return (await store.findCached(workspace, [key], clock.now()))[0];
    } catch (error) {
      log.warn({ err: error }, "recorded outputs can't be looked for; the task runs");
      return undefined;
    }
  }

  /** Failures of preparing a task run are the task run's. */
  #own(task: ReadyTask, work: Promise<void>): void {
    void work.catch((error: unknown) => {
      if (task.gone) return;
      this.withdraw(task);
      this.#parts.runs.step(task.entry, {
        kind: "refuse",
        taskRun: task.taskRun,
        error: preparingError(error),
      });
    });
  }

  #acquire(task: ReadyTask, wanted: readonly HeldLimit[]): void {
    task.wanted = wanted;
    const next = wanted[task.taken];
    if (!next) {
      this.#enqueue(task);
      return;
    }
    task.taken += 1;
    const holder = limitHolder(task.entry, task.taskRun, task.taskRun.dispatch + 1);
    this.#waiting.set(holder, task);
    const request = {
      holder,
      runId: task.entry.identity.id,
      slots: next.slots,
      rank: rankOf(task.taskRun.readyAt ?? 0, task.priority),
      replyShard: task.entry.identity.shard,
    };
    this.#parts.limits.ask(limitKey(task.entry, next), request, next.limitSlots);
  }

  /**
   * A limit was granted, or was said once more to be. A grant that nobody waits for, holds or is about to ask for is given
   * back: a release on its way would otherwise meet the next owner, which finds the same grant again (Y3).
   */
  granted(key: LimitKey, holder: string, runId: string): void {
    const task = this.#waiting.get(holder);
    if (!task) {
      if (!this.#held.has(holder) && !this.#isPrepared(runId, holder))
        this.#parts.limits.release(key, holder);
      return;
    }
    const awaited = task.wanted[task.granted];
    if (task.granted === task.taken || awaited?.kind !== key.kind || awaited.name !== key.name) return;
    task.granted += 1;
    this.#acquire(task, task.wanted);
  }

  /** It has not asked yet, as it looks for a recorded output or resolves its key; an earlier owner of its run has. */
  #isPrepared(runId: string, holder: string): boolean {
    const entry = this.#parts.runs.get(runId);
    if (!entry) return false;
    for (const { taskRun } of entry.ready.values())
      if (limitHolder(entry, taskRun, taskRun.dispatch + 1) === holder) return true;
    return false;
  }

  #enqueue(task: ReadyTask): void {
    this.#parts.dispatcher.enqueue(task);
    this.#parts.commit.request();
  }

  /** Decides the dispatch of a queued task run, or fetches what its input needs and queues it again. */
  dispatch(task: ReadyTask, workerId: string, ahead: boolean): Dispatch | undefined {
    const { entry, taskRun } = task;
    const input = this.#hasRecords(task) ? (task.input ?? this.#inputNow(task)) : undefined;
    if (!input) return undefined;
    entry.ready.delete(taskRun);
    task.gone = true;
    this.#parts.offers.withdraw(task);
    const holder = limitHolder(entry, taskRun, taskRun.dispatch + 1);
    this.#waiting.delete(holder);
    if (task.wanted.length > 0) this.#held.set(holder, task.wanted);
    this.#parts.runs.step(entry, { kind: "dispatch", taskRun, worker: workerId });
    if (taskRun.state !== "running") return undefined;
    if (task.cacheKey !== undefined) this.#parts.runs.noteCacheKey(taskRun, task.cacheKey);
    const message = this.#messageFor(entry, taskRun, { input, records: task.records });
    return ahead ? { ...message, ahead } : message;
  }

  #messageFor(
    entry: RunEntry,
    taskRun: TaskRun,
    { input, records = [] }: { readonly input: CarriedValue; readonly records?: ReadyTask["records"] },
  ): Dispatch {
    const { identity, run } = entry;
    const { options } = taskRun.node.definition;
    const inspect = isInspected(identity.labels, taskRun);
    const { [partitionLabel]: partition } = identity.labels;
    return {
      token: tokenOf(identity.id, taskRun),
      pipeline: identity.pipeline,
      bundle: identity.bundle,
      attempt: taskRun.attempt,
      input,
      ...(options.timeoutMs === undefined || inspect
        ? {}
        : { timeoutMs: Math.max(1, options.timeoutMs - (taskRun.code?.ranMs ?? 0)) }),
      ...(records.length === 0 ? {} : { records }),
      ...(inspect ? { inspect } : {}),
      ...causesPart(identity),
      env: options.env,
      connections: options.connections,
      idempotencyKey: holderOf(identity.id, taskRun),
      ...(partition === undefined ? {} : { partition }),
      ...(run.graph.definition.params === undefined && isEmptyObject(run.params.value)
        ? {}
        : { params: carried(run.params) }),
    };
  }

  /** The input if everything that it needs is in memory; else starts fetching and gives nothing. */
  #inputNow(task: ReadyTask): CarriedValue | undefined {
    const { entry, taskRun } = task;
    const { input } = taskRun.node.definition;
    const whole = wholeOutput(entry.run, taskRun.scope, input);
    if (whole) return carried(whole);
    const resolved = resolveTemplate(entry.run, taskRun.scope, input);
    const isWhole = streamedMembersIn(entry.run, input) === undefined;
    if (isWhole && resolved.kind === "value" && !isLargeValue(resolved.value))
      return { value: resolved.value };
    this.#own(task, this.#fetchInput(task));
    return undefined;
  }

  async #fetchInput(task: ReadyTask): Promise<void> {
    const value = await this.resolve(task.entry, task.taskRun, task.taskRun.node.definition.input);
    const stored = await this.#parts.values.store(value);
    if (task.gone) return;
    task.input = carried(stored);
    this.#enqueue(task);
  }

  /** What its function has recorded is at hand; else it is being read, and the task run is queued again. */
  #hasRecords(task: ReadyTask): boolean {
    const seq = task.taskRun.code?.seq ?? 0;
    // A wait may have ended since they were read.
    if (task.recordsSeq === seq) return true;
    this.#own(task, this.#fetchRecords(task));
    return false;
  }

  async #fetchRecords(task: ReadyTask): Promise<void> {
    const seq = task.taskRun.code?.seq ?? 0;
    const records = await this.#recordsWhile(task.entry, task.taskRun, () => !task.gone);
    if (!records || task.gone) return;
    task.records = records;
    task.recordsSeq = seq;
    this.#enqueue(task);
  }

  /** Trouble of the store is no task's failure: it is asked again for as long as the records are wanted. */
  async #recordsWhile(
    entry: RunEntry,
    taskRun: TaskRun,
    isWanted: () => boolean,
  ): Promise<StepRecord[] | undefined> {
    const { alarms, clock, log } = this.#parts;
    for (let tries = 1; isWanted(); tries += 1) {
      try {
        return await this.#recordsOf(entry, taskRun);
      } catch (error) {
        if (errorCodeOf(error) === "MILLRACE_LEASE_LOST") return undefined;
        if (tries === 1) log.warn({ err: error }, "the records of a task could not be read; trying again");
      }
      await new Promise<void>((resolve) => {
        alarms.set(clock.now() + recordsRetryMs, resolve);
      });
    }
    return undefined;
  }

  async #recordsOf({ identity }: RunEntry, taskRun: TaskRun): Promise<StepRecord[]> {
    const { commit, store } = this.#parts;
    // The last of them may be part of a flush that is under way.
    await commit.drained();
    const { generation, attempt, item, node } = taskRun;
    const { workspace, id: runId } = identity;
    const key = { workspace, runId, node: node.definition.id, item, generation, attempt };
    return (await store.loadSteps(key)).map(carriedRecord);
  }

  /** The dispatch of a task run that is under way, for a worker that must be told again. */
  async messageAgain(entry: RunEntry, taskRun: TaskRun): Promise<Dispatch> {
    const input = await this.#inputAgain(entry, taskRun);
    const isRunning = (): boolean => taskRun.state === "running";
    const records = taskRun.code?.seq ? await this.#recordsWhile(entry, taskRun, isRunning) : [];
    return this.#messageFor(entry, taskRun, { input, records });
  }

  /** What a worker needs to learn what a function asks for on its records. */
  async rehearsal(entry: RunEntry, taskRun: TaskRun): Promise<Dispatch> {
    const [input, records] = await Promise.all([
      this.#inputAgain(entry, taskRun),
      this.#recordsOf(entry, taskRun),
    ]);
    return this.#messageFor(entry, taskRun, { input, records });
  }

  async #inputAgain(entry: RunEntry, taskRun: TaskRun): Promise<CarriedValue> {
    const { input } = taskRun.node.definition;
    const whole = wholeOutput(entry.run, taskRun.scope, input);
    if (whole) return carried(whole);
    return carried(await this.#parts.values.store(await this.resolve(entry, taskRun, input)));
  }

  /** Resolves a template, loading blobs as needed. Throws MILLRACE_FIRING_STREAMED. */
  async resolve(entry: RunEntry, taskRun: Pick<TaskRun, "scope">, template: Template): Promise<Json> {
    const streamed = streamedMembersIn(entry.run, template);
    if (streamed !== undefined) throw streamedError(streamed);
    const blobs = new Map<string, Json>();
    for (;;) {
      const resolved = resolveTemplate(entry.run, taskRun.scope, template, blobs);
      if (resolved.kind === "value") return resolved.value;
      for (const hash of resolved.blobs) blobs.set(hash, await this.#parts.values.load(hash));
    }
  }
}

/** Not tried again: the next attempt would get the same members. */
function streamedError(members: number): Error {
  const error = new MillraceError("MILLRACE_FIRING_STREAMED", {
    message: `The input holds the firing's ${members} members, and carries at most ${listedMembersMax} of them, or ${listedBytesMax / 1024 / 1024} MB: let the task read them with ctx.firing.events().`,
    fields: { members, membersMax: listedMembersMax },
  });
  return Object.assign(new Error(error.message), { name: error.code, code: error.code, next: "fatal" });
}

/** What it emits at once goes past this server's memory of its run. */
function causesPart(run: LiveRun): Pick<Dispatch, "causes"> {
  const causes = causesTextOf(run);
  return causes === undefined ? {} : { causes };
}

/** In whose name the limits of one dispatch are held (Y3). */
function limitHolder(entry: RunEntry, taskRun: TaskRun, dispatch: number): string {
  return `${holderOf(entry.identity.id, taskRun)}/${dispatch}`;
}

function limitKey(entry: RunEntry, limit: Pick<HeldLimit, "kind" | "name">): LimitKey {
  return { workspace: entry.identity.workspace, kind: limit.kind, name: limit.name };
}
