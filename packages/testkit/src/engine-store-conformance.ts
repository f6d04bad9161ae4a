import { strict as assert } from "node:assert";
import {
  emptyBatch,
  type EngineStore,
  type FlushBatch,
  type FlushOutcome,
  type OutboxNews,
  shardCount,
} from "@millrace/store";
import type { ConformanceCase } from "./conformance.ts";
import { engineStoreAssetRules } from "./engine-store-asset-rules.ts";
import { engineStoreGateRules } from "./engine-store-gate-rules.ts";
import { engineStoreLogRules } from "./engine-store-log-rules.ts";
import { engineStoreMoveRules } from "./engine-store-move-rules.ts";
import { engineStoreRefusals } from "./engine-store-refusals.ts";
import { engineStoreRowRules } from "./engine-store-row-rules.ts";
import { engineStoreProbeRules } from "./engine-store-probe-rules.ts";
import { engineStoreSourceRules } from "./engine-store-source-rules.ts";
import { engineStoreTriggerRules } from "./engine-store-trigger-rules.ts";
import { engineStoreWaitRules } from "./engine-store-wait-rules.ts";
import { liveRun } from "./engine-rows.ts";

/** A flush that has run up to its commit and holds its locks. */
export interface HeldFlush {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export interface EngineStoreUnderTest {
  readonly store: EngineStore;
  /** Another process's. */
  readonly other: EngineStore;
  /** Makes a node's lease have ended `agoMs` ago. */
  readonly expireLease: (nodeId: number, agoMs: number) => Promise<void>;
  /** A flush of another session, stopped just before its commit. */
  holdFlush(nodeId: number, number: number, batch: FlushBatch): Promise<HeldFlush>;
  /** Resolves once what was just called waits for a lock (or has ended). */
  settled(): Promise<void>;
  /** What history has of a run. */
  readonly history: (runId: string) => Promise<{
    readonly runs: readonly HistoryRow[];
    readonly taskRuns: number;
    readonly attempts: number;
  }>;
  /** All firings, in the order of their versions and occurrences. */
  readonly firings: () => Promise<readonly { readonly name: string; readonly runId: string | undefined }[]>;
  /** What the log has told of assets, and what runs read and wrote, each in the order of its key. */
  readonly assets: () => Promise<StoredAssets>;
  /** What a deploy leaves for the log. */
  readonly putOutbox: (news: OutboxNews) => Promise<void>;
  dispose(): Promise<void>;
}

export interface StoredAssets {
  readonly states: readonly {
    readonly asset: string;
    readonly lane: string;
    readonly updates: number;
    readonly update: { readonly position: number; readonly at: number; readonly runId: string | null } | null;
    readonly progress: { readonly until: number; readonly position: number; readonly at: number } | null;
    readonly rejected: number;
    readonly rejection: {
      readonly position: number;
      readonly at: number;
      readonly partition: string;
      readonly reason: string;
      readonly runId: string | null;
    } | null;
  }[];
  readonly partitions: readonly {
    readonly asset: string;
    readonly lane: string;
    readonly partition: string;
    readonly updates: number;
    readonly position: number;
    readonly at: number | null;
    readonly isObserved: boolean;
    readonly version: string | null;
    readonly metadata: unknown;
    readonly revision: number | null;
    readonly runId: string | null;
  }[];
  readonly uses: readonly {
    /** Run, generation, node, item, direction, asset, partition. */
    readonly name: string;
    readonly position: number | null;
    readonly version: string | null;
    readonly at: number;
  }[];
}

export interface HistoryRow {
  readonly generation: number;
  readonly state: string;
  readonly output: unknown;
  readonly endedAt: number;
}

export type EngineStoreRule = (subject: EngineStoreUnderTest) => Promise<void>;

/** The rules of `EngineStore` (E1–E6); each case gets an empty store from `makeStore`. */
export function engineStoreConformance(makeStore: () => Promise<EngineStoreUnderTest>): ConformanceCase[] {
  return Object.entries({
    ...rules,
    ...engineStoreRowRules,
    ...engineStoreLogRules,
    ...engineStoreMoveRules,
    ...engineStoreTriggerRules,
    ...engineStoreAssetRules,
    ...engineStoreSourceRules,
    ...engineStoreProbeRules,
    ...engineStoreGateRules,
    ...engineStoreWaitRules,
    ...engineStoreRefusals(),
  }).map(([name, rule]) => ({
    name,
    run: async () => {
      const subject = await makeStore();
      try {
        await rule(subject);
      } finally {
        await subject.dispose();
      }
    },
  }));
}

const leaseMs = 10_000;

async function register(store: EngineStore, name = "a"): Promise<number> {
  const { nodeId } = await store.registerNode({ name, url: undefined, version: "test", leaseMs });
  return nodeId;
}

function batchWith(parts: Partial<FlushBatch>): FlushBatch {
  return { ...emptyBatch(), ...parts };
}

const runKey = (id: string): { workspace: number; id: string } => ({ workspace: 1, id });
const runKeyOf = (runId: string): { workspace: number; runId: string } => ({ workspace: 1, runId });

const rules: { readonly [name: string]: EngineStoreRule } = {
  "a registered node is alive, has no shard, and has flushed nothing": async ({ store }) => {
    const { nodeId, now } = await store.registerNode({ name: "a", url: "http://a", version: "1", leaseMs });
    assert.ok(now > 1_700_000_000_000);
    assert.deepEqual(await store.lastFlush(nodeId), { number: 0, fenced: false });
    assert.deepEqual(await store.ownedShards(nodeId), []);
  },

  "nodes have ids of their own": async ({ store, other }) => {
    assert.notEqual(await register(store), await register(other));
  },

  "a node that was never registered counts as fenced": async ({ store }) => {
    assert.equal((await store.lastFlush(999)).fenced, true);
    assert.equal(await store.flush(999, 1, emptyBatch()), "fenced");
    assert.equal((await store.renewLease(999, leaseMs)).alive, false);
  },

  "a renewal tells the time and how many nodes live": async ({ store, other, expireLease }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const renewal = await store.renewLease(a, leaseMs);
    assert.equal(renewal.alive, true);
    assert.equal(renewal.liveNodes, 2);
    await expireLease(b, 1);
    assert.equal((await store.renewLease(a, leaseMs)).liveNodes, 1);
  },

  "a lease that ended but was not fenced can be renewed": async ({ store, other, expireLease }) => {
    const a = await register(store);
    await expireLease(a, 60_000);
    assert.equal((await store.renewLease(a, leaseMs)).alive, true);
    assert.deepEqual((await other.fenceExpired(0)).fenced, []);
  },

  "every free shard is taken once, at most as many as asked for": async ({ store, other }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const first = await store.claimShards(a, 40);
    const second = await other.claimShards(b, 40);
    assert.equal(first.length, 40);
    assert.equal(second.length, shardCount - 40);
    assert.equal(new Set([...first, ...second]).size, shardCount);
    assert.deepEqual(await store.ownedShards(a), first);
    assert.deepEqual(await store.claimShards(a, 1), []);
  },

  "two claims at once never take one shard twice": async ({ store, other }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const [first, second] = await Promise.all([store.claimShards(a, 64), other.claimShards(b, 64)]);
    assert.equal(new Set([...first, ...second]).size, first.length + second.length);
    const [ofA, ofB] = [await store.ownedShards(a), await store.ownedShards(b)];
    assert.deepEqual([ofA, ofB], [first, second]);
  },

  "released shards are free, others stay": async ({ store, other }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const taken = await store.claimShards(a, 64);
    await store.releaseShards(a, taken.slice(0, 3));
    assert.equal((await other.fenceExpired(0)).freeShards, 3);
    assert.deepEqual(await other.claimShards(b, 64), taken.slice(0, 3));
    assert.deepEqual(await store.ownedShards(a), taken.slice(3));
  },

  "nobody releases another's shards": async ({ store, other }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const taken = await store.claimShards(a, 5);
    await other.releaseShards(b, taken);
    assert.deepEqual(await store.ownedShards(a), taken);
  },

  "a fenced node's shards are free, and it gets none": async ({ store, other, expireLease }) => {
    const a = await register(store);
    const b = await register(other, "b");
    await store.claimShards(a, 64);
    await expireLease(a, 5_000);
    assert.deepEqual(await other.fenceExpired(60_000), { fenced: [], freeShards: 0 });
    assert.deepEqual(await other.fenceExpired(1_000), { fenced: [a], freeShards: 64 });
    assert.deepEqual(await other.fenceExpired(1_000), { fenced: [], freeShards: 64 });
    assert.deepEqual(await store.claimShards(a, 64), []);
    assert.equal((await store.renewLease(a, leaseMs)).alive, false);
    assert.equal((await other.claimShards(b, 64)).length, 64);
  },

  "a node that leaves frees its shards and flushes no more": async ({ store, other }) => {
    const a = await register(store);
    await store.claimShards(a, 64);
    await store.leave(a);
    assert.equal((await other.fenceExpired(0)).freeShards, 64);
    assert.equal(await store.flush(a, 1, emptyBatch()), "fenced");
    assert.deepEqual(await store.lastFlush(a), { number: 0, fenced: true });
  },

  "flush numbers rise by one; a repeat and a gap are refused and change nothing": async ({ store }) => {
    const a = await register(store);
    assert.equal(await store.flush(a, 1, batchWith({ runsCreated: [liveRun("r1")] })), "committed");
    assert.equal(await store.flush(a, 1, batchWith({ runsCreated: [liveRun("r2")] })), "fenced");
    assert.equal(await store.flush(a, 3, batchWith({ runsCreated: [liveRun("r3")] })), "fenced");
    assert.deepEqual(await store.lastFlush(a), { number: 1, fenced: false });
    assert.equal(await store.loadRun(runKey("r2")), undefined);
    assert.equal(await store.loadRun(runKey("r3")), undefined);
    assert.equal(await store.flush(a, 2, emptyBatch()), "committed");
  },

  "a fenced node's flush commits nothing": async ({ store, other, expireLease }) => {
    const a = await register(store);
    await store.flush(a, 1, emptyBatch());
    await expireLease(a, 5_000);
    await other.fenceExpired(0);
    assert.equal(await store.flush(a, 2, batchWith({ runsCreated: [liveRun("r1")] })), "fenced");
    assert.deepEqual(await other.lastFlush(a), { number: 1, fenced: true });
    assert.equal(await other.loadRun(runKey("r1")), undefined);
  },

  "a fencing waits for a flush under way, whose commit counts": async (subject) => {
    const { store, other } = subject;
    const a = await register(store);
    await store.claimShards(a, 64);
    await subject.expireLease(a, 5_000);
    const held = await subject.holdFlush(a, 1, batchWith({ runsCreated: [liveRun("r1")] }));
    let fencing = "waits";
    const fenced = other.fenceExpired(0).then((outcome) => {
      fencing = "ended";
      return outcome;
    });
    await subject.settled();
    assert.equal(fencing, "waits");
    assert.equal(await other.loadRun(runKey("r1")), undefined);
    await held.commit();
    assert.deepEqual(await fenced, { fenced: [a], freeShards: 64 });
    assert.deepEqual(await other.lastFlush(a), { number: 1, fenced: true });
    assert.equal((await other.loadRun(runKey("r1")))?.run.id, "r1");
  },

  "a flush that waits for a repeat of itself is refused once that has committed": async (subject) => {
    const { store } = subject;
    const a = await register(store);
    const held = await subject.holdFlush(a, 1, batchWith({ runsCreated: [liveRun("r1")] }));
    let outcome: FlushOutcome | undefined;
    const again = store.flush(a, 1, batchWith({ runsCreated: [liveRun("r1")] })).then((is) => (outcome = is));
    await subject.settled();
    assert.equal(outcome, undefined);
    await held.commit();
    assert.equal(await again, "fenced");
    assert.deepEqual(await store.lastFlush(a), { number: 1, fenced: false });
  },

  "a flush that waits for a repeat of itself commits once that was rolled back": async (subject) => {
    const { store } = subject;
    const a = await register(store);
    const held = await subject.holdFlush(a, 1, batchWith({ runsCreated: [liveRun("r1")] }));
    const again = store.flush(a, 1, batchWith({ runsCreated: [liveRun("r2")] }));
    await subject.settled();
    await held.rollback();
    assert.equal(await again, "committed");
    assert.equal(await store.loadRun(runKey("r1")), undefined);
    assert.equal((await store.loadRun(runKey("r2")))?.run.id, "r2");
  },

  "a flush and a fencing at once: what committed came first": async (subject) => {
    const { store, other } = subject;
    const a = await register(store);
    await subject.expireLease(a, 5_000);
    const [outcome, fencing] = await Promise.all([
      store.flush(a, 1, batchWith({ runsCreated: [liveRun("r1")] })),
      other.fenceExpired(0),
    ]);
    assert.deepEqual(fencing.fenced, [a]);
    const there = (await other.loadRun(runKey("r1"))) !== undefined;
    assert.equal(there, outcome === "committed");
    assert.equal((await other.lastFlush(a)).number, there ? 1 : 0);
  },

  "a renewal that waits for a flush keeps the node from being fenced": async (subject) => {
    const { store, other } = subject;
    const a = await register(store);
    await subject.expireLease(a, 5_000);
    const held = await subject.holdFlush(a, 1, emptyBatch());
    const renewal = store.renewLease(a, leaseMs);
    await subject.settled();
    await held.commit();
    assert.equal((await renewal).alive, true);
    assert.deepEqual((await other.fenceExpired(0)).fenced, []);
  },

  "an offer is taken once, by another node with its queue, and its owner is told": async ({
    store,
    other,
  }) => {
    const a = await register(store);
    const b = await register(other, "b");
    const offer = (node: string, queue: string) =>
      ({
        ...runKeyOf("r1"),
        node,
        item: "",
        generation: 1,
        dispatch: 2,
        queue,
        nodeId: a,
        shard: 5,
      }) as const;
    await store.flush(a, 1, batchWith({ offers: [offer("x", "q"), offer("y", "other"), offer("z", "q")] }));
    const claim = { nodeId: b, shard: 9, workerId: "w", queues: ["q"], limit: 1 };
    assert.deepEqual(await store.claimOffers({ ...claim, nodeId: a }), []);
    const [first, second] = await Promise.all([other.claimOffers(claim), other.claimOffers(claim)]);
    const taken = [...first, ...second].map((row) => row.node).sort();
    assert.deepEqual(taken, ["x", "z"]);
    assert.deepEqual(await other.claimOffers(claim), []);
    const told = await store.loadInbox([5], 10);
    assert.deepEqual(
      told.map((row) => row.message).sort((m, n) => (JSON.stringify(m) < JSON.stringify(n) ? -1 : 1)),
      taken.map((node) => ({
        kind: "claimed",
        runId: "r1",
        token: { runId: "r1", node, item: "", generation: 1, dispatch: 2 },
        workerId: "w",
        shard: 9,
      })),
    );
    await store.flush(a, 2, batchWith({ offersGone: [offer("y", "other")] }));
    assert.deepEqual(await other.claimOffers({ ...claim, queues: ["other"] }), []);
  },

  "a worker lives while its node does, and gets messages there": async ({ store, other, expireLease }) => {
    const a = await register(store);
    const connection = { id: "w1", nodeId: a, detail: { name: "w" }, connectedAt: 1_800_000_000_000 };
    await store.saveWorker(connection);
    assert.equal(await other.sendToWorker("w1", "hello"), false);
    const [shard] = await store.claimShards(a, 2);
    assert.equal(await other.sendToWorker("w1", "hello"), true);
    assert.equal(await other.sendToWorker("w2", "hello"), false);
    assert.deepEqual(
      (await store.loadInbox([shard!], 10)).map((row) => row.message),
      ["hello"],
    );
    assert.deepEqual(await other.liveWorkers(["w1", "w2"]), ["w1"]);
    assert.deepEqual(await other.liveWorkers(["w1", "w2"], a), []);
    await expireLease(a, 1);
    assert.deepEqual(await other.liveWorkers(["w1"]), []);
    const b = await register(other, "b");
    await other.saveWorker({ ...connection, nodeId: b });
    await store.removeWorker("w1", a);
    assert.deepEqual(await other.liveWorkers(["w1"]), ["w1"]);
    await other.removeWorker("w1", b);
    assert.deepEqual(await other.liveWorkers(["w1"]), []);
  },

  "a listener is called for all shards first, then for those that were woken, by anybody": async (
    subject,
  ) => {
    const { store, other } = subject;
    const heard: Parameters<Parameters<EngineStore["onWake"]>[0]>[0][] = [];
    const waiting: (() => void)[] = [];
    const listening = await store.onWake((shards) => {
      heard.push(shards);
      waiting.shift()?.();
    });
    const heardCount = async (count: number): Promise<void> => {
      while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
    };
    await heardCount(1);
    await other.wake([3, 5]);
    await heardCount(2);
    assert.deepEqual(heard, ["all", [3, 5]]);
    await other.sendInbox([{ shard: 7, message: { kind: "x" } }]);
    await heardCount(3);
    assert.deepEqual(heard[2], [7]);
    await other.wakeOffers();
    await heardCount(4);
    assert.equal(heard[3], "offers");
    await other.wakeLog();
    await heardCount(5);
    assert.equal(heard[4], "log");
    await listening.stop();
  },
};
