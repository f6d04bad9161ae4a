/**
 * The engine's store in memory, for the simulator: the semantics of PostgreSQL that the engine relies on, and nothing
 * else. It passes the same conformance suite.
 *
 * Owns the tables of one database, which any number of sessions (`connect`) share. Its clock is the database's.
 *
 * M1: a statement applies in one turn, wholly or not at all.
 * M2: a flush holds its node's row from its guard to its end; what wants that row (another flush, a fencing) waits, and
 *     then judges the row as it is.
 * M3: values are copied on the way in and out, so that nobody holds a piece of the database.
 */
import type { Json } from "@millrace/core";
import {
  keysOfMemoryTrigger,
  namedMemoryKeys,
  loadDueMemoryKeys,
  loadMemoryFiringMembers,
  loadMemoryGate,
  loadMemoryTriggers,
  revisedMemoryRun,
} from "./memory-triggers.ts";
import { memoryProbes } from "./memory-probes.ts";
import { memorySources } from "./memory-sources.ts";
import {
  dueMemoryWaits,
  endedMemoryWaits,
  findMemoryWaits,
  loadMemorySteps,
  loadMemoryWaits,
  unusedMemoryRanges,
} from "./memory-waits.ts";
import {
  type EngineStore,
  type FlushBatch,
  type FlushOutcome,
  type OfferClaim,
  type OfferRow,
  type InboxMessage,
  shardCount,
  type WakeNews,
} from "@millrace/store";
import { isMemoryConstraintError } from "./memory-constraint-error.ts";
import { applyFlush, offerKey, tryFlush } from "./memory-flush.ts";
import { foldAssets } from "./memory-assets.ts";
import {
  applyLogStep,
  lastMemoryFlush,
  logHeadOf,
  planLogStep,
  readMemoryEntries,
  readMemoryLog,
  readMemoryTypes,
} from "./memory-log.ts";
import { byId, loadMemoryRunPositions, loadMemoryRuns, loadMemoryShards } from "./memory-runs.ts";
import { keyOf, type MemoryNode, type MemoryTables } from "./memory-tables.ts";

/** What stands between a session and its database. Each may wait, and may throw what a lost connection throws. */
export interface MemoryLink {
  /** On the way to the database. Throws: the statement was not run. */
  request?(statement: keyof EngineStore): Promise<void> | void;
  /** On the way back. Throws: the statement was run, and its answer is lost. */
  answer?(statement: keyof EngineStore): Promise<void> | void;
  /** A notification for this session; `deliver` may be called later, or never. */
  notify?(deliver: () => void): void;
}

export interface MemoryDatabaseOptions {
  /** The database's clock, ms since 1970. */
  readonly now: () => number;
  /** Called in the turn of each commit of a flush, before anybody learns of it. */
  readonly onFlush?: (nodeId: number, number: number, batch: FlushBatch) => void;
  /** Called in the turn in which a message comes into the inbox outside of a flush. */
  readonly onMessage?: () => void;
}

/** A flush that holds its node's row and has not ended. */
export interface FlushUnderWay {
  commit(): FlushOutcome;
  rollback(): void;
}

type WakeListener = (what: WakeNews) => void;

export class MemoryEngineDatabase {
  readonly #options: MemoryDatabaseOptions;
  readonly #rowLocks = new Map<number, Promise<void>>();
  readonly #listeners = new Set<WakeListener>();
  readonly #nextId = { node: 0, inbox: 0 };
  readonly tables: MemoryTables = {
    nodes: new Map(),
    shards: Array.from({ length: shardCount }, (_, shard) => ({
      shard,
      nodeId: undefined,
      epoch: 0,
      logPosition: 0,
      waitPosition: 0,
    })),
    runs: new Map(),
    runPositions: new Map(),
    taskRuns: new Map(),
    runHistory: new Map(),
    taskRunHistory: new Map(),
    attemptHistory: new Map(),
    inbox: new Map(),
    limits: new Map(),
    grants: new Map(),
    requests: new Map(),
    cached: new Map(),
    offers: new Map(),
    workers: new Map(),
    idempotencyKeys: new Map(),
    logs: new Map(),
    eventIdentities: new Map(),
    triggers: new Map(),
    triggerKeys: new Map(),
    firings: new Map(),
    outbox: new Map(),
    waits: new Map(),
    waitShapes: new Map(),
    steps: new Map(),
    codes: new Map(),
    assetStates: new Map(),
    assetPartitions: new Map(),
    assetUses: new Map(),
    sources: new Map(),
    probes: new Map(),
    things: new Map(),
  };

