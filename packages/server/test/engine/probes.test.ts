/** What probes look at, on engines with a memory database, a clock moved by hand, and a worker that answers as the test says. */
import {
  compileCondition,
  parseCondition,
  probeAtom,
  probeId,
  thingOfLook,
  withProbeToken,
  type Json,
} from "@millrace/core";
import type { AttemptOutcome, Dispatch, ServerMessage } from "@millrace/protocol";
import { emptyBatch, type DeployedProbes, type WaitRow } from "@millrace/store";
import { memoryArchive, type MemoryLink } from "@millrace/testkit";
import { afterEach, expect, test } from "vitest";
import type { ConnectedWorker } from "../../src/engine/dispatcher.ts";
import { Engine } from "../../src/engine/engine.ts";
import { probeShard } from "../../src/engine/probe/probe-shard.ts";
import { matchKeysOf } from "../../src/engine/wait/match-keys.ts";
import { memory, settled } from "./bench.ts";

const thing = { name: "report", args: { day: "mon" } };
const id = probeId(thing);
const deployed: DeployedProbes = {
  probes: [
    {
      project: "p",
      bundle: "b",
      definition: {
        name: "report",
        everyMs: 1_000,
        jitterMs: 0,
        backoff: { factor: 2, maxMs: 8_000 },
        timeoutMs: 5_000,
        queue: "default",
        env: [],
        connections: [],
      },
    },
  ],
  conditions: [],
};

type Answer = { readonly value: Json } | "throws" | "silent";

interface TestWorker {
  readonly id?: string;
  readonly slots?: number;
  readonly queue?: string;
}

class World {
  readonly memory = memory();
  readonly engines: Engine[] = [];
  answer: Answer = { value: null };
  looks: Dispatch[] = [];
  readonly warnings: string[] = [];
  /** What workers were told to end. */
  cancelled: string[] = [];
  #waits = 0;

  async engine(name: string, probes = deployed, link: MemoryLink = {}): Promise<Engine> {
    const { clock, database } = this.memory;
    const engine = new Engine({
      store: database.connect(link),
      archive: memoryArchive(database.tables),
      blobs: { put: async () => "hash", get: async () => undefined },
      definitions: {
        findActive: async () => undefined,
        definitionOf: async () => undefined,
        runAsks: async () => [],
      },
      clock,
      random: () => 0,
      log: { info: () => {}, warn: (_fields, text) => void this.warnings.push(text), error: () => {} },
      name,
      url: undefined,
      version: "test",
      probes: async () => probes,
    });
    this.engines.push(engine);
    await this.#while(engine.start());
    return engine;
  }

  connect(
    engine: Engine,
    { id: workerId = "w1", slots = 10, queue = "default" }: TestWorker = {},
  ): ConnectedWorker {
    const { worker } = engine.hub.connect(
      {
        kind: "hello",
        protocol: 1,
        workerId,
        name: workerId,
        version: "test",
        queues: [queue],
        slots,
        labels: {},
        platform: "test",
        running: [],
      },
      {
        send: (...messages) => messages.forEach((message) => this.#receive(engine, worker, message)),
        close: () => {},
      },
    );
    this.#heard.push(() => engine.hub.heard(worker));
    return worker;
  }

  readonly #heard: (() => void)[] = [];

  #receive(engine: Engine, worker: ConnectedWorker, message: ServerMessage): void {
    if (message.kind === "cancel") this.cancelled.push(message.token.runId);
    if (message.kind !== "dispatches") return;
    for (const look of message.dispatches) {
      expect(thingOfLook(look.token.runId)).toBeDefined();
      this.looks.push(look);
      if (this.answer !== "silent") this.say(engine, worker, look, outcomeOf(this.answer));
    }
  }

  say(engine: Engine, worker: ConnectedWorker, { token }: Dispatch, outcome: AttemptOutcome): void {
    const times = { startedAt: 0, endedAt: 0 };
    engine.hub.results(worker, { kind: "results", results: [{ token, outcome, times }] });
  }

  /** A wait's row, and the word that wants its thing, as the host of waits puts them into one batch. */
  wait(engine: Engine, ref = thing): string {
    this.#waits += 1;
    const token = this.#waits.toString(16);
    const condition = withProbeToken(probeAtom(ref) as unknown as Json, token);
    const keys = matchKeysOf(compileCondition(parseCondition(condition))).keys;
    // Its run begins now.
    const after = this.memory.database.tables.logs.get(1)?.entries.length ?? 0;
    const row: WaitRow = {
      id: this.#waits,
      workspace: 1,
      shard: 1,
      runId: `r${this.#waits}`,
      node: "there",
      item: "",
      generation: 1,
      name: "",
      occurrence: 1,
      condition: JSON.stringify(condition),
      state: undefined,
      beganAt: this.memory.manual.now(),
      toldTo: 0,
      timeoutAt: undefined,
      dueAt: undefined,
      matchKeys: keys,
      approval: undefined,
      joinsAfter: after,
      end: undefined,
    };
    this.memory.database.tables.waits.set(row.id, row);
    engine.probes.wanted(ref, { token, after });
    return token;
  }

