/** What tasks emit comes into the event log with their success. */
import type { AttemptOutcome, EventView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { failed, node, pipeline, startFixture, type ServerFixture } from "./server-fixture.ts";

function emitting(...ids: string[]): AttemptOutcome {
  const events = ids.map((id) => ({
    specversion: "1.0" as const,
    id,
    source: "/pipelines/p/a",
    type: "day.loaded",
    data: { id },
  }));
  return { kind: "succeeded", output: { value: 1 }, events };
}

async function logged(fixture: ServerFixture): Promise<string[]> {
  const { body } = await fixture.call("GET", "/events?type=day.loaded");
  return body.items.map(({ event }: EventView) => event.id).toReversed();
}

test("events of a success are in the log once, in the flush of the success", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const first = await worker.dispatch("a");
  worker.finish(first, emitting("e1", "e2"));
  worker.finish(first, emitting("e1", "e2"));
  worker.finish(await worker.dispatch("b"), emitting("e2", "e3"));
  await fixture.ended(run.id);
  expect(await logged(fixture)).toEqual(["e1", "e2", "e3"]);
  expect((await fixture.call("GET", "/events?id=e3")).body.items[0]).toMatchObject({
    lane: "live",
    event: { type: "day.loaded", data: { id: "e3" } },
  });
});

test("what a late answer emitted, or what is no event, is left out", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const a = await worker.dispatch("a");
  worker.finish({ ...a, token: { ...a.token, dispatch: 2 } }, emitting("late"));
  worker.finish(a, {
    ...emitting("good"),
    events: [{ specversion: "1.0", id: "good", source: "/x", type: "day.loaded" }, { id: "bad" } as never],
  } as AttemptOutcome);
  worker.finish(await worker.dispatch("b"), failed);
  const detail = await fixture.ended(run.id);
  expect(detail.nodes.map(({ state }) => state)).toEqual(["succeeded", "failed"]);
  expect(await logged(fixture)).toEqual(["good"]);
});

test("what a worker of another server emits is recorded, too", async () => {
  await using fixture = await startFixture();
  await using second = await fixture.anotherServer();
  await fixture.deploy([pipeline("p", [node("a")])]);
  await fixture.worker({ answer: ({ token }) => emitting(token.runId) });
  const shards = async (): Promise<number> => (await second.call("GET", "/info")).body.shards;
  await expect.poll(shards, { timeout: 10_000 }).toBe(32);
  // On both servers, so that a run of each shard's owner is among them.
  const runs = await Promise.all(
    Array.from({ length: 12 }, async (_, at) => {
      const start = at % 2 === 0 ? fixture.call.bind(fixture) : second.call;
      return (await start("POST", "/runs", { pipeline: "p" })).body.run.id as string;
    }),
  );
  await Promise.all(runs.map((id) => fixture.ended(id)));
  const all = async (): Promise<string[]> => (await logged(fixture)).toSorted();
  await expect.poll(all, { timeout: 10_000 }).toEqual(runs.toSorted());
});

test("the log tells which node failed, and that the run did", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
  await fixture.worker({ answer: ({ token }) => (token.node === "a" ? failed : emitting("x")) });
  const run = await fixture.start("p", { labels: { team: "data" } });
  await fixture.ended(run.id);
  const { items } = (await fixture.call("GET", "/events?source=millrace")).body;
  const told = items
    .toReversed()
    .map(({ event }: EventView) => [event.type, event.subject, event.data as object])
    .filter(([type]: [string]) => /run|node/.test(type));
  const about = { run: run.id, pipeline: "p", project: "test", generation: 1, labels: { team: "data" } };
  expect(told).toEqual([
    [
      "millrace.node.failed",
      "p/a",
      expect.objectContaining({ ...about, node: "a", error: { name: "Error", message: "it broke" } }),
    ],
    ["millrace.run.failed", "p", expect.objectContaining({ ...about, state: "failed" })],
  ]);
  const causes = await Promise.all(
    items.map(({ position }: EventView) => fixture.call("GET", `/events/${position}`)),
  );
  expect(causes.flatMap(({ body }) => body.cause ?? [])).toEqual([
    { run: run.id, pipeline: "p" },
    { run: run.id, pipeline: "p", node: "a" },
  ]);
  await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" });
  await fixture.ended(run.id);
  const again = (await fixture.call("GET", "/events?type=millrace.run.failed")).body.items;
  expect(again.map(({ event }: EventView) => event.id)).toEqual([
    `run/${run.id}/g2/failed`,
    `run/${run.id}/g1/failed`,
  ]);
});

test("nobody else writes what is Millrace's own", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  const own = { specversion: "1.0" as const, id: "1", source: "millrace", type: "x" };
  await fixture.worker({
    answer: () => ({
      kind: "succeeded",
      output: { value: 1 },
      events: [
        own,
        { ...own, source: "/x", type: "millrace.run.failed" },
        { ...own, source: "/x", type: "mine" },
      ],
    }),
  });
  const run = await fixture.start("p");
  await fixture.ended(run.id);
  const { items } = (await fixture.call("GET", "/events?id=1")).body;
  expect(items.map(({ event }: EventView) => event.type)).toEqual(["mine"]);
});
