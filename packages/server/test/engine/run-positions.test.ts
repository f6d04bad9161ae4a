/** Where waits of runs look back to, on two engines with a memory database and clocks moved by hand. */
import { probeAtom, type Json, type PipelineDefinition } from "@millrace/core";
import type { ServerMessage } from "@millrace/protocol";
import { type DeployedProbes } from "@millrace/store";
import { eventRow, memoryArchive, type MemoryLink } from "@millrace/testkit";
import { afterEach, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { logShard } from "../../src/engine/event-log.ts";
import { probeShard } from "../../src/engine/probe/probe-shard.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const wait = (condition: unknown, after: readonly string[] = []) =>
  task("w", {
    kind: "wait",
    wait: { onTimeout: "fail" },
    input: { kind: "value", value: condition as Json },
    after: after.map((node) => ({ node })),
  });
const twice = { kind: "count", n: 2, of: probeAtom({ name: "report", args: null }) };
const pipelines: { readonly [name: string]: PipelineDefinition } = {
  once: pipelineOf([wait({ kind: "event", type: "go" })], { name: "once" }),
  late: pipelineOf([task("a"), wait({ kind: "event", type: "go" }, ["a"])], { name: "late" }),
  twice: pipelineOf([task("a"), wait(twice, ["a"])], { name: "twice" }),
};
const probes: DeployedProbes = {
  probes: [
    {
      project: "main",
      bundle: "b1",
      definition: {
        name: "report",
        everyMs: 1_000,
        jitterMs: 0,
        backoff: { factor: 2, maxMs: 8_000 },
        timeoutMs: 5_000,
        queue: "looks",
        env: [],
        connections: [],
      },
    },
  ],
  // A trigger has it looked at from the beginning.
  conditions: [probeAtom({ name: "report", args: null }) as unknown as Json],
};

function active(name: string) {
  const definition = pipelines[name];
  return definition && { project: "main", bundle: "b1", paused: false, definition };
}

interface TestNode {
  readonly engine: Engine;
  /** How much its clock is ahead of the database's. */
  ahead: number;
  /** Notifications that it has not heard. */
  readonly unheard: (() => void)[];
  isDeaf: boolean;
}

class World {
  readonly memory = memory();
  readonly nodes: TestNode[] = [];
  /** Tasks that run. */
  readonly running: (() => void)[] = [];
  readonly #heard: (() => void)[] = [];

  async node(name: string): Promise<TestNode> {
    const { clock, database } = this.memory;
    const unheard: (() => void)[] = [];
    const state = { ahead: 0, isDeaf: false };
    const link: MemoryLink = {
      notify: (deliver) => (state.isDeaf ? void unheard.push(deliver) : deliver()),
    };
    const engine = new Engine({
      store: database.connect(link),
      archive: memoryArchive(database.tables),
      blobs: { put: async () => "hash", get: async () => undefined },
      definitions: {
        findActive: async (_workspace, pipeline) => active(pipeline),
        definitionOf: async (_workspace, _bundle, pipeline) => pipelines[pipeline],
        runAsks: async () => [],
      },
      clock: { ...clock, monotonic: () => clock.monotonic() + state.ahead },
      random: () => 0,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      name,
      url: undefined,
      version: "test",
      probes: async () => probes,
    });
    const node: TestNode = Object.assign(state, { engine, unheard });
    this.nodes.push(node);
    await this.while(engine.start());
    return node;
  }

  /** A worker of one queue: looks find something at once, tasks end when the test says so. */
  connect({ engine }: TestNode, queue: string): void {
    const { worker } = engine.hub.connect(
      {
        kind: "hello",
        protocol: 1,
        workerId: `${queue} of ${engine.info.nodeId}`,
        name: queue,
        version: "test",
        queues: [queue],
        slots: 10,
        labels: {},
        platform: "test",
        running: [],
      },
      { send: (...messages) => messages.forEach((message) => receive(message)), close: () => {} },
    );
    const receive = (message: ServerMessage): void => {
      if (message.kind !== "dispatches") return;
      for (const { token } of message.dispatches) {
        const value = queue === "looks" ? { value: "there" } : null;
        const end = (): void =>
          engine.hub.results(worker, {
            kind: "results",
            results: [
              {
                token,
                outcome: { kind: "succeeded", output: { value } },
                times: { startedAt: 0, endedAt: 0 },
              },
            ],
          });
        if (queue === "looks") end();
        else this.running.push(end);
      }
    };
    this.#heard.push(() => engine.hub.heard(worker));
  }

  async start({ engine }: TestNode, pipeline: string): Promise<string> {
    const request = { pipeline: active(pipeline)!, params: { value: {} }, labels: {} };
    return (await this.while(engine.startRun(request))).run.id;
  }

  /** Into the log, by whichever node owns it. */
  async emit({ engine }: TestNode, id: string): Promise<void> {
    await this.while(engine.events.append([eventRow(id, { type: "go" })]));
    await this.turns();
  }

  async turns(): Promise<void> {
    for (let turn = 0; turn < 40; turn += 1) await settled();
  }

  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.memory.manual.advance(stepMs);
      for (const heard of this.#heard) heard();
      await this.turns();
    }
  }

  async while<Result>(work: Promise<Result>): Promise<Result> {
    const over = work.then(() => true);
    while (!(await Promise.race([over, settled()]))) await this.pass(1, 1);
    return work;
  }

  get entries() {
    return this.memory.database.tables.logs.get(1)?.entries ?? [];
  }

  /** The events of a kind that probes have told. */
  told(kind: string): number {
    return this.entries.filter(({ type }) => type === `millrace.probe.${kind}`).length;
  }

  hasEnded(run: string): boolean {
    return [...this.memory.database.tables.runHistory.values()].some(({ id }) => id === run);
  }

  get hasWait(): boolean {
    return this.memory.database.tables.waits.size > 0;
  }

  async stop(): Promise<void> {
    for (const { engine } of this.nodes) engine.abandon();
    await this.pass(100, 100);
  }
}