  endWaits(): void {
    this.memory.database.tables.waits.clear();
  }

  async pass(ms: number, stepMs = 250): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.memory.manual.advance(stepMs);
      for (const heard of this.#heard) heard();
      for (let turn = 0; turn < 20; turn += 1) await settled();
    }
  }

  async #while<Result>(work: Promise<Result>): Promise<Result> {
    const over = work.then(() => true);
    while (!(await Promise.race([over, settled()]))) await this.pass(100, 100);
    return work;
  }

  /** The last word of each event's type, in the log's order. */
  get told(): string[] {
    const entries = this.memory.database.tables.logs.get(1)?.entries ?? [];
    return entries.filter(({ type }) => type.startsWith("millrace.probe.")).map(({ type }) => type.slice(15));
  }

  get row() {
    return [...this.memory.database.tables.probes.values()].find((row) => row.id === id);
  }

  async stop(): Promise<void> {
    for (const engine of this.engines) engine.abandon();
    await this.pass(100, 100);
  }
}

function outcomeOf(answer: Exclude<Answer, "silent">): AttemptOutcome {
  return answer === "throws"
    ? { kind: "failed", error: { name: "Error", message: "no such host" } }
    : { kind: "succeeded", output: { value: { value: answer.value } } };
}

let world: World;
afterEach(() => world.stop());

async function started(): Promise<Engine> {
  world = new World();
  const engine = await world.engine("n1");
  world.connect(engine);
  return engine;
}

test("P2: many waits for one thing cost one look at a time", async () => {
  const engine = await started();
  for (let wait = 0; wait < 50; wait += 1) world.wait(engine);
  await world.pass(10_000);
  expect(world.looks.length).toBeGreaterThanOrEqual(8);
  expect(world.looks.length).toBeLessThanOrEqual(11);
  expect(world.memory.database.tables.probes.size).toBe(1);
});

test("P1: when nobody waits any more, nobody looks; and again when somebody does", async () => {
  const engine = await started();
  world.wait(engine);
  await world.pass(3_000);
  world.endWaits();
  await world.pass(2_000);
  const { length } = world.looks;
  expect(world.row!.nextAt).toBeUndefined();
  await world.pass(10_000);
  expect(world.looks.length).toBe(length);
  world.wait(engine);
  await world.pass(500);
  expect(world.looks.length).toBe(length + 1);
});

test("P3: a level is told once, however long it is there; a change is told again", async () => {
  const engine = await started();
  world.wait(engine);
  world.answer = { value: { size: 1 } };
  await world.pass(5_000);
  expect(world.told).toEqual(["changed"]);
  world.answer = { value: { size: 2 } };
  await world.pass(3_000);
  expect(world.told).toEqual(["changed", "changed"]);
  expect(world.row).toMatchObject({ changes: 2, value: { size: 2 } });
});

test("P4: what is there when a wait begins is told to it alone: at once while it is young, else after a look", async () => {
  const engine = await started();
  world.answer = { value: 1 };
  world.wait(engine);
  await world.pass(500);
  expect(world.told).toEqual(["changed"]);
  const { length } = world.looks;
  world.wait(engine);
  await world.pass(250);
  expect(world.told).toEqual(["changed", "present"]);
  expect(world.looks.length).toBe(length);
  world.endWaits();
  await world.pass(60_000, 1_000);
  expect(world.row!.nextAt).toBeUndefined();
  const token = world.wait(engine);
  await world.pass(500);
  expect(world.looks.length).toBe(length + 1);
  expect(world.told).toEqual(["changed", "present", "present"]);
  const last = world.memory.database.tables.logs.get(1)!.entries.at(-1);
  expect(last!.subject).toBe(`${id}@${token}`);
});

test("a probe that fails backs off, says so, and tells when it is well again", async () => {
  const engine = await started();
  world.answer = "throws";
  world.wait(engine);
  await world.pass(31_000);
  // At 0, 2, 6, 14, 22 and 30 s.
  expect(world.looks.length).toBe(6);
  expect(world.told).toEqual(["failed", "failed", "failed"]);
  expect(world.row).toMatchObject({ failures: 6, error: { message: "Error: no such host" } });
  world.answer = { value: 1 };
  await world.pass(8_000);
  expect(world.told.slice(3)).toEqual(["recovered", "changed"]);
});

