/** Runs that only wait leave memory and come back (H4, U1), on one node with a memory database and a clock moved by hand. */
import { noRetry, type PipelineDefinition } from "@millrace/core";
import type { Dispatch, ServerMessage } from "@millrace/protocol";
import { wakeNever } from "@millrace/store";
import { afterEach, describe, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { evictAfterMs, wakesMax } from "../../src/engine/limits.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const hourMs = 3_600_000;
const retryLater = {
  ...task("a").options,
  retry: { ...noRetry, retries: 1, delayMs: hourMs, backoff: "fixed" as const, jitter: "none" as const },
};
const pipelines: { readonly [name: string]: PipelineDefinition } = {
  retries: pipelineOf([task("a", { options: retryLater })], { name: "retries" }),
  deadline: pipelineOf([task("a", { options: retryLater })], { name: "deadline", deadlineMs: hourMs / 2 }),
  limited: pipelineOf([task("a", { options: retryLater })], { name: "limited", maxActiveRuns: 1 }),
  parent: pipelineOf([task("call", { kind: "call", name: "retries", calls: "retries" })], { name: "parent" }),
};

/** In another bundle. */
const { maxActiveRuns: _, ...rest } = pipelines["limited"]!;
const unlimited: { readonly [name: string]: PipelineDefinition } = { ...pipelines, limited: rest };

type Answer = (dispatch: Dispatch) => "succeeds" | "fails" | "crashes" | "runs";

const crash = { name: "MILLRACE_ATTEMPT_CRASHED", code: "MILLRACE_ATTEMPT_CRASHED", message: "it died" };
const outcomes = {
  succeeds: { kind: "succeeded", output: { value: 1 } },
  fails: { kind: "failed", error: { name: "Error", message: "not yet" } },
  crashes: { kind: "infrastructure", error: crash },
} as const;

class Node {
  readonly #memory: ReturnType<typeof memory>;
  readonly engine: Engine;
  answer: Answer = ({ attempt }) => (attempt === 1 ? "fails" : "succeeds");
  dispatched = 0;
  readonly errors: string[] = [];
  readonly infos: string[] = [];

  constructor(shared = memory()) {
    this.#memory = shared;
    const { archive, clock, store } = shared;
    this.engine = new Engine({
      store,
      blobs: { put: async () => "", get: async () => undefined },
      definitions: {
        findActive: async (_workspace, name) => active(name),
        definitionOf: async (_workspace, bundle, name) => (bundle === "b1" ? pipelines : unlimited)[name],
        runAsks: async () => [],
      },
      archive,
      clock,
      random: Math.random,
      log: {
        info: (_fields, text) => this.infos.push(text),
        warn: () => {},
        error: (_fields, text) => this.errors.push(text),
      },
      name: "n1",
      url: undefined,
      version: "test",
      activeRunsMax: 50,
    });
  }

  async start(): Promise<void> {
    await this.engine.start();
    const { worker } = this.engine.hub.connect(
      {
        kind: "hello",
        protocol: 1,
        workerId: "w1",
        name: "w1",
        version: "test",
        queues: ["default"],
        slots: 1_000,
        labels: {},
        platform: "test",
        running: [],
      },
      { send: (...messages) => messages.forEach((message) => this.#receive(message)), close: () => {} },
    );
    this.#worker = worker;
  }

  #worker: ReturnType<Engine["hub"]["connect"]>["worker"] | undefined;

  #receive(message: ServerMessage): void {
    if (message.kind !== "dispatches") return;
    const now = this.#memory.manual.now();
    for (const dispatch of message.dispatches) {
      this.dispatched += 1;
      const answer = this.answer(dispatch);
      if (answer === "runs") continue;
      const outcome = outcomes[answer];
      setImmediate(() =>
        this.engine.hub.results(this.#worker!, {
          kind: "results",
          results: [{ token: dispatch.token, outcome, times: { startedAt: now, endedAt: now } }],
        }),
      );
    }
  }

  async startRuns(pipeline: string, count: number): Promise<string[]> {
    const request = { pipeline: active(pipeline)!, params: { value: {} }, labels: {} };
    const started = Promise.all(Array.from({ length: count }, () => this.engine.startRun(request)));
    await this.pass(2_000);
    return (await started).map(({ run }) => run.id);
  }

  /** Lets time pass, and what follows from it happen. */
  async pass(ms: number, stepMs = 500): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.#memory.manual.advance(stepMs);
      if (this.#worker) this.engine.hub.heard(this.#worker);
      for (let turn = 0; turn < 12; turn += 1) await settled();
    }
  }

  get states(): { readonly [state: string]: number } {
    const { runs, runHistory } = this.#memory.database.tables;
    const count: Record<string, number> = {};
    for (const { state } of [...runs.values(), ...runHistory.values()])
      count[state] = (count[state] ?? 0) + 1;
    return count;
  }

  wakeAt(id: string): number | undefined {
    return [...this.#memory.database.tables.runs.values()].find((run) => run.id === id)?.wakeAt;
  }
}

function active(name: string) {
  const definition = pipelines[name];
  return definition && { project: "main", bundle: "b1", paused: false, definition };
}

describe("a run that only waits", () => {
  const nodes: Node[] = [];
  const nodeOf = async (shared?: ReturnType<typeof memory>): Promise<Node> => {
    const node = new Node(shared);
    nodes.push(node);
    await node.start();
    return node;
  };
  afterEach(() => {
    for (const { engine, errors } of nodes.splice(0)) {
      engine.abandon();
      expect(errors).toEqual([]);
    }
  });

  test("leaves memory after a while, however many there are, and goes on when its retry is due", async () => {
    const node = await nodeOf();
    await node.startRuns("retries", 400);
    await node.pass(60_000);
    expect([node.states, node.dispatched]).toEqual([{ running: 400 }, 400]);
    expect(node.engine.info).toMatchObject({ activeRuns: 0, queuedRuns: 0 });
    await node.pass(hourMs, 1_000);
    await node.pass(30_000);
    expect([node.states, node.dispatched]).toEqual([{ succeeded: 400 }, 800]);
  });

  test("stays in memory while something of it runs", async () => {
    const node = await nodeOf();
    node.answer = () => "runs";
    await node.startRuns("retries", 3);
    await node.pass(30_000);
    expect(node.engine.info.activeRuns).toBe(3);
  });

  test("ends by its deadline", async () => {
    const node = await nodeOf();
    await node.startRuns("deadline", 2);
    await node.pass(30_000);
    expect(node.engine.info.activeRuns).toBe(0);
    await node.pass(hourMs / 2, 1_000);
    expect(node.states).toEqual({ failed: 2 });
  });

  test("hears a command", async () => {
    const node = await nodeOf();
    const [id] = await node.startRuns("retries", 1);
    await node.pass(30_000);
    const reason = { code: "cancelled", message: "enough" };
    expect(
      await node.engine.tellRun({ runId: id!, generation: 1 }, { kind: "cancel", by: "user", reason }),
    ).toBe(true);
    await node.pass(1_000);
    expect(node.states).toEqual({ cancelled: 1 });
  });

  test("is not brought back by a second command after the first has ended it, however slow its flush", async () => {
    // The flush that carries the end reaches the database after whatever is read meanwhile.
    const slow = async (statement: string): Promise<void> => {
      if (statement === "flush") for (let turn = 0; turn < 5; turn += 1) await settled();
    };
    const node = await nodeOf(memory({ request: slow }));
    const [id] = await node.startRuns("retries", 1);
    await node.pass(30_000);
    const reason = { code: "cancelled", message: "enough" };
    const told = Promise.all([
      node.engine.tellRun({ runId: id!, generation: 1 }, { kind: "cancel_node", node: "a", reason }),
      node.engine.tellRun({ runId: id!, generation: 1 }, { kind: "cancel", by: "user", reason }),
    ]);
    await node.pass(2_000);
    expect(await told).toEqual([true, true]);
    // A cancelled leaf fails its run; the second command finds nothing to cancel.
    expect(node.states).toEqual({ failed: 1 });
  });

  test("keeps its place among its pipeline's active runs, also when the grant of it is heard twice", async () => {
    const shared = memory();
    const node = await nodeOf(shared);
    const ids = await node.startRuns("limited", 2);
    await node.pass(30_000);
    expect(node.engine.info).toMatchObject({ activeRuns: 0, queuedRuns: 1 });
    const { grants } = shared.database.tables;
    const [grant] = grants.values();
    const { workspace, kind, name, holder, runId } = grant!;
    const message = { kind: "limit_granted", key: { workspace, kind, name }, holder, runId };
    await shared.store.sendInbox([{ shard: grant!.shard, message }]);
    await node.pass(10_000);
    expect([...grants.values()].map((held) => held.holder)).toEqual([holder]);
    expect(node.engine.info.queuedRuns).toBe(1);
    // It ends, and the other one begins.
    const reason = { code: "cancelled", message: "enough" };
    await Promise.all([
      node.engine.tellRun({ runId, generation: 1 }, { kind: "cancel", by: "user", reason }),
      node.pass(10_000),
    ]);
    expect([...grants.values()].map((held) => held.runId)).toEqual(ids.filter((id) => id !== runId));
  });

  test("gives its place back at once when it is moved to where its pipeline has no limit (M3)", async () => {
    const shared = memory();
    const node = await nodeOf(shared);
    const [first, second] = await node.startRuns("limited", 2);
    await node.pass(30_000);
    const { grants, runs } = shared.database.tables;
    expect([...grants.values()].map(({ runId }) => runId)).toEqual([first]);
    const moved = node.engine.moveRun({ runId: first!, generation: 1, bundle: "b2", rehearsed: [] });
    await node.pass(500);
    expect(await moved).toBe(true);
    expect([...runs.values()].find(({ id }) => id === first)).toMatchObject({ bundle: "b2" });
    expect([...grants.values()].map(({ runId }) => runId)).toEqual([second]);
  });

  test("is not moved when it ends while its row is written (M1)", async () => {
    const held: (() => void)[] = [];
    let isSlow = false;
    const node = await nodeOf(
      memory({
        answer: (statement) =>
          isSlow && statement === "flush" ? new Promise<void>((resolve) => held.push(resolve)) : undefined,
      }),
    );
    const [id] = await node.startRuns("deadline", 1);
    const request = { runId: id!, generation: 1, bundle: "b2", rehearsed: [] };
    const moved = node.engine.moveRun(request);
    isSlow = true;
    await node.pass(1_000);
    // Its row says that it waits; it has not left memory yet.
    expect([node.wakeAt(id!) === undefined, held.length]).toEqual([false, 1]);
    await node.pass(hourMs / 2, 60_000);
    isSlow = false;
    for (const resolve of held.splice(0)) resolve();
    await node.pass(2_000);
    expect(await moved).toBe(true);
    expect(node.states).toEqual({ failed: 1 });
    expect(node.infos.filter((text) => text.includes("goes on"))).toEqual([]);
  });

  test("hears the end of the run that it called", async () => {
    const node = await nodeOf();
    const [id] = await node.startRuns("parent", 1);
    await node.pass(30_000);
    expect(node.wakeAt(id!)).toBe(wakeNever);
    await node.pass(hourMs, 1_000);
    expect(node.states).toEqual({ succeeded: 2 });
  });

  test("hears that the run which it called is quarantined", async () => {
    const node = await nodeOf();
    node.answer = () => "crashes";
    await node.startRuns("parent", 1);
    await node.pass(30_000);
    expect(node.states).toEqual({ quarantined: 1, failed: 1 });
  });

  test("is watched from memory as long as somebody watches", async () => {
    const node = await nodeOf();
    const [id] = await node.startRuns("retries", 1);
    const stop = node.engine.watchers.watch(id!, () => {});
    await node.pass(30_000);
    expect(node.engine.info.activeRuns).toBe(1);
    stop();
    await node.pass(10_000);
    expect(node.engine.info.activeRuns).toBe(0);
  });

  test("is found by the next owner of its shard", async () => {
    const shared = memory();
    const first = await nodeOf(shared);
    await first.startRuns("retries", 20);
    await first.pass(2 * evictAfterMs);
    first.engine.abandon();
    const second = await nodeOf(shared);
    await second.pass(30_000);
    expect(second.engine.info).toMatchObject({ state: "ready", activeRuns: 0 });
    await second.pass(hourMs, 1_000);
    expect(second.states).toEqual({ succeeded: 20 });
  });

  test("comes back in its turn when more are due than are known by name", { timeout: 60_000 }, async () => {
    const shared = memory();
    const { runs, taskRuns } = shared.database.tables;
    const first = await nodeOf(shared);
    const [id] = await first.startRuns("retries", 1);
    await first.pass(2 * evictAfterMs);
    first.engine.abandon();
    const [key, run] = [...runs.entries()].find(([, row]) => row.id === id)!;
    const rows = [...taskRuns.get(key)!.entries()];
    for (let at = 0; at < wakesMax + 500; at += 1) {
      const copy = `${id}-${at}`;
      runs.set(`${key}-${at}`, { ...run, id: copy, wakeAt: run.wakeAt! + at });
      taskRuns.set(`${key}-${at}`, new Map(rows.map(([name, row]) => [name, { ...row, runId: copy }])));
    }
    const second = await nodeOf(shared);
    await second.pass(hourMs + 300_000, 1_000);
    expect(second.states).toEqual({ succeeded: wakesMax + 501 });
  });
});
