/** Rules of `EngineStore` about rows: what was flushed is what is loaded (E4). */
import { strict as assert } from "node:assert";
import type { Json } from "@millrace/core";
import { wakeNever, type StepRow } from "@millrace/store";
import {
  attemptRow,
  flusher,
  grant,
  key,
  liveRun,
  request,
  runChange,
  rowTime,
  taskRunRow,
  why,
} from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

export const engineStoreRowRules: { readonly [name: string]: EngineStoreRule } = {
  "a run is loaded as it was flushed": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const full = liveRun("r1", {
      labels: { team: "data" },
      params: { value: { list: [1, "Grüße", null, { deep: [true] }] } },
      depth: 2,
      parent: { runId: "r0", shard: 4, node: "call", item: "0.1", generation: 1, dispatch: 2 },
      createdAt: rowTime + 0.123,
    });
    await flush({ runsCreated: [full, liveRun("r2", { state: "queued" })] });
    assert.deepEqual((await other.loadRun(key("r1")))?.run, full);
    assert.deepEqual((await other.loadRun(key("r2")))?.run, liveRun("r2", { state: "queued" }));
    assert.equal(await other.loadRun(key("r3")), undefined);
    assert.equal(await other.loadRun({ workspace: 2, id: "r1" }), undefined);
  },

  "values may hold any character that JSON can": async ({ store }) => {
    const { flush } = await flusher(store);
    const odd = 'nul \u0000, half of a pair \ud800, quote " and \\u0000';
    const error = { name: "Error", message: odd };
    await flush({
      runsCreated: [liveRun("r1", { params: { value: { [odd]: odd } }, labels: { team: odd } })],
      taskRuns: [
        taskRunRow("r1", "a", { state: "succeeded", endedAt: rowTime, output: { value: [odd] } }),
        taskRunRow("r1", "b", {
          state: "failed",
          endedAt: rowTime,
          error,
          reason: { code: "test", message: odd },
        }),
      ],
      attempts: [attemptRow("r1", "b", { dispatch: 1, error })],
      messagesSent: [{ shard: 1, message: { odd } }],
      cached: [{ workspace: 1, key: "k", output: { value: odd }, recordedAt: rowTime, expiresAt: undefined }],
    });
    const loaded = await store.loadRun(key("r1"));
    assert.deepEqual(loaded?.run.params, { value: { [odd]: odd } });
    assert.deepEqual(loaded?.run.labels, { team: odd });
    const [a, b] = loaded?.taskRuns.toSorted((left, right) => (left.node < right.node ? -1 : 1)) ?? [];
    assert.deepEqual(a?.output, { value: [odd] });
    assert.deepEqual(b?.error, error);
    assert.deepEqual((await store.loadInbox([1], 10))[0]?.message, { odd });
    assert.deepEqual((await store.findCached(1, ["k"], rowTime))[0]?.output, { value: odd });
  },

  "a wait that ended while a dispatch ran comes after all that this dispatch recorded": async ({ store }) => {
    const { flush } = await flusher(store);
    const step = (
      seq: number,
      kind: "step" | "wait",
      name: string,
      dispatch: number,
      parts: Partial<StepRow> = {},
    ): StepRow => ({
      workspace: 1,
      runId: "r1",
      node: "a",
      item: "",
      generation: 1,
      attempt: 1,
      dispatch,
      seq,
      kind,
      name,
      occurrence: 1,
      outcome: { kind: "value", value: { value: name } },
      recordedAt: rowTime,
      ...parts,
    });
    const failed = { outcome: { kind: "error" as const, error: { name: "Error", message: "no" } } };
    await flush({
      runsCreated: [liveRun("r1")],
      taskRuns: [taskRunRow("r1", "a", { dispatch: 2 })],
      steps: [
        step(1, "step", "s1", 1),
        step(2, "wait", "w1", 1),
        step(3, "wait", "w2", 2),
        step(4, "step", "s2", 2, failed),
        step(5, "step", "s3", 2),
      ],
    });
    const loaded = async (attempt: number): Promise<string[]> => {
      const where = { workspace: 1, runId: "r1", node: "a", item: "", generation: 1, attempt };
      return (await store.loadSteps(where)).map(({ seq, name }) => `${seq} ${name}`);
    };
    assert.deepEqual(await loaded(1), ["1 s1", "2 w1", "3 s2", "4 s3", "5 w2"]);
    assert.deepEqual(await loaded(2), ["1 s1", "2 w1", "3 s3", "4 w2"]);
  },

  "parameters in a blob are loaded as its hash": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1", { params: { blob: "abc", bytes: 20_000 } })] });
    assert.equal((await store.loadRun(key("r1")))?.run.params.blob, "abc");
  },

  "a change of a run is loaded, and changes nothing else": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1", { state: "queued" }), liveRun("r2")] });
    const cancel = { by: "user" as const, reason: why, force: true };
    const change = { state: "waiting" as const, reason: undefined, cancel, startedAt: rowTime + 9 };
    await flush({ runsChanged: [runChange("r1", change)] });
    assert.deepEqual((await store.loadRun(key("r1")))?.run, liveRun("r1", change));
    assert.deepEqual((await store.loadRun(key("r2")))?.run, liveRun("r2"));
  },

  "a run made and changed in one flush is as it was changed": async ({ store }) => {
    const { flush } = await flusher(store);
    const quarantined = {
      state: "quarantined" as const,
      reason: why,
      cancel: undefined,
      startedAt: rowTime + 1,
    };
    await flush({ runsCreated: [liveRun("r1")], runsChanged: [runChange("r1", quarantined)] });
    assert.deepEqual((await store.loadRun(key("r1")))?.run, liveRun("r1", quarantined));
  },

  "task runs are loaded as they were flushed last": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const rows = [
      taskRunRow("r1", "a", {
        state: "succeeded",
        endedAt: rowTime + 5,
        output: { value: { rows: [1, 2] } },
      }),
      taskRunRow("r1", "b", {
        state: "succeeded",
        endedAt: rowTime + 5,
        output: { blob: "abc", bytes: 20_000 },
      }),
      taskRunRow("r1", "c", {
        state: "failed",
        endedAt: rowTime + 5,
        reason: why,
        error: { name: "TypeError", message: "Grüße", stack: "at a\n at b", classes: ["TypeError", "Error"] },
      }),
      taskRunRow("r1", "d", {
        state: "retrying",
        resumeAt: rowTime + 50,
        worker: undefined,
        attempt: 3,
        losses: 2,
      }),
      taskRunRow("r1", "e", { state: "waiting", childRunId: "r9", worker: undefined }),
      taskRunRow("r1", "f", { item: "0.3", revoked: true, reason: why, dispatch: 7, generation: 2 }),
      taskRunRow("r1", "g", {
        state: "skipped",
        carried: true,
        dispatch: 0,
        attempt: 0,
        worker: undefined,
        startedAt: undefined,
        endedAt: rowTime,
      }),
    ];
    await flush({
      runsCreated: [liveRun("r1")],
      taskRuns: [taskRunRow("r1", "a"), taskRunRow("r1", "f", { item: "0.3" })],
    });
    await flush({ taskRuns: rows });
    const loaded = (await other.loadRun(key("r1")))!.taskRuns;
    assert.deepEqual(
      [...loaded].sort((a, b) => (a.node < b.node ? -1 : 1)),
      rows,
    );
  },

  "a success without an output is one of null": async ({ store }) => {
    const { flush } = await flusher(store);
    const row = taskRunRow("r1", "a", { state: "succeeded", endedAt: rowTime });
    await flush({ runsCreated: [liveRun("r1")], taskRuns: [row] });
    assert.deepEqual((await store.loadRun(key("r1")))?.taskRuns, [{ ...row, output: { value: null } }]);
  },

  "shards are loaded with what has begun in them, their task runs and limits": async ({ store }) => {
    const { nodeId, flush } = await flusher(store);
    await flush({
      runsCreated: [
        liveRun("r1", { shard: 1 }),
        liveRun("r2", { shard: 2, state: "queued" }),
        liveRun("r3", { shard: 2 }),
        liveRun("r4", { shard: 3 }),
        liveRun("r5", { shard: 2 }),
      ],
      runsChanged: [
        runChange("r3", { state: "waiting" }),
        runChange("r5", { state: "quarantined", reason: why }),
      ],
      taskRuns: [taskRunRow("r1", "a"), taskRunRow("r3", "a"), taskRunRow("r4", "a"), taskRunRow("r5", "a")],
      limits: [{ workspace: 1, kind: "pool", name: "warehouse", shard: 2, slots: 3, setByOperator: true }],
      grants: [grant({ shard: 2 }), grant({ shard: 3, name: "other" })],
      requests: [
        request({ shard: 2, holder: "late", rank: 20 }),
        request({ shard: 2, holder: "early", rank: 10 }),
      ],
    });
    const loaded = await store.loadShards(nodeId, [1, 2]);
    assert.deepEqual(
      loaded.runs.map((run) => run.id),
      ["r1", "r3"],
    );
    assert.deepEqual(loaded.taskRuns.map((row) => row.runId).sort(), ["r1", "r3"]);
    assert.deepEqual(loaded.limits, [
      { workspace: 1, kind: "pool", name: "warehouse", shard: 2, slots: 3, setByOperator: true },
    ]);
    assert.deepEqual(loaded.grants, [grant({ shard: 2 })]);
    assert.deepEqual(loaded.requests, [
      request({ shard: 2, holder: "early", rank: 10 }),
      request({ shard: 2, holder: "late", rank: 20 }),
    ]);
  },

  "a grant whose run is not live any more is taken back when its shard is loaded": async ({ store }) => {
    const { nodeId, flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1")], grants: [grant(), grant({ holder: "ghost", runId: "r0" })] });
    assert.equal((await store.loadShards(nodeId, [1])).grants.length, 2);
    await store.claimShards(nodeId, 64);
    assert.deepEqual((await store.loadShards(nodeId, [1])).grants, [grant()]);
  },

  "an earlier owner's offers are taken back when their shard is loaded by its owner, and only then": async ({
    store,
    other,
  }) => {
    const { nodeId, flush } = await flusher(store);
    const offer = { ...key("r1"), runId: "r1", item: "", generation: 1, dispatch: 1, queue: "q", nodeId };
    await flush({
      offers: [
        { ...offer, node: "a", shard: 1 },
        { ...offer, node: "b", shard: 2 },
      ],
    });
    const next = await other.registerNode({ name: "b", url: undefined, version: "1", leaseMs: 60_000 });
    await other.claimShards(next.nodeId, 64);
    // One that was frozen since its claim.
    await store.loadShards(nodeId, [1, 2]);
    await other.loadShards(next.nodeId, [1]);
    const claim = { nodeId: next.nodeId, shard: 3, workerId: "w", queues: ["q"], limit: 9 };
    assert.deepEqual(
      (await other.claimOffers(claim)).map((row) => row.node),
      ["b"],
    );
  },

  "queued runs come by id, page by page": async ({ store }) => {
    const { flush } = await flusher(store);
    const ids = ["r3", "r1", "r2", "r5", "r4"];
    await flush({
      runsCreated: ids.map((id) => liveRun(id, { state: "queued", shard: id === "r5" ? 9 : 1 })),
    });
    const first = await store.loadQueuedRuns([1, 2], "", 3);
    assert.deepEqual(first[0], {
      workspace: 1,
      id: "r1",
      shard: 1,
      pipeline: "p",
      bundle: "b1",
      generation: 1,
      createdAt: rowTime,
    });
    assert.deepEqual(
      first.map((run) => run.id),
      ["r1", "r2", "r3"],
    );
    assert.deepEqual(
      (await store.loadQueuedRuns([1, 2], "r3", 3)).map((run) => run.id),
      ["r4"],
    );
  },

  "a run that ends moves to history with its own task runs and attempts": async ({ store, history }) => {
    const { flush } = await flusher(store);
    const done = { state: "succeeded" as const, endedAt: rowTime + 5 };
    await flush({
      runsCreated: [liveRun("r1"), liveRun("r2")],
      taskRuns: [
        taskRunRow("r1", "a"),
        taskRunRow("r2", "a"),
        taskRunRow("r1", "kept", { ...done, carried: true }),
      ],
      attempts: [attemptRow("r1", "a", { dispatch: 1 })],
    });
    await flush({
      taskRuns: [taskRunRow("r1", "a", { ...done, dispatch: 2, output: { value: 1 } })],
      runsEnded: [
        {
          ...key("r1"),
          state: "succeeded",
          reason: undefined,
          output: { value: [1] },
          endedAt: rowTime + 6,
          hasMoreRows: true,
        },
      ],
    });
    assert.equal(await store.loadRun(key("r1")), undefined);
    assert.deepEqual(await history("r1"), {
      runs: [{ generation: 1, state: "succeeded", output: [1], endedAt: rowTime + 6 }],
      taskRuns: 1,
      attempts: 1,
    });
    assert.equal((await store.loadRun(key("r2")))?.taskRuns.length, 1);
    assert.deepEqual(await history("r2"), { runs: [], taskRuns: 0, attempts: 0 });
  },

  "a run may begin and end in one flush, and another generation of it later": async ({ store, history }) => {
    const { flush } = await flusher(store);
    for (const generation of [1, 2]) {
      const endedAt = rowTime + generation;
      await flush({
        runsCreated: [liveRun("r1", { generation })],
        taskRuns: [taskRunRow("r1", "a", { generation, state: "skipped", endedAt })],
        runsEnded: [
          { ...key("r1"), state: "failed", reason: why, output: undefined, endedAt, hasMoreRows: false },
        ],
      });
    }
    const { runs, taskRuns } = await history("r1");
    assert.deepEqual(
      runs.map((run) => [run.generation, run.state]),
      [
        [1, "failed"],
        [2, "failed"],
      ],
    );
    assert.equal(taskRuns, 2);
  },

  "messages come in the order in which they were sent, until they are taken": async ({ store, other }) => {
    const { flush } = await flusher(store);
    await flush({
      messagesSent: [
        { shard: 1, message: { n: 1 } },
        { shard: 2, message: { n: 2 } },
      ],
    });
    await other.sendInbox([
      { shard: 1, message: { n: 3 } },
      { shard: 5, message: { n: 4 } },
    ]);
    const rows = await store.loadInbox([1, 2], 10);
    assert.deepEqual(
      rows.map((row) => (row.message as { n: number }).n),
      [1, 2, 3],
    );
    assert.deepEqual(
      (await store.loadInbox([1, 2], 2)).map((row) => row.id),
      [rows[0]!.id, rows[1]!.id],
    );
    await flush({ messagesTaken: [rows[0]!.id, rows[2]!.id] });
    assert.deepEqual(
      (await store.loadInbox([1, 2], 10)).map((row) => row.id),
      [rows[1]!.id],
    );
  },

  "a message to a run goes to the shard in which it stands": async ({ store, other }) => {
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1", { shard: 6 })] });
    const message: Json = { kind: "run", runId: "r1" };
    assert.equal(await other.sendToRun(key("r1"), message), true);
    assert.equal(await other.sendToRun(key("r2"), message), false);
    assert.equal(await other.sendToRun({ ...key("r1"), generation: 2 }, message), false);
    assert.deepEqual(
      (await store.loadInbox([6], 10)).map((row) => [row.shard, row.message]),
      [[6, message]],
    );
  },

  "runs that wait outside of memory are loaded when they are due, not with their shard": async ({
    store,
  }) => {
    const { nodeId, flush } = await flusher(store);
    const waits = (id: string, wakeAt: number | undefined) => runChange(id, { state: "waiting", wakeAt });
    await flush({ runsCreated: ["r1", "r2", "r3", "r4"].map((id) => liveRun(id)) });
    await flush({
      runsChanged: [waits("r1", rowTime + 30), waits("r2", rowTime + 10), waits("r3", wakeNever)],
    });
    const due = async (shard: number, until: number, limit = 10) =>
      (await store.loadWaitingRuns([shard], until, limit)).map((run) => [run.id, run.wakeAt]);
    assert.deepEqual(await due(1, rowTime + 30), [
      ["r2", rowTime + 10],
      ["r1", rowTime + 30],
    ]);
    assert.deepEqual(await due(1, rowTime + 29), [["r2", rowTime + 10]]);
    assert.deepEqual(await due(1, rowTime + 99, 1), [["r2", rowTime + 10]]);
    assert.deepEqual(await due(2, rowTime + 99), []);
    const inMemory = async () => (await store.loadShards(nodeId, [1])).runs.map(({ id }) => id);
    assert.deepEqual(await inMemory(), ["r4"]);
    assert.equal((await store.loadRun(key("r3")))?.run.wakeAt, wakeNever);
    await flush({ runsChanged: [waits("r2", undefined)] });
    assert.deepEqual(await inMemory(), ["r2", "r4"]);
    assert.deepEqual(await due(1, rowTime + 29), []);
  },

  "an idempotency key names the run that was made with it": async ({ store, other }) => {
    const { flush } = await flusher(store);
    await flush({
      runsCreated: [liveRun("r1")],
      idempotencyKeys: [{ workspace: 1, key: "k", runId: "r1", createdAt: rowTime }],
    });
    assert.equal(await other.findIdempotencyKey(1, "k"), "r1");
    assert.equal(await other.findIdempotencyKey(1, "l"), undefined);
    assert.equal(await other.findIdempotencyKey(2, "k"), undefined);
  },

  "a run is live until it ends": async ({ store }) => {
    const { flush } = await flusher(store);
    await flush({ runsCreated: [liveRun("r1"), liveRun("r2", { state: "queued" }), liveRun("r3")] });
    await flush({
      runsEnded: [
        {
          ...key("r3"),
          state: "succeeded",
          reason: undefined,
          output: undefined,
          endedAt: rowTime + 9,
          hasMoreRows: false,
        },
      ],
    });
    const live = await store.liveRuns(1, ["r1", "r2", "r3", "r4"]);
    assert.deepEqual(live.toSorted(), ["r1", "r2"]);
    assert.deepEqual(await store.liveRuns(2, ["r1"]), []);
  },

  "grants and requests go by their names; a limit keeps what was said last": async ({ store }) => {
    const { nodeId, flush } = await flusher(store);
    const limit = { workspace: 1, kind: "pool", name: "warehouse", shard: 1 } as const;
    await flush({
      runsCreated: [liveRun("r1")],
      limits: [{ ...limit, slots: 3, setByOperator: false }],
      grants: [grant({ holder: "x" })],
      requests: [request({ holder: "y" })],
    });
    await flush({
      limits: [{ ...limit, slots: 5, setByOperator: true }],
      grantsGone: [{ ...limit, holder: "x" }],
      requestsGone: [{ ...limit, holder: "y" }],
      grants: [grant({ holder: "y" })],
    });
    const loaded = await store.loadShards(nodeId, [1]);
    assert.deepEqual(loaded.limits, [{ ...limit, slots: 5, setByOperator: true }]);
    assert.deepEqual(loaded.grants, [grant({ holder: "y" })]);
    assert.deepEqual(loaded.requests, []);
  },

  "a recorded output is found until it expires, and replaced by a newer one": async ({ store }) => {
    const { flush } = await flusher(store);
    const row = {
      workspace: 1,
      key: "k1",
      output: { value: 1 },
      recordedAt: rowTime,
      expiresAt: rowTime + 10,
    };
    const endless = {
      workspace: 1,
      key: "k2",
      output: { blob: "abc", bytes: 9 },
      recordedAt: rowTime,
      expiresAt: undefined,
    };
    await flush({ cached: [row, endless] });
    assert.deepEqual(await store.findCached(1, ["k1", "k3"], rowTime + 9), [row]);
    assert.deepEqual(await store.findCached(1, ["k1"], rowTime + 10), []);
    assert.deepEqual(await store.findCached(2, ["k1"], rowTime), []);
    assert.deepEqual(await store.findCached(1, ["k2"], rowTime + 1e9), [endless]);
    await flush({ cached: [{ ...row, output: { value: 2 } }] });
    assert.deepEqual((await store.findCached(1, ["k1"], rowTime))[0]?.output, { value: 2 });
  },
};
