/** What people see of triggers, and how they steer them, on a real server and database. */
import type { Condition } from "@millrace/core";
import { expect, onTestFinished, test } from "vitest";
import type { Answer } from "./server-fixture.ts";
import { paid, stageWith, triggered, type Stage } from "./trigger-stage.ts";

const join: Condition = {
  kind: "all",
  of: [
    { kind: "event", type: "a", name: "first" },
    { kind: "event", type: "b", where: { op: "gt", path: ["data", "n"], value: 1 } },
  ],
  by: { kind: "path", path: ["data", "k"] },
};

function get(stage: Stage, path: string): Promise<Answer> {
  return stage.fixture.call("GET", path);
}

async function verdict(stage: Stage, name: string, event: number | string): Promise<Answer["body"]> {
  const answer = await get(stage, `/triggers/${name}/explain?event=${event}`);
  expect(answer.status).toBe(200);
  return answer.body.event;
}

test("triggers are listed with their condition in words, their place and their last firing", async () => {
  const every: Condition = {
    kind: "schedule",
    schedule: { kind: "cron", expression: "0 6 * * *", tz: "UTC" },
  };
  const stage = await stageWith(
    triggered("daily", every),
    triggered("join", join),
    triggered("report", paid),
  );
  await stage.emit("order.paid", { amount: 50 });
  await stage.emit("a", { k: 1 });
  await stage.given(1);
  await stage.fixture.call("POST", "/pipelines/join/pause");
  expect((await get(stage, "/triggers/join")).body).toMatchObject({
    keys: 1,
    definition: { condition: join },
  });
  const { items } = (await get(stage, "/triggers")).body;
  expect(items).toMatchObject([
    {
      pipeline: "daily",
      condition: expect.stringMatching(/06:00/),
      keyed: false,
      nextDue: expect.any(String),
    },
    {
      pipeline: "join",
      version: 1,
      condition: "all of (an event a, an event b where data.n > 1), for each data.k",
      operands: ["first", "b"],
      keyed: true,
      keys: 1,
      paused: { position: expect.any(Number) },
    },
    {
      pipeline: "report",
      lastFiring: { runId: expect.any(String) },
      activated: { position: expect.any(Number) },
    },
  ]);
  const { items: first, nextCursor } = (await get(stage, "/triggers?limit=2")).body;
  const { items: rest } = (await get(stage, `/triggers?limit=2&cursor=${nextCursor}`)).body;
  expect([...first, ...rest]).toEqual(items);
});

test("firings are paged from the newest, and each shows its members; runs and events lead to them", async () => {
  const stage = await stageWith(triggered("report", paid));
  const positions: number[] = [];
  for (const amount of [11, 12, 13]) positions.push(await stage.emit("order.paid", { amount }));
  await stage.given(3);
  const page = (await get(stage, "/triggers/report/firings?limit=2")).body;
  const next = (await get(stage, `/triggers/report/firings?limit=2&cursor=${page.nextCursor}`)).body;
  const firings = [...page.items, ...next.items];
  expect(firings.map(({ occurrence }: { occurrence: number }) => occurrence)).toEqual(positions.toReversed());
  expect(next.nextCursor).toBeUndefined();
  const one = (await get(stage, `/triggers/report/firings/${firings[0].id}`)).body;
  expect(one).toMatchObject({
    memberCount: 1,
    members: [{ operand: "orders", position: positions[2], event: { type: "order.paid", source: "/test" } }],
  });
  expect((await get(stage, `/runs/${one.runId}/firing`)).body.firing).toEqual(one);
  expect((await get(stage, `/events/${positions[2]}/firings`)).body.items).toEqual([firings[0]]);
  expect((await get(stage, "/triggers/report/firings/1.1.1")).body).toMatchObject({
    code: "MILLRACE_FIRING_UNKNOWN",
  });
});

