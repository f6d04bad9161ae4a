/** The search over all that has a name, at a real server. */
import type { SearchAnswer } from "@millrace/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { triggered } from "./trigger-stage.ts";

let fixture: ServerFixture;
let run: string;

beforeAll(async () => {
  fixture = await startFixture();
  const answer = await fixture.deploy(
    [
      pipeline("orders", [node("load")], { description: "Loads orders" }),
      pipeline("late-orders", [node("load")]),
      triggered("order-paid", { kind: "event", type: "order.paid" }),
      triggered("nightly", {
        kind: "schedule",
        schedule: { kind: "cron", expression: "0 3 * * *", tz: "UTC" },
      }),
    ],
    { pools: { warehouse: 4 }, assets: [{ name: "lake/orders" }] },
  );
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  await fixture.worker({
    hello: { name: "warehouse-1", queues: ["default", "orders"] },
    answer: () => succeeded(1),
  });
  ({ id: run } = await fixture.start("orders"));
  await fixture.ended(run);
}, 60_000);

afterAll(async () => fixture?.[Symbol.asyncDispose]());

async function found(query: string): Promise<SearchAnswer> {
  const answer = await fixture.call("GET", `/search?${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as SearchAnswer;
}

async function hits(query: string): Promise<string[]> {
  return (await found(query)).items.map(({ kind, id }) => `${kind} ${id}`);
}

test("a part of a name finds pipelines, assets and queues, those that begin with it first", async () => {
  expect(await hits("q=ORDER")).toEqual([
    "pipeline orders",
    "pipeline order-paid",
    "pipeline late-orders",
    "trigger order-paid",
    "asset lake/orders",
    "queue orders",
  ]);
});

test("pools and workers are found by their names, schedules by their pipeline's", async () => {
  expect(await hits("q=warehouse&kinds=pool")).toEqual(["pool warehouse"]);
  expect((await found("q=warehouse&kinds=worker")).items).toMatchObject([
    { kind: "worker", name: "warehouse-1" },
  ]);
  expect(await hits("q=night")).toEqual(["pipeline nightly", "trigger nightly", "schedule nightly"]);
});

test("a run is found by the beginning of its id, live or ended, and by nothing else of it", async () => {
  const { items } = await found(`q=${run.slice(0, 12)}`);
  expect(items).toMatchObject([{ kind: "run", id: run, about: "orders", state: "succeeded" }]);
  expect(await hits(`q=${run}`)).toEqual([`run ${run}`]);
  expect(await hits(`q=${run.slice(1)}`)).toEqual([]);
});

test("an event is found by its id and by its position", async () => {
  const event = { specversion: "1.0", id: "shop-77", source: "/shop", type: "order.seen", subject: "77" };
  const headers = { "content-type": "application/cloudevents+json" };
  const sent = await fixture.call("POST", "/events", event, headers);
  expect(sent.status, JSON.stringify(sent.body)).toBeLessThan(300);
  const { items } = await found("q=shop-77");
  expect(items).toMatchObject([{ kind: "event", name: "shop-77", about: "order.seen 77" }]);
  expect(await hits(`q=${items[0]!.id}&kinds=event`)).toEqual([`event ${items[0]!.id}`]);
  expect(await hits("q=999999999&kinds=event")).toEqual([]);
});

test("it says of which kinds there are others", async () => {
  const answer = await found("q=o&limit=1&kinds=pipeline");
  expect(answer.items).toHaveLength(1);
  expect(answer.more).toEqual(["pipeline"]);
});

test("nothing is found for nothing, and what is no kind or too long is refused", async () => {
  expect(await found("q=%20")).toEqual({ items: [], more: [] });
  for (const query of ["", "q=a&kinds=people", `q=${"a".repeat(201)}`]) {
    const answer = await fixture.call("GET", `/search?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, "MILLRACE_REQUEST_INVALID"]);
  }
});
