/**
 * Holds the runs of this node's shards and steps them. All messages to runs pass through `step`; what the machine
 * answers becomes rows of the next flush, ready task runs, alarms, calls and messages.
 *
 * H1: a run is stepped only while its shard is this node's.
 * H2: a run whose machine throws is set aside (quarantined) with what it had last committed; others go on.
 * H3: an ended run leaves memory in the turn in which it ends; later messages find nothing.
 * H4: a run that only waits leaves memory after its row says when it is due; a message, or that instant, brings it back
 *     (`RunEntrance.recall`). Its row says so no longer with the flush of what changes it then.
 */
import {
  codeRecordOf,
  createRun,
  decide,
  hydrateRun,
  nodeSucceeded as nodeSucceededType,
  runStarted as runStartedType,
  runSucceeded,
  taskRunsBelow,
  unreachable,
  type Graph,
  type Run,
  type RunEffect,
  type RunMessage,
  type StepRecord,
  type TaskRun,
} from "@millrace/core";
import { wakeNever, type LiveRun, type LoadedRun } from "@millrace/store";
import { toldEntries } from "./asset-entries.ts";
import { readsOf } from "./asset-reads.ts";
import type { Alarm } from "./clock.ts";
import { putCode, putStep } from "./code-rows.ts";
import type { EngineParts } from "./engine-parts.ts";
import { evictAfterMs, waitingInMemoryMax } from "./limits.ts";
import type { HeldLimit } from "./dispatcher.ts";
import { nodeFailed, nodeSucceeded, runEnded, runStarted } from "./own-events.ts";
import { causesOf } from "./run-causes.ts";
import type { RunEntry, StoredRow } from "./run-entry.ts";
import { parentToken, tokenOf } from "./task-input.ts";
import { firingOfRun } from "./trigger/run-firing.ts";

export interface NewRun {
  readonly identity: LiveRun;
  readonly graph: Graph;
}

export class RunHost {
  readonly #parts: EngineParts;
  readonly #runs = new Map<string, RunEntry>();
  readonly #waiting = new Set<RunEntry>();
  /** Runs in which nothing runs or is queued, each with the instant of its last step. */
  readonly #idle = new Map<RunEntry, number>();
  readonly #alarms = new Map<RunEntry, Map<Alarm, number>>();
  /** Where the outputs of dispatched task runs are to be recorded for later runs. */
  readonly #cacheKeys = new WeakMap<TaskRun, string>();

  /** Runs with rows of what functions wait for. */
  readonly #coded = new WeakSet<RunEntry>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Without those that only wait for runs which they called: these need room to begin, or nothing would ever move. */
  get activeSize(): number {
    return this.#runs.size - this.#waiting.size;
  }

  get(runId: string): RunEntry | undefined {
    return this.#runs.get(runId);
  }

  entries(): Iterable<RunEntry> {
    return this.#runs.values();
  }

  /** Makes a run and lets it begin; its rows are part of the next flush. */
  begin(created: NewRun): RunEntry {
    const { id, generation, depth, params, createdAt } = created.identity;
    const firing = firingOfRun(created);
    const run = createRun(created.graph, { id, generation, depth, params, firing, createdAt });
    const entry = entryOf(created, run, "none");
    this.hold(entry);
    this.#parts.commit.markRun(entry);
    this.step(entry, { kind: "start" });
    return entry;
  }

  /** Puts a run under way that was rebuilt: it was queued, waited outside of memory, or its shard was taken over. */
  restore(entry: RunEntry, held: ReadonlyMap<TaskRun, readonly HeldLimit[]>): void {
    this.hold(entry);
    for (const [taskRun, limits] of held) this.#parts.readiness.adopt(entry, taskRun, limits);
    this.step(entry, entry.identity.state === "queued" ? { kind: "start" } : { kind: "resume" });
    entry.waits = undefined;
  }

  /** Brings a queued run into memory without beginning it: a command wants to reach it. */
  hold(entry: RunEntry): void {
    this.#runs.set(entry.identity.id, entry);
  }

