/**
 * The engine of one server node: the wiring of its modules, its life, and the commands that come from outside.
 *
 * Who owns what: `Membership` the lease and the shards, `RunHost` the runs in memory, `RunEntrance` how runs come under
 * way (and, in `Admission`, the names of queued ones), `LimitHost` the shared limits, `Readiness`, `Dispatcher` and
 * `Offers` what is between ready and running, `WorkerHub` and `DistantDispatches` what runs, `Inbox` messages between
 * nodes, `EventLog` the log, `GroupCommit` the only way into the database. What a crash of each does stands in `docs/design/engine.md`.
 *
 * N4: what a command answers was committed before.
 */
import { errorCodeOf, type Json, type Reason, type RunMessage, type TaskRun } from "@millrace/core";
import { EventTypeBook } from "@millrace/protocol/event-type-book";
import type { DispatchToken } from "@millrace/protocol";
import type { LiveRun, RunParent, WaitingRun, WakeNews } from "@millrace/store";
import { activeRunHolder, activeRunsKey } from "./admission.ts";
import { Alarms } from "./alarms.ts";
import { AssetBook } from "./asset-book.ts";
import { Arrivals } from "./arrivals.ts";
import { DatabaseClock } from "./clock.ts";
import { Definitions } from "./definitions.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DistantDispatches } from "./distant-dispatches.ts";
import { EventLog, logShard } from "./event-log.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { EngineParts } from "./engine-parts.ts";
import { GrantReaper } from "./grant-reaper.ts";
import { Generations } from "./generations.ts";
import { GroupCommit, type RefusedRows } from "./group-commit.ts";
import type { MoveInboxMessage, RunInboxMessage } from "./inbox-message.ts";
import { Inbox } from "./inbox.ts";
import { LimitHost } from "./limit-host.ts";
import { activeRunsMax, cancelGraceMs } from "./limits.ts";
import { Membership } from "./membership.ts";
import { Offers } from "./offers.ts";
import { ProbeHost } from "./probe/probe-host.ts";
import { Readiness } from "./readiness.ts";
import type { RunEntry } from "./run-entry.ts";
import { RunAsks } from "./run-asks.ts";
import { RunCalls } from "./run-calls.ts";
import { Rehearsals } from "./rehearsals.ts";
import { RunMoves } from "./run-moves.ts";
import { RunEntrance, type StartedRun, type StartRun } from "./run-entrance.ts";
import { RunHost } from "./run-host.ts";
import { RunWatchers } from "./run-watchers.ts";
import { ShardHandover } from "./shard-handover.ts";
import { SourceHost } from "./source/source-host.ts";
import { FiringDesk } from "./trigger/firing-desk.ts";
import { Outbox } from "./trigger/outbox.ts";
import { TriggerHost } from "./trigger/trigger-host.ts";
import { Values } from "./values.ts";
import { WaitHost } from "./wait/wait-host.ts";
import { Wakes } from "./wakes.ts";
import { WorkerHub } from "./worker-hub.ts";
import { workspaceId } from "./workspace.ts";

export interface EngineInfo {
  readonly nodeId: number;
  readonly state: "starting" | "ready" | "stopping" | "database_lost";
  readonly shards: number;
  readonly activeRuns: number;
  readonly queuedRuns: number;
}

