/** The list of runs by time, beginning and order, at a real server. */
import type { Page, RunSummary } from "@millrace/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { triggered } from "./trigger-stage.ts";

let fixture: ServerFixture;
const runs: RunSummary[] = [];

beforeAll(async () => {
  fixture = await startFixture();
  await fixture.deploy([
    pipeline("orders", [node("a")]),
    triggered("paid", { kind: "event", type: "order.paid" }),
  ]);
  await fixture.worker({ answer: () => succeeded(1) });
  for (let count = 0; count < 4; count += 1) {
    runs.push(await fixture.start("orders"));
    await fixture.ended(runs.at(-1)!.id);
  }
}, 60_000);

afterAll(async () => fixture?.[Symbol.asyncDispose]());

async function page(query: string): Promise<Page<RunSummary>> {
  const answer = await fixture.call("GET", `/runs?${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as Page<RunSummary>;
}

async function ids(query: string): Promise<string[]> {
  const { items, nextCursor } = await page(query);
  const rest =
    nextCursor === undefined ? [] : await ids(`${query.replace(/&cursor=.*/, "")}&cursor=${nextCursor}`);
  return [...items.map(({ id }) => id), ...rest];
}

test("oldest first, in pages, and from one time to another", async () => {
  const made = runs.map(({ id }) => id);
  expect(await ids("pipeline=orders&order=oldest&limit=3")).toEqual(made);
  expect(await ids("pipeline=orders&limit=3")).toEqual(made.toReversed());
  const since = runs[1]!.createdAt;
  const until = runs[3]!.createdAt;
  expect(await ids(`since=${since}&until=${until}&order=oldest&limit=1`)).toEqual(made.slice(1, 3));
  expect(await ids(`since=${since}&until=${until}`)).toEqual(made.slice(1, 3).toReversed());
});

test("runs of a trigger apart from those that somebody started", async () => {
  const event = { specversion: "1.0", id: "1", source: "/shop", type: "order.paid" };
  await fixture.call("POST", "/events", event, { "content-type": "application/cloudevents+json" });
  await expect
    .poll(async () => (await page("by=trigger")).items.map((run) => run.pipeline))
    .toEqual(["paid"]);
  expect(await ids("by=person&order=oldest")).toEqual(runs.map(({ id }) => id));
  expect(await ids("by=call")).toEqual([]);
});

test("what is no time, order or beginning is refused", async () => {
  for (const query of ["since=yesterday", "order=random", "by=magic"])
    expect(await fixture.call("GET", `/runs?${query}`)).toMatchObject({
      status: 400,
      body: { code: "MILLRACE_REQUEST_INVALID" },
    });
});