  /** A run as its rows say, not in memory yet. */
  rebuild(created: NewRun, { taskRuns, waits }: Omit<LoadedRun, "run">): RunEntry {
    const { identity, graph } = created;
    const record = {
      ...identity,
      firing: firingOfRun(created),
      cancel: identity.cancel && { ...identity.cancel },
      endedAt: undefined,
      output: undefined,
    };
    const row = record.startedAt === undefined ? "queued" : "started";
    const entry = { ...entryOf(created, hydrateRun(graph, record, taskRuns), row), waits };
    if (taskRuns.some(({ code }) => code !== undefined)) this.#coded.add(entry);
    return entry;
  }

  /** Lets a held run go that is still queued. */
  letGo(entry: RunEntry): void {
    this.#forget(entry);
  }

  /** Forgets runs of shards that went to another node. */
  drop(shards: ReadonlySet<number>): RunEntry[] {
    const dropped = [...this.#runs.values()].filter((entry) => shards.has(entry.identity.shard));
    for (const entry of dropped) {
      for (const task of entry.ready.values()) this.#parts.readiness.letGo(task);
      for (const taskRun of taskRunsBelow(entry.run.root)) this.#parts.readiness.disown(entry, taskRun);
      this.#forget(entry);
    }
    return dropped;
  }

  #forget(entry: RunEntry): void {
    for (const task of entry.ready.values()) this.#parts.readiness.withdraw(task);
    for (const alarm of this.#alarms.get(entry)?.keys() ?? []) alarm.cancel();
    this.#alarms.delete(entry);
    this.#waiting.delete(entry);
    this.#idle.delete(entry);
    this.#runs.delete(entry.identity.id);
  }

  /** Steps a run and puts what follows to work. */
  step(entry: RunEntry, message: RunMessage): void {
    // H1, H3: it may have gone while the message was made ready.
    if (this.#runs.get(entry.identity.id) !== entry) return;
    let effects: RunEffect[];
    try {
      effects = decide(entry.run, message, this.#parts.clock.now()).effects;
    } catch (error) {
      this.setAside(entry, error);
      return;
    }
    this.#noteStep(entry, isBackAlone(message, effects));
    if (message.kind === "start" && this.#parts.asks.wants(runStartedType, entry.identity.pipeline))
      this.#parts.events.emit([runStarted(entry)]);
    if (entry.run.state === "waiting") this.#waiting.add(entry);
    else if (this.#waiting.delete(entry)) this.#parts.commit.request();
    for (const effect of effects) this.#apply(entry, effect);
    if (entry.run.state === "quarantined") this.#ended(entry);
  }

  /** `isBackAlone`: it came into memory and waits on; its row stays as it is, for what most often follows is its end. */
  #noteStep(entry: RunEntry, isBackAlone: boolean): void {
    if (entry.eviction && !isBackAlone) {
      entry.eviction = undefined;
      this.#parts.commit.markRun(entry);
    }
    const { queued, running, waiting, retrying } = entry.run.counts;
    if (queued + running === 0 && waiting + retrying > 0) this.#idle.set(entry, this.#parts.clock.now());
    else this.#idle.delete(entry);
  }

  /** Lets runs out of memory that have only waited for a while, and will (H4). Called now and then. */
  evictIdle(): void {
    const now = this.#parts.clock.now();
    for (const [entry, steppedAt] of this.#idle) {
      if (now - steppedAt < evictAfterMs || isLeaving(entry) || this.#parts.isWatched(entry.identity.id))
        continue;
      const wakeAt = this.#wakeAt(entry);
      if (wakeAt - now >= evictAfterMs && !this.#isBound(entry)) this.#evict(entry, wakeAt);
    }
  }

  #wakeAt(entry: RunEntry): number {
    let wakeAt = wakeNever;
    for (const at of this.#alarms.get(entry)?.values() ?? []) wakeAt = Math.min(wakeAt, at);
    return wakeAt;
  }

  /** What only this node's memory knows of it: a call whose run is being made, a wait without a row. */
  #isBound(entry: RunEntry): boolean {
    return hasOpenCall(entry) || this.#parts.waits.isBeginning(entry.identity.id);
  }

  /** All its waits have rows, with the next flush. Where many wait, it leaves memory at once. */
  onWaiting(entry: RunEntry): void {
    const { queued, running, retrying } = entry.run.counts;
    if (this.#waiting.size < waitingInMemoryMax || queued + running + retrying > 0) return;
    if (isLeaving(entry) || this.#parts.isWatched(entry.identity.id) || hasOpenCall(entry)) return;
    this.#evict(entry, this.#wakeAt(entry));
  }

  /** Lets a run out of memory that only waits, whoever looks at it; false for one that does not. */
  evict(entry: RunEntry): boolean {
    const { queued, running, waiting, retrying } = entry.run.counts;
    if (queued + running > 0 || waiting + retrying === 0 || this.#isBound(entry)) return false;
    this.#evict(entry, this.#wakeAt(entry));
    return true;
  }

  #evict(entry: RunEntry, wakeAt: number): void {
    const { commit } = this.#parts;
    if (entry.eviction?.wakeAt === wakeAt) {
      if (entry.eviction.isStored) this.#leave(entry, wakeAt);
      return;
    }
    const eviction = { wakeAt, isStored: false };
    entry.eviction = eviction;
    commit.markRun(entry);
    commit.afterCommit(() => {
      // A step that came meanwhile has taken it back.
      if (entry.eviction === eviction && this.#runs.get(entry.identity.id) === entry)
        this.#leave(entry, wakeAt);
    });
  }

  #leave(entry: RunEntry, wakeAt: number): void {
    this.#forget(entry);
    const { workspace, id, shard } = entry.identity;
    this.#parts.onEvicted({ workspace, id, shard, wakeAt });
  }

  /** Records the output of this task run under `key` when it succeeds. */
  noteCacheKey(taskRun: TaskRun, key: string): void {
    this.#cacheKeys.set(taskRun, key);
  }

  /** A run that was never made is let go of, with what it holds unless another node has a run of this name. */
  discard(entry: RunEntry, keepsLimits: boolean): void {
    const { commit, dispatcher, readiness } = this.#parts;
    commit.forget(entry);
    this.#parts.events.forget(entry.identity.id);
    const { assetReads } = commit.batch;
    for (let at = assetReads.length - 1; at >= 0; at -= 1)
      if (assetReads[at]!.runId === entry.identity.id) assetReads.splice(at, 1);
    for (const worker of dispatcher.workers.values()) {
      for (const { token, own } of worker.busy.values()) {
        if (own?.entry !== entry) continue;
        dispatcher.free(token);
        if (!keepsLimits) readiness.release(entry, own.taskRun, token.dispatch);
      }
    }
    if (keepsLimits) for (const task of entry.ready.values()) readiness.letGo(task);
    this.#forget(entry);
  }

  /** H2: quarantines a run that the engine can't step or the database can't take. */
  setAside(entry: RunEntry, error: unknown): void {
    if (this.#runs.get(entry.identity.id) !== entry) return;
    const { commit, log, dispatcher } = this.#parts;
    const text = error instanceof Error ? error.message : String(error);
    log.error({ run: entry.identity.id, err: error }, "a run broke its engine and is quarantined");
    commit.forget(entry);
    for (const worker of dispatcher.workers.values()) {
      for (const busy of worker.busy.values()) {
        if (busy.own?.entry !== entry) continue;
        dispatcher.cancel(worker, busy.token, text);
        dispatcher.free(busy.token);
        this.#parts.readiness.release(entry, busy.own.taskRun, busy.token.dispatch);
      }
    }
    entry.eviction = undefined;
    entry.run.state = "quarantined";
    entry.run.reason = { code: "MILLRACE_RUN_QUARANTINED", message: `The engine broke on this run: ${text}` };
    commit.markRun(entry);
    this.#ended(entry);
  }

  #apply(entry: RunEntry, effect: RunEffect): void {
    const { commit, dispatcher, readiness } = this.#parts;
    switch (effect.kind) {
      case "task_run":
        commit.markTaskRun(entry, effect.taskRun);
        this.#recordForCache(entry, effect.taskRun);
        this.#parts.publish(entry, effect.taskRun);
        this.#tellNode(entry, effect.taskRun);
        return;
      case "attempt": {
        const { taskRun, ...record } = effect.record;
        const { workspace, id } = entry.identity;
        commit.batch.attempts.push({
          ...record,
          workspace,
          runId: id,
          node: taskRun.node.definition.id,
          item: taskRun.item,
        });
        return;
      }
      case "ready":
        return readiness.prepare(entry, effect.taskRun);
      case "unready": {
        const task = entry.ready.get(effect.taskRun);
        if (task) readiness.withdraw(task);
        return;
      }
      case "send":
        // Whoever asked for this step has the message and sends it.
        commit.batch.assetReads.push(...readsOf(entry, effect.taskRun, this.#parts.assets));
        return;
      case "revoke": {
        const token = tokenOf(entry.identity.id, effect.taskRun, effect.dispatch);
        const worker = dispatcher.workerOf(token);
        if (worker) dispatcher.cancel(worker, token, effect.reason);
        else if (this.#parts.distant.has(token))
          this.#parts.revokeDistant(effect.worker, token, effect.reason);
        return;
      }
      case "released": {
        const token = tokenOf(entry.identity.id, effect.taskRun, effect.dispatch);
        dispatcher.free(token);
        this.#parts.distant.take(token);
        readiness.release(entry, effect.taskRun, effect.dispatch);
        commit.request();
        return;
      }
      case "emitted": {
        const { lane, workspace } = entry.identity;
        const row = { lane, workspace, dataText: undefined, runId: entry.identity.id };
        const causes = causesOf(entry.identity);
        const rows = [
          ...effect.events.map((event) => ({
            ...event,
            ...row,
            invalid: this.#parts.eventTypes.invalidOf(event),
          })),
          ...toldEntries(entry, effect, { assets: this.#parts.assets, now: this.#parts.clock.now() }),
        ];
        return this.#parts.events.emit(
          rows.map((event) => ({ ...event, extensions: { ...event.extensions, ...causes } })),
        );
      }
      case "retry_at":
        return this.#alarm(entry, effect.at, () => {
          const { node, item, generation } = effect.taskRun;
          this.step(entry, { kind: "retry_due", node: node.definition.id, item, generation });
        });
      case "deadline_at":
        return this.#alarm(entry, effect.at, () => this.step(entry, { kind: "deadline" }));
      case "call":
        return this.#parts.startChild(entry, effect.taskRun);
      case "wait":
        return this.#parts.waits.begin(entry, effect.taskRun, effect.wait, effect.isAgain);
      case "unwait":
        return this.#parts.waits.end(entry, effect.taskRun, effect.wait);
      case "record":
        return this.#record(entry, effect.taskRun, effect.record);
      case "code":
        return this.#saveCode(entry, effect.taskRun);
      case "cancel_child":
        return this.#parts.cancelChild(
          effect.childRunId,
          entry.run.cancel?.reason ?? { code: "cancelled", message: "Its caller was cancelled." },
          effect.force,
        );
      case "run":
        commit.markRun(entry);
        this.#parts.publish(entry, undefined);
        return;
      case "ended":
        return this.#ended(entry);
      default:
        return unreachable(effect);
    }
  }

  #record(entry: RunEntry, taskRun: TaskRun, record: StepRecord): void {
    const { commit, clock } = this.#parts;
    putStep(commit.batch, {
      ...record,
      ...nameOf(entry, taskRun),
      generation: taskRun.generation,
      attempt: taskRun.attempt,
      dispatch: taskRun.dispatch,
      recordedAt: clock.now(),
    });
    commit.request();
  }

  #saveCode(entry: RunEntry, taskRun: TaskRun): void {
    const { commit } = this.#parts;
    if (!taskRun.code) return;
    this.#coded.add(entry);
    putCode(commit.batch, { ...nameOf(entry, taskRun), code: codeRecordOf(taskRun.code) });
    commit.request();
  }

  /** That a node succeeded is told where a condition names it, but not of what a rerun kept. */
  #tellNode(entry: RunEntry, taskRun: TaskRun): void {
    const { asks, events } = this.#parts;
    if (taskRun.state === "failed") events.emit([nodeFailed(entry, taskRun)]);
    if (taskRun.state !== "succeeded" || taskRun.carried || !asks.mayWant(nodeSucceededType)) return;
    const subject = `${entry.identity.pipeline}/${taskRun.node.definition.id}`;
    if (asks.wants(nodeSucceededType, subject)) events.emit([nodeSucceeded(entry, taskRun)]);
  }

  #recordForCache(entry: RunEntry, taskRun: TaskRun): void {
    const key = this.#cacheKeys.get(taskRun);
    const { cache } = taskRun.node.definition.options;
    if (key === undefined || !cache || taskRun.state !== "succeeded" || !taskRun.output) return;
    this.#cacheKeys.delete(taskRun);
    const recordedAt = this.#parts.clock.now();
    const expiresAt = cache.expiryMs === undefined ? undefined : recordedAt + cache.expiryMs;
    const rows = this.#parts.commit.batch.cached;
    const same = rows.findIndex((row) => row.key === key && row.workspace === entry.identity.workspace);
    if (same >= 0) rows.splice(same, 1);
    rows.push({ workspace: entry.identity.workspace, key, output: taskRun.output, recordedAt, expiresAt });
  }

  #alarm(entry: RunEntry, at: number, callback: () => void): void {
    const alarms = this.#alarms.get(entry) ?? new Map<Alarm, number>();
    this.#alarms.set(entry, alarms);
    const alarm = this.#parts.alarms.set(at, () => {
      alarms.delete(alarm);
      if (this.#runs.get(entry.identity.id) === entry) callback();
    });
    alarms.set(alarm, at);
  }

  /** It has ended, or is quarantined: its caller waits no longer. */
  #ended(entry: RunEntry): void {
    const { identity, run } = entry;
    const isAsked = identity.isGated || this.#parts.asks.wants(runSucceeded, identity.pipeline);
    if (run.state !== "succeeded" || isAsked) this.#parts.events.emit([runEnded(entry)]);
    if (this.#coded.delete(entry))
      this.#parts.commit.batch.codesGone.push({ workspace: identity.workspace, id: identity.id });
    this.#forget(entry);
    if (identity.parent) {
      this.#parts.tellParent(identity.parent, {
        kind: "child_ended",
        token: parentToken(identity.parent),
        wait: identity.parent.wait,
        childRunId: identity.id,
        state: run.state,
        output: run.output ?? { value: null },
        reason: run.reason,
        random: this.#parts.random(),
      });
    }
    this.#parts.onRunEnded(entry);
  }
}

