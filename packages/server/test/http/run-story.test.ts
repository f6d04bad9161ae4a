import { expect, test } from "vitest";
import type { AttemptOutcome, DispatchToken, RunCausesView, RunEffectsView } from "@millrace/protocol";
import { node, pipeline, reads, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { triggered } from "./trigger-stage.ts";

/** As the SDK names what a task emits. */
function emitting({ runId, generation }: DispatchToken, type: string): AttemptOutcome {
  const id = `${runId}/g${generation}/${type}/1`;
  const events = [{ specversion: "1.0" as const, id, source: "/pipelines/first/see", type, subject: "7" }];
  return { kind: "succeeded", output: { value: [1, 2] }, events };
}

async function runOf(fixture: ServerFixture, name: string): Promise<string> {
  let id: string | undefined;
  await expect
    .poll(async () => {
      const { body } = await fixture.call("GET", `/runs?pipeline=${name}&state=succeeded`);
      id = body.items[0]?.id;
      return id;
    })
    .toBeDefined();
  return id!;
}

test("causes lead from a run to the event of another one, and from that to the outside world; effects lead back", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([
    triggered("first", { kind: "event", type: "shop.closed" }),
    triggered("second", { kind: "event", type: "day.loaded" }),
  ]);
  await fixture.worker({
    answer: ({ token, pipeline: name }) =>
      name === "first" ? emitting(token, "day.loaded") : succeeded("done"),
  });
  const shop = { specversion: "1.0", id: "1", source: "/shop", type: "shop.closed" };
  await fixture.call("POST", "/events", shop, { "content-type": "application/cloudevents+json" });
  const second = await runOf(fixture, "second");
  const first = await runOf(fixture, "first");
  const causes = (await fixture.call("GET", `/runs/${second}/causes`)).body as RunCausesView;
  expect(causes).toMatchObject({
    kind: "firing",
    firing: { pipeline: "second", memberCount: 1 },
    members: [
      {
        event: { type: "day.loaded" },
        producer: { kind: "run", run: { id: first }, pipeline: "first", node: "see" },
      },
    ],
  });
  expect((await fixture.call("GET", `/runs/${first}/causes`)).body).toMatchObject({
    members: [{ event: { type: "shop.closed" }, producer: { kind: "outside", name: "/shop" } }],
  });
  const effects = (await fixture.call("GET", `/runs/${first}/effects`)).body as RunEffectsView;
  expect(effects).toMatchObject({
    events: [
      {
        type: "day.loaded",
        subject: "7",
        node: "see",
        firings: [{ pipeline: "second", runId: second, state: "started" }],
      },
    ],
    calls: [],
  });
  expect((await fixture.call("GET", `/runs/${second}/effects`)).body).toMatchObject({ events: [] });
});

test("who was started by hand says so; an input is filled again as it was given", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), reads("b", "a"), node("c", { after: [{ node: "b" }] })])]);
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  worker.finish(await worker.dispatch("a"), succeeded({ rows: [1, "two"] }));
  const b = await worker.dispatch("b");
  const asked = (name: string) => fixture.call("GET", `/runs/${run.id}/input?node=${name}`);
  // While it runs, and of history.
  expect((await asked("b")).body).toEqual({ node: "b", item: "", input: { rows: [1, "two"] } });
  expect((await asked("c")).body).toEqual({ node: "c", item: "" });
  worker.finish(b, succeeded(2));
  worker.finish(await worker.dispatch("c"), succeeded(3));
  await fixture.ended(run.id);
  expect((await asked("b")).body).toEqual({ node: "b", item: "", input: { rows: [1, "two"] } });
  expect((await asked("x")).body.code).toBe("MILLRACE_NODE_UNKNOWN");
  expect((await fixture.call("GET", `/runs/${run.id}/input?node=b&item=4`)).body.code).toBe(
    "MILLRACE_NODE_UNKNOWN",
  );
  expect((await fixture.call("GET", `/runs/${run.id}/causes`)).body).toMatchObject({
    run: { id: run.id, pipeline: "p" },
    kind: "hand",
  });
  expect((await fixture.call("GET", "/runs/r0000000000000000/causes")).status).toBe(404);
});