test("a state tells which operand has what and which one waits", async () => {
  const stage = await stageWith(triggered("join", join));
  const position = await stage.emit("a", { k: "x" });
  const { key, state } = (await get(stage, "/triggers/join/explain")).body;
  expect(key).toBe("x");
  expect(state).toMatchObject({
    kind: "all",
    state: "gathering",
    of: [
      {
        name: "first",
        state: "held",
        members: [{ position, event: { type: "a" } }],
        since: expect.any(String),
      },
      { state: "waiting", text: "waits for an event b that fits its filter" },
    ],
  });
  await stage.emit("a", { k: "y" });
  const listed = (await get(stage, "/triggers/join/explain")).body;
  expect(listed.keys.map((one: { key: string }) => one.key)).toEqual(["x", "y"]);
  const wrong = await get(stage, "/triggers/join/explain?key=z");
  expect(wrong.body).toMatchObject({ code: "MILLRACE_TRIGGER_KEY_UNKNOWN" });
  expect(wrong.body.detail).not.toContain("paused");
  await stage.fixture.call("POST", "/pipelines/join/pause");
  await stage.emit("a", { k: "z" });
  const kept = await get(stage, "/triggers/join/explain?key=z");
  expect(kept.body.detail).toContain("It is paused, and takes what came since when it is resumed.");
});

test("a schedule whose times are all over says so", async () => {
  const at = (...instants: string[]): Condition => ({
    kind: "schedule",
    schedule: { kind: "at", instants: instants.map((one) => Date.parse(one)) },
  });
  const stage = await stageWith(
    triggered("over", at("2020-01-01T00:00:00Z")),
    triggered("ahead", at("2020-01-01T00:00:00Z", "2800-01-01T00:00:00Z")),
  );
  await stage.emit("a", {});
  await stage.given(0);
  expect((await get(stage, "/triggers/over")).body).toMatchObject({ isOver: true });
  expect((await get(stage, "/triggers/ahead")).body).not.toHaveProperty("isOver");
});

test("a key that fired and of which nothing is held is known by its firing", async () => {
  const keyed: Condition = { kind: "event", type: "c", by: { kind: "path", path: ["data", "k"] } };
  const stage = await stageWith(triggered("each", keyed));
  await stage.emit("c", { k: "y" });
  await stage.given(1);
  const { body } = await get(stage, "/triggers/each/explain?key=y");
  expect(body).toMatchObject({
    key: "y",
    state: { state: "waiting" },
    lastFiring: { key: "y", state: "started" },
  });
  expect(body).not.toHaveProperty("forgottenAt");
  expect((await get(stage, "/triggers/each/explain?key=z")).body.code).toBe("MILLRACE_TRIGGER_KEY_UNKNOWN");
});

test("for each event a trigger says why it counted or did not", async () => {
  const within: Condition = {
    kind: "sequence",
    withinMs: 60_000,
    of: [
      { kind: "event", type: "start" },
      { kind: "event", type: "stop" },
    ],
  };
  const stage = await stageWith(
    triggered("join", join),
    triggered("order", within),
    triggered("report", paid),
  );
  const before = await stage.emit("b", { k: 0, n: 0 });
  const waits = await stage.emit("a", { k: 1 });
  const small = await stage.emit("b", { k: 1, n: 1 });
  const keyless = await stage.emit("a", {});
  const fires = await stage.emit("order.paid", { amount: 20 });
  const early = await stage.emit("stop", {});
  await stage.given(1);
  expect(await verdict(stage, "join", waits)).toMatchObject({ verdict: "gathered", keys: ["1"] });
  expect(await verdict(stage, "join", small)).toMatchObject({
    verdict: "filtered",
    faults: [{ operand: "b", part: "data.n > 1", found: "1" }],
  });
  expect(await verdict(stage, "join", keyless)).toMatchObject({
    verdict: "no_key",
    text: "it has no key: data.k is nothing",
  });
  expect(await verdict(stage, "join", fires)).toMatchObject({
    verdict: "wrong_type",
    text: "its type is order.paid; the trigger asks for a, b",
  });
  const member = await verdict(stage, "report", fires);
  expect(member).toMatchObject({ verdict: "member", firings: [{ occurrence: fires }] });
  expect(await verdict(stage, "order", early)).toMatchObject({
    verdict: "not_counted",
    replayed: { isWhole: true },
  });
  await stage.fixture.call("POST", "/pipelines/report/pause");
  const kept = await stage.emit("order.paid", { amount: 21 });
  expect(await verdict(stage, "report", kept)).toMatchObject({ verdict: "paused" });
  await stage.fixture.call("POST", "/pipelines/report/resume", { onResume: "none" });
  expect(await verdict(stage, "report", kept)).toMatchObject({ verdict: "left_out" });
  await stage.deploy([triggered("join", { ...join, withinMs: 5 })]);
  expect(await verdict(stage, "join", before)).toMatchObject({ verdict: "stale" });
  const passing = await stage.emit("a", { k: 2 });
  for (;;) {
    const told = await verdict(stage, "join", passing);
    if (told.verdict === "gathered") continue;
    expect(told).toMatchObject({ verdict: "expired", replayed: { isWhole: true } });
    break;
  }
  const unknown = await get(stage, "/triggers/join/explain?event=nobody");
  expect(unknown.body).toMatchObject({ code: "MILLRACE_EVENT_UNKNOWN" });
});