  constructor(options: MemoryDatabaseOptions) {
    this.#options = options;
  }

  /** A session: what one process has open. */
  connect(link: MemoryLink = {}): EngineStore {
    const statements = this.#statements(link);
    const linked: Record<string, unknown> = { ...statements };
    for (const [name, statement] of Object.entries(statements)) {
      if (name === "isPoison" || name === "onWake") continue;
      const kind = name as keyof EngineStore;
      linked[name] = async (...values: unknown[]) => {
        await link.request?.(kind);
        const answer: unknown = await (statement as (...of: unknown[]) => unknown)(
          ...structuredClone(values),
        );
        await link.answer?.(kind);
        return structuredClone(answer);
      };
    }
    return linked as unknown as EngineStore;
  }

  #statements(link: MemoryLink): EngineStore {
    return {
      registerNode: async (node) => this.#registerNode(node),
      renewLease: (nodeId, leaseMs) => this.#renewLease(nodeId, leaseMs),
      fenceExpired: (marginMs) => this.#fenceExpired(marginMs),
      claimShards: async (nodeId, count) => this.#claimShards(nodeId, count),
      releaseShards: async (nodeId, shards) => this.#releaseShards(nodeId, new Set(shards)),
      leave: (nodeId) => this.#leave(nodeId),
      ownedShards: async (nodeId) => this.#owned(nodeId),
      lastOutage: async (nodeId) => this.#lastOutage(nodeId),
      flush: (nodeId, number, batch) => this.#flush(nodeId, number, batch),
      tryFlush: (nodeId, number, batch) => this.#tryFlush(nodeId, number, batch),
      isPoison: isMemoryConstraintError,
      lastFlush: async (nodeId) => lastMemoryFlush(this.tables, nodeId),
      loadShards: async (nodeId, shards) =>
        loadMemoryShards(this.tables, new Set(shards), this.#owned(nodeId)),
      loadQueuedRuns: async (shards, afterId, limit) =>
        [...this.tables.runs.values()]
          .filter((run) => shards.includes(run.shard) && run.state === "queued" && run.id > afterId)
          .sort(byId)
          .slice(0, limit)
          .map(({ workspace, id, shard, pipeline, bundle, generation, createdAt }) => ({
            workspace,
            id,
            shard,
            pipeline,
            bundle,
            generation,
            createdAt,
          })),
      loadRun: async (key) => {
        const [loaded] = loadMemoryRuns(this.tables, key.workspace, [key.id]);
        return loaded;
      },
      loadRuns: async (workspace, ids) => loadMemoryRuns(this.tables, workspace, ids),
      liveRuns: async (workspace, ids) => ids.filter((id) => this.tables.runs.has(keyOf(workspace, id))),
      loadRunPositions: async (workspace, ids) => loadMemoryRunPositions(this.tables, workspace, ids),
      loadWaitingRuns: async (shards, until, limit) =>
        [...this.tables.runs.values()]
          .flatMap(({ workspace, id, shard, wakeAt }) =>
            wakeAt !== undefined && wakeAt <= until && shards.includes(shard)
              ? [{ workspace, id, shard, wakeAt }]
              : [],
          )
          .sort((a, b) => a.wakeAt - b.wakeAt)
          .slice(0, limit),
      loadInbox: async (shards, limit) =>
        [...this.tables.inbox.values()].filter((row) => shards.includes(row.shard)).slice(0, limit),
      sendInbox: async (messages) => {
        for (const { shard, message } of messages) this.putMessage(shard, message);
        this.#options.onMessage?.();
        this.#wake(messages.map((message) => message.shard));
      },
      sendBounded: async (message, pendingMax) => this.#sendBounded(message, pendingMax),
      countPending: async (shard, max) =>
        [...this.tables.inbox.values()].filter((row) => row.shard === shard).slice(0, max).length,
      sendToRun: async (key, message) => {
        const run = this.tables.runs.get(keyOf(key.workspace, key.id));
        if (!run || (key.generation ?? run.generation) !== run.generation) return false;
        this.putMessage(run.shard, message);
        this.#options.onMessage?.();
        this.#wake([run.shard]);
        return true;
      },
      wake: async (shards) => this.#wake(shards),
      onWake: async (listener) => this.#onWake(link, listener),
      wakeLog: async () => this.#tell("log"),
      logHead: async (workspace) => logHeadOf(this.tables, workspace),
      readLog: async (workspace, after, limit) => readMemoryLog(this.tables, workspace, after, limit),
      readEntries: async (workspace, positions) => readMemoryEntries(this.tables, workspace, positions),
      loadTriggers: async (shards) => loadMemoryTriggers(this.tables, shards),
      loadTriggerKeys: async (workspace, names) => namedMemoryKeys(this.tables, workspace, names),
      loadKeysOf: async (workspace, pipeline, limit) =>
        keysOfMemoryTrigger(this.tables, { workspace, pipeline }).slice(0, limit),
      loadDueTriggerKeys: async (shards, until, limit) =>
        loadDueMemoryKeys(this.tables, shards, until).slice(0, limit),
      readTypes: async (workspace, span, limit) => readMemoryTypes(this.tables, workspace, span, limit),
      loadWaits: async (workspace, shards) => loadMemoryWaits(this.tables, workspace, shards),
      unusedKeyRanges: async (ranges) => unusedMemoryRanges(this.tables, ranges),
      hasOldWaits: async () => false,
      findWaits: async (shards, keys, after, limit) =>
        findMemoryWaits(this.tables, { shards, keys }, after, limit),
      loadDueWaits: async (shards, before, limit) =>
        dueMemoryWaits(this.tables, shards)
          .filter(({ dueAt }) => dueAt! < before)
          .slice(0, limit),
      nextWaitDue: async (shards) => dueMemoryWaits(this.tables, shards)[0]?.dueAt,
      loadWaitsOf: async (workspace, runIds) =>
        [...this.tables.waits.values()].filter(
          (wait) => wait.workspace === workspace && runIds.includes(wait.runId),
        ),
      loadEndedWaits: async (shards) => endedMemoryWaits(this.tables, shards),
      loadSteps: async (key) => loadMemorySteps(this.tables, key),
      revisedRun: async (workspace, name) => revisedMemoryRun(this.tables, workspace, name),
      loadGate: async (ask) => loadMemoryGate(this.tables, ask),
      loadFiringMembers: async (key, page) => loadMemoryFiringMembers(this.tables, key, page),
      loadOutbox: async (limit) =>
        [...this.tables.outbox.values()].toSorted((a, b) => a.id - b.id).slice(0, limit),
      ...memorySources(this.tables),
      ...memoryProbes(this.tables),
      wakeOffers: async () => this.#tell("offers"),
      claimOffers: async (claim) => this.#claimOffers(claim),
      saveWorker: async (connection) => void this.tables.workers.set(connection.id, connection),
      removeWorker: async (id, nodeId) => {
        if (this.tables.workers.get(id)?.nodeId === nodeId) this.tables.workers.delete(id);
      },
      liveWorkers: async (ids, exceptNode) =>
        [...new Set(ids)].filter((id) => {
          const node = this.tables.nodes.get(this.tables.workers.get(id)?.nodeId ?? 0);
          const lives = node !== undefined && !node.fenced && node.leaseUntil > this.#options.now();
          return lives && node.id !== exceptNode;
        }),
      sendToWorker: async (workerId, message) => {
        const [shard] = this.#owned(this.tables.workers.get(workerId)?.nodeId ?? 0);
        if (shard === undefined) return false;
        this.putMessage(shard, message);
        this.#wake([shard]);
        return true;
      },
      findCached: async (workspace, keys, now) =>
        [...new Set(keys)].flatMap((key) => {
          const row = this.tables.cached.get(keyOf(workspace, key));
          return row && (row.expiresAt === undefined || row.expiresAt > now) ? [row] : [];
        }),
      findIdempotencyKey: async (workspace, key) =>
        this.tables.idempotencyKeys.get(keyOf(workspace, key))?.runId,
    };
  }

