// oxlint-disable typescript/no-floating-promises -- node:test waits for its tests by itself
import assert from "node:assert/strict";
import { test } from "node:test";
import { testbed } from "millrace/testing";
import { collect, daily, fetchOrders, load, loading, paid, thanks, total } from "../pipelines/shop.ts";

test("each morning the orders of a day are added up", async () => {
  const t = await testbed({ daily }, { now: "2026-03-27T12:00:00Z" });
  t.task(fetchOrders).returns({ amounts: [20, 30] });
  await t.advance("2d");
  assert.deepEqual(
    t.runsOf(daily).map(({ output }) => output),
    [50, 50],
  );
  // The clocks change in the second night: that day has 23 hours.
  assert.deepEqual(t.task(fetchOrders).calls[1]?.input, {
    from: "2026-03-28T05:00:00.000Z",
    to: "2026-03-29T04:00:00.000Z",
  });
});

test("a shop that does not answer is asked again, a minute later", async () => {
  const t = await testbed({ daily }, { now: "2026-03-01T00:00:00Z" });
  t.task(fetchOrders)
    .fails("no answer", { times: 2 })
    .returns({ amounts: [1] });
  await t.clock.to("2026-03-01T05:00:00Z");
  const [run] = t.runsOf(daily);
  assert.equal(run?.node("fetch-orders").state, "retrying");
  await t.advance("2m");
  assert.equal(run.output, 1);
  assert.equal(run.node("fetch-orders").attempts, 3);
});

test("only large orders are thanked for, and the trigger says why", async () => {
  const t = await testbed({ thanks });
  const small = await t.emit({ type: paid, data: { order: "a", amount: 5 } });
  await t.emit({ type: paid, data: { order: "b", amount: 500 } });
  assert.equal(t.firings.length, 1);
  assert.equal(t.firings[0]?.run?.output, "thanks for 500");
  assert.deepEqual(t.runs[0]?.node("thank").log, [
    { level: "info", text: "thanked", fields: { order: "b" } },
  ]);
  assert.equal(t.events.at(-1)?.type, "letter.sent");

  const { event } = await t.explain(thanks, { event: small });
  assert.equal(event?.verdict, "filtered");
  assert.match(event.text, /data\.amount >= 100: expected at least 100, found 5/);
});

test("who does not pay within two days is reminded", async () => {
  const t = await testbed({ collect });
  const late = await t.start(collect, { order: "a" });
  const prompt = await t.start(collect, { order: "b" });
  await t.advance("1d");
  await t.emit({ type: paid, data: { order: "b", amount: 5 } });
  assert.equal(prompt.node("remind").state, "skipped");
  assert.equal(late.state, "waiting");
  await t.advance("1d");
  assert.equal(late.output, "please pay a");
  t.expectFinished();
});

const order = (id: string) => ({ type: paid, id, data: { order: id, amount: 1 } });

test("orders that come while others are loaded are loaded together", async () => {
  const t = await testbed({ loading });
  t.task(load).takes("10m");
  await t.emit([order("a"), order("b"), order("c")]);
  assert.deepEqual(
    t.firings.map(({ state }) => state),
    ["started", "waiting", "merged"],
  );
  await t.advance("20m");
  assert.deepEqual(
    t.runs.map(({ output }) => output),
    [["a"], ["b", "c"]],
  );
});

test("after a pause the newest order is enough", async () => {
  const t = await testbed({ loading });
  await t.pause(loading);
  await t.emit([order("a"), order("b"), order("c")]);
  const all = await t.previewResume(loading);
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ["starts", "waits", "merged"],
  );
  await t.resume(loading, { onResume: "latest" });
  assert.deepEqual(t.runs[0]?.output, ["c"]);
});

test("what failed is run again, and keeps what did not fail", async () => {
  const t = await testbed({ daily }, { now: "2026-03-01T05:00:00Z" });
  t.task(fetchOrders).returns({ amounts: [20, 30] });
  t.task(total).fails("out of memory", { times: 1 });
  const run = await t.start(daily);
  assert.equal(run.state, "failed");
  await t.rerun(run);
  assert.equal(run.output, 50);
  assert.equal(run.generation, 2);
  assert.equal(t.task(fetchOrders).calls.length, 1);

  await t.mark(run, "fetch-orders", { state: "succeeded", output: { amounts: [1] } });
  await t.rerun(run, { nodes: ["total"] });
  assert.equal(run.output, 1);
});