test("what a condition would have done is what it does", async () => {
  const pairs: Condition = { kind: "count", of: { kind: "event", type: "a", name: "as" }, n: 2 };
  const stage = await stageWith(triggered("pairs", pairs));
  for (const data of [1, 2, 3, 4, 5]) await stage.emit("a", data);
  await stage.given(2);
  const simulated = (await stage.fixture.call("POST", "/triggers/simulate", { pipeline: "pairs", after: 0 }))
    .body;
  expect(simulated).toMatchObject({ concerned: 5, firingCount: 2, condition: "every 2 of an event a" });
  expect(simulated.cut).toBeUndefined();
  const { items } = (await get(stage, "/triggers/pairs/firings")).body;
  const real = await Promise.all(
    items.map(async ({ id }: { id: string }) => (await get(stage, `/triggers/pairs/firings/${id}`)).body),
  );
  expect(simulated.firings.map(({ members }: { members: unknown }) => members)).toEqual(
    real.map(({ members }) => members),
  );
  const triple = { condition: { ...pairs, n: 3 } };
  const other = (await stage.fixture.call("POST", "/triggers/simulate", { trigger: triple, after: 0 })).body;
  expect(other).toMatchObject({ firingCount: 1, firings: [{ memberCount: 3 }] });
  expect(other).not.toHaveProperty("onlyWhereAsked");
  const ends = { kind: "event", type: "millrace.run.succeeded" };
  const ofEnds = {
    trigger: { condition: { kind: "any", of: [ends, { kind: "event", type: "a" }] } },
    after: 0,
  };
  expect((await stage.fixture.call("POST", "/triggers/simulate", ofEnds)).body).toMatchObject({
    onlyWhereAsked: ["millrace.run.succeeded"],
  });
  const wrong = { condition: { ...pairs, n: 0 } };
  const refused = await stage.fixture.call("POST", "/triggers/simulate", { trigger: wrong });
  expect(refused.body).toMatchObject({ code: "MILLRACE_CONDITION_INVALID" });
});

test("of more events than a state keeps the newest are in the firing, which says that it is incomplete", async () => {
  const quiet: Condition = {
    kind: "debounce",
    of: { kind: "event", type: "a", name: "as" },
    quietMs: 2_000,
  };
  const stage = await stageWith(triggered("quiet", quiet));
  for (let batch = 0; batch < 10; batch += 1) {
    const events = Array.from({ length: 1_000 }, (_none, at) => ({
      specversion: "1.0",
      id: `${batch}/${at}`,
      source: "/test",
      type: "a",
    }));
    await stage.fixture.call("POST", "/events", events, {
      "content-type": "application/cloudevents-batch+json",
    });
  }
  await stage.emit("a", {});
  await stage.given(1);
  const { items } = (await get(stage, "/triggers/quiet/firings")).body;
  expect((await get(stage, `/triggers/quiet/firings/${items[0].id}`)).body).toMatchObject({
    memberCount: 10_000,
    incomplete: true,
  });
});