test("a worker that does not answer is a failure, and without a worker it is looked as soon as one comes", async () => {
  world = new World();
  const engine = await world.engine("n1");
  world.wait(engine);
  world.wait(engine, { name: "report", args: { day: "other" } });
  await world.pass(20_000);
  expect(world.told).toEqual([]);
  expect(world.warnings).toEqual(['no worker of the queue "default" has a free slot for probes']);
  world.answer = "silent";
  world.connect(engine);
  await world.pass(250);
  expect(world.looks.length).toBe(2);
  await world.pass(16_000);
  expect(world.told).toEqual(["failed", "failed"]);
});

test("a probe that nobody has deployed says so", async () => {
  world = new World();
  const engine = await world.engine("n1", { probes: [], conditions: [] });
  world.connect(engine);
  world.wait(engine);
  await world.pass(2_000);
  expect(world.row!.error!.code).toBe("MILLRACE_PROBE_UNKNOWN");
});

test("a trigger that listens keeps it looking without any wait, and a take-over goes on without telling again", async () => {
  const asked = { ...deployed, conditions: [probeAtom(thing) as unknown as Json] };
  world = new World();
  const engine = await world.engine("n1", asked);
  world.connect(engine);
  world.answer = { value: 1 };
  await world.pass(5_000);
  expect(world.told).toEqual(["changed"]);
  engine.abandon();
  world.engines.splice(0);
  const { length } = world.looks;
  const next = await world.engine("n2", asked);
  world.connect(next);
  // The first one's lease has to run out.
  for (let step = 0; step < 60 && world.looks.length === length; step += 1) await world.pass(1_000);
  await world.pass(5_000);
  expect(world.looks.length).toBeGreaterThan(length + 2);
  expect(world.told).toEqual(["changed"]);
});

test("P4: a wait that began at a node which died before it was told is told after the take-over", async () => {
  const engine = await started();
  world.answer = { value: 1 };
  world.wait(engine);
  await world.pass(500);
  await world.pass(3_000);
  world.endWaits();
  await world.pass(5_000);
  const link: MemoryLink = {};
  world.wait(engine);
  const rows = [...world.memory.database.tables.probes.values()];
  expect(rows[0]!.nextAt).toBeUndefined();
  // Its word is committed; the look is not.
  world.answer = "silent";
  await world.pass(250);
  engine.abandon();
  world.engines.splice(0);
  world.answer = { value: 1 };
  const next = await world.engine("n2", deployed, link);
  world.connect(next);
  for (let step = 0; step < 60 && !world.told.includes("present"); step += 1) await world.pass(1_000);
  expect(world.told).toEqual(["changed", "present"]);
});

/** Two nodes, of which the first holds the thing. */
async function startedTwice(): Promise<{ readonly owner: Engine; readonly other: Engine }> {
  world = new World();
  const first = await world.engine("n1");
  const second = await world.engine("n2");
  await world.pass(10_000);
  const held = await world.memory.database.connect({}).ownedShards(first.info.nodeId);
  const isFirst = held.includes(probeShard(id));
  return isFirst ? { owner: first, other: second } : { owner: second, other: first };
}

test("a thing of another node's shard is wanted through its inbox, in the flush of the wait", async () => {
  const { owner, other } = await startedTwice();
  world.connect(owner);
  world.answer = { value: 1 };
  world.wait(other);
  await world.pass(3_000);
  expect(world.looks.length).toBeGreaterThan(0);
  expect(world.told).toEqual(["changed"]);
  expect(emptyBatch().probesWanted).toEqual([]);
});

test("L2: where a thing's node has no worker, one of another node looks, and its answer counts", async () => {
  const { owner, other } = await startedTwice();
  world.connect(other);
  world.answer = { value: 1 };
  world.wait(owner);
  await world.pass(20_000);
  expect(world.looks.length).toBeGreaterThanOrEqual(5);
  expect(world.told).toEqual(["changed"]);
  expect(world.row).toMatchObject({ failures: 0, value: 1 });
  world.answer = "throws";
  await world.pass(5_000);
  expect(world.told.slice(0, 2)).toEqual(["changed", "failed"]);
  expect(world.memory.database.tables.offers.size).toBe(0);
});