export class Engine {
  readonly definitions: Definitions;
  readonly values: Values;
  readonly assets = new AssetBook();
  readonly eventTypes = new EventTypeBook();
  readonly asks: RunAsks;
  readonly watchers: RunWatchers;
  readonly hub: WorkerHub;
  readonly rehearsals: Rehearsals;
  readonly triggers: TriggerHost;
  readonly outbox: Outbox;
  readonly sources: SourceHost;
  readonly generations: Generations;
  readonly #options: EngineOptions;
  readonly #clock: DatabaseClock;
  readonly #alarms: Alarms;
  readonly #membership: Membership;
  readonly #parts: EngineParts;
  readonly #arrivals: Arrivals;
  readonly #entrance: RunEntrance;
  readonly #calls: RunCalls;
  readonly #inbox: Inbox;
  readonly #wakes: Wakes;
  readonly #handover: ShardHandover;
  readonly #reaper: GrantReaper;
  readonly #pools = new Map<string, number>();
  #commit: GroupCommit | undefined;
  #listening: { stop(): Promise<void> } | undefined;
  #state: "starting" | "ready" | "stopping" | "stopped" = "starting";
  /** Why the database takes no flush. */
  #storeTrouble: unknown;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#clock = new DatabaseClock(options.clock);
    this.#alarms = new Alarms(options.clock, this.#clock);
    this.definitions = new Definitions(options.definitions);
    this.values = new Values(options.blobs);
    this.watchers = new RunWatchers(options.onRunChanged);
    this.asks = new RunAsks(
      () => options.definitions.runAsks(workspaceId),
      (type) => this.#parts.waits.wants(type),
    );
    this.#membership = this.#makeMembership();
    this.#parts = this.#wire();
    this.hub = new WorkerHub(this.#parts, options.clock);
    this.rehearsals = new Rehearsals(this.#parts);
    this.#arrivals = new Arrivals({
      parts: this.#parts,
      hub: () => this.hub,
      ownedShards: () => this.#membership.list(),
      isStopped: () => this.#state === "stopped",
    });
    this.#entrance = new RunEntrance({
      parts: this.#parts,
      arrivals: this.#arrivals,
      activeRunsMax: options.activeRunsMax ?? activeRunsMax,
      ownedShards: () => this.#membership.list(),
      isReady: () => this.#state === "ready",
      findRun: (id) => options.archive.findRun(id),
      send: (shard, message) => this.#inbox.send(shard, message),
    });
    this.generations = new Generations({
      archive: options.archive,
      definitions: this.definitions,
      values: this.values,
      now: () => this.#clock.now(),
      enter: (rerun) => this.#entrance.rerun(rerun),
    });
    this.#calls = new RunCalls({
      parts: this.#parts,
      entrance: () => this.#entrance,
      tellRun: (run, message) => this.tellRun(run, message),
      send: (shard, message) => this.#inbox.send(shard, message),
      checkParams: options.checkParams ?? ((_pipeline, params) => params),
    });
    const owns = (shard: number): boolean => this.#membership.owns(shard);
    this.outbox = new Outbox(this.#parts, owns, (shard, message) => this.#inbox.send(shard, message));
    this.#inbox = new Inbox({
      parts: this.#parts,
      membership: this.#membership,
      entrance: this.#entrance,
      outbox: this.outbox,
      hub: this.hub,
      moves: new RunMoves({
        parts: this.#parts,
        arrivals: this.#arrivals,
        entrance: () => this.#entrance,
      }),
    });
    this.triggers = new TriggerHost(
      this.#parts,
      new FiringDesk({
        parts: this.#parts,
        entrance: () => this.#entrance,
        checkParams: options.checkParams ?? ((_pipeline, params) => params),
      }),
      options.triggerBounds,
    );
    this.sources = new SourceHost({
      parts: this.#parts,
      clock: options.clock,
      owns,
      outbox: this.outbox,
      desk: options.sources,
    });
    this.#wakes = new Wakes({
      parts: this.#parts,
      ownedShards: () => this.#membership.list(),
      recall: (run) => this.#entrance.wake(run),
    });
    this.#handover = new ShardHandover({
      parts: this.#parts,
      entrance: this.#entrance,
      inbox: this.#inbox,
      wakes: this.#wakes,
      triggers: this.triggers,
      sources: this.sources,
      outbox: this.outbox,
      hub: this.hub,
    });
    const isHere = (runId: string): boolean =>
      this.#entrance.knows(runId) || this.#arrivals.of(runId) !== undefined;
    this.#reaper = new GrantReaper(this.#parts, isHere);
  }

  #makeMembership(): Membership {
    const { store, clock, log, name, url, version } = this.#options;
    return new Membership({
      store,
      clock,
      database: this.#clock,
      log,
      node: { name, url, version },
      onClaimed: (shards) => this.#handover.load(shards),
      onRelease: (shards) => this.#handover.release(shards),
      onLost: () => this.#onFenced(),
      onLeap: (from) => {
        if (this.#membership.owns(logShard)) this.triggers.leapt(from);
      },
      onTick: () => this.#tick(),
    });
  }

  #wire(): EngineParts {
    const { store, random, log, clock } = this.#options;
    const commit = (): GroupCommit => this.#committing();
    const parts = {
      store,
      clock: this.#clock,
      random,
      log,
      definitions: this.definitions,
      values: this.values,
      assets: this.assets,
      eventTypes: this.eventTypes,
      asks: this.asks,
      alarms: this.#alarms,
      get commit() {
        return commit();
      },
      nodeId: () => this.#membership.nodeId,
      poolSlots: (_run: LiveRun, pool: string) => this.#pools.get(pool) ?? 1,
      publish: (entry: RunEntry, taskRun: TaskRun | undefined) => this.watchers.tell(entry, taskRun),
      startChild: (entry: RunEntry, taskRun: TaskRun) => this.#calls.startChild(entry, taskRun),
      cancelChild: (childRunId: string, reason: Reason, force: boolean) =>
        this.#calls.cancelChild(childRunId, reason, force),
      revokeDistant: (workerId: string, token: DispatchToken, reason: string) =>
        this.#own(
          store.sendToWorker(workerId, { kind: "revoked", workerId, token, reason } as unknown as Json),
          "a distant dispatch was not revoked",
        ),
      tellParent: (parent: RunParent, message: RunMessage) => this.#calls.tellParent(parent, message),
      onRunEnded: (entry: RunEntry) => this.#onRunEnded(entry),
      onEvicted: (run: WaitingRun) => this.#wakes.note(run),
      isWatched: (runId: string) => this.watchers.isWatched(runId),
    };
    const wired = parts as typeof parts & {
      -readonly [
        key in
          | "events"
          | "dispatcher"
          | "limits"
          | "runs"
          | "readiness"
          | "offers"
          | "distant"
          | "waits"
          | "probes"
      ]: EngineParts[key];
    };
    wired.events = new EventLog({
      parts: wired,
      owns: (shard) => this.#membership.owns(shard),
      liveNodes: () => this.#membership.liveNodes,
      send: (shard, message) => this.#inbox.send(shard, message),
    });
    wired.dispatcher = new Dispatcher({
      dispatch: (task, workerId, ahead) => wired.readiness.dispatch(task, workerId, ahead),
      afterCommit: (callback) => commit().afterCommit(callback),
      cancelGraceMs,
    });
    wired.limits = new LimitHost({
      owns: (shard) => this.#membership.owns(shard),
      batch: () => commit().batch,
      request: () => commit().request(),
      send: (shard, message) => this.#inbox.send(shard, message),
      onGranted: (key, holder, runId) => this.#onGranted(key, holder, runId),
    });
    wired.offers = new Offers(wired, {
      liveNodes: () => this.#membership.liveNodes,
      nodeId: () => this.#membership.nodeId,
      replyShard: () => this.#membership.list()[0],
      send: (shard, message) => this.#inbox.send(shard, message),
    });
    wired.probes = new ProbeHost({
      parts: wired,
      owns: (shard) => this.#membership.owns(shard),
      liveNodes: () => this.#membership.liveNodes,
      send: (shard, message) => this.#inbox.send(shard, message),
      find: this.#options.probes,
    });
    wired.runs = new RunHost(wired);
    wired.readiness = new Readiness(wired);
    wired.distant = new DistantDispatches(wired, clock);
    wired.waits = new WaitHost({
      parts: wired,
      startCall: (entry, taskRun, wait) => this.#calls.startInCode(entry, taskRun, wait),
      recall: (run) => this.#entrance.wake({ ...run, wakeAt: 0 }),
      bringIn: (runs) => this.#entrance.bringIn(runs),
      arriving: (runId) => this.#arrivals.of(runId),
      shapeSweepMs: this.#options.shapeSweepMs,
    });
    return wired;
  }

  #committing(): GroupCommit {
    if (!this.#commit) throw new Error("invariant broken: nothing is decided before the engine started");
    return this.#commit;
  }

  // --- life ---------------------------------------------------------------------------------------------------------

  /** Registers, takes shards, puts what stands in them under way. */
  async start(): Promise<void> {
    await this.#membership.register();
    await this.asks.refresh();
    this.#commit = new GroupCommit({
      store: this.#options.store,
      nodeId: this.#membership.nodeId,
      clock: this.#options.clock,
      beforeFlush: () => this.#beforeFlush(),
      onFenced: () => this.#onFenced(),
      onLogChanged: (batch, change) => this.#parts.events.onFlushed(batch, change),
      onPoison: (refused, error) => this.#onRefused(refused, error),
      onStoreTrouble: (error) => this.#onStoreTrouble(error),
    });
    this.#listening = await this.#options.store.onWake((what) => this.#onWake(what));
    await this.#membership.join();
    this.#state = "ready";
    this.#inbox.read();
  }

  /** Hands over: nothing new begins, decisions are committed, shards are free at once. */
  async stop(): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    await this.#listening?.stop();
    this.hub.closeAll();
    if (this.#storeTrouble !== undefined) this.#membership.abandon();
    else await this.#leave();
    this.#end();
  }

  /** A node that was fenced meanwhile has nothing to hand over. */
  async #leave(): Promise<void> {
    try {
      await this.#membership.leave();
    } catch (error) {
      if (errorCodeOf(error) !== "MILLRACE_LEASE_LOST") throw error;
      this.#membership.abandon();
    }
  }

  /** Stops at once and tells nobody, as a crash would: when the lease is lost, and in tests. */
  abandon(): void {
    this.#membership.abandon();
    this.#own(this.#listening?.stop() ?? Promise.resolve(), "the listener did not stop");
    this.hub.closeAll();
    this.#end();
  }

  #end(): void {
    this.#state = "stopped";
    this.#commit?.stop();
    this.triggers.stop();
    this.#parts.waits.stop();
    this.#parts.probes.stop();
    this.sources.stop();
    this.outbox.stop();
    this.#parts.events.stop();
    this.#inbox.stop();
    this.#alarms.stop();
    this.#parts.distant.stop();
  }

  #onFenced(): void {
    if (this.#state === "stopped") return;
    this.#options.log.error({ node: this.#membership.nodeId }, "this server lost its lease and starts again");
    this.abandon();
    this.#options.onFenced?.();
  }

  /** Runs that have rows are quarantined; new ones never were. */
  #onRefused({ entries, batch }: RefusedRows, error: unknown): void {
    const { runs } = this.#parts;
    this.#options.log.warn({ err: error }, "the database refused rows of a flush");
    for (const entry of entries) if (entry.row !== "none") runs.setAside(entry, error);
    for (const run of batch.runsCreated) this.#entrance.refused(run, error);
  }

  #onStoreTrouble(error: unknown): void {
    const { log } = this.#options;
    if (error === undefined && this.#storeTrouble !== undefined)
      log.warn({}, "the database takes flushes again");
    if (error !== undefined && this.#storeTrouble === undefined) {
      log.warn({ err: error }, "the database does not take a flush; trying again");
    }
    this.#storeTrouble = error;
  }

  get storeTrouble(): unknown {
    return this.#storeTrouble;
  }

  get info(): EngineInfo {
    const state = this.#state === "stopped" ? "stopping" : this.#state;
    return {
      nodeId: this.#membership.nodeId,
      state: this.#storeTrouble !== undefined && state === "ready" ? "database_lost" : state,
      shards: this.#membership.shards.size,
      activeRuns: this.#parts.runs.size,
      queuedRuns: this.#entrance.admission.size,
    };
  }

  /** Servers with a lease, this one included. */
  get liveServers(): number {
    return this.#membership.liveNodes;
  }

  // --- commands -----------------------------------------------------------------------------------------------------

  /** Task runs that wait for a slot at this node. */
  get queues(): Pick<Dispatcher, "queued" | "waitingIn"> {
    return this.#parts.dispatcher;
  }

  /** The position up to which this node's triggers and waits were told the log; none where it has no shards. */
  get toldTo(): number | undefined {
    const positions = [this.triggers.toldTo, this.#parts.waits.toldTo].filter((at) => at !== undefined);
    return positions.length === 0 ? undefined : Math.min(...positions);
  }

  /** The event log, as it is seen from this node. */
  get events(): EventLog {
    return this.#parts.events;
  }

  /** The things that probes look at, on this node. */
  get probes(): ProbeHost {
    return this.#parts.probes;
  }

  /** The node's estimate of database time, in ms since 1970. */
  now(): number {
    return this.#clock.now();
  }

  newRunId(): string {
    return this.#entrance.newRunId();
  }

  /** Makes a run; resolves when it is committed. Throws MILLRACE_OVERLOADED beyond the engine's bounds. */
  startRun(request: StartRun): Promise<StartedRun> {
    return this.#entrance.start(request);
  }

  /**
   * Sends a command to a generation of a run, wherever it is; false when it is not live. Resolves once it is durable. A
   * command that arrives after the generation's end changes nothing, also when the next one has begun.
   */
  async tellRun(
    { runId, generation }: { readonly runId: string; readonly generation: number },
    message: RunInboxMessage["message"],
  ): Promise<boolean> {
    const entry = this.#parts.runs.get(runId);
    if (entry) {
      if (entry.identity.generation !== generation) return false;
      this.#parts.runs.step(entry, message);
      await this.committed();
      return true;
    }
    const content = { kind: "run", runId, generation, message } as unknown as Json;
    return this.#options.store.sendToRun({ workspace: workspaceId, id: runId, generation }, content);
  }

  /** Asks a run's owner to move it; false when that generation is not live. Whether it could, its row says. */
  async moveRun(message: Omit<MoveInboxMessage, "kind">): Promise<boolean> {
    const content = { kind: "move", ...message } as unknown as Json;
    const { runId: id, generation } = message;
    await this.committed();
    return this.#options.store.sendToRun({ workspace: workspaceId, id, generation }, content);
  }

  /** A run in this node's memory. */
  entry(runId: string): RunEntry | undefined {
    return this.#parts.runs.get(runId);
  }

  /** An operator's number of slots. */
  async setPool(name: string, slots: number): Promise<void> {
    this.#parts.limits.setSlots({ workspace: workspaceId, kind: "pool", name }, slots);
    await this.committed();
  }

  /** Slots of pools by configuration; operators' numbers win. */
  setConfiguredPools(pools: ReadonlyMap<string, number>): void {
    this.#pools.clear();
    for (const [name, slots] of pools) this.#pools.set(name, slots);
  }

  /** Resolves once everything decided so far is committed: what was read from memory may be shown then. */
  committed(): Promise<void> {
    return this.#committing().drained();
  }

  // --- what the modules tell each other -----------------------------------------------------------------------------

  #onRunEnded(entry: RunEntry): void {
    const { identity } = entry;
    if (entry.run.graph.definition.maxActiveRuns !== undefined) {
      this.#parts.limits.release(
        activeRunsKey(identity.workspace, identity.pipeline),
        activeRunHolder(identity),
      );
    }
    this.#committing().request();
  }

  #onGranted(key: Parameters<LimitHost["release"]>[0], holder: string, runId: string): void {
    // A run that is on its way here asks again by itself.
    if (this.#arrivals.of(runId) && !this.#entrance.knows(runId)) return;
    if (key.kind !== "pipeline") this.#parts.readiness.granted(key, holder, runId);
    else this.#own(this.#entrance.grantedActive(key, holder, runId), "a run's slot was not looked at");
    this.#committing().request();
  }

  #beforeFlush(): void {
    this.#entrance.admit();
    this.#parts.probes.looks.takeShare();
    this.#parts.dispatcher.pump();
    this.#parts.probes.looks.takeRest();
    this.#parts.offers.offerWaiting();
    this.#parts.offers.claim();
    this.#parts.dispatcher.sealOutgoing();
    this.#parts.events.seal();
  }

  #onWake(what: WakeNews): void {
    if (this.#state !== "ready") return;
    if (what === "all" || (what === "log" && !this.#membership.owns(logShard))) this.#parts.events.hear();
    if (what === "log") return;
    if (what === "offers" || what === "all") this.#parts.offers.announced();
    if (what === "offers") return;
    if (what === "all" || what.some((shard) => this.#membership.owns(shard))) this.#inbox.read();
    if (what !== "all" && what.some((shard) => !this.#membership.owns(shard))) this.#membership.hurry();
  }

  #tick(): void {
    this.hub.checkOverdue();
    this.#parts.offers.dropUnanswered();
    this.#parts.runs.evictIdle();
    this.#own(this.#reaper.reap(), "the holders of limits could not be looked at");
    if (this.#membership.liveNodes > 1 || this.#inbox.isBehind) this.#inbox.read();
    this.#parts.offers.announced();
    this.#parts.events.tick();
    this.outbox.tick();
    this.sources.tick();
    this.#parts.probes.tick();
    if (this.#committing().backlog > 0) this.#committing().request();
  }

  #own(work: Promise<unknown>, what: string): void {
    void work.catch((error: unknown) => this.#options.log.warn({ err: error }, what));
  }
}
