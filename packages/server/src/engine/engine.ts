/**
 * The engine of one server node: owns the wiring of its modules and the commands that come from outside.
 *
 * Who owns what: `Membership` the lease and the shards, `RunHost` the runs in memory, `Admission` the names of queued
 * runs, `LimitHost` the shared limits, `Readiness` and `Dispatcher` what is between ready and running, `WorkerHub` the
 * workers, `GroupCommit` the only way into the database. What a crash of each does stands in `docs/design/engine.md`.
 *
 * N4: what a command answers was committed before.
 */
import {
  callDepthMax,
  MillraceError,
  type AttemptError,
  type Graph,
  type Json,
  type Reason,
  type RunMessage,
  type StoredValue,
  type TaskRun,
} from "@millrace/core";
import { type LiveRun, type QueuedRun, type RunParent, type TaskRunRow } from "@millrace/store";
import { Admission, activeRunsKey } from "./admission.ts";
import { Alarms } from "./alarms.ts";
import { DatabaseClock } from "./clock.ts";
import { Definitions, type ActivePipeline } from "./definitions.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { EngineParts } from "./engine-parts.ts";
import { GroupCommit } from "./group-commit.ts";
import type { InboxContent } from "./inbox-message.ts";
import { LimitHost } from "./limit-host.ts";
import { activeRunsMax, backlogMax, cancelGraceMs, inboxPageMax } from "./limits.ts";
import { Membership } from "./membership.ts";
import { Readiness } from "./readiness.ts";
import type { RunEntry } from "./run-entry.ts";
import { RunHost } from "./run-host.ts";
import { newRunId } from "./run-id.ts";
import { RunWatchers } from "./run-watchers.ts";
import { tokenOf } from "./task-input.ts";
import { Values } from "./values.ts";
import { WorkerHub } from "./worker-hub.ts";

export const workspaceId = 1;

export interface StartRun {
  readonly pipeline: ActivePipeline;
  readonly params: Json;
  readonly labels: { readonly [name: string]: string };
  readonly idempotencyKey?: string;
}

export interface StartedRun {
  readonly run: LiveRun;
  readonly created: boolean;
}