test("L2: where the node's own workers are full, one of another node looks", async () => {
  const { owner, other } = await startedTwice();
  world.answer = "silent";
  world.connect(owner, { id: "full", slots: 1 });
  world.wait(owner, { name: "report", args: { day: "full" } });
  world.wait(owner);
  await world.pass(2_000);
  expect(world.looks.length).toBe(1);
  world.answer = { value: 1 };
  world.connect(other, { id: "free" });
  await world.pass(3_000);
  expect(world.told).toEqual(["changed"]);
});

test("L2: a look that nobody takes is taken back when nobody waits any more", async () => {
  const { owner } = await startedTwice();
  world.wait(owner);
  await world.pass(2_000);
  expect(world.memory.database.tables.offers.size).toBe(1);
  world.endWaits();
  await world.pass(10_000);
  expect(world.memory.database.tables.offers.size).toBe(0);
  expect(world.row!.nextAt).toBeUndefined();
});

test("L2: a look that comes to a node whose worker is gone meanwhile is given back, and offered again at once", async () => {
  const { owner, other } = await startedTwice();
  world.wait(owner);
  await world.pass(1_000);
  const { offers } = world.memory.database.tables;
  const [offer] = offers.values();
  const store = world.memory.database.connect({});
  const [shard] = await store.ownedShards(other.info.nodeId);
  const { runId, node, item, generation, dispatch } = offer!;
  const token = { runId, node, item, generation, dispatch };
  const sent = { kind: "given", workerId: "gone", message: { token }, shard: offer!.shard };
  await store.sendInbox([{ shard: shard!, message: sent }]);
  await world.pass(1_500);
  expect([...offers.values()].map((left) => left.item)).not.toContain(item);
  expect(offers.size).toBe(1);
  expect(world.told).toEqual([]);
});

test("L2: who claims a look that nobody needs any more gets its slot back", async () => {
  const { owner, other } = await startedTwice();
  world.wait(owner);
  await world.pass(1_000);
  const { offers } = world.memory.database.tables;
  const [key, offer] = [...offers][0]!;
  world.endWaits();
  await world.pass(10_000);
  expect(offers.size).toBe(0);
  // As if it had been claimed before it was taken back.
  offers.set(key, offer);
  const worker = world.connect(other);
  await world.pass(2_000);
  expect(offers.size).toBe(0);
  expect(worker.busy.size).toBe(0);
  expect(world.looks).toEqual([]);
});

test("L1: a worker of another node that does not answer is told to end it, and that is a failure", async () => {
  const { owner, other } = await startedTwice();
  world.connect(other);
  world.answer = "silent";
  world.wait(owner);
  await world.pass(25_000);
  expect(world.told).toEqual(["failed"]);
  expect(world.cancelled).toContain(`probe:${id}`);
});

test("a look takes a slot until it is answered, and a slot more is a look more", async () => {
  const engine = await started();
  world.answer = "silent";
  const worker = world.connect(engine, { id: "w1", slots: 10 });
  world.wait(engine);
  await world.pass(500);
  expect(worker.busy.size).toBe(1);
  world.say(engine, worker, world.looks[0]!, outcomeOf({ value: 1 }));
  await world.pass(250);
  expect(worker.busy.size).toBe(0);
  expect(world.told).toEqual(["changed"]);
});

test("looks of many things wait for slots, and come one after the other", async () => {
  world = new World();
  const engine = await world.engine("n1");
  world.answer = "silent";
  const worker = world.connect(engine, { slots: 2 });
  for (let day = 0; day < 5; day += 1) world.wait(engine, { name: "report", args: { day: `${day}` } });
  await world.pass(1_000);
  expect(world.looks.length).toBe(2);
  world.say(engine, worker, world.looks[0]!, outcomeOf({ value: null }));
  await world.pass(250);
  expect(world.looks.length).toBe(3);
  expect(worker.busy.size).toBe(2);
});

test("a worker that disappears with a look is a failure; one that never had it is not, and another looks", async () => {
  const engine = await started();
  world.answer = "silent";
  world.wait(engine);
  await world.pass(500);
  expect(world.looks.length).toBe(1);
  engine.hub.gone("w1");
  await world.pass(500);
  expect(world.told).toEqual(["failed"]);
  expect(world.row!.error!.code).toBe("MILLRACE_WORKER_LOST");
  const worker = world.connect(engine, { id: "w2" });
  await world.pass(5_000);
  expect(world.looks.length).toBe(2);
  world.say(engine, worker, world.looks[1]!, { kind: "returned" });
  world.answer = { value: 1 };
  await world.pass(1_500);
  expect(world.looks.length).toBeGreaterThanOrEqual(3);
  expect(new Set(world.looks.map(({ token }) => token.item)).size).toBe(world.looks.length);
  expect(world.told).toEqual(["failed", "recovered", "changed"]);
});
