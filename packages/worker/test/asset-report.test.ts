/** `ctx.asset`: what tasks tell of assets travels as events do. */
import { expect, test } from "vitest";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

test("what a task tells of assets goes with its success, named by asset, partition and occurrence", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ load: async (_, ctx) => {
      const days = ctx.asset("mart/days");
      await days.materialized({ partition: "2026-01-01", version: "v1", metadata: { rows: 3, none: undefined } });
      await days.materialized({ partition: "2026-01-01" });
      await days.materialized();
      days.observed({ partition: "2026-01-02" });
      await days.progress(new Date(0));
      await days.addPartition("eu");
      await ctx.emit({ type: "t" });
      await ctx.asset("other").unchanged();
    } }`),
  );
  const dispatch = dispatchOf(bundle, "load", { pipeline: "p", partition: "2026-01-01" });
  const { runId } = dispatch.token;
  const outcome = await fixture.run(dispatch);
  const events = "events" in outcome ? (outcome.events ?? []) : [];
  expect(
    events.map(({ id, type, subject, data }) => [id.replace(`${runId}/g1/`, ""), type, subject, data]),
  ).toEqual([
    [
      "updated/mart/days/2026-01-01/1",
      "millrace.asset.updated",
      "mart/days",
      { partition: "2026-01-01", version: "v1", metadata: { rows: 3 }, kind: "materialized" },
    ],
    [
      "updated/mart/days/2026-01-01/2",
      "millrace.asset.updated",
      "mart/days",
      { partition: "2026-01-01", kind: "materialized" },
    ],
    ["updated/mart/days/2026-01-01/3", "millrace.asset.updated", "mart/days", { kind: "materialized" }],
    [
      "updated/mart/days/2026-01-02/1",
      "millrace.asset.updated",
      "mart/days",
      { partition: "2026-01-02", kind: "observed" },
    ],
    [
      "progress/mart/days/2026-01-01/1",
      "millrace.asset.progress",
      "mart/days",
      { until: "1970-01-01T00:00:00.000Z" },
    ],
    ["partition/mart/days/eu/1", "millrace.asset.partition", "mart/days", { partition: "eu" }],
    ["t/1", "t", undefined, undefined],
    ["unchanged/other/2026-01-01/1", "millrace.asset.unchanged", "other", {}],
  ]);
  expect(events.every(({ source }) => source === "/pipelines/p/load")).toBe(true);
});

test("what is told at once names its run and partition, and a failed attempt has told it all the same", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ now: async (_, ctx) => {
      await ctx.asset("days").materialized({}, { now: true });
      await ctx.asset("days").materialized({ partition: "other" });
      throw new Error("no");
    } }`),
  );
  const dispatch = dispatchOf(bundle, "now", { pipeline: "p", partition: "2026-01-01" });
  const outcome = await fixture.run(dispatch);
  expect(outcome).toMatchObject({ kind: "failed" });
  expect(outcome).not.toHaveProperty("events");
  const { runId } = dispatch.token;
  expect(server.emitted).toMatchObject([
    {
      type: "millrace.asset.updated",
      subject: "days",
      data: {
        kind: "materialized",
        runPartition: "2026-01-01",
        run: { id: runId, pipeline: "p", node: "now", item: "", generation: 1 },
      },
    },
  ]);
});

test("what can't be told is refused in the task's own call", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ tries: async (_, ctx) => {
      const codes = [];
      const attempt = async (tell) => { try { await tell(); codes.push("taken"); } catch ({ code }) { codes.push(code); } };
      const asset = ctx.asset("a");
      await attempt(() => asset.materialized({ partition: "" }));
      await attempt(() => asset.materialized({ version: 7 }));
      await attempt(() => asset.materialized({ metadata: { f() {} } }));
      await attempt(() => asset.materialized({ metadata: { text: "x".repeat(8192) } }));
      await attempt(() => asset.progress("tomorrow"));
      await attempt(() => asset.addPartition());
      await attempt(() => ctx.asset(undefined));
      await attempt(() => ctx.emit({ type: "millrace.asset.updated", subject: "a" }));
      await attempt(() => asset.materialized());
      return codes;
    } }`),
  );
  expect(await fixture.run(dispatchOf(bundle, "tries"))).toMatchObject({
    output: {
      value: [
        "MILLRACE_EVENT_INVALID",
        "MILLRACE_EVENT_INVALID",
        "MILLRACE_VALUE_NOT_JSON",
        "MILLRACE_EVENT_TOO_LARGE",
        "MILLRACE_EVENT_INVALID",
        "MILLRACE_EVENT_INVALID",
        "MILLRACE_REQUEST_INVALID",
        "MILLRACE_EVENT_INVALID",
        "taken",
      ],
    },
  });
});

test("what a step tells of an asset goes with its record, under a name of its own", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ load: async (_, ctx) => {
      const asset = ctx.asset("a");
      await ctx.step("write", async () => { await asset.materialized({ version: "in" }); });
      await asset.materialized({ version: "out" });
    } }`),
  );
  const dispatch = dispatchOf(bundle, "load", { pipeline: "p" });
  const outcome = await fixture.run(dispatch);
  const { runId } = dispatch.token;
  const inStep = server.received.flatMap((message) =>
    message.kind === "steps" ? message.steps.flatMap(({ events = [] }) => events) : [],
  );
  expect(inStep).toMatchObject([{ id: `${runId}/g1/write.1/updated/a/1`, data: { version: "in" } }]);
  expect(outcome).toMatchObject({ events: [{ id: `${runId}/g1/updated/a/1`, data: { version: "out" } }] });
});