  // --- nodes and shards ---------------------------------------------------------------------------------------------

  #registerNode(node: Parameters<EngineStore["registerNode"]>[0]): { nodeId: number; now: number } {
    const now = this.#options.now();
    const id = (this.#nextId.node += 1);
    this.tables.nodes.set(id, {
      id,
      name: node.name,
      startedAt: now,
      leaseUntil: now + node.leaseMs,
      fenced: false,
      lastFlush: 0,
    });
    return { nodeId: id, now };
  }

  async #renewLease(nodeId: number, leaseMs: number): ReturnType<EngineStore["renewLease"]> {
    const release = await this.#lockRow(nodeId);
    const now = this.#options.now();
    const node = this.tables.nodes.get(nodeId);
    // The statement's own snapshot is from before its change, so it counts itself by its old lease.
    const live = [...this.tables.nodes.values()].filter((some) => !some.fenced && some.leaseUntil > now);
    const alive = node !== undefined && !node.fenced;
    if (alive) node.leaseUntil = now + leaseMs;
    release();
    return { alive, now, liveNodes: live.length };
  }

  async #fenceExpired(marginMs: number): ReturnType<EngineStore["fenceExpired"]> {
    const fenced: number[] = [];
    const expired = (node: MemoryNode): boolean =>
      !node.fenced && node.leaseUntil < this.#options.now() - marginMs;
    for (const node of [...this.tables.nodes.values()].filter(expired)) {
      const release = await this.#lockRow(node.id);
      if (expired(node)) {
        node.fenced = true;
        fenced.push(node.id);
      }
      release();
    }
    for (const shard of this.tables.shards) {
      if (shard.nodeId !== undefined && this.tables.nodes.get(shard.nodeId)?.fenced) shard.nodeId = undefined;
    }
    return { fenced, freeShards: this.tables.shards.filter((shard) => shard.nodeId === undefined).length };
  }

  #claimShards(nodeId: number, count: number): number[] {
    if (this.tables.nodes.get(nodeId)?.fenced !== false) return [];
    const taken = this.tables.shards.filter((shard) => shard.nodeId === undefined).slice(0, count);
    for (const shard of taken) {
      shard.nodeId = nodeId;
      shard.epoch += 1;
    }
    return taken.map((shard) => shard.shard);
  }

  #releaseShards(nodeId: number, shards: ReadonlySet<number>): void {
    for (const shard of this.tables.shards) {
      if (shard.nodeId === nodeId && shards.has(shard.shard)) shard.nodeId = undefined;
    }
  }

  async #leave(nodeId: number): Promise<void> {
    const release = await this.#lockRow(nodeId);
    const node = this.tables.nodes.get(nodeId);
    if (node) node.fenced = true;
    release();
    this.#releaseShards(nodeId, new Set(this.#owned(nodeId)));
  }

  #owned(nodeId: number): number[] {
    return this.tables.shards.filter((shard) => shard.nodeId === nodeId).map((shard) => shard.shard);
  }

  #lastOutage(nodeId: number): { from: number; to: number } | undefined {
    const now = this.#options.now();
    const lives = ({ id, fenced, leaseUntil }: MemoryNode): boolean =>
      id === nodeId || (!fenced && leaseUntil > now);
    const nodes = [...this.tables.nodes.values()];
    const from = Math.max(...nodes.filter((node) => !lives(node)).map(({ leaseUntil }) => leaseUntil));
    const to = Math.min(...nodes.filter(lives).map(({ startedAt }) => startedAt));
    return Number.isFinite(from) && Number.isFinite(to) && from < to ? { from, to } : undefined;
  }

  /** Makes a node's lease end now: as if its time had passed. */
  expireLease(nodeId: number, agoMs: number): void {
    this.tables.nodes.get(nodeId)!.leaseUntil = this.#options.now() - agoMs;
  }

  /** Waits for a node's row and holds it until what it gives back is called (M2). */
  async #lockRow(nodeId: number): Promise<() => void> {
    const before = this.#rowLocks.get(nodeId);
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const last = (before ?? Promise.resolve()).then(() => held);
    this.#rowLocks.set(nodeId, last);
    if (before) await before;
    return () => {
      if (this.#rowLocks.get(nodeId) === last) this.#rowLocks.delete(nodeId);
      release();
    };
  }

  // --- flushes ------------------------------------------------------------------------------------------------------

  async #flush(nodeId: number, number: number, batch: FlushBatch): Promise<FlushOutcome> {
    const flush = await this.beginFlush(nodeId, number, batch);
    return flush === "fenced" ? "fenced" : flush.commit();
  }

  async #tryFlush(nodeId: number, number: number, batch: FlushBatch): Promise<FlushOutcome> {
    const flush = await this.beginFlush(nodeId, number, batch);
    if (flush === "fenced") return "fenced";
    try {
      tryFlush(this.tables, batch);
      return planLogStep(this.tables, batch)?.change ?? "committed";
    } finally {
      flush.rollback();
    }
  }

  /** Runs a flush up to its commit, which is the caller's to give. */
  async beginFlush(nodeId: number, number: number, batch: FlushBatch): Promise<FlushUnderWay | "fenced"> {
    const release = await this.#lockRow(nodeId);
    const node = this.tables.nodes.get(nodeId);
    if (!node || node.fenced || node.lastFlush !== number - 1) {
      release();
      return "fenced";
    }
    return {
      commit: () => {
        try {
          const step = planLogStep(this.tables, batch);
          applyFlush(this.tables, batch, (shard, message) => this.putMessage(shard, message));
          if (step) {
            applyLogStep(this.tables, step, { nodeId, number });
            foldAssets(this.tables, batch, step.change);
          }
          node.lastFlush = number;
          this.#options.onFlush?.(nodeId, number, batch);
          return step?.change ?? "committed";
        } finally {
          release();
        }
      },
      rollback: release,
    };
  }

  #sendBounded({ shard, message }: InboxMessage, pendingMax: number): boolean {
    const pending = [...this.tables.inbox.values()].filter((row) => row.shard === shard).length;
    if (pending >= pendingMax) return false;
    this.putMessage(shard, message);
    this.#options.onMessage?.();
    this.#wake([shard]);
    return true;
  }

  putMessage(shard: number, message: Json): void {
    const id = (this.#nextId.inbox += 1);
    this.tables.inbox.set(id, { id, shard, message });
  }

  // --- loads and wakes ----------------------------------------------------------------------------------------------

  #claimOffers(claim: OfferClaim): OfferRow[] {
    const taken = [...this.tables.offers.values()]
      .filter((offer) => claim.queues.includes(offer.queue) && offer.nodeId !== claim.nodeId)
      .slice(0, claim.limit);
    for (const offer of taken) {
      const { runId, node, item, generation, dispatch } = offer;
      this.tables.offers.delete(offerKey(offer));
      this.putMessage(offer.shard, {
        kind: "claimed",
        runId,
        token: { runId, node, item, generation, dispatch },
        workerId: claim.workerId,
        shard: claim.shard,
      });
    }
    if (taken.length > 0) this.#wake(taken.map((offer) => offer.shard));
    return taken;
  }

  #wake(shards: readonly number[]): void {
    this.#tell([...new Set(shards)]);
  }

  #tell(wake: WakeNews): void {
    for (const listener of this.#listeners) listener(wake);
  }

  #onWake(link: MemoryLink, listener: WakeListener): { stop(): Promise<void> } {
    const deliver = (shards: WakeNews): void => {
      const call = (): void => {
        if (this.#listeners.has(deliver)) listener(shards);
      };
      if (link.notify) link.notify(call);
      else queueMicrotask(call);
    };
    this.#listeners.add(deliver);
    deliver("all");
    return {
      stop: async () => {
        this.#listeners.delete(deliver);
      },
    };
  }
}
