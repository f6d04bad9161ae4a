/** Shapes of waits go when no wait has them (J9), on nodes with a memory database and a clock moved by hand. */
import type { EventDraft, Json } from "@millrace/core";
import type { EngineStore } from "@millrace/store";
import type { MemoryLink } from "@millrace/testkit";
import { afterEach, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { shapeSweepMs } from "../../src/engine/limits.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const succeeded = "millrace.run.succeeded";
/** One that nobody sends. */
const never = { kind: "event", type: "order.never" };
const ofNone = { op: "eq", path: ["subject"], value: "none" };

function waiting(name: string, condition: Json, timeoutMs: number) {
  const node = task("there", { kind: "wait", input: { kind: "value", value: condition } });
  return pipelineOf([{ ...node, wait: { timeoutMs, onTimeout: "continue" } }], { name });
}

const pipelines = {
  quick: waiting("quick", never, 1),
  listens: waiting("listens", { kind: "event", type: succeeded, where: ofNone }, 5_000),
  ordered: waiting("ordered", { kind: "event", type: "order.paid" }, 10_000),
  lasting: waiting("lasting", { kind: "event", type: "order.paid" }, 30 * shapeSweepMs),
};

type Shared = ReturnType<typeof memory>;
const engines: Engine[] = [];

async function nodeOn({ archive, clock, database }: Shared, link: MemoryLink = {}): Promise<Engine> {
  const engine = new Engine({
    store: database.connect(link),
    blobs: { put: async () => "", get: async () => undefined },
    definitions: {
      findActive: async (_workspace, name) => active(name as keyof typeof pipelines),
      definitionOf: async (_workspace, _bundle, name) => pipelines[name as keyof typeof pipelines],
      runAsks: async () => [],
    },
    archive,
    clock,
    random: Math.random,
    log: { info: () => {}, warn: () => {}, error: (fields) => expect(fields).toBe("nothing") },
    name: "n",
    url: undefined,
    version: "test",
  });
  engines.push(engine);
  await engine.start();
  return engine;
}

afterEach(() => {
  for (const engine of engines.splice(0)) engine.abandon();
});

function active(name: keyof typeof pipelines) {
  return { project: "main", bundle: "b1", paused: false, definition: pipelines[name] };
}

async function pass({ manual }: Shared, ms: number, stepMs = 500): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    manual.advance(stepMs);
    for (let turn = 0; turn < 12; turn += 1) await settled();
  }
}

/** Until all shapes that have no wait are gone. */
const long = 3 * shapeSweepMs;

async function start(engine: Engine, name: keyof typeof pipelines): Promise<string> {
  const { run } = await engine.startRun({ pipeline: active(name), params: { value: {} }, labels: {} });
  return run.id;
}

async function emit(shared: Shared, engine: Engine, type: string): Promise<void> {
  const draft: EventDraft = {
    lane: "live",
    source: "/shop",
    id: `${type} ${shared.manual.now()}`,
    type,
    subject: undefined,
    time: undefined,
    data: { value: null },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
  } as never;
  await engine.events.append([await engine.events.prepare(draft)]);
}

/** Each once, of however many shards. */
function shapesIn({ database }: Shared): string[] {
  return [...new Set([...database.tables.waitShapes.values()].map(({ type }) => type))].toSorted();
}

function told({ database }: Shared): number {
  return (database.tables.logs.get(1)?.entries ?? []).filter(({ type }) => type === succeeded).length;
}

function outputOf({ database }: Shared, runId: string): unknown {
  return [...database.tables.taskRunHistory.values()].find((row) => row.runId === runId)?.output?.value;
}

test("the log tells of ends of runs for as long as a wait asks for them, and no longer", async () => {
  const shared = memory();
  const engine = await nodeOn(shared);
  await start(engine, "quick");
  await pass(shared, 2_000);
  expect(told(shared)).toBe(0);
  await start(engine, "listens");
  await start(engine, "quick");
  await pass(shared, 2_000);
  expect(told(shared)).toBe(1);
  await pass(shared, 10_000 + long);
  expect(shapesIn(shared)).toEqual([]);
  const before = told(shared);
  await start(engine, "quick");
  await pass(shared, 2_000);
  expect(told(shared)).toBe(before);
  await start(engine, "listens");
  await start(engine, "quick");
  await pass(shared, 2_000);
  expect(told(shared)).toBe(before + 1);
});

test("a shape stays as long as a wait has it, also outside of memory, and its wait is woken", async () => {
  const shared = memory();
  const engine = await nodeOn(shared);
  const id = await start(engine, "lasting");
  await pass(shared, 10 * shapeSweepMs, 5_000);
  expect([shapesIn(shared), engine.info.activeRuns]).toEqual([["order.paid"], 0]);
  await emit(shared, engine, "order.paid");
  await pass(shared, 2_000);
  expect(outputOf(shared, id)).toMatchObject({ timedOut: false });
  await pass(shared, long);
  expect(shapesIn(shared)).toEqual([]);
});

test("a wait that is placed while its shape is asked about keeps it", async () => {
  const shared = memory();
  let answer = Promise.withResolvers<void>();
  answer.resolve();
  const asked: (keyof EngineStore)[] = [];
  const engine = await nodeOn(shared, {
    answer: (statement) => {
      if (statement !== "unusedKeyRanges") return undefined;
      asked.push(statement);
      return answer.promise;
    },
  });
  await start(engine, "ordered");
  await pass(shared, 12_000);
  answer = Promise.withResolvers();
  await pass(shared, long);
  // The database has said that nothing has it.
  expect(asked).toHaveLength(1);
  const id = await start(engine, "lasting");
  answer.resolve();
  await pass(shared, long);
  expect(shapesIn(shared)).toEqual(["order.paid"]);
  await emit(shared, engine, "order.paid");
  await pass(shared, 2_000);
  expect(outputOf(shared, id)).toMatchObject({ timedOut: false });
});

test("nothing is asked about a shape before the waits that have it are committed", async () => {
  const shared = memory();
  let flush = Promise.withResolvers<void>();
  flush.resolve();
  let asked = 0;
  const engine = await nodeOn(shared, {
    request: (statement) => {
      if (statement === "unusedKeyRanges") asked += 1;
      return statement === "flush" ? flush.promise : undefined;
    },
  });
  flush = Promise.withResolvers();
  const starting = start(engine, "lasting");
  await pass(shared, long, 5_000);
  expect([asked, shapesIn(shared)]).toEqual([0, []]);
  flush.resolve();
  const id = await starting;
  await pass(shared, long);
  expect([asked > 0, shapesIn(shared)]).toEqual([true, ["order.paid"]]);
  await emit(shared, engine, "order.paid");
  await pass(shared, 2_000);
  expect(outputOf(shared, id)).toMatchObject({ timedOut: false });
});

test("a server that takes over wakes waits whose shape was forgotten before they began", async () => {
  const shared = memory();
  const first = await nodeOn(shared);
  // In as good as all shards.
  for (let n = 0; n < 300; n += 1) await start(first, "ordered");
  await pass(shared, 12_000);
  expect(shared.database.tables.waitShapes.size).toBeGreaterThan(50);
  await pass(shared, long);
  expect(shapesIn(shared)).toEqual([]);
  const id = await start(first, "lasting");
  await pass(shared, 2_000);
  first.abandon();
  const second = await nodeOn(shared);
  await pass(shared, 20_000);
  expect(second.info.shards).toBe(64);
  await emit(shared, second, "order.paid");
  await pass(shared, 2_000);
  expect(outputOf(shared, id)).toMatchObject({ timedOut: false });
});