let world: World;
afterEach(() => world.stop());

/** Two nodes, each with shards: the one that owns a shard, and the other. */
async function startedTwice(shard: number): Promise<{ readonly owner: TestNode; readonly other: TestNode }> {
  world = new World();
  const first = await world.node("n1");
  const second = await world.node("n2");
  await world.pass(10_000);
  const owned = await world.memory.database.connect({}).ownedShards(first.engine.info.nodeId);
  return owned.includes(shard) ? { owner: first, other: second } : { owner: second, other: first };
}

test("a wait hears nothing that was in the log before its run began, though its node had not heard it yet (R1)", async () => {
  const { owner, other } = await startedTwice(logShard);
  other.isDeaf = true;
  await world.emit(owner, "before");
  const run = await world.start(other, "once");
  await world.turns();
  other.isDeaf = false;
  for (const deliver of other.unheard.splice(0)) deliver();
  await world.pass(4_000);
  expect([world.hasEnded(run), world.hasWait]).toEqual([false, true]);
  await world.emit(owner, "after");
  await world.pass(1_000);
  expect(world.hasEnded(run)).toBe(true);
});

test("a wait hears nothing of before its run, though the clock of its node is behind (R1)", async () => {
  const { owner, other } = await startedTwice(logShard);
  world.connect(other, "default");
  await world.emit(owner, "before");
  other.ahead = -50;
  const run = await world.start(other, "late");
  await world.turns();
  world.running.splice(0)[0]!();
  await world.pass(4_000);
  expect([world.hasEnded(run), world.hasWait]).toEqual([false, true]);
});

test("an event that came after its run began is found by a wait that begins later, though the run's node is ahead of the log's clock (C5)", async () => {
  const { owner, other } = await startedTwice(logShard);
  world.connect(other, "default");
  other.ahead = 50;
  const run = await world.start(other, "late");
  await world.emit(owner, "after");
  await world.turns();
  world.running.splice(0)[0]!();
  await world.pass(4_000);
  expect(world.hasEnded(run)).toBe(true);
});

test("a change that a wait has found by looking back is not told to it once more by the next owner of the thing (P4, C9)", async () => {
  const { owner, other } = await startedTwice(probeShard("report"));
  world.connect(other, "default");
  const run = await world.start(other, "twice");
  await world.turns();
  world.connect(owner, "looks");
  await world.pass(3_000);
  expect(world.told("changed")).toBe(1);
  // Its wait begins now: it finds the change, and waits for a second one.
  world.running.splice(0)[0]!();
  await world.pass(3_000);
  expect([world.hasWait, world.told("present")]).toEqual([true, 0]);
  owner.engine.abandon();
  world.connect(other, "looks");
  const looks = (): number => [...world.memory.database.tables.probes.values()][0]!.looks;
  const before = looks();
  for (let step = 0; step < 60 && looks() < before + 3; step += 1) await world.pass(1_000);
  expect(looks()).toBeGreaterThan(before);
  expect([world.hasEnded(run), world.told("present")]).toEqual([false, 0]);
});

test("what was there before a run began is told to its wait, whoever owns the thing by then (P4)", async () => {
  const { owner, other } = await startedTwice(probeShard("report"));
  world.connect(owner, "looks");
  await world.pass(3_000);
  expect(world.told("changed")).toBe(1);
  world.connect(other, "default");
  await world.start(other, "twice");
  await world.turns();
  world.running.splice(0)[0]!();
  await world.pass(3_000);
  expect([world.hasWait, world.told("present")]).toEqual([true, 1]);
});
