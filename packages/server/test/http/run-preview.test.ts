import { expect, test } from "vitest";
import type { RunChangePreview } from "@millrace/protocol";
import { failed, node, pipeline, reads, startFixture, succeeded } from "./server-fixture.ts";

function told({ again, stays }: RunChangePreview): string[][] {
  return [again.map(({ node: name }) => name), stays.map(({ node: name }) => name)];
}

test("a preview tells what a rerun or a mark would affect, and changes nothing", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), reads("b", "a"), reads("c", "b")])]);
  await fixture.worker({
    answer: ({ token }) => (token.node === "b" ? failed : succeeded(1)),
  });
  const run = await fixture.start("p");
  await fixture.ended(run.id);
  const rerun = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "failed", preview: true });
  expect(told(rerun.body)).toEqual([["b", "c"], ["a"]]);
  expect(rerun.body).toMatchObject({ generation: 2, againCount: 2, staysCount: 1, added: [], gone: [] });
  const mark = { node: "b", state: "succeeded", preview: true };
  const marked = await fixture.call("POST", `/runs/${run.id}/mark`, mark);
  expect(told(marked.body)).toEqual([["c"], ["a"]]);
  expect(marked.body).toMatchObject({ generation: 2, marked: { node: "b", item: "" } });
  const { body } = await fixture.call("GET", `/runs/${run.id}`);
  expect(body.run).toMatchObject({ generation: 1, state: "failed" });
  // It refuses what would be refused.
  expect(
    await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "nodes", nodes: ["x"], preview: true }),
  ).toMatchObject({ status: 404, body: { code: "MILLRACE_NODE_UNKNOWN" } });
});

test("a run that goes on tells what a mark would decide, and goes on", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), reads("b", "a"), node("d")])]);
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  await worker.dispatch("a");
  const mark = { node: "a", state: "failed", preview: true };
  const { body } = await fixture.call("POST", `/runs/${run.id}/mark`, mark);
  expect(told(body)).toEqual([["b"], ["d"]]);
  expect(body.generation).toBeUndefined();
  const detail = await fixture.call("GET", `/runs/${run.id}`);
  expect(detail.body.nodes.map(({ state }: { state: string }) => state)).toEqual([
    "running",
    "pending",
    "running",
  ]);
});

test("the definition of a run is that of its own bundle", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a")])]);
  await fixture.worker({ answer: () => succeeded(1) });
  const run = await fixture.start("p");
  await fixture.ended(run.id);
  await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
  const { body } = await fixture.call("GET", `/runs/${run.id}/definition`);
  expect(body.definition.nodes.map(({ id }: { id: string }) => id)).toEqual(["a"]);
});

test("a quarantined run is previewed as it will be ended, and stays quarantined", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), reads("b", "a")])]);
  await fixture.worker({ answer: ({ token }) => (token.node === "b" ? failed : succeeded(1)) });
  const run = await fixture.start("p");
  await fixture.ended(run.id);
  await fixture.database.database.api.query(
    `insert into run (workspace, id, shard, pipeline, project, bundle, generation, state, reason, created_at)
    select workspace, id, shard, pipeline, project, bundle, 2, 'quarantined', '{"code":"x","message":"y"}', created_at
    from run_history where id = $1`,
    [run.id],
  );
  const { body } = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "failed", preview: true });
  expect(told(body)).toEqual([["b"], ["a"]]);
  expect(body.generation).toBe(3);
  const after = await fixture.call("GET", `/runs/${run.id}`);
  expect(after.body.run).toMatchObject({ state: "quarantined", generation: 2 });
});