export interface Rerun {
  readonly identity: LiveRun;
  readonly graph: Graph;
  readonly kept: readonly TaskRunRow[];
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: DatabaseClock;
  readonly #alarms: Alarms;
  readonly #admission = new Admission();
  readonly #membership: Membership;
  readonly definitions: Definitions;
  readonly values: Values;
  readonly watchers = new RunWatchers();
  readonly #parts: EngineParts;
  readonly hub: WorkerHub;
  #commit!: GroupCommit;
  #wakes: { stop(): Promise<void> } | undefined;
  #readingInbox: Promise<void> | undefined;
  #inboxAgain = false;
  readonly #takenMessages = new Set<number>();
  readonly #binding = new Map<string, Promise<StartedRun>>();
  readonly #pools = new Map<string, number>();
  #state: "starting" | "ready" | "stopping" | "stopped" = "starting";
  #storeTrouble = false;
  /** Queued runs that are being loaded to begin. */
  #beginning = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = new DatabaseClock(options.clock);
    this.#alarms = new Alarms(options.clock, this.#clock);
    this.definitions = new Definitions(options.definitions);
    this.values = new Values(options.blobs);
    this.#membership = new Membership({
      store: options.store,
      clock: options.clock,
      database: this.#clock,
      log: options.log,
      node: { name: options.name, url: options.url, version: options.version },
      onClaimed: (shards) => this.#loadShards(shards),
      onRelease: (shards) => this.#releaseShards(shards),
      onLost: () => this.#onFenced(),
      onTick: () => this.#tick(),
    });
    this.#parts = this.#wire();
    this.hub = new WorkerHub(this.#parts, options.clock);
  }

  #wire(): EngineParts {
    const { store, random, log } = this.#options;
    const current = (): GroupCommit => this.#commit;
    const parts = {
      store,
      clock: this.#clock,
      random,
      log,
      definitions: this.definitions,
      values: this.values,
      alarms: this.#alarms,
      get commit() {
        return current();
      },
      poolSlots: (_run: LiveRun, pool: string) => this.#pools.get(pool) ?? 1,
      publish: (entry: RunEntry, taskRun: TaskRun | undefined) => this.#publish(entry, taskRun),
      startChild: (entry: RunEntry, taskRun: TaskRun) => this.#startChild(entry, taskRun),
      cancelChild: (childRunId: string, reason: Reason) =>
        this.#own(
          this.tellRun(childRunId, { kind: "cancel", by: "parent", reason }),
          "a called run could not be cancelled",
        ),
      tellParent: (parent: RunParent, message: RunMessage) => this.#tellParent(parent, message),
      onRunEnded: (entry: RunEntry) => this.#onRunEnded(entry),
    };
    const wired = parts as typeof parts & {
      -readonly [key in "dispatcher" | "limits" | "runs" | "readiness"]: EngineParts[key];
    };
    wired.dispatcher = new Dispatcher({
      dispatch: (task, worker, ahead) => wired.readiness.dispatch(task, worker, ahead),
      afterCommit: (callback) => this.#commit.afterCommit(callback),
      cancelGraceMs,
    });
    wired.limits = new LimitHost({
      owns: (shard) => this.#membership.owns(shard),
      batch: () => this.#commit.batch,
      request: () => this.#commit.request(),
      send: (shard, message) => this.#send(shard, message),
      onGranted: (key, holder) => this.#onGranted(key.kind, key, holder),
    });
    wired.runs = new RunHost(wired);
    wired.readiness = new Readiness(wired);
    return wired;
  }

  // --- life ---------------------------------------------------------------------------------------------------------

  /** Registers, takes shards, puts what stands in them under way. */
  async start(): Promise<void> {
    await this.#membership.register();
    this.#commit = new GroupCommit({
      store: this.#options.store,
      nodeId: this.#membership.nodeId,
      clock: this.#options.clock,
      beforeFlush: () => this.#beforeFlush(),
      onFenced: () => this.#onFenced(),
      onPoison: (entries, error) => {
        for (const entry of entries) this.#setAsideAfterRefusal(entry, error);
      },
      onStoreTrouble: (error) => this.#onStoreTrouble(error),
    });
    this.#wakes = await this.#options.store.onWake((shards) => this.#onWake(shards));
    await this.#membership.join();
    this.#state = "ready";
    this.#readInbox();
  }

  /** Hands over: nothing new begins, decisions are committed, shards are free at once. */
  async stop(): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    await this.#wakes?.stop();
    this.hub.closeAll();
    if (!this.#storeTrouble) await this.#membership.leave();
    else this.#membership.abandon();
    this.#end();
  }

  /** Stops at once and tells nobody, as a crash would: for tests, and when the lease is lost. */
  abandon(): void {
    this.#membership.abandon();
    this.#own(this.#wakes?.stop() ?? Promise.resolve(), "the listener did not stop");
    this.hub.closeAll();
    this.#end();
  }

  #end(): void {
    this.#state = "stopped";
    this.#commit.stop();
    this.#alarms.stop();
  }

  #onFenced(): void {
    if (this.#state === "stopped") return;
    this.#options.log.error({ node: this.#membership.nodeId }, "this server lost its lease and starts again");
    this.abandon();
    this.#options.onFenced?.();
  }

  #onStoreTrouble(error: unknown): void {
    if (error === undefined && this.#storeTrouble) this.#options.log.info({}, "the database answers again");
    if (error !== undefined && !this.#storeTrouble)
      this.#options.log.warn({ err: error }, "the database does not take a flush; trying again");
    this.#storeTrouble = error !== undefined;
  }

  get info(): {
    readonly nodeId: number;
    readonly state: "starting" | "ready" | "stopping" | "database_lost";
    readonly shards: number;
    readonly activeRuns: number;
    readonly queuedRuns: number;
  } {
    const state = this.#state === "stopped" ? "stopping" : this.#state;
    return {
      nodeId: this.#membership.nodeId,
      state: this.#storeTrouble && state === "ready" ? "database_lost" : state,
      shards: this.#membership.shards.size,
      activeRuns: this.#parts.runs.size,
      queuedRuns: this.#admission.size,
    };
  }

  /** The node's estimate of database time, in ms since 1970. */
  now(): number {
    return this.#clock.now();
  }

  newRunId(): string {
    return newRunId(this.#clock.now(), this.#options.random);
  }

  // --- commands -----------------------------------------------------------------------------------------------------

  /** Makes a run; resolves when it is committed. Throws MILLRACE_OVERLOADED beyond the engine's bounds. */
  async startRun(request: StartRun): Promise<StartedRun> {
    this.#requireRoom();
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return this.#createRun(request, this.newRunId());
    const known = this.#binding.get(idempotencyKey);
    if (known) return { ...(await known), created: false };
    const started = this.#startBoundRun(request, idempotencyKey);
    this.#binding.set(idempotencyKey, started);
    try {
      return await started;
    } finally {
      this.#binding.delete(idempotencyKey);
    }
  }

  async #startBoundRun(request: StartRun, key: string): Promise<StartedRun> {
    const { store } = this.#options;
    const fresh = this.newRunId();
    const id = await store.bindIdempotencyKey(workspaceId, key, fresh, this.#clock.now());
    if (id !== fresh) {
      const known = await this.findRun(id);
      if (known) return { run: known, created: false };
    }
    return this.#createRun(request, id);
  }

  /** A run's own row, live or ended, as the store has it. Set by the server, which reads history. */
  findRun: (id: string) => Promise<LiveRun | undefined> = async (id) =>
    (await this.#options.store.loadRun({ workspace: workspaceId, id }))?.run;

  #requireRoom(): void {
    if (this.#state !== "ready")
      throw new MillraceError("MILLRACE_OVERLOADED", { message: "The server is not ready to take runs." });
    if (this.#commit.backlog > backlogMax)
      throw new MillraceError("MILLRACE_OVERLOADED", {
        message: "Too many decisions wait for the database.",
      });
    this.#admission.requireRoom();
  }

  #createRun(request: StartRun, id: string): Promise<StartedRun> {
    const stored: StoredValue = { value: request.params };
    const identity = this.#identityOf(request.pipeline, {
      id,
      params: stored,
      labels: request.labels,
      depth: 0,
      parent: undefined,
    });
    this.#enter(identity, request.pipeline.definition.maxActiveRuns, () =>
      this.definitions.graphOf(request.pipeline),
    );
    return new Promise((resolve) =>
      this.#commit.afterCommit(() => resolve({ run: this.#rowOf(identity), created: true })),
    );
  }

  #identityOf(
    pipeline: ActivePipeline,
    parts: Pick<LiveRun, "id" | "params" | "labels" | "depth" | "parent">,
  ): LiveRun {
    return {
      ...parts,
      workspace: workspaceId,
      lane: "live",
      shard: this.#ownShard(),
      pipeline: pipeline.definition.name,
      project: pipeline.project,
      bundle: pipeline.bundle,
      generation: 1,
      state: "queued",
      reason: undefined,
      cancel: undefined,
      createdAt: this.#clock.now(),
      startedAt: undefined,
    };
  }

  #ownShard(): number {
    const shards = [...this.#membership.shards];
    if (shards.length === 0)
      throw new MillraceError("MILLRACE_OVERLOADED", { message: "The server holds no shard yet." });
    return shards[Math.floor(this.#options.random() * shards.length)]!;
  }

  /** Begins a new run at once if it may, else queues it. */
  #enter(identity: LiveRun, maxActiveRuns: number | undefined, graph: () => Graph): void {
    const limit = this.#options.activeRunsMax ?? activeRunsMax;
    if (maxActiveRuns === undefined && this.#parts.runs.size < limit && this.#admission.size === 0) {
      this.#parts.runs.begin({ identity, graph: graph() });
      return;
    }
    this.#commit.batch.runsCreated.push(identity);
    this.#commit.request();
    this.#queue(identity, maxActiveRuns);
  }

  #queue(run: QueuedRun, maxActiveRuns: number | undefined): void {
    if (maxActiveRuns === undefined) {
      this.#admission.add(run);
      this.#commit.request();
      return;
    }
    this.#admission.addLimited(run);
    this.#parts.limits.ask(
      activeRunsKey(run.workspace, run.pipeline),
      { holder: run.id, runId: run.id, slots: 1, rank: run.createdAt, replyShard: run.shard },
      maxActiveRuns,
    );
  }

  #rowOf(identity: LiveRun): LiveRun {
    const entry = this.#parts.runs.get(identity.id);
    return entry
      ? { ...identity, state: entry.run.state, reason: entry.run.reason, startedAt: entry.run.startedAt }
      : identity;
  }

  /** The next generation of a run that has ended; its kept rows are part of the same flush. */
  async rerun(rerun: Rerun): Promise<void> {
    this.#requireRoom();
    const identity = {
      ...rerun.identity,
      shard: this.#ownShard(),
      state: "running" as const,
      startedAt: this.#clock.now(),
    };
    this.#commit.batch.runsCreated.push(identity);
    this.#commit.batch.taskRuns.push(...rerun.kept);
    this.#parts.runs.restore({ identity, graph: rerun.graph }, rerun.kept);
    await this.#committed();
  }

  /** Sends a command to a run, wherever it is; false when no such run is live. Resolves once it is durable. */
  async tellRun(runId: string, message: Extract<InboxContent, { kind: "run" }>["message"]): Promise<boolean> {
    const entry = this.#parts.runs.get(runId);
    if (entry) {
      this.#parts.runs.step(entry, message);
      await this.#committed();
      return true;
    }
    return this.#options.store.sendToRun({ workspace: workspaceId, id: runId }, {
      kind: "run",
      runId,
      message,
    } as unknown as Json);
  }

  /** A run in this node's memory. */
  entry(runId: string): RunEntry | undefined {
    return this.#parts.runs.get(runId);
  }

  /** An operator's number of slots. */
  async setPool(name: string, slots: number): Promise<void> {
    this.#parts.limits.setSlots({ workspace: workspaceId, kind: "pool", name }, slots);
    await this.#committed();
  }

  /** Slots of pools by configuration; operators' numbers win. */
  setConfiguredPools(pools: ReadonlyMap<string, number>): void {
    this.#pools.clear();
    for (const [name, slots] of pools) this.#pools.set(name, slots);
  }

  #committed(): Promise<void> {
    return this.#commit.drained();
  }

  // --- calls between runs -------------------------------------------------------------------------------------------

  #startChild(entry: RunEntry, taskRun: TaskRun): void {
    const token = tokenOf(entry.identity.id, taskRun);
    void this.#createChild(entry, taskRun).catch((error: unknown) => {
      this.#parts.runs.step(entry, { kind: "call_failed", token, error: callError(error) });
    });
  }

  async #createChild(entry: RunEntry, taskRun: TaskRun): Promise<void> {
    const token = tokenOf(entry.identity.id, taskRun);
    const { calls, input } = taskRun.node.definition;
    const name = calls ?? "";
    const depth = entry.identity.depth + 1;
    if (depth > callDepthMax) {
      throw new MillraceError("MILLRACE_CALL_DEPTH", {
        message: `"${name}" would be called ${depth} levels deep; ${callDepthMax} are allowed.`,
      });
    }
    const pipeline =
      this.definitions.known(workspaceId, name) ?? (await this.definitions.active(workspaceId, name));
    if (!pipeline)
      throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
        message: `The pipeline "${name}" that is called does not exist.`,
      });
    const params = await this.values.store(await this.#parts.readiness.resolve(entry, taskRun, input));
    if (
      taskRun.state !== "waiting" ||
      taskRun.dispatch !== token.dispatch ||
      this.#parts.runs.get(entry.identity.id) !== entry
    )
      return;
    if (taskRun.revoked) {
      this.#parts.runs.step(entry, { kind: "result", token, outcome: { kind: "cancelled" }, random: 0 });
      return;
    }
    const { item, generation, dispatch } = token;
    const parent = {
      runId: entry.identity.id,
      shard: entry.identity.shard,
      node: token.node,
      item,
      generation,
      dispatch,
    };
    const identity = this.#identityOf(pipeline, {
      id: this.newRunId(),
      params,
      labels: entry.identity.labels,
      depth,
      parent,
    });
    this.#parts.runs.step(entry, { kind: "call_started", token, childRunId: identity.id });
    this.#enter(identity, pipeline.definition.maxActiveRuns, () => this.definitions.graphOf(pipeline));
  }

  /** Told in the same flush that ends the child: in memory when the parent is here, else through the inbox. */
  #tellParent(parent: RunParent, message: RunMessage): void {
    const entry = this.#parts.runs.get(parent.runId);
    if (!entry) {
      this.#send(parent.shard, { kind: "run", runId: parent.runId, message } as InboxContent);
      return;
    }
    if (message.kind === "child_ended" && message.output.blob !== undefined) {
      void this.values.loaded(message.output).then(
        (output) => this.#parts.runs.step(entry, { ...message, output }),
        (error: unknown) => this.#parts.runs.setAside(entry, error),
      );
      return;
    }
    this.#parts.runs.step(entry, message);
  }

  #onRunEnded(entry: RunEntry): void {
    const { identity } = entry;
    if (entry.run.graph.definition.maxActiveRuns !== undefined) {
      this.#parts.limits.release(activeRunsKey(identity.workspace, identity.pipeline), identity.id);
    }
    this.#commit.request();
  }

  #onGranted(
    kind: string,
    key: { workspace: number; kind: "pool" | "key" | "pipeline"; name: string },
    holder: string,
  ): void {
    if (kind !== "pipeline") this.#parts.readiness.granted(key, holder);
    else if (!this.#admission.granted(holder) && !this.#parts.runs.get(holder))
      this.#parts.limits.release(key, holder);
    this.#commit.request();
  }

  // --- flushes ------------------------------------------------------------------------------------------------------

  #beforeFlush(): void {
    this.#admit();
    this.#parts.dispatcher.pump();
    this.#parts.dispatcher.sealOutgoing();
  }

  /** Begins queued runs while there is room. */
  #admit(): void {
    const limit = this.#options.activeRunsMax ?? activeRunsMax;
    while (this.#parts.runs.size + this.#beginning < limit) {
      const next = this.#admission.next();
      if (!next) return;
      this.#beginning += 1;
      void this.#beginQueued(next)
        .catch((error: unknown) =>
          this.#options.log.error({ run: next.id, err: error }, "a queued run could not begin"),
        )
        .finally(() => {
          this.#beginning -= 1;
          this.#commit.request();
        });
    }
  }

  async #beginQueued(queued: QueuedRun): Promise<void> {
    const loaded = await this.#options.store.loadRun(queued);
    if (!loaded || loaded.run.state !== "queued" || !this.#membership.owns(queued.shard)) return;
    await this.#putUnderWay(loaded.run, loaded.taskRuns);
  }

  async #putUnderWay(run: LiveRun, taskRuns: readonly TaskRunRow[]): Promise<void> {
    const graph = await this.definitions.graph(run.workspace, run.bundle, run.pipeline);
    if (!graph)
      throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
        message: `The run ${run.id} needs the bundle ${run.bundle}, which is gone.`,
      });
    const rows = await Promise.all(taskRuns.map((row) => this.#withOutput(graph, row)));
    const params = run.params.blob === undefined ? run.params : await this.values.loaded(run.params);
    if (this.#parts.runs.get(run.id) || this.#state === "stopped") return;
    this.hub.adopt(this.#parts.runs.restore({ identity: { ...run, params }, graph }, rows));
  }

  /** The machine reads outputs of structural nodes itself, so they must be at hand. */
  async #withOutput(graph: Graph, row: TaskRunRow): Promise<TaskRunRow> {
    if (row.output?.blob === undefined || !graph.byId.get(row.node)?.structural) return row;
    return { ...row, output: await this.values.loaded(row.output) };
  }

  #setAsideAfterRefusal(entry: RunEntry, error: unknown): void {
    this.#parts.runs.setAside(entry, error);
  }

  #publish(entry: RunEntry, taskRun: TaskRun | undefined): void {
    if (!this.watchers.watched(entry.identity.id)) return;
    this.#commit.afterCommit(() => this.watchers.tell(entry, taskRun));
  }

  // --- shards and inbox ---------------------------------------------------------------------------------------------

  async #loadShards(shards: readonly number[]): Promise<() => void> {
    const { store } = this.#options;
    const loaded = await store.loadShards(shards);
    const queued: QueuedRun[] = [];
    for (let after = ""; ;) {
      const page = await store.loadQueuedRuns(shards, after, 10_000);
      queued.push(...page);
      if (page.length < 10_000) break;
      after = page.at(-1)!.id;
    }
    const taskRunsOf = Map.groupBy(loaded.taskRuns, (row) => row.runId);
    return () => {
      this.#parts.limits.restore(loaded);
      for (const run of loaded.runs) {
        this.#own(this.#putUnderWay(run, taskRunsOf.get(run.id) ?? []), "a run could not be taken over");
      }
      for (const run of queued) this.#own(this.#requeue(run), "a queued run could not be taken over");
      this.#readInbox();
    };
  }

  async #requeue(run: QueuedRun): Promise<void> {
    const active =
      this.definitions.known(run.workspace, run.pipeline) ??
      (await this.definitions.active(run.workspace, run.pipeline));
    if (!this.#admission.has(run.id) && !this.#parts.runs.get(run.id))
      this.#queue(run, active?.definition.maxActiveRuns);
  }

  async #releaseShards(shards: readonly number[]): Promise<void> {
    const gone = new Set(shards);
    await this.#readingInbox;
    const dropped = this.#parts.runs.drop(gone);
    this.#admission.drop(gone);
    this.hub.forget(dropped);
    await this.#committed();
    this.#parts.limits.drop(gone);
  }

  #send(shard: number, message: InboxContent): void {
    this.#commit.batch.messagesSent.push({ shard, message: message as unknown as Json });
    this.#commit.request();
    this.#commit.afterCommit(() => {
      if (this.#membership.owns(shard)) this.#readInbox();
      else this.#own(this.#options.store.wake([shard]), "another server could not be woken");
    });
  }

  #onWake(shards: readonly number[] | "all"): void {
    if (this.#state !== "ready") return;
    if (shards === "all" || shards.some((shard) => this.#membership.owns(shard))) this.#readInbox();
    if (shards !== "all" && shards.some((shard) => !this.#membership.owns(shard))) this.#membership.hurry();
  }

  #readInbox(): void {
    if (this.#readingInbox) {
      this.#inboxAgain = true;
      return;
    }
    this.#readingInbox = this.#drainInbox()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, "the inbox could not be read"))
      .finally(() => {
        this.#readingInbox = undefined;
        if (!this.#inboxAgain) return;
        this.#inboxAgain = false;
        this.#readInbox();
      });
  }

  async #drainInbox(): Promise<void> {
    for (;;) {
      const shards = [...this.#membership.shards];
      if (shards.length === 0 || this.#state === "stopped") return;
      const rows = await this.#options.store.loadInbox(shards, inboxPageMax);
      const fresh = rows.filter(
        (row) => !this.#takenMessages.has(row.id) && this.#membership.owns(row.shard),
      );
      for (const row of fresh) {
        const done = await this.#receive(row.message as unknown as InboxContent);
        if (!done) continue;
        this.#takenMessages.add(row.id);
        this.#commit.batch.messagesTaken.push(row.id);
        this.#commit.request();
      }
      if (fresh.length === 0) return;
      await this.#committed();
      for (const row of fresh) this.#takenMessages.delete(row.id);
      if (rows.length < inboxPageMax) return;
    }
  }

  /** Takes one message; its deletion is part of the flush that carries what it caused. */
  async #receive(content: InboxContent): Promise<boolean> {
    if (content.kind === "queued") return true;
    if (content.kind !== "run") {
      this.#parts.limits.receive(content);
      return true;
    }
    const { runId, message } = content;
    if (this.#admission.remove(runId)) await this.#beginQueuedForCommand(runId);
    const entry = this.#parts.runs.get(runId);
    if (entry)
      this.#parts.runs.step(
        entry,
        message.kind === "child_ended"
          ? { ...message, output: await this.values.loaded(message.output) }
          : message,
      );
    return true;
  }

  /** A command to a run that is queued: it is loaded without being begun. */
  async #beginQueuedForCommand(runId: string): Promise<void> {
    const loaded = await this.#options.store.loadRun({ workspace: workspaceId, id: runId });
    if (loaded) await this.#putUnderWay(loaded.run, loaded.taskRuns);
  }

  #tick(): void {
    this.hub.checkOverdue();
    if (this.#commit.backlog > 0) this.#commit.request();
  }

  #own(work: Promise<unknown>, what: string): void {
    void work.catch((error: unknown) => this.#options.log.warn({ err: error }, what));
  }
}

function callError(error: unknown): AttemptError {
  if (error instanceof MillraceError)
    return { name: error.code, code: error.code, message: error.message, next: "fatal" };
  return { name: "CallError", message: error instanceof Error ? error.message : String(error) };
}
