import { asset, daily, on, pipeline, task } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const orders = asset("lake/orders", { partitions: daily("2026-01-01") });
const report = asset("mart/orders", { partitions: daily("2026-01-01") });
const raw = asset("raw");

const load = task("load", { writes: raw }, async (isChanged: boolean, ctx) => {
  if (!isChanged) await ctx.asset(raw).unchanged();
  await ctx.step("write", () => ctx.asset(orders).materialized({ partition: "2026-01-02" }));
});
const loading = pipeline("loading", () => load(true));

const summarise = task("summarise", { writes: report }, (day: string) => day);
const summing = pipeline("summing", { on: on.updated(orders) }, ({ partition }) => summarise(partition.key));
const tell = task("tell", (day: string) => day);
const telling = pipeline("telling", { on: on.updated(report) }, ({ partition }) => tell(partition.key));
const rawRead = task("raw-read", () => "read");
const onRaw = pipeline("on-raw", { on: on.updated(raw) }, () => rawRead());

test("what a task writes starts who listens, for its partition, and so on down the line", async () => {
  const t = await testbed({ orders, loading, summing, telling, onRaw });
  await t.start(loading);
  const outputs = t.runs.map(({ pipeline: name, output }) => [name, output]);
  expect(Object.fromEntries(outputs)).toEqual({
    loading: null,
    summing: "2026-01-02",
    telling: "2026-01-02",
    "on-raw": "read",
  });
});

test("what others tell of an asset starts who listens; what does not fit starts nothing", async () => {
  const t = await testbed({ orders, summing, telling });
  const tellOf = (partition: string): object => ({
    type: "millrace.asset.updated",
    subject: "lake/orders",
    data: { partition },
  });
  await t.emit(tellOf("2026-01-32") as { type: string });
  expect(t.runs).toEqual([]);
  await t.emit(tellOf("2026-01-03") as { type: string });
  expect(t.runs.map(({ output }) => output)).toEqual(["2026-01-03", "2026-01-03"]);
});

test("progress that is far ahead of the clock fires nothing, unless the asset allows it", async () => {
  const sink = asset("sink", { partitions: daily("2026-01-01") });
  const plan = asset("plan", { partitions: daily("2026-01-01"), progressAhead: "365d" });
  const far = new Date(Date.UTC(2026, 2, 1));
  const say = task("say", async (_input: object, ctx) => {
    await ctx.asset(sink).progress(far);
    await ctx.asset(plan).progress(far);
  });
  const saying = pipeline("saying", () => say({}));
  const onSink = pipeline("on-sink", { on: on.reached(sink) }, ({ partition }) => tell(partition.key));
  const onPlan = pipeline("on-plan", { on: on.reached(plan) }, ({ partition }) => tell(partition.key));
  const t = await testbed({ sink, plan, saying, onSink, onPlan });
  await t.start(saying);
  expect(t.firings.map(({ pipeline: name }) => name)).toEqual(Array.from({ length: 59 }, () => "on-plan"));
  const [told] = t.events.filter(
    ({ type, subject }) => type === "millrace.asset.progress" && subject === "sink",
  );
  expect(told?.invalid).toMatch(/more than 1 d ahead of the clock: it may be 2026-01-02T/);
  const given = { type: "millrace.asset.progress", subject: "sink", data: { until: far.toISOString() } };
  await expect(t.emit(given)).rejects.toMatchObject({ code: "MILLRACE_PROGRESS_AHEAD" });
  await t.emit({ ...given, data: { until: "2026-01-02T00:00:00Z" } });
  expect(t.firings.at(-1)).toMatchObject({ pipeline: "on-sink" });
});
