/** Triggers in whole engines over the memory store: what the same log must give, whatever happens between its entries. */
import { liveLane, parseTrigger, type Json } from "@millrace/core";
import type { EngineStore } from "@millrace/store";
import { afterEach, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.abandon();
});

function world() {
  const { manual, clock, database, archive } = memory();
  const definition = pipelineOf([task("a")]);
  let changes = 0;
  let emitted = 0;
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 250) {
      manual.advance(Math.min(left, 250));
      for (let turn = 0; turn < 12; turn += 1) await settled();
    }
  };
  const start = async (wrap = (store: EngineStore): EngineStore => store): Promise<Engine> => {
    const engine = new Engine({
      store: wrap(database.connect()),
      blobs: { put: async () => "", get: async () => undefined },
      archive,
      definitions: {
        findActive: async () => ({ project: "main", bundle: "b1", paused: false, definition }),
        definitionOf: async () => definition,
        runAsks: async () => [],
      },
      clock,
      random: () => 0.5,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      name: "a",
      url: undefined,
      version: "1",
    });
    engines.push(engine);
    await engine.start();
    return engine;
  };
  /** What a deploy or an operator leaves for the log. */
  const change = async (engine: Engine, type: string, data: Json, subject = "p"): Promise<void> => {
    const id = (changes += 1);
    database.tables.outbox.set(id, {
      id,
      workspace: 1,
      type: `millrace.trigger.${type}`,
      subject,
      data,
    });
    await engine.outbox.drain();
  };
  const deploy = (engine: Engine, trigger: Json, subject?: string): Promise<void> =>
    change(engine, "changed", { trigger: parseTrigger(trigger) as unknown as Json, paused: false }, subject);
  const emit = async (engine: Engine, customer: string): Promise<void> => {
    const id = `e${(emitted += 1)}`;
    const draft = {
      lane: liveLane,
      source: "/shop",
      id,
      type: "order.placed",
      subject: undefined,
      time: undefined,
    };
    const rest = {
      isBinary: false,
      contentType: undefined,
      dataSchema: undefined,
      extensions: {},
      invalid: undefined,
    };
    await engine.events.append([
      await engine.events.prepare({ ...draft, ...rest, data: { value: { customer } } }),
    ]);
  };
  const fired = (): string[] =>
    [...database.tables.firings.values()].map(({ key, occurrence, runId }) => {
      expect(runId).toBeDefined();
      return `${key} ${occurrence}`;
    });
  return { database, pass, start, change, deploy, emit, fired };
}

const byCustomer = { kind: "path", path: ["data", "customer"] };
const session = {
  condition: { kind: "session", of: { kind: "event", type: "order.placed" }, gapMs: 10_000, by: byCustomer },
};

test("a tick that was due while servers were up fires, whatever the trigger says of those in an outage", async () => {
  const { pass, start, deploy, fired, database } = world();
  const every = { kind: "every", every: { n: 20, unit: "seconds" }, tz: "UTC" };
  const lost = (): Error => Object.assign(new Error("gone"), { code: "ECONNRESET" });
  const first = await start((store) => ({
    ...store,
    flush: async (node, number, batch) => {
      if (batch.firings.length > 0) throw lost();
      return store.flush(node, number, batch);
    },
  }));
  const clock = (): number => database.tables.logs.get(1)!.clock;
  await deploy(first, { condition: { kind: "schedule", schedule: every }, catchUp: "none" });
  await pass(21_000);
  const tick = 1_800_000_020_000;
  expect([clock() > tick, fired()]).toEqual([true, []]);
  first.abandon();
  await pass(100_000);
  // The log says that servers are back before anybody reads how far its clock was.
  const isBack = (): boolean =>
    database.tables.logs.get(1)!.entries.some(({ type }) => type === "millrace.log.resumed");
  await start((store) => ({
    ...store,
    readLog: async (...values) => {
      if (!isBack()) throw lost();
      return store.readLog(...values);
    },
  }));
  await pass(30_000);
  expect(fired()).toEqual([` ${tick}`, ` ${tick + 120_000}`]);
});

test("a tick that jitter delayed into an outage is caught up with", async () => {
  const { pass, start, deploy, fired } = world();
  const every = { kind: "every", every: { n: 2, unit: "minutes" }, tz: "UTC", jitterMs: 60_000 };
  const tick = 1_800_000_120_000;
  const first = await start();
  await deploy(first, { condition: { kind: "schedule", schedule: every }, catchUp: "all" });
  await pass(120_000);
  expect(fired()).toEqual([]);
  first.abandon();
  await pass(80_000);
  await start();
  await pass(10_000);
  expect(fired()).toEqual([` ${tick}`]);
});

test("after a pause the newest firing is that of log time, not of memory", async () => {
  const { pass, start, deploy, change, emit, fired } = world();
  const engine = await start();
  await deploy(engine, session);
  await change(engine, "paused", {});
  await emit(engine, "b");
  await pass(1_000);
  await emit(engine, "a");
  await pass(4_000);
  await emit(engine, "b");
  await pass(20_000);
  await change(engine, "resumed", { onResume: "latest" });
  await pass(1_000);
  expect(fired()).toEqual(["b 4"]);
});

test("a session that was over before its trigger changed has fired, and its state is not the next version's", async () => {
  const { pass, start, deploy, emit, fired } = world();
  const first = await start();
  await deploy(first, session);
  await emit(first, "a");
  await pass(500);
  first.abandon();
  // Nobody tells the time until the change is in the log.
  const isDeaf = { now: true };
  await pass(60_000);
  const second = await start((store) => ({
    ...store,
    readLog: async (...values) => {
      if (isDeaf.now) throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
      return store.readLog(...values);
    },
  }));
  await deploy(second, { condition: { ...session.condition, gapMs: 3_000 } });
  await emit(second, "a");
  isDeaf.now = false;
  await pass(20_000);
  expect(fired().toSorted()).toEqual(["a 3", expect.stringMatching(/^a [56]$/)]);
});

test("a trigger that was taken away may be paused and resumed", async () => {
  const { pass, start, deploy, change, emit, fired } = world();
  const engine = await start();
  await deploy(engine, session);
  await change(engine, "changed", { trigger: null, paused: false });
  await change(engine, "paused", {});
  await change(engine, "resumed", {});
  await deploy(engine, session);
  await emit(engine, "a");
  await pass(12_000);
  expect(fired()).toEqual(["a 7"]);
});

test("a trigger that breaks on its state is paused there and holds up no other; mended, it fires what it owes", async () => {
  const { database, pass, start, change, deploy, emit, fired } = world();
  const first = await start();
  await deploy(first, { condition: { kind: "count", of: { kind: "event", type: "order.placed" }, n: 2 } });
  await deploy(first, { condition: { kind: "event", type: "order.placed" } }, "other");
  await emit(first, "ada");
  await pass(1_000);
  first.abandon();
  const [name, row] = [...database.tables.triggerKeys].find(([, { pipeline }]) => pipeline === "p")!;
  // Rows of a version that this one does not know, or of a bug.
  database.tables.triggerKeys.set(name, { ...row, state: null });
  await pass(20_000);
  const second = await start();
  await emit(second, "bob");
  await pass(5_000);
  const trigger = [...database.tables.triggers.values()].find(({ pipeline }) => pipeline === "p")!;
  expect(trigger.paused).toBeDefined();
  expect(fired()).toHaveLength(2);
  database.tables.triggerKeys.set(name, row);
  second.abandon();
  await pass(20_000);
  const third = await start();
  await change(third, "resumed", {});
  await pass(5_000);
  expect(fired()).toHaveLength(3);
});