function entryOf({ identity }: NewRun, run: Run, row: StoredRow): RunEntry {
  const { wakeAt } = identity;
  return {
    identity,
    run,
    row,
    storedRows: row === "none" ? 0 : undefined,
    eviction: wakeAt === undefined ? undefined : { wakeAt, isStored: true },
    waits: undefined,
    ready: new Map(),
  };
}

function isLeaving({ eviction }: RunEntry): boolean {
  return eviction?.isStored === false;
}

/** Nothing that has rows came of it. */
function isBackAlone({ kind }: RunMessage, effects: readonly RunEffect[]): boolean {
  return (
    kind === "resume" && effects.every((effect) => ["wait", "retry_at", "deadline_at"].includes(effect.kind))
  );
}

/** A call whose run is being made: only this node's memory knows of it. */
function hasOpenCall(entry: RunEntry): boolean {
  for (const { state, childRunId, node, code } of taskRunsBelow(entry.run.root)) {
    if (state === "waiting" && node.definition.kind === "call" && childRunId === undefined) return true;
    for (const wait of code?.open.values() ?? [])
      if (wait.op.kind === "call" && wait.childRunId === undefined) return true;
  }
  return false;
}

function nameOf(
  { identity }: RunEntry,
  { node, item }: TaskRun,
): { readonly workspace: number; readonly runId: string; readonly node: string; readonly item: string } {
  return { workspace: identity.workspace, runId: identity.id, node: node.definition.id, item };
}
