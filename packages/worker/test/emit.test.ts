import { expect, test } from "vitest";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

test("what a task emits goes with its success, named by where it was emitted", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ load: async (_, ctx) => {
      await ctx.emit({ type: "day.loaded", subject: "2026-01-31", data: { rows: 3 } });
      ctx.emit({ type: { type: "day.loaded" }, time: new Date(0) });
      await ctx.emit({ type: "other", id: "mine", source: "/mine" });
      return "done";
    } }`),
  );
  const dispatch = dispatchOf(bundle, "load", { pipeline: "p" });
  const token = { ...dispatch.token, item: "3", generation: 2 };
  const outcome = await fixture.run({ ...dispatch, token });
  const source = "/pipelines/p/load";
  const named = (occurrence: number): string => `${token.runId}/3/g2/day.loaded/${occurrence}`;
  const type = "day.loaded";
  expect(outcome).toEqual({
    kind: "succeeded",
    output: { value: "done" },
    events: [
      { specversion: "1.0", id: named(1), source, type, subject: "2026-01-31", data: { rows: 3 } },
      { specversion: "1.0", id: named(2), source, type, time: "1970-01-01T00:00:00.000Z" },
      { specversion: "1.0", id: "mine", source: "/mine", type: "other" },
    ],
  });
  expect(fixture.server.emitted).toEqual([]);
});

test("events go with a large output, and a failed attempt has none", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{
      large: async (_, ctx) => { await ctx.emit({ type: "t" }); return "x".repeat(20000); },
      fails: async (_, ctx) => { await ctx.emit({ type: "t" }); throw new Error("no"); },
    }`),
  );
  expect(await fixture.run(dispatchOf(bundle, "large"))).toMatchObject({
    output: { bytes: 20_002 },
    events: [{ type: "t" }],
  });
  expect(await fixture.run(dispatchOf(bundle, "fails"))).not.toHaveProperty("events");
});

test("what is not an event is refused in the task's own call", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ tries: async (_, ctx) => {
      const codes = [];
      const attempt = async (event) => ctx.emit(event).then(() => "taken", ({ code }) => code);
      for (const event of [
        { type: "" }, { type: "t", source: "no uri" }, { type: "t", time: "yesterday" }, { type: "t", data: { f() {} } },
        { type: "x".repeat(151) }, { type: "t", data: "x".repeat(16383) }, { type: "t", data: "x".repeat(16382) },
      ]) codes.push(await attempt(event));
      for (let left = 99; left > 0; left -= 1) await ctx.emit({ type: "t" });
      codes.push(await attempt({ type: "t" }));
      return codes;
    } }`),
  );
  const outcome = await fixture.run(dispatchOf(bundle, "tries"));
  expect(outcome).toMatchObject({
    output: {
      value: [
        ...Array.from({ length: 3 }, () => "MILLRACE_EVENT_INVALID"),
        "MILLRACE_VALUE_NOT_JSON",
        "MILLRACE_EVENT_INVALID",
        "MILLRACE_EVENT_TOO_LARGE",
        "taken",
        "MILLRACE_EVENT_TOO_LARGE",
      ],
    },
  });
  expect("events" in outcome && outcome.events?.length).toBe(100);
});

test("what is emitted at once is recorded before its call returns, whatever becomes of the attempt", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ now: async (_, ctx) => {
      await ctx.emit({ type: "t", data: "x".repeat(100000) }, { now: true });
      const refusal = await ctx.emit({ type: "t", id: "known" }, { now: true }).catch(({ code }) => code);
      await ctx.emit({ type: "t" }, { now: true });
      throw new Error(refusal);
    } }`),
  );
  const dispatch = dispatchOf(bundle, "now");
  const { runId } = dispatch.token;
  expect(await fixture.run(dispatch)).toMatchObject({ kind: "failed" });
  expect(server.emitted[0]).toMatchObject({ source: "/pipelines/p/now" });
  expect(server.emitted.map(({ id }) => id)).toEqual([`${runId}/g1/t/1`, "known", `${runId}/g1/t/2`]);

  // The same attempt again: the server refuses what it has with other content. A name of the task's own is its own matter.
  const conflict = { status: 409, code: "MILLRACE_EVENT_CONFLICT" };
  server.refusesEvents = [conflict, conflict];
  const again = await fixture.run({ ...dispatch, token: { ...dispatch.token, dispatch: 2 } });
  expect(again).toMatchObject({ kind: "failed", error: { message: "MILLRACE_EVENT_CONFLICT" } });
});
