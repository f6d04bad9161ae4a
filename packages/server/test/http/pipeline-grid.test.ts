/** A pipeline's runs by nodes, and which deployments changed it, on a real server. */
import type { GridPage } from "@millrace/protocol";
import { expect, test } from "vitest";
import {
  failed,
  node,
  pipeline,
  reads,
  startFixture,
  succeeded,
  type ServerFixture,
} from "./server-fixture.ts";

const words = [
  "skipped",
  "ok",
  "pending",
  "cancelled",
  "upstream",
  "queued",
  "waiting",
  "retrying",
  "running",
  "failed",
];

/** `{ run: { node: state } }`, so that a test reads as the grid does. */
function readable({ runs, nodes }: GridPage): { [node: string]: string | undefined }[] {
  return runs.map(({ states = "" }) =>
    Object.fromEntries(nodes.map((node, at) => [node, words[Number(states[at])]])),
  );
}

async function grid(fixture: ServerFixture, query = ""): Promise<GridPage> {
  const answer = await fixture.call("GET", `/pipelines/p/grid${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as GridPage;
}

const mapped = node("each", {
  region: "each",
  input: { kind: "item", region: "each", path: [] },
});
const fan = pipeline("p", [node("list"), mapped, reads("sum", "each")], {
  regions: [
    {
      id: "each",
      over: [{ kind: "output", node: "list", path: [] }],
      combine: "zip",
      settled: false,
    },
  ],
});

test("each run has the states of its nodes, of a mapped node the most telling", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([fan]);
  let fails = true;
  await fixture.worker({
    answer: ({ token }) => {
      if (token.node === "list") return succeeded([1, 2, 3]);
      return token.node === "each" && token.item === "1" && fails ? failed : succeeded(1);
    },
  });
  const first = await fixture.start("p");
  await fixture.ended(first.id);
  expect(readable(await grid(fixture))).toEqual([{ list: "ok", each: "failed", sum: "upstream" }]);
  fails = false;
  const second = await fixture.start("p");
  await fixture.ended(second.id);
  await fixture.call("POST", `/runs/${first.id}/rerun`, { scope: "failed" });
  await fixture.ended(first.id);
  const page = await grid(fixture);
  expect(page.nodes).toEqual(["list", "each", "sum"]);
  expect(page.runs.map(({ id, generation, state }) => [id, generation, state])).toEqual([
    [second.id, 1, "succeeded"],
    [first.id, 2, "succeeded"],
  ]);
  // The items that a rerun did not need are those of the generation before.
  expect(readable(page)).toEqual([
    { list: "ok", each: "ok", sum: "ok" },
    { list: "ok", each: "ok", sum: "ok" },
  ]);
  const newest = await grid(fixture, "?limit=1");
  expect(newest.runs.map(({ id }) => id)).toEqual([second.id]);
  const older = await grid(fixture, `?limit=1&cursor=${newest.nextCursor}`);
  expect([older.runs.map(({ id }) => id), older.nextCursor]).toEqual([[first.id], undefined]);
  expect((await grid(fixture, "?states=false")).runs[0]).not.toHaveProperty("states");
});

test("what is under way is told by the server that holds it, and by another one from rows", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a"), node("constructor"), reads("b", "a")])]);
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  worker.finish(await worker.dispatch("a"), succeeded(1));
  await worker.dispatch("b");
  const states = { a: "ok", constructor: "running", b: "running" };
  expect(readable(await grid(fixture))).toEqual([states]);
  await using other = await fixture.anotherServer({ name: "other" });
  const elsewhere = (await other.call("GET", "/pipelines/p/grid")).body as GridPage;
  expect(elsewhere.runs.map(({ id }) => id)).toEqual([run.id]);
  expect(readable(elsewhere)[0]).toMatchObject({ a: "ok", b: "running" });
});

test("a run has no state of a node that came later, and nodes that are no more come last", async () => {
  await using fixture = await startFixture();
  await fixture.worker({ answer: () => succeeded(1) });
  await fixture.deploy([pipeline("p", [node("old"), node("toString")])]);
  await fixture.ended((await fixture.start("p")).id);
  await fixture.deploy([pipeline("p", [node("constructor"), node("toString")])]);
  await fixture.ended((await fixture.start("p")).id);
  const { runs, nodes } = await grid(fixture);
  expect(nodes).toEqual(["constructor", "toString", "old"]);
  expect(runs.map(({ states }) => states)).toEqual(["11.", ".11"]);
});

test("an unknown pipeline is refused with the name that was meant", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("report", [node("a")])]);
  const { status, body } = await fixture.call("GET", "/pipelines/reprot/grid");
  expect([status, body.code]).toEqual([404, "MILLRACE_PIPELINE_UNKNOWN"]);
  expect(body.detail).toMatch(/report/);
  expect((await fixture.call("GET", "/pipelines/reprot/versions")).status).toBe(404);
});

test("of its deployments each says whether it changed the pipeline", async () => {
  await using fixture = await startFixture();
  const other = (name: string) => pipeline("other", [node(name)]);
  await fixture.deploy([pipeline("p", [node("a")]), other("x")]);
  await fixture.deploy([pipeline("p", [node("a")]), other("y")]);
  await fixture.deploy([other("y")]);
  await fixture.deploy([pipeline("p", [node("a"), node("b")]), other("y")]);
  const { items } = (await fixture.call("GET", "/pipelines/p/versions")).body;
  const told = items.map(({ deployment, changed, nodes, active }: { [name: string]: unknown }) => [
    deployment,
    changed,
    nodes,
    active,
  ]);
  expect(told).toEqual([
    [4, true, 2, true],
    [2, false, 1, false],
    [1, true, 1, false],
  ]);
  const page = (await fixture.call("GET", "/pipelines/p/versions?limit=2")).body;
  const rest = (await fixture.call("GET", `/pipelines/p/versions?limit=2&cursor=${page.nextCursor}`)).body;
  expect([...page.items, ...rest.items]).toEqual(items);
});
