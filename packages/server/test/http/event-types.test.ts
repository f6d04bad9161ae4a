/** Declared event types at the doors: what does not fit is kept, is marked and visible, and fires nothing. */
import { createHmac } from "node:crypto";
import { webhookAccepts, webhookRate, type EventTypeDefinition, type Json } from "@millrace/core";
import { expect, onTestFinished, test } from "vitest";
import { node, pipeline, startFixture, type Answer, type ServerFixture } from "./server-fixture.ts";
import { stageWith, triggered } from "./trigger-stage.ts";

const orderPaid: EventTypeDefinition = {
  type: "order.paid",
  schema: {
    type: "object",
    properties: {
      amount: { type: "number" },
      currency: { type: "string", default: "EUR" },
      lines: { type: "array", items: { type: "object", properties: { n: { type: "integer" } } } },
    },
    required: ["amount"],
    additionalProperties: false,
  },
};

const cloudEvents = { "content-type": "application/cloudevents+json" };
const batches = { "content-type": "application/cloudevents-batch+json" };

function event(id: string, data: Json | undefined, more: object = {}): object {
  const type = "order.paid";
  return { specversion: "1.0", id, source: "/shop", type, ...(data === undefined ? {} : { data }), ...more };
}

async function fixtureWith(eventTypes: readonly object[], variables = {}): Promise<ServerFixture> {
  const fixture = await startFixture({ variables });
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const answer = await fixture.deploy([pipeline("p", [node("a")])], { eventTypes });
  expect(answer.status).toBe(200);
  return fixture;
}

async function told(fixture: ServerFixture, query = ""): Promise<[string, string | undefined][]> {
  const { body } = await fixture.call("GET", `/events?type=order.paid${query}`);
  return body.items
    .toReversed()
    .map(({ event: { id }, invalid }: { event: { id: string }; invalid?: string }) => [id, invalid]);
}

test("each door judges: one event, a batch, binary mode, a webhook; and the entry names the path", async () => {
  const fixture = await fixtureWith([orderPaid], { SECRET: "a-secret-of-some-length" });
  const verify = { kind: "github", secrets: ["SECRET"] } as const;
  const hook = {
    name: "shop",
    verify,
    accepts: webhookAccepts("github"),
    headers: [],
    rate: webhookRate,
    mapping: { type: '"order.paid"', id: "body.id" },
  };
  await fixture.deploy([pipeline("p", [node("a")])], { eventTypes: [orderPaid], webhooks: [hook] });

  const one = await fixture.call("POST", "/events", event("one", { amount: "5" }), cloudEvents);
  const amount = 'data.amount must be a number, found "5"';
  expect(one).toMatchObject({ status: 200, body: { position: 1, invalid: amount } });
  const again = await fixture.call("POST", "/events", event("one", { amount: "5" }), cloudEvents);
  expect(again.body).toEqual({ position: 1, duplicate: true });
  const batch = [
    event("fits", { amount: 5 }),
    event("more", { amount: 5, amuont: 1, lines: [{}, { n: 1.5 }] }),
  ];
  const items = await fixture.call("POST", "/events", batch, batches);
  const more = "data.amuont is not declared; data.lines[1].n must be a whole number, found 1.5";
  expect(items.body).toEqual({ items: [{ position: 2 }, { position: 3, invalid: more }], rejected: 0 });
  const binary = {
    "ce-specversion": "1.0",
    "ce-id": "binary",
    "ce-source": "/shop",
    "ce-type": "order.paid",
    "content-type": "application/octet-stream",
  };
  const bytes = await fixture.call("POST", "/events", "xyz", binary);
  expect(bytes.body.invalid).toBe("data is bytes, and the type's schema is of JSON");
  const nothing = await fixture.call("POST", "/events", event("nothing", undefined), cloudEvents);
  expect(nothing.body.invalid).toBe("data must be an object, found null");
  const body = JSON.stringify({ id: "hooked", amount: true });
  const signature = createHmac("sha256", "a-secret-of-some-length").update(body).digest("hex");
  const headers = { "content-type": "application/json", "x-hub-signature-256": `sha256=${signature}` };
  const delivered = await fetch(`${fixture.server.url}/hooks/shop`, { method: "POST", body, headers });
  expect(delivered.status).toBe(200);

  const hooked = "data.id is not declared; data.amount must be a number, found true";
  expect(await told(fixture)).toEqual([
    ["one", amount],
    ["fits", undefined],
    ["more", more],
    ["binary", "data is bytes, and the type's schema is of JSON"],
    ["nothing", "data must be an object, found null"],
    ["hooked", hooked],
  ]);
  expect((await told(fixture, "&invalid=true")).map(([id]) => id)).toEqual([
    "one",
    "more",
    "binary",
    "nothing",
    "hooked",
  ]);
  expect((await fixture.call("GET", "/events/3")).body).toMatchObject({ position: 3, invalid: more });
  // What fits is as it came: no default was put in.
  expect((await fixture.call("GET", "/events/2")).body.event.data).toEqual({ amount: 5 });
});

