/** Events that come in over HTTP start runs, on a real server and database. */
import type { Condition } from "@millrace/core";
import { expect, onTestFinished, test } from "vitest";
import { paid, stageWith, triggered } from "./trigger-stage.ts";

test("an event starts a run that sees it; what does not fit starts none", async () => {
  const stage = await stageWith(triggered("report", paid));
  await stage.emit("order.paid", { amount: 5 });
  const position = await stage.emit("order.paid", { amount: 50 });
  await stage.emit("order.placed", { amount: 50 });
  await stage.emit("order.paid", { amount: 60 });
  expect(await stage.dataOf("orders", 2)).toEqual([[{ amount: 50 }], [{ amount: 60 }]]);
  const [firing] = await stage.rows(
    "select occurrence, version, revision, run_id from firing order by occurrence",
  );
  expect(firing).toMatchObject({ occurrence: position, version: 1, revision: 1 });
  const members = await stage.rows("select run_id, operand, position from firing_member order by position");
  expect(members[0]).toEqual({ run_id: firing!["run_id"], operand: "orders", position });
});

test("a key joins what belongs together, over a restart of the server", async () => {
  const condition: Condition = {
    kind: "all",
    of: [
      { kind: "event", type: "a" },
      { kind: "event", type: "b" },
    ],
    by: { kind: "path", path: ["data", "k"] },
  };
  const stage = await stageWith(triggered("join", condition));
  await stage.emit("a", { k: 1 });
  await stage.emit("b", { k: 2 });
  const other = await stage.fixture.anotherServer();
  onTestFinished(() => other[Symbol.asyncDispose]());
  await stage.emit("b", { k: 1 });
  await stage.emit("a", { k: 2 });
  const given = await stage.given(2);
  expect(new Set(given.map(({ key }) => key))).toEqual(new Set(["1", "2"]));
  expect(given.every(({ members }) => members["a"]?.length === 1 && members["b"]?.length === 1)).toBe(true);
});

test("a pause keeps events, and the resume's policy says what becomes of them", async () => {
  const stage = await stageWith(
    triggered("all", paid),
    triggered("latest", paid, {
      trigger: { condition: paid, onResume: "latest", catchUp: "latest" },
    }),
    triggered("none", paid, { trigger: { condition: paid, onResume: "none", catchUp: "latest" } }),
  );
  for (const name of ["all", "latest", "none"]) await stage.fixture.call("POST", `/pipelines/${name}/pause`);
  for (const amount of [11, 12, 13]) await stage.emit("order.paid", { amount });
  for (const name of ["none", "latest", "all"]) await stage.fixture.call("POST", `/pipelines/${name}/resume`);
  await stage.emit("order.paid", { amount: 14 });
  await stage.given(3 + 1 + 3);
  const rows = await stage.rows(
    "select pipeline, count(*) as firings from firing group by pipeline order by pipeline",
  );
  expect(rows.map(({ pipeline: name, firings }) => [name, Number(firings)])).toEqual([
    ["all", 4],
    ["latest", 2],
    ["none", 1],
  ]);
});

test("two deploys of one trigger change nothing; another one begins with its deploy", async () => {
  const count: Condition = { kind: "count", of: { kind: "event", type: "a" }, n: 2 };
  const stage = await stageWith(triggered("pairs", count));
  await stage.emit("a", 1);
  await stage.deploy([triggered("pairs", count, { description: "another text" })]);
  await stage.emit("a", 2);
  expect(await stage.dataOf("a", 1)).toEqual([[1, 2]]);
  await stage.emit("a", 3);
  await stage.deploy([triggered("pairs", { ...count, n: 3 })]);
  for (const data of [4, 5, 6]) await stage.emit("a", data);
  expect(await stage.dataOf("a", 2)).toEqual([
    [1, 2],
    [4, 5, 6],
  ]);
  expect(await stage.rows("select version from trigger")).toEqual([{ version: 2 }]);
});

test("what was retired fires no more", async () => {
  const stage = await stageWith(triggered("gone", paid), triggered("stays", paid));
  await stage.deploy([triggered("stays", paid)]);
  await stage.emit("order.paid", { amount: 50 });
  await stage.given(1);
  await stage.emit("order.paid", { amount: 51 });
  await stage.given(2);
  expect(await stage.rows("select distinct pipeline from firing")).toEqual([{ pipeline: "stays" }]);
});

test("time alone fires: a silence, and the ticks of a schedule", async () => {
  const silence: Condition = {
    kind: "absent",
    of: { kind: "event", type: "beat" },
    after: { kind: "event", type: "start" },
    withinMs: 200,
  };
  const stage = await stageWith(triggered("silence", silence));
  await stage.emit("start", 1);
  const [first] = await stage.given(1);
  expect(first!.members["start"]?.map(({ data }) => data)).toEqual([1]);
  expect(first!.members["absent"]).toHaveLength(1);
  const every: Condition = {
    kind: "schedule",
    schedule: { kind: "every", every: { n: 1, unit: "seconds" }, tz: "UTC" },
  };
  await stage.deploy([triggered("often", every)]);
  const given = await stage.given(4);
  const intervals = given.slice(1, 4).map(({ interval }) => interval as { from: string; to: string });
  expect(intervals[1]!.from).toBe(intervals[0]!.to);
  expect(intervals[2]!.from).toBe(intervals[1]!.to);
});

test("a condition that is wrong is refused with its path", async () => {
  const stage = await stageWith();
  const wrong = triggered("wrong", { kind: "count", of: paid, n: 0 });
  const answer = await stage.fixture.deploy([wrong]);
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({ code: "MILLRACE_CONDITION_INVALID" });
  expect(answer.body.detail).toMatch(/condition\.n/);
});

test("nobody outside writes entries of Millrace's own", async () => {
  const stage = await stageWith(triggered("report", paid));
  const forged = {
    specversion: "1.0",
    id: "1",
    source: "millrace",
    type: "millrace.trigger.changed",
    subject: "report",
    data: { trigger: null },
  };
  const answer = await stage.fixture.call("POST", "/events", forged, {
    "content-type": "application/cloudevents+json",
  });
  expect(answer.status).toBe(422);
});
