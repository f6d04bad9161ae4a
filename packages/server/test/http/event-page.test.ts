/** What people ask about entries of the log: searches, counts, decisions, causes and effects. */
import type { Condition, Json } from "@millrace/core";
import type {
  EventChain,
  EventHistogram,
  EventPreview,
  EventSearchPage,
  TriggerDecisions,
} from "@millrace/protocol";
import { expect, test } from "vitest";
import { paid, stageOf, stageWith, triggered, type Stage } from "./trigger-stage.ts";

async function get<Answer>(stage: Stage, path: string): Promise<Answer> {
  const answer = await stage.fixture.call("GET", path);
  expect(answer.body).not.toHaveProperty("code");
  return answer.body as Answer;
}

function search(stage: Stage, where: string, more = ""): Promise<EventSearchPage> {
  return get(stage, `/events?where=${encodeURIComponent(where)}${more}`);
}

const join: Condition = {
  kind: "all",
  of: [
    { kind: "event", type: "order.paid", name: "paid" },
    { kind: "event", type: "order.picked", name: "picked" },
  ],
  by: { kind: "path", path: ["data", "k"] },
};

test("events are searched with the filters of conditions, as objects and as CEL", async () => {
  const stage = await stageWith(triggered("report", paid));
  const at: number[] = [];
  for (const amount of [1, 50, 100]) at.push(await stage.emit("order.paid", { amount, tags: ["a"] }));
  await stage.emit("other", { amount: 70, large: "x".repeat(20_000) });
  const positions = ({ items }: EventSearchPage): number[] => items.map(({ position }) => position);
  expect(positions(await search(stage, "data.amount >= 50", "&type=order.*"))).toEqual([at[2], at[1]]);
  expect(
    positions(
      await search(stage, '{"type": "order.paid", "data": {"amount": {"lt": 60}, "tags": {"has": "a"}}}'),
    ),
  ).toEqual([at[1], at[0]]);
  // Data in the blob store is looked into as well.
  expect((await search(stage, "size(data.large) == 20000")).items).toHaveLength(1);
  const page = await search(stage, "data.amount >= 1", "&limit=1");
  expect(page).toMatchObject({
    items: [{ event: { type: "other" } }],
    looked: { entries: expect.any(Number) },
  });
  const next = await search(stage, "data.amount >= 1", `&limit=1&cursor=${page.nextCursor}`);
  expect(positions(next)).toEqual([at[2]]);
  const none = await search(stage, "data.amount > 1000000");
  expect(none.items).toEqual([]);
  expect(none).not.toHaveProperty("nextCursor");
  expect(none.looked?.to?.position).toBe(1);
});

test.each([
  ["data.amount >>= 5", "MILLRACE_EXPRESSION_INVALID", "column"],
  ['{"dta": 5}', "MILLRACE_WHERE_INVALID", 'Did you mean "data"?'],
  ['{"data": 5', "MILLRACE_WHERE_INVALID", "no JSON"],
  ['{"data": {"amount": {"gtt": 5, "lt": 5}}}', "MILLRACE_WHERE_INVALID", 'Did you mean "gt"?'],
])("the filter %s is refused at its field", async (where, code, text) => {
  const stage = await stageWith(triggered("report", paid));
  for (const path of ["/events", "/events/histogram"]) {
    const answer = await stage.fixture.call("GET", `${path}?where=${encodeURIComponent(where)}`);
    expect(answer.body).toMatchObject({ code, fields: { query: "where" } });
    expect(answer.body.detail).toContain(text);
  }
});

test("a histogram counts entries by type or source, with the same filters", async () => {
  const stage = await stageWith(triggered("report", paid));
  for (const amount of [1, 50, 100]) await stage.emit("order.paid", { amount });
  await stage.emit("other", { amount: 70 });
  const all = await get<EventHistogram>(stage, "/events/histogram?source=/test");
  expect(all.series.map(({ name, counts }) => [name, counts.reduce((sum, one) => sum + one, 0)])).toEqual([
    ["order.paid", 3],
    ["other", 1],
  ]);
  expect(all.counted).toBe(4);
  expect(all.series[0]!.counts).toHaveLength(60);
  const sources = await get<EventHistogram>(
    stage,
    `/events/histogram?by=source&stretches=2&where=${encodeURIComponent("data.amount >= 50")}`,
  );
  expect(sources.series).toEqual([{ name: "/test", counts: [0, 3] }]);
  const wrong = await stage.fixture.call(
    "GET",
    "/events/histogram?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
  );
  expect(wrong.body.detail).toBe('"since" must be before "until".');
});

