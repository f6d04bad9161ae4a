/** Triggers in whole engines over the memory store: what the same log must give, whatever happens between its entries. */
import type { Json } from "@millrace/core";
import { afterEach, expect, test } from "vitest";
import { abandonEngines, triggerWorld } from "./trigger-world.ts";

afterEach(abandonEngines);
const world = (): ReturnType<typeof triggerWorld> => triggerWorld();

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

test("ticks that a clock leaps over are those of an outage: a machine that slept catches up as its trigger says", async () => {
  for (const [catchUp, ticks] of [
    ["latest", [20, 3_620, 3_640, 3_660]],
    ["none", [20, 3_640, 3_660]],
    [{ limit: 2 }, [20, 3_600, 3_620, 3_640, 3_660]],
  ] as const) {
    const { pass, start, deploy, fired } = world();
    const every = { kind: "every", every: { n: 20, unit: "seconds" }, tz: "UTC" };
    const leap = { ms: 0 };
    const engine = await start((store) => ({
      ...store,
      renewLease: async (...values) => {
        const renewal = await store.renewLease(...values);
        return { ...renewal, now: renewal.now + leap.ms };
      },
    }));
    await deploy(engine, { condition: { kind: "schedule", schedule: every }, catchUp });
    await pass(25_000);
    leap.ms = 3_610_000;
    await pass(30_000);
    // Back again: what was told is not told anew.
    leap.ms = 0;
    await pass(60_000);
    expect(fired()).toEqual(ticks.map((second) => ` ${1_800_000_000_000 + second * 1_000}`));
  }
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

test("an outage leaves one firing of a schedule beside other conditions, and each tick to one that counts them", async () => {
  const every = { kind: "every", every: { n: 10, unit: "seconds" }, tz: "UTC" };
  const schedule = { kind: "schedule", schedule: every };
  const others = { kind: "event", type: "order.placed" };
  const firedAfterOutage = async (condition: Json): Promise<number> => {
    const { pass, start, deploy, fired } = world();
    const first = await start();
    await deploy(first, { condition });
    await pass(1_000);
    first.abandon();
    await pass(100_000);
    await start();
    await pass(5_000);
    return fired().length;
  };
  expect(await firedAfterOutage({ kind: "any", of: [schedule, others] })).toBe(1);
  expect(await firedAfterOutage({ kind: "count", of: schedule, n: 2 })).toBeGreaterThan(3);
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

const hour = 3_600_000;
/** Windows of an hour by the customers' own clocks. */
const windows = (change: { readonly [name: string]: Json } = {}): Json => ({
  condition: {
    kind: "window",
    of: { kind: "event", type: "order.placed" },
    every: { kind: "every", every: { n: 1, unit: "hours" }, tz: "UTC" },
    time: { kind: "path", path: ["data", "at"] },
    latenessMs: 0,
    late: "ignore",
    by: byCustomer,
    ...change,
  },
});
/** An event of a customer of so many hours after the epoch. */
const at = (customer: string, hours: number): { customer: string; at: string } => ({
  customer,
  at: new Date(hours * hour).toISOString(),
});

test("windows that a key fired before its trigger changed are not fired again, wherever its state was", async () => {
  const { pass, start, deploy, emit, fired } = world();
  const first = await start();
  await deploy(first, windows());
  for (const customer of ["a", "b"]) for (const hours of [1, 2.5]) await emit(first, at(customer, hours));
  await pass(1_000);
  const before = [`a ${hour}`, `b ${hour}`];
  expect(fired().toSorted()).toEqual(before);
  first.abandon();
  await pass(60_000);
  // States of keys are rows now, and none is in memory.
  const second = await start();
  await deploy(second, windows({ latenessMs: 60_000 }));
  for (const customer of ["a", "b", "c"]) {
    await emit(second, at(customer, 1.5));
    await emit(second, at(customer, 5));
  }
  await pass(1_000);
  // What was open of the second hour goes on; `c` is new.
  expect(fired().toSorted()).toEqual([
    `a ${hour}`,
    `a ${2 * hour}`,
    `b ${hour}`,
    `b ${2 * hour}`,
    `c ${hour}`,
  ]);
  // Other keys: nothing goes on.
  await deploy(second, windows({ by: { kind: "path", path: ["type"] } }));
  await emit(second, at("a", 1.5));
  await emit(second, at("a", 9));
  await pass(1_000);
  expect(fired()).toContain(`order.placed ${hour}`);
});

test("whichever server is asked to settle, what was decided is in the log when it answers", async () => {
  const { database, pass, start } = world();
  const [first, second] = [await start(), await start()];
  await pass(20_000);
  for (const [at, engine] of [first, second].entries()) {
    const id = 1_000 + at;
    const row = { id, workspace: 1, type: "millrace.trigger.paused", subject: `s${at}`, data: {} };
    database.tables.outbox.set(id, row);
    const isThere = engine.outbox
      .settle()
      .then(() => database.tables.logs.get(1)!.entries.some(({ subject }) => subject === `s${at}`));
    await pass(2_000);
    expect(await isThere).toBe(true);
  }
  expect(first.info.shards + second.info.shards).toBe(64);
  expect(first.info.shards).toBeLessThan(64);
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