test("a simulation looks as far as now, also where nothing is recorded", async () => {
  const stage = await stageWith(triggered("mark", paid));
  const since = (await get(stage, "/triggers/mark")).body.activated.at as string;
  const schedule = { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" } as const;
  const asked = { trigger: { condition: { kind: "schedule", schedule } }, since };
  let simulated: Answer["body"];
  do simulated = (await stage.fixture.call("POST", "/triggers/simulate", asked)).body;
  while (simulated.firingCount < 2);
  expect(simulated.firings.length).toBeGreaterThanOrEqual(2);
});

for (const [onResume, count] of [
  ["all", 3],
  ["latest", 1],
  ["none", 0],
  [{ limit: 2 }, 2],
] as const)
  test(`the preview of a resume (${JSON.stringify(onResume)}) is its outcome`, async () => {
    const keyed: Condition = { ...join, of: [join.of[0]!, { kind: "event", type: "b" }] };
    const stage = await stageWith(triggered("join", keyed), triggered("mark", paid));
    await stage.emit("a", { k: 1 });
    await stage.fixture.call("POST", "/pipelines/join/pause");
    for (const k of [3, 2, 1]) await stage.emit("b", { k });
    for (const k of [2, 3, 4]) await stage.emit("a", { k });
    const asked = { onResume, preview: true };
    const preview = (await stage.fixture.call("POST", "/pipelines/join/resume", asked)).body;
    expect(preview).toMatchObject({ pipeline: "join", onResume, paused: { position: expect.any(Number) } });
    expect((await get(stage, "/pipelines/join")).body.paused).toBe(true);
    await stage.fixture.call("POST", "/pipelines/join/resume", { onResume });
    const { items } = (await get(stage, "/triggers/join/firings")).body;
    const real = await Promise.all(
      items.map(async ({ id }: { id: string }) => (await get(stage, `/triggers/join/firings/${id}`)).body),
    );
    const told = ({ key, occurrence, at, members }: { [name: string]: unknown }) => ({
      key,
      occurrence,
      at,
      members,
    });
    expect(preview.firings.map(told)).toEqual(real.toReversed().map(told));
    expect(preview.firingCount).toBe(count);
  });

test("the preview of a resume counts what time alone brought about during the pause", async () => {
  const silence: Condition = {
    kind: "absent",
    of: { kind: "event", type: "answer" },
    after: { kind: "event", type: "question" },
    withinMs: 1_000,
    by: { kind: "path", path: ["data", "k"] },
  };
  const stage = await stageWith(triggered("silence", silence));
  const question = await stage.emit("question", { k: 1 });
  await stage.fixture.call("POST", "/pipelines/silence/pause");
  const asked = { preview: true };
  let preview: Answer["body"];
  // Nothing is recorded meanwhile: the log's clock stands where the pause left it.
  do preview = (await stage.fixture.call("POST", "/pipelines/silence/resume", asked)).body;
  while (preview.firingCount === 0);
  expect(preview.firings).toMatchObject([
    { key: "1", members: [{ operand: "question", position: question }, { operand: "absent" }] },
  ]);
  await stage.fixture.call("POST", "/pipelines/silence/resume");
  const { items } = (await get(stage, "/triggers/silence/firings")).body;
  expect(items).toMatchObject([
    { key: "1", occurrence: preview.firings[0].occurrence, at: preview.firings[0].at },
  ]);
});

test("the preview of a schedule's resume is its outcome, with the data intervals", async () => {
  const schedule = { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" } as const;
  const stage = await stageWith(triggered("ticks", { kind: "schedule", schedule }));
  await stage.fixture.call("POST", "/pipelines/ticks/pause");
  const ask = async (onResume: string) =>
    (await stage.fixture.call("POST", "/pipelines/ticks/resume", { onResume, preview: true })).body;
  let all: Answer["body"];
  do all = await ask("all");
  while (all.firingCount < 3);
  const { firingCount, firings } = await ask("latest");
  expect(firingCount).toBe(1);
  expect(firings[0].interval.from).toBe(all.firings[0].interval.from);
  expect(Date.parse(firings[0].interval.to)).toBeGreaterThanOrEqual(
    Date.parse(all.firings.at(-1).interval.to),
  );
  await stage.fixture.call("POST", "/pipelines/ticks/resume", { onResume: "latest" });
  await stage.given(1);
  const { from, to } = stage.seen[0]!.interval as { readonly from: string; readonly to: string };
  expect(from).toBe(new Date(all.firings[0].interval.from).toISOString());
  expect(Date.parse(to)).toBeGreaterThanOrEqual(Date.parse(firings[0].interval.to));
});

test("each of two servers says the same of a trigger, whichever evaluates it", async () => {
  const keyed: Condition = { ...join, of: [join.of[0]!, { kind: "event", type: "b" }] };
  const stage = await stageWith(triggered("join", keyed));
  const other = await stage.fixture.anotherServer();
  onTestFinished(() => other[Symbol.asyncDispose]());
  const waits = await stage.emit("a", { k: 1 });
  await stage.fixture.call("POST", "/pipelines/join/pause");
  await stage.emit("b", { k: 1 });
  const previews: Answer["body"][] = [];
  for (const server of [stage.fixture, other]) {
    // 503 while the pause is on its way to a trigger of the other's.
    let answer: Answer;
    do answer = await server.call("POST", "/pipelines/join/resume", { preview: true });
    while (answer.status === 503);
    previews.push(answer.body);
    const explained = (await server.call("GET", `/triggers/join/explain?event=${waits}`)).body;
    expect(explained.event).toMatchObject({ verdict: "gathered", keys: ["1"] });
  }
  expect(previews[0]).toMatchObject({ firingCount: 1 });
  expect(previews[1].firings.map(({ members }: { members: object }) => members)).toEqual(
    previews[0].firings.map(({ members }: { members: object }) => members),
  );
});

test("a resume tells an event to each key that it has by operand, as one that was not paused does", async () => {
  const both: Condition = {
    kind: "all",
    of: [
      { kind: "event", type: "move", name: "from" },
      { kind: "event", type: "move", name: "to" },
    ],
    by: {
      kind: "operands",
      of: { from: { kind: "path", path: ["data", "from"] }, to: { kind: "path", path: ["data", "to"] } },
    },
  };
  const stage = await stageWith(triggered("moves", both));
  await stage.fixture.call("POST", "/pipelines/moves/pause");
  const move = await stage.emit("move", { from: "a", to: "b" });
  await stage.fixture.call("POST", "/pipelines/moves/resume");
  expect(await verdict(stage, "moves", move)).toMatchObject({ verdict: "gathered", keys: ["a", "b"] });
  const { keys } = (await get(stage, "/triggers/moves/explain")).body;
  expect(keys.map(({ key }: { key: string }) => key)).toEqual(["a", "b"]);
});

test("names that are wrong are answered with the nearest", async () => {
  const stage = await stageWith(triggered("report", paid));
  expect((await get(stage, "/triggers/reprot")).body.detail).toMatch(/Did you mean "report"/);
});

test("keys are listed in their order, page after page, also from a text on", async () => {
  const stage = await stageWith(triggered("join", join), triggered("report", paid));
  for (const k of ["b", "a", "c"]) await stage.emit("a", { k });
  const keysOf = async (query: string): Promise<string[]> =>
    (await get(stage, `/triggers/join/keys${query}`)).body.items.map(({ key }: { key: string }) => key);
  expect(await keysOf("")).toEqual(["a", "b", "c"]);
  expect(await keysOf("?after=a")).toEqual(["b", "c"]);
  const { items, nextCursor } = (await get(stage, "/triggers/join/keys?limit=2")).body;
  expect(items).toHaveLength(2);
  expect(await keysOf(`?limit=2&cursor=${nextCursor}`)).toEqual(["c"]);
  expect((await get(stage, "/triggers/report/keys")).body).toEqual({ items: [] });
});