test("what a task emits is judged, too, and what its worker's node does not own", async () => {
  const fixture = await fixtureWith([orderPaid]);
  await using second = await fixture.anotherServer();
  const shards = async (): Promise<number> => (await second.call("GET", "/info")).body.shards;
  await expect.poll(shards, { timeout: 10_000 }).toBe(32);
  await fixture.worker({
    answer: ({ token }) => ({
      kind: "succeeded",
      output: { value: null },
      events: [
        { specversion: "1.0", id: `${token.runId}-0`, source: "/p", type: "order.paid", data: { amount: 1 } },
        {
          specversion: "1.0",
          id: `${token.runId}-1`,
          source: "/p",
          type: "order.paid",
          data: { amount: "1" },
        },
      ],
    }),
  });
  const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => fixture.start("p")));
  await Promise.all(runs.map(({ id }) => fixture.ended(id)));
  const elsewhere = await second.call("POST", "/events", event("elsewhere", {}), cloudEvents);
  expect(elsewhere.body).toMatchObject({ invalid: "data.amount is missing" });
  const expected = runs.flatMap(({ id }) => [
    [`${id}-0`, undefined],
    [`${id}-1`, 'data.amount must be a number, found "1"'],
  ]);
  const all = [...expected, ["elsewhere", "data.amount is missing"]];
  const asObject = async (): Promise<object> => Object.fromEntries(await told(fixture));
  await expect.poll(asObject, { timeout: 10_000 }).toEqual(Object.fromEntries(all));
});

test("an invalid event starts nothing, and the trigger says why", async () => {
  const stage = await stageWith(triggered("t", { kind: "event", name: "orders", type: "order.paid" }));
  await stage.fixture.deploy([triggered("t", { kind: "event", name: "orders", type: "order.paid" })], {
    eventTypes: [orderPaid],
  });
  const position = await stage.emit("order.paid", { amount: "a" });
  await stage.emit("order.paid", { amount: 2 });
  expect(await stage.dataOf("orders", 1)).toEqual([[{ amount: 2 }]]);
  const { body } = await stage.fixture.call("GET", `/triggers/t/explain?event=${position}`);
  expect(JSON.stringify(body)).toContain('data.amount must be a number, found \\"a\\"');
});

test("a deploy tells what was declared, changed and taken away; from its answer on the new one counts", async () => {
  const fixture = await fixtureWith([orderPaid]);
  const deploy = (eventTypes: readonly object[]): Promise<Answer> =>
    fixture.deploy([pipeline("p", [node("a")])], { eventTypes });
  const moved = { ...orderPaid, source: { file: "elsewhere.ts", line: 1 } };
  expect((await deploy([moved])).body.eventTypes).toEqual({
    added: [],
    changed: [],
    unchanged: ["order.paid"],
    retired: [],
  });
  const wider = { type: "order.paid", schema: { type: "object" } };
  expect((await deploy([wider, { type: "x", schema: true }])).body.eventTypes).toMatchObject({
    added: ["x"],
    changed: ["order.paid"],
  });
  expect((await fixture.call("POST", "/events", event("1", { amount: "5" }), cloudEvents)).body).toEqual({
    position: 1,
  });
  expect((await deploy([])).body.eventTypes).toMatchObject({ retired: ["order.paid", "x"] });
  await fixture.call("POST", "/deployments/rollback", { project: "test", deployment: 1 });
  expect((await fixture.call("POST", "/events", event("2", {}), cloudEvents)).body.invalid).toBe(
    "data.amount is missing",
  );
});

