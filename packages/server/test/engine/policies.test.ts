/** What becomes of firings while their pipeline has no slot, in whole engines over the memory store. */
import { causesAttribute, type Json } from "@millrace/core";
import type { FiringChange, FiringRow } from "@millrace/store";
import { afterEach, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { FiringDesk } from "../../src/engine/trigger/firing-desk.ts";
import { memory, settled } from "./bench.ts";
import { abandonEngines, triggerWorld } from "./trigger-world.ts";

afterEach(abandonEngines);

const placed = { kind: "event", type: "order.placed" };

function world(slots: number | undefined) {
  const made = triggerWorld(slots === undefined ? {} : { maxActiveRuns: slots });
  const { tables } = made.database;
  return {
    ...made,
    /** By firing: whose run it has, and how it stands. */
    firings: (): string[] =>
      [...tables.firings.values()].map(
        ({ occurrence, gate, reason, into }) =>
          `${occurrence} ${gate ?? reason?.code ?? "done"}${into ? ` into ${runOf(into.runId)} from ${into.from}` : ""}`,
      ),
    runs: (): string[] =>
      [...tables.runs.values(), ...tables.runHistory.values()]
        .map(({ id, state, firing }) => `${runOf(id)} ${state} ${positionsOf(firing?.value ?? null).join()}`)
        .toSorted(),
    cancel: async (engine: Engine): Promise<void> => {
      const [first] = [...tables.runs.values()].toSorted((a, b) => a.createdAt - b.createdAt);
      const reason = { code: "cancelled", message: "by a test" };
      const told = await engine.tellRun(
        { runId: first!.id, generation: 1 },
        { kind: "cancel", by: "user", reason },
      );
      expect(told).toBe(true);
      await made.pass(500);
    },
  };

  /** Runs are named by the position of their first firing. */
  function runOf(runId: string): string {
    const row = [...tables.firings.values()].find((one) => one.runId === runId);
    return `run ${row?.occurrence}`;
  }
}

function positionsOf(value: Json): number[] {
  const { members } = value as { readonly members: { readonly [name: string]: Json } };
  return Object.values(members).flatMap((of) =>
    Array.isArray(of)
      ? (of as unknown as { readonly position: number }[]).map(({ position }) => position)
      : [],
  );
}

test("with coalesce the firings that would queue are one, with the members of all, and each says into which it went", async () => {
  const { start, deploy, emit, pass, firings, runs, cancel } = world(1);
  const engine = await start();
  await deploy(engine, { condition: placed, policy: "coalesce" });
  for (const customer of ["a", "b", "c", "d"]) await emit(engine, customer);
  await pass(500);
  expect(firings()).toEqual([
    "2 started",
    "3 waiting",
    "4 merged into run 3 from 1",
    "5 merged into run 3 from 2",
  ]);
  expect(runs()).toEqual(["run 2 running 2"]);
  await cancel(engine);
  expect(runs()).toEqual(["run 2 cancelled 2", "run 3 running 3,4,5"]);
  await emit(engine, "e");
  await pass(500);
  await cancel(engine);
  await cancel(engine);
  expect(firings().filter((one) => !one.includes("merged"))).toEqual([
    "2 done",
    "3 done",
    expect.stringMatching(/ done$/),
  ]);
});

test("with latest a later firing takes the place of one that waits, whose run says by which it is superseded", async () => {
  const { start, deploy, emit, pass, firings, runs, cancel, database } = world(1);
  const engine = await start();
  await deploy(engine, { condition: placed, policy: "latest" });
  for (const customer of ["a", "b", "c"]) await emit(engine, customer);
  await pass(500);
  expect(firings()).toEqual(["2 started", "3 superseded", "4 waiting"]);
  await cancel(engine);
  const [superseded] = [...database.tables.runHistory.values()].filter(({ state }) => state === "superseded");
  expect(superseded?.reason).toMatchObject({ code: "superseded", fields: { firing: "1.4.1" } });
  const [latest] = [...database.tables.runs.values()];
  expect(superseded?.reason?.fields?.["run"]).toBe(latest?.id);
  expect(latest?.state).toBe("running");
  expect(runs()).toHaveLength(3);
  const told = database.tables.logs.get(1)!.entries.filter(({ type }) => type === "millrace.run.superseded");
  expect(told).toHaveLength(1);
});

test("a firing that waits outlives its server, and takes others at the next one", async () => {
  const { start, deploy, emit, pass, firings, runs, cancel } = world(1);
  const first = await start();
  await deploy(first, { condition: placed, policy: "coalesce" });
  for (const customer of ["a", "b"]) await emit(first, customer);
  await pass(500);
  first.abandon();
  await pass(20_000);
  const second = await start();
  await pass(500);
  await emit(second, "c");
  await pass(500);
  expect(firings()).toEqual(["2 started", "3 waiting", expect.stringMatching(/merged into run 3 from 1$/)]);
  await cancel(second);
  expect(runs().filter((one) => one.includes("running"))).toEqual([
    expect.stringMatching(/^run 3 running 3,\d+$/),
  ]);
});

test("each key has a firing of its own that waits, and they start in their order", async () => {
  const { start, deploy, emit, pass, database, cancel } = world(1);
  const engine = await start();
  const by = { kind: "path", path: ["data", "customer"] };
  await deploy(engine, { condition: { ...placed, by }, policy: "coalesce" });
  for (const customer of ["a", "b", "c", "b", "a", "c"]) await emit(engine, customer);
  await pass(500);
  const started = (): (string | undefined)[] =>
    [...database.tables.firings.values()].flatMap(({ key, runId, gate }) =>
      runId !== undefined && gate !== "waiting" ? key : [],
    );
  expect(started()).toEqual(["a"]);
  await cancel(engine);
  expect(started()).toEqual(["a", "b"]);
  await cancel(engine);
  expect(started()).toEqual(["a", "b", "c"]);
  await cancel(engine);
  expect(started()).toEqual(["a", "b", "c", "a"]);
});

test("where the policy becomes each, what waited starts, and queues as any run does", async () => {
  const { start, deploy, emit, pass, firings, runs } = world(1);
  const engine = await start();
  await deploy(engine, { condition: placed, policy: "coalesce" });
  for (const customer of ["a", "b", "c"]) await emit(engine, customer);
  await pass(500);
  await deploy(engine, { condition: placed });
  await pass(500);
  expect(firings()).toEqual(["2 done", "3 done", "4 merged into run 3 from 1"]);
  expect(runs()).toEqual(["run 2 running 2", "run 3 queued 3,4"]);
});

test("without a limit no firing waits, and each has a run with its own members", async () => {
  const { start, deploy, emit, pass, runs } = world(undefined);
  const engine = await start();
  await deploy(engine, { condition: placed, policy: "coalesce" });
  for (const customer of ["a", "b"]) await emit(engine, customer);
  await pass(500);
  expect(runs()).toEqual(["run 2 running 2", "run 3 running 3"]);
});

test("a firing that goes on with a loop of triggers starts no run, and the log names its path", async () => {
  const { start, deploy, emit, pass, firings, runs, database } = world(undefined);
  const engine = await start();
  await deploy(engine, { condition: placed });
  await emit(engine, "a", { [causesAttribute]: "p*24,other*24" });
  await emit(engine, "b", { [causesAttribute]: "p*25,other*25" });
  await emit(engine, "c", { [causesAttribute]: "somebody made this up" });
  await pass(500);
  expect(firings()).toEqual(["2 done", "3 trigger_loop", expect.stringMatching(/^[45] done$/)]);
  expect(runs()).toHaveLength(2);
  const rows = [...database.tables.firings.values()];
  expect(rows[1]?.reason).toMatchObject({ fields: { path: ["p", "other", "p"], times: 26 } });
  const looped = database.tables.logs.get(1)!.entries.find(({ type }) => type === "millrace.trigger.looped");
  expect(looped).toMatchObject({ subject: "p", data: { value: { path: ["p", "other", "p"] } } });
  // A run hands its causes on.
  const [first] = [...database.tables.runs.values()];
  expect(first?.causes).toBe("p*25,other*24");
});

test("a rerun hands on the causes of its run (B3)", async () => {
  const { start, deploy, emit, pass, cancel, database } = world(undefined);
  const engine = await start();
  await deploy(engine, { condition: placed });
  await emit(engine, "a", { [causesAttribute]: "p*1,other*1" });
  await pass(500);
  const [id] = [...database.tables.runs.values()].map((run) => run.id);
  await cancel(engine);
  await engine.generations.rerun(id!, { kind: "all", nodes: [], sameBundle: false });
  await pass(500);
  expect(engine.entry(id!)?.identity).toMatchObject({ generation: 2, causes: "p*2,other*1" });
});

test("a trigger says itself how often it may stand in its own causes", async () => {
  const { start, deploy, emit, pass, firings } = world(undefined);
  const engine = await start();
  await deploy(engine, { condition: placed, loopLimit: 2 });
  await emit(engine, "a", { [causesAttribute]: "p*1" });
  await emit(engine, "b", { [causesAttribute]: "p*2" });
  await pass(500);
  expect(firings()).toEqual(["2 done", "3 trigger_loop"]);
});

test("who waits for room when the engine stops is told so", async () => {
  const { clock, store } = memory();
  const engine = { now: () => clock.monotonic(), set: () => ({ cancel: () => {} }) };
  const desk = new FiringDesk({
    parts: { store, clock: engine, alarms: engine, values: {}, log: { warn: () => {} } } as never,
    entrance: () => ({ hasRoom: false, activePipeline: async () => undefined }) as never,
    checkParams: (_pipeline, params) => params,
  });
  const trigger = { row: { pipeline: "p", shard: 1, definition: { policy: "latest" } } } as never;
  const turn = { firings: [], gateEvents: [{ trigger, endedRun: undefined, after: 0 }] };
  const preparing = desk.prepare(turn, []).then(
    () => "prepared",
    (error: { readonly code?: string }) => error.code,
  );
  await settled();
  desk.stop();
  expect(await preparing).toBe("MILLRACE_LEASE_LOST");
});

test("a revision's run before is never that of a firing which was merged into another one", async () => {
  const condition: Json = { kind: "window", of: placed, every: { unit: "hour", n: 1 }, late: "revise" };
  const batch = { firings: [] as FiringRow[], firingChanges: [] as FiringChange[] };
  let runs = 1;
  const entered: { readonly id: string; readonly firing: { readonly value: Json } }[] = [];
  const desk = new FiringDesk({
    parts: {
      store: {
        loadGate: async () => ({ active: ["r1"], waiting: [], hasMore: false }),
        revisedRun: async () => "r1",
        loadFiringMembers: async () => [],
        readEntries: async () => [],
      },
      values: { store: async (value: Json) => ({ value }), loaded: async (value: unknown) => value },
      commit: { batch },
    } as never,
    entrance: () =>
      ({
        hasRoom: true,
        activePipeline: async () => ({ definition: { maxActiveRuns: 1 } }),
        newRunId: () => `r${(runs += 1)}`,
        enterFired: (_pipeline: unknown, fired: (typeof entered)[number]) => entered.push(fired),
      }) as never,
    checkParams: (_pipeline, params) => params,
  });
  const row = { pipeline: "p", version: 1, shard: 1, definition: { policy: "coalesce" } };
  const trigger = { row, program: { operands: ["order.placed"], condition, isKeyed: false } };
  const revision = (number: number): unknown => ({
    trigger,
    position: number,
    firing: {
      pipeline: "p",
      version: 1,
      key: "",
      occurrence: 0,
      revision: number,
      at: number,
      members: [],
      interval: undefined,
    },
  });
  // The second waits and takes the third; then the first run ends, and the second starts; the fourth waits.
  const turn = {
    firings: [2, 3, 4].map(revision),
    gateEvents: [{ trigger, endedRun: "r1", after: 2 }],
  };
  for (const { begin } of await desk.prepare(turn as never, [])) begin();
  expect(entered.map(({ id }) => id)).toEqual(["r2"]);
  expect(
    batch.firings.map(({ revision: number, runId, value }) => [
      number,
      runId,
      (value?.value as { readonly previousRun?: string } | undefined)?.previousRun,
    ]),
  ).toEqual([
    [2, "r2", "r1"],
    [3, undefined, undefined],
    [4, "r4", "r2"],
  ]);
});