test("each trigger that asks for an event's type says what it decided", async () => {
  const stage = await stageWith(
    triggered("join", join),
    triggered("large", paid),
    triggered("star", { kind: "event", type: "order.*" }),
    triggered("other", { kind: "event", type: "goods.sent" }),
  );
  const position = await stage.emit("order.paid", { amount: 5, k: "x" });
  await stage.given(1);
  const { decisions, others, unasked } = await get<TriggerDecisions>(stage, `/events/${position}/triggers`);
  expect(decisions).toMatchObject([
    { pipeline: "join", verdict: "gathered", keys: ["x"] },
    { pipeline: "large", verdict: "filtered", faults: [{ part: "data.amount >= 10", found: "5" }] },
    { pipeline: "star", verdict: "member", firings: [{ state: "started" }] },
  ]);
  expect([others, unasked]).toEqual([1, []]);
});

async function preview(stage: Stage, event: Json): Promise<EventPreview> {
  const answer = await stage.fixture.call("POST", "/events/preview", { event });
  return answer.body as EventPreview;
}

test("a preview says what an event would do, and records nothing", async () => {
  const eventTypes = [
    {
      type: "order.paid",
      schema: { type: "object", properties: { amount: { type: "number" }, k: { type: "string" } } },
    },
  ];
  const stage = await stageOf([triggered("join", join), triggered("large", paid)], { eventTypes });
  const event = {
    specversion: "1.0",
    id: "1",
    source: "/test",
    type: "order.paid",
    data: { amount: 50, k: "x" },
  };
  const first = await preview(stage, event);
  expect(first).toMatchObject({
    decisions: [
      { pipeline: "join", verdict: "gathers", keys: ["x"] },
      { pipeline: "large", verdict: "fires", text: "it would start a run" },
    ],
    others: 0,
  });
  expect(first).not.toHaveProperty("position");
  const picked = await stage.emit("order.picked", { k: "x" });
  expect((await preview(stage, event)).decisions[0]).toMatchObject({
    verdict: "fires",
    text: "it would start a run, with 1 that came before",
  });
  expect(
    (await get<EventSearchPage>(stage, "/events?type=order.*")).items.map(({ position }) => position),
  ).toEqual([picked]);
  await stage.fixture.call("POST", "/pipelines/large/pause");
  await expect
    .poll(async () => (await preview(stage, event)).decisions[1])
    .toMatchObject({ verdict: "paused" });
  expect(await preview(stage, { ...event, data: { amount: "many" } })).toMatchObject({
    invalid: expect.stringContaining("data.amount must be a number"),
    decisions: [{ verdict: "invalid" }, { verdict: "invalid" }],
  });
  const wrong = await stage.fixture.call("POST", "/events/preview", { event: { ...event, source: "" } });
  expect(wrong.body).toMatchObject({ code: "MILLRACE_EVENT_INVALID" });
  expect((await get<{ items: Json[] }>(stage, "/event-types")).items).toEqual(eventTypes);
});

test("an event's chain leads back to the outside and on to what came of it", async () => {
  const stage = await stageWith(triggered("large", paid));
  const position = await stage.emit("order.paid", { amount: 50 });
  await stage.given(1);
  const { items } = (await stage.fixture.call("GET", "/triggers/large/firings")).body;
  const run = items[0].runId as string;
  // As a task of the run emits it.
  const told = {
    specversion: "1.0",
    id: `${run}/g1/order.packed/1`,
    source: "/pipelines/large/see",
    type: "order.packed",
  };
  await stage.fixture.call("POST", "/events", told, { "content-type": "application/cloudevents+json" });
  const down = await get<EventChain>(stage, `/events/${position}/chain`);
  expect(down).toMatchObject({
    event: { position, type: "order.paid" },
    effects: [
      { firing: { pipeline: "large" }, run: { id: run }, events: [{ type: "order.packed", effects: [] }] },
    ],
  });
  expect(down).not.toHaveProperty("causes");
  const packed = down.effects[0]!.events[0]!.position;
  expect((await get<EventChain>(stage, `/events/${packed}/chain`)).causes).toMatchObject({
    node: "see",
    run: {
      id: run,
      pipeline: "large",
      firing: { memberCount: 1, members: [{ position, type: "order.paid" }] },
    },
  });
  expect((await stage.fixture.call("GET", "/events/999999/chain")).body).toMatchObject({
    code: "MILLRACE_EVENT_UNKNOWN",
  });
});