test("two projects may declare a type alike, and not differently", async () => {
  const fixture = await fixtureWith([orderPaid]);
  const other = (schema: Json): Promise<Answer> =>
    fixture.deploy([pipeline("q", [node("a")])], {
      project: "other",
      eventTypes: [{ type: "order.paid", schema, source: { file: "types.ts", line: 3 } }],
    });
  const refused = await other({ type: "object" });
  expect(refused).toMatchObject({
    status: 409,
    body: {
      code: "MILLRACE_EVENT_TYPE_CONFLICT",
      detail: 'The project "test" declares the event type "order.paid" with another schema than "other".',
      fields: { type: "order.paid", owner: "test", project: "other" },
    },
  });
  const { schema } = orderPaid as { schema: { [name: string]: Json } };
  const turned = Object.fromEntries(Object.entries(schema).toReversed());
  expect((await other(turned)).status).toBe(200);
});

test("a filter on a field that another project's declaration lacks is refused", async () => {
  const fixture = await fixtureWith([orderPaid]);
  const condition = {
    kind: "event",
    type: "order.paid",
    where: { op: "eq", path: ["data", "amuont"], value: 1 },
  } as const;
  const answer = await fixture.deploy([triggered("t", condition)], { project: "other" });
  expect(answer.body).toMatchObject({
    code: "MILLRACE_WHERE_INVALID",
    detail: expect.stringMatching(/Pipeline "t": .* reads data\.amuont.*Did you mean data\.amount\?/),
  });
});

test.each<[string, readonly Json[], string]>([
  ["a type of Millrace's own", [{ type: "millrace.x", schema: true }], "Millrace's own"],
  [
    "two of one name",
    [
      { type: "x", schema: true },
      { type: "x", schema: true },
    ],
    "twice",
  ],
  ["no schema", [{ type: "x", schema: "object" }], "needs a JSON Schema"],
  ["no JSON Schema", [{ type: "x", schema: { type: "objekt" } }], "no valid JSON Schema"],
  ["a reference to nowhere", [{ type: "x", schema: { $ref: "#/$defs/none" } }], "no valid JSON Schema"],
  ["a text that can't be stored", [{ type: "x", schema: { const: "\0" } }], "can't be stored"],
  ["a huge schema", [{ type: "x", schema: { const: "x".repeat(200_000) } }], "more than 100000 characters"],
  ["too many", Array.from({ length: 2_001 }, (_, n) => ({ type: `t${n}`, schema: true })), "are allowed"],
])("%s is refused", async (_what, eventTypes, why) => {
  const fixture = await fixtureWith([]);
  const answer = await fixture.deploy([], { eventTypes });
  expect([answer.body.code, answer.body.detail]).toEqual([
    "MILLRACE_EVENT_TYPE_INVALID",
    expect.stringContaining(why),
  ]);
});

test("many faults in large data are told by the first, and data that nests deeply can't break a door", async () => {
  const tree = {
    type: "object",
    properties: { down: { $ref: "#" }, lines: { items: { type: "integer" } } },
  };
  const fixture = await fixtureWith([{ type: "order.paid", schema: tree }]);
  const lines = Array.from({ length: 20_000 }, () => "x");
  const answer = await fixture.call("POST", "/events", event("many", { lines }), cloudEvents);
  expect(answer.body.invalid).toBe('data.lines[0] must be a whole number, found "x"');
  const few = await fixture.call("POST", "/events", event("few", { lines: lines.slice(0, 20) }), cloudEvents);
  expect(few.body.invalid.split("; ")).toHaveLength(5);
  let deep: Json = {};
  for (let at = 0; at < 900; at += 1) deep = { down: deep };
  expect((await fixture.call("POST", "/events", event("deep", deep), cloudEvents)).status).toBe(200);
});
