import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AttemptOutcome, Dispatch, RecordedOutcome, StepName } from "@millrace/protocol";
import { expect, test } from "vitest";
import { bundleCode, dispatchOf, resumed } from "./protocol-server.ts";
import { startFixture, type Fixture } from "./worker-fixture.ts";

const value = (given: unknown): RecordedOutcome => ({ kind: "value", value: { value: given as never } });

/** Ends waits of a suspended attempt, in this order, and hands it over again. */
async function resume(
  fixture: Fixture,
  dispatch: Dispatch,
  ends: readonly (readonly [string | StepName, RecordedOutcome])[],
): Promise<{ readonly dispatch: Dispatch; readonly outcome: AttemptOutcome }> {
  for (const [name, outcome] of ends) {
    const step = typeof name === "string" ? { name, occurrence: 1 } : name;
    fixture.server.record(dispatch.token, "wait", step, outcome);
  }
  const next = resumed(fixture.server, dispatch);
  return { dispatch: next, outcome: await fixture.run(next) };
}

function waitsOf(outcome: AttemptOutcome): string[] {
  if (outcome.kind !== "suspended") throw new Error(`not suspended: ${JSON.stringify(outcome)}`);
  return outcome.waits.map(({ name, occurrence }) => `${name}/${occurrence}`);
}

function outputOf(outcome: AttemptOutcome): unknown {
  if (outcome.kind !== "succeeded" || !("value" in outcome.output))
    throw new Error(`not succeeded: ${JSON.stringify(outcome)}`);
  return outcome.output.value;
}

test("a step is over when it is recorded, and gives what it recorded", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      const first = await ctx.step("first", () => ({ n: 1, left: undefined }));
      const second = await ctx.step("second", async ({ idempotencyKey }) => idempotencyKey);
      const third = await ctx.step("third", () => {});
      return { first, second, third };
    } }`),
  );
  server.records = false;
  const dispatch = dispatchOf(bundle, "t");
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  for (const name of ["first", "second", "third"]) {
    const message = await server.until("steps", ({ steps }) => steps[0]?.name === name);
    expect(server.received.some(({ kind }) => kind === "results")).toBe(false);
    server.take(message);
  }
  const key = `${dispatch.idempotencyKey}/second/1`;
  expect(outputOf(await server.outcome(dispatch.token))).toEqual({
    first: { n: 1 },
    second: key,
    third: null,
  });
  expect(server.recordsOf(dispatch.token)).toEqual([
    { seq: 1, kind: "step", name: "first", occurrence: 1, outcome: value({ n: 1 }) },
    { seq: 2, kind: "step", name: "second", occurrence: 1, outcome: value(key) },
    { seq: 3, kind: "step", name: "third", occurrence: 1, outcome: value(null) },
  ]);
});

test("an attempt that only waits is suspended, and its function runs again from the top when a wait has ended", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ t: async (input, ctx) => {
        const made = await ctx.step("make", () => (runs += 1));
        await ctx.sleep("2h");
        const event = await ctx.waitFor({ kind: "event", type: "paid" }, { timeout: "1d" });
        await ctx.sleepUntil("2026-01-31T00:00:00Z");
        const again = await ctx.step("make", () => (runs += 1));
        return { made, event, again };
      } }`,
      "let runs = 0;",
    ),
  );
  const first = dispatchOf(bundle, "t");
  const outcome = await fixture.run(first);
  expect(outcome).toEqual({
    kind: "suspended",
    waits: [{ name: "sleep", occurrence: 1, op: { kind: "sleep", ms: 7_200_000 } }],
  });
  expect(fixture.worker.active).toBe(0);
  const second = await resume(fixture, first, [["sleep", value(null)]]);
  expect(second.outcome).toEqual({
    kind: "suspended",
    waits: [
      {
        name: "an event paid",
        occurrence: 1,
        op: { kind: "event", condition: { kind: "event", type: "paid" }, timeoutMs: 86_400_000 },
      },
    ],
  });
  const firing = { isFired: true, members: { paid: [{ data: 7 }] } };
  const third = await resume(fixture, second.dispatch, [["an event paid", value(firing)]]);
  expect(third.outcome).toMatchObject({
    waits: [{ op: { kind: "sleep_until", at: Date.UTC(2026, 0, 31) } }],
  });
  const last = await resume(fixture, third.dispatch, [["sleep until", value(null)]]);
  expect(outputOf(last.outcome)).toEqual({ made: 1, event: firing, again: 2 });
  // One child did it all: nothing was left open.
  expect(fixture.events.filter(({ kind }) => kind === "child_ended")).toEqual([]);
});

test("a timeout that comes first answers null", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ t: async (_, ctx) => [
      await ctx.waitFor({ kind: "event", type: "paid" }, { name: "paid", timeout: "1d" }),
      await ctx.approve({ timeout: "1d" }),
    ] }`),
  );
  const first = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(first))).toEqual(["paid/1"]);
  const second = await resume(fixture, first, [["paid", { kind: "timeout" }]]);
  const third = await resume(fixture, second.dispatch, [["approval", { kind: "timeout" }]]);
  expect(outputOf(third.outcome)).toEqual([null, null]);
});

test("several waits at once: all, any and race, with the winner that was committed first", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      const on = (name) => ctx.waitFor({ kind: "event", type: name }, { name }).then((at) => name + at);
      const raced = await Promise.race([on("a"), on("b"), on("c")]);
      const first = await Promise.any([ctx.call({ name: "broken" }), on("d")]);
      const all = await Promise.all([on("e"), on("f"), ctx.step("s", () => "s")]);
      return { raced, first, all };
    } }`),
  );
  const first = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(first))).toEqual(["a/1", "b/1", "c/1"]);
  const second = await resume(fixture, first, [
    ["c", value(1)],
    ["a", value(2)],
  ]);
  expect(waitsOf(second.outcome)).toEqual(["b/1", "call broken/1", "d/1"]);
  const error = { name: "Error", message: "it failed" };
  const third = await resume(fixture, second.dispatch, [
    ["call broken", { kind: "error", error }],
    ["d", value(3)],
  ]);
  expect(waitsOf(third.outcome)).toEqual(["b/1", "e/1", "f/1"]);
  const fourth = await resume(fixture, third.dispatch, [["f", value(4)]]);
  expect(waitsOf(fourth.outcome)).toEqual(["b/1", "e/1"]);
  const last = await resume(fixture, fourth.dispatch, [["e", value(5)]]);
  expect(outputOf(last.outcome)).toEqual({ raced: "c1", first: "d3", all: ["e5", "f4", "s"] });
});

test("a step that throws holds for its attempt, as an error with name, message, code and what it asks for", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => {
        const seen = await ctx.step("risky", () => { throw Object.assign(new RangeError("too far"), { code: "E1" }); })
          .catch((e) => [e.name, e.message, e.code, e instanceof RangeError, e.stack.split("\\n")[0]]);
        const skip = await ctx.step("skip", () => {
          throw Object.assign(new Error("no files"), { name: "Skip", [Symbol.for("millrace.next")]: { kind: "skip", reason: "no files" } });
        }).catch((e) => e);
        if (ctx.dispatch > 1 && seen[0] === "RangeError") { ctx.log.info("runs " + runs); }
        runs += 1;
        await ctx.sleep(1);
        if (ctx.attempt === 1) return { seen };
        throw skip;
      } }`,
      "let runs = 0;",
    ),
  );
  const first = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(first))).toEqual(["sleep/1"]);
  expect(server.recordsOf(first.token)).toMatchObject([
    {
      name: "risky",
      outcome: { kind: "error", error: { name: "RangeError", message: "too far", code: "E1" } },
    },
    { name: "skip", outcome: { kind: "error", error: { name: "Skip" } } },
  ]);
  const second = await resume(fixture, first, [["sleep", value(null)]]);
  expect(outputOf(second.outcome)).toEqual({
    seen: ["RangeError", "too far", "E1", false, "RangeError: too far"],
  });
  const third = resumed(server, second.dispatch, { attempt: 2 });
  expect(await fixture.run(third)).toEqual({ kind: "skipped", reason: "no files" });
});

test("an attempt that a step's error ends has that error, with its classes and the task's own frames", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => { await ctx.step("read", function reads() { throw new HttpError("gone"); }); } }`,
      `class HttpError extends Error { name = "HttpError"; }`,
    ),
  );
  const outcome = await fixture.run(dispatchOf(bundle, "t"));
  expect(outcome).toMatchObject({
    kind: "failed",
    error: { name: "HttpError", message: "gone", classes: ["HttpError", "Error"] },
  });
  expect(outcome.kind === "failed" && outcome.error.stack).toMatch(
    /^HttpError: gone\n {4}at reads \(bundle\.mjs/,
  );
});

test("steps that still run when the function ends are recorded before its result", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{
      fails: async (_, ctx) => {
        const slow = ctx.step("slow", () => new Promise((resolve) => setTimeout(resolve, 30, "done")));
        slow.then(() => ctx.step("after", () => 1));
        await Promise.all([slow, ctx.step("bad", () => { throw new Error("bad"); })]);
      },
      forgets: async (_, ctx) => {
        void ctx.step("slow", () => new Promise((resolve) => setTimeout(resolve, 30, "done")));
        return "early";
      },
    }`),
  );
  for (const node of ["fails", "forgets"]) {
    const dispatch = dispatchOf(bundle, node);
    const outcome = await fixture.run(dispatch);
    expect(outcome.kind).toBe(node === "fails" ? "failed" : "succeeded");
    expect(server.recordsOf(dispatch.token).map(({ name }) => name)).toEqual(
      node === "fails" ? ["bad", "slow"] : ["slow"],
    );
  }
});

test("what is emitted in a step goes with it, and is named by it", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      await ctx.emit({ type: "t" });
      let late;
      await ctx.step("a", async () => {
        await ctx.emit({ type: "t", data: 1 });
        await ctx.emit({ type: "t", data: 2 });
        late = new Promise((resolve) => setTimeout(() => ctx.emit({ type: "t" }).catch((e) => resolve(e.code)), 20));
      });
      await ctx.step("b", async () => { await ctx.emit({ type: "t" }); throw new Error("no"); }).catch(() => {});
      await ctx.emit({ type: "t" });
      return late;
    } }`),
  );
  const dispatch = dispatchOf(bundle, "t");
  const outcome = await fixture.run(dispatch);
  const run = `${dispatch.token.runId}/g1`;
  expect(outcome).toMatchObject({ output: { value: "MILLRACE_STEP_OVER" }, events: [{}, {}] });
  expect("events" in outcome && outcome.events?.map(({ id }) => id)).toEqual([`${run}/t/1`, `${run}/t/2`]);
  const [first, second] = server.received.flatMap((message) =>
    message.kind === "steps" ? message.steps : [],
  );
  expect(first?.events?.map(({ id, data }) => [id, data])).toEqual([
    [`${run}/a.1/t/1`, 1],
    [`${run}/a.1/t/2`, 2],
  ]);
  expect(second).not.toHaveProperty("events");
  // A repeat leaves the step out, and names its own events as before.
  const again = await fixture.run({ ...resumed(server, dispatch), attempt: 2 });
  expect("events" in again && again.events?.map(({ id }) => id)).toEqual([`${run}/t/1`, `${run}/t/2`]);
});

test("steps and waits inside a step, wrong names, spans and values are refused in the task's own call", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      const codes = [];
      const refused = async (call) => codes.push(await call().then(() => "taken", (e) => e.code));
      for (const call of [
        () => ctx.step("out", () => ctx.step("in", () => 1)),
        () => ctx.step("out", async () => { await null; await ctx.sleep(1); }),
        () => ctx.step("out", () => ctx.waitFor({ kind: "event", type: "t" })),
        () => ctx.step("out", () => ctx.approve()),
        () => ctx.step("out", () => ctx.call({ name: "p" })),
        () => ctx.step("", () => 1), () => ctx.step("x".repeat(201), () => 1), () => ctx.step("n\\0", () => 1),
        () => ctx.step("n"), () => ctx.step("n", () => 1, { key: {} }),
        () => ctx.sleep("soon"), () => ctx.sleepUntil("tomorrow"), () => ctx.sleepUntil(new Date(NaN)),
        () => ctx.waitFor("paid"), () => ctx.waitFor({ kind: "event" }),
        () => ctx.waitFor({ kind: "event", type: "t", by: { kind: "path", path: ["subject"] } }),
        () => ctx.waitFor({ kind: "event", type: "t", where: { op: "eq", path: ["type"], value: "u" } }),
        () => ctx.waitFor({ kind: "event", type: "millrace.run.fialed" }),
        () => ctx.waitFor({ kind: "event", type: "t" }, { timeout: -1 }),
        () => ctx.waitFor({ kind: "event", type: "t" }, { timout: "1h" }), () => ctx.approve({ titel: "x" }),
        () => ctx.approve({ title: 7 }), () => ctx.approve({ by: [] }), () => ctx.approve({ title: "x".repeat(65537) }),
        () => ctx.call("p"), () => ctx.call({ name: "p" }, { f() {} }),
        () => ctx.step("s", () => new Date()),
        () => ctx.step("s", () => "x".repeat(4 * 1024 * 1024)),
      ]) await refused(call);
      return codes;
    } }`),
  );
  const nested = Array.from({ length: 5 }, () => "MILLRACE_STEP_NESTED");
  const option = (length: number): string[] => Array.from({ length }, () => "MILLRACE_OPTION_INVALID");
  expect(outputOf(await fixture.run(dispatchOf(bundle, "t")))).toEqual([
    ...nested,
    ...option(8),
    ...Array.from({ length: 5 }, () => "MILLRACE_CONDITION_INVALID"),
    ...option(7),
    "MILLRACE_VALUE_NOT_JSON",
    "MILLRACE_VALUE_NOT_JSON",
    "MILLRACE_STEP_TOO_LARGE",
  ]);
});

test("a record of another kind under the name fails the attempt for good, with the line that asks", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ t: async (_, ctx) => { await ctx.step("x", () => 1); } }`),
  );
  const dispatch = dispatchOf(bundle, "t");
  fixture.server.record(dispatch.token, "wait", { name: "x", occurrence: 1 }, value(null));
  const outcome = await fixture.run(resumed(fixture.server, dispatch));
  expect(outcome).toMatchObject({
    kind: "failed",
    error: {
      code: "MILLRACE_REPLAY_DIVERGED",
      next: "fatal",
      message: 'The function asks for the step "x"; recorded is a wait "x".',
    },
  });
  expect(outcome.kind === "failed" && outcome.error.stack).toMatch(/bundle\.mjs:2:/);
});

test("what was recorded and is not asked for is told in the log, and holds up nothing", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => [await ctx.step("b", () => "new"), await ctx.step("c", () => "new")] }`,
    ),
  );
  const dispatch = dispatchOf(bundle, "t");
  for (const name of ["a", "b"]) server.record(dispatch.token, "step", { name, occurrence: 1 }, value("old"));
  const next = resumed(server, dispatch);
  expect(outputOf(await fixture.run(next))).toEqual(["old", "new"]);
  expect(server.log(next.token)).toMatchObject([
    { level: "warn", text: expect.stringContaining('not asked for this time: step "a".') as string },
  ]);
});

test("lines that an earlier dispatch has printed are not printed again", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      ctx.log.info("one");
      await ctx.step("a", () => ctx.log.info("in a"));
      console.log("two");
      await Promise.race([ctx.sleep(5, { name: "short" }), ctx.sleep(9, { name: "long" })]);
      console.log("three");
      await ctx.step("b", () => {});
      ctx.log.info("four");
    } }`),
  );
  const texts = (dispatch: Dispatch): string[] => server.log(dispatch.token).map(({ text }) => text);
  const first = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(first))).toEqual(["short/1", "long/1"]);
  expect(texts(first)).toEqual(["one", "in a", "two"]);
  const second = await resume(fixture, first, [["short", value(null)]]);
  expect(second.outcome.kind).toBe("succeeded");
  expect(texts(second.dispatch)).toEqual(["three", "four"]);
});

test("a large step value is stored before the step is recorded, and fetched for the next dispatch", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      const [large, small] = await Promise.all([
        ctx.step("large", () => "x".repeat(20000)), ctx.step("small", () => "y"),
      ]);
      await ctx.sleep(1);
      return large.length + small;
    } }`),
  );
  const first = dispatchOf(bundle, "t");
  await fixture.run(first);
  expect(server.recordsOf(first.token)).toMatchObject([
    { name: "large", outcome: { value: { bytes: 20_002 } } },
    { name: "small", outcome: { value: { value: "y" } } },
  ]);
  const second = await resume(fixture, first, [["sleep", value(null)]]);
  expect(outputOf(second.outcome)).toBe("20000y");
});

test("values of many steps rest as blobs when they fill what may travel inline", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      for (let at = 0; at < 20; at += 1) await ctx.step("part", () => "x".repeat(16000), { key: at });
      await ctx.step("short", () => "y");
    } }`),
  );
  const dispatch = dispatchOf(bundle, "t");
  await fixture.run(dispatch);
  const records = server.recordsOf(dispatch.token);
  const isInline = records.map(({ outcome }) => outcome.kind === "value" && "value" in outcome.value);
  expect(isInline.filter(Boolean)).toHaveLength(17);
  expect(isInline.at(-1)).toBe(true);
  expect(records[3]?.name).toBe("part[3]");
});

test("steps that were not acknowledged are sent again after a reconnect, before the result", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => [await ctx.step("a", () => (runs += 1)), await ctx.step("b", () => (runs += 1))] }`,
      "let runs = 0;",
    ),
  );
  server.records = false;
  const dispatch = dispatchOf(bundle, "t");
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("steps");
  server.received.length = 0;
  server.socket?.terminate();
  const again = await server.until("steps");
  expect(again.steps).toMatchObject([{ name: "a", outcome: value(1) }]);
  server.records = true;
  server.take(again);
  expect(outputOf(await server.outcome(dispatch.token))).toEqual([1, 2]);
});

test("a step whose child died is recorded, and its result says that the attempt crashed", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => { void ctx.step("a", () => 1); setImmediate(() => process.exit(1)); await ctx.sleep(1); } }`,
    ),
  );
  server.records = false;
  server.acknowledges = false;
  const dispatch = dispatchOf(bundle, "t");
  expect(await fixture.run(dispatch)).toMatchObject({
    kind: "failed",
    error: { code: "MILLRACE_ATTEMPT_CRASHED" },
  });
  server.received.length = 0;
  server.socket?.terminate();
  await server.until("results");
  const kinds = server.received
    .map(({ kind }) => kind)
    .filter((kind) => kind === "steps" || kind === "results");
  expect(kinds).toEqual(["steps", "results"]);
});

test("a function with work of its own beside its waits is suspended when that is done", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      const wait = ctx.sleep(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await ctx.step("after", () => 1);
      await wait;
    } }`),
  );
  const dispatch = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(dispatch))).toEqual(["sleep/1"]);
  expect(server.recordsOf(dispatch.token)).toHaveLength(1);
});

test("a suspended attempt runs no finally, and a child that it left something open in is not used again", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      setInterval(() => {}, 1000);
      try { await ctx.sleep(1); } finally { ctx.log.info("finally"); }
    } }`),
  );
  const dispatch = dispatchOf(bundle, "t");
  expect(waitsOf(await fixture.run(dispatch))).toEqual(["sleep/1"]);
  expect(await fixture.event("child_ended")).toMatchObject({ reason: "left something running" });
  expect(server.log(dispatch.token)).toEqual([]);
});

test("a cancel and a timeout beside a wait end the attempt, not suspend it", async () => {
  await using fixture = await startFixture({ killGraceMs: 50 });
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      ctx.progress(0.5);
      await Promise.all([ctx.sleep(1), ctx.step("slow", () => new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))))]);
    } }`),
  );
  const cancelled = dispatchOf(bundle, "t");
  server.send({ kind: "dispatches", dispatches: [cancelled] });
  await server.until("progress");
  server.send({ kind: "cancel", token: cancelled.token, reason: "not wanted", graceMs: 2_000 });
  expect(await server.outcome(cancelled.token)).toEqual({ kind: "cancelled" });
  expect(server.recordsOf(cancelled.token)).toEqual([]);
  const late = dispatchOf(bundle, "t", { timeoutMs: 30 });
  expect(await fixture.run(late)).toMatchObject({ error: { code: "MILLRACE_ATTEMPT_TIMEOUT" } });
});

test("an approval carries its form, and the form's own validator reads the answer", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ t: async (_, ctx) => {
        const answer = await ctx.approve({ title: "Publish?", by: "ann", form });
        const refused = await ctx.approve({ form }).catch((e) => [e.code, e.message]);
        return { answer, refused };
      } }`,
      `const form = {
        schema: { type: "object" },
        validate: ({ n }) => (n > 0 ? { value: { n, twice: 2 * n } } : { issues: [{ path: ["n"], message: "is too small" }] }),
      };`,
    ),
  );
  const first = dispatchOf(bundle, "t");
  expect(await fixture.run(first)).toEqual({
    kind: "suspended",
    waits: [
      {
        name: "approval Publish?",
        occurrence: 1,
        op: { kind: "approval", title: "Publish?", by: ["ann"], form: { type: "object" } },
      },
    ],
  });
  const answer = { approved: true, by: "ann", at: "2026-01-31T00:00:00Z" };
  const second = await resume(fixture, first, [["approval Publish?", value({ ...answer, form: { n: 2 } })]]);
  const third = await resume(fixture, second.dispatch, [["approval", value({ ...answer, form: { n: 0 } })]]);
  expect(outputOf(third.outcome)).toEqual({
    answer: { ...answer, form: { n: 2, twice: 4 } },
    refused: ["MILLRACE_FORM_INVALID", 'The form\'s validator refused what "ann" entered: `n`: is too small'],
  });
});

test("a called pipeline's input travels by hash when it is large", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ t: async (_, ctx) => ctx.call({ name: "load" }, { text: "x".repeat(20000) }) }`),
  );
  const first = dispatchOf(bundle, "t");
  expect(await fixture.run(first)).toMatchObject({
    waits: [{ name: "call load", op: { kind: "call", pipeline: "load", params: { bytes: 20_011 } } }],
  });
  const { outcome } = await resume(fixture, first, [["call load", value({ rows: 3 })]]);
  expect(outputOf(outcome)).toEqual({ rows: 3 });
});

test("a task run records a bounded number of steps and waits", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ t: async (_, ctx) => {
      for (let at = 0; at < 1000; at += 1) await ctx.step("s", () => at);
      return ctx.sleep(1).catch((e) => e.code);
    } }`),
  );
  expect(outputOf(await fixture.run(dispatchOf(bundle, "t")))).toBe("MILLRACE_STEPS_TOO_MANY");
});

test("a worker that checks replays says where a function does not come to the same again", async () => {
  await using fixture = await startFixture({ checkReplay: true });
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(
      `{
        strays: async (_, ctx) => {
          ctx.log.info("once");
          await ctx.emit({ type: "t" }, { now: true });
          await ctx.step("known", () => (steps += 1));
          calls += 1;
          await ctx.step("call " + calls, () => (steps += 1));
          await ctx.sleep(1, { name: "sleep " + calls });
        },
        keeps: async (_, ctx) => {
          const large = await ctx.step("large", () => "x".repeat(20000));
          await ctx.step("fails", () => { throw new Error("no"); }).catch(() => {});
          await Promise.race([ctx.sleep(large.length), ctx.sleep(2)]);
        },
      }`,
      "let calls = 0; let steps = 0;",
    ),
  );
  const strays = dispatchOf(bundle, "strays");
  expect(waitsOf(await fixture.run(strays))).toEqual(["sleep 1/1"]);
  expect(server.recordsOf(strays.token).map(({ outcome }) => outcome)).toEqual([value(1), value(2)]);
  expect(server.emitted).toHaveLength(1);
  const [once, warning, ...others] = server.log(strays.token);
  expect(once?.text).toBe("once");
  expect(warning).toMatchObject({ level: "warn" });
  expect(warning?.text).toContain(
    'step "call 1" (bundle.mjs:8) is not asked for any more; wait "sleep 1" (bundle.mjs:9) is not asked for any more; step "call 2" (bundle.mjs:8) was not asked for before.',
  );
  expect(others).toEqual([]);
  const keeps = dispatchOf(bundle, "keeps");
  expect(waitsOf(await fixture.run(keeps))).toEqual(["sleep/1", "sleep/2"]);
  expect(server.log(keeps.token)).toEqual([]);
});

test("conditions, forms and pipelines of the SDK are waited with as their author wrote them", async () => {
  await using fixture = await startFixture();
  const sdk = (file: string): string => pathToFileURL(join(import.meta.dirname, "../../sdk/src", file)).href;
  const zod = import.meta.resolve("zod");
  const bundle = fixture.server.addBundle(`
    import { on, pipeline, task } from ${JSON.stringify(sdk("index.ts"))};
    import { z } from ${JSON.stringify(zod)};
    export { loadProject } from ${JSON.stringify(sdk("internal.ts"))};
    const form = z.object({ note: z.string().trim() });
    const called = pipeline("called", () => {});
    const t = task("t", async (input, ctx) => {
      const paid = await ctx.waitFor(on.event("paid", { where: { data: { id: input.id } } }).as("order"));
      const answer = await ctx.approve({ form });
      return [paid.members.order.length, answer.form, await ctx.call(called)];
    });
    const p = pipeline("p", () => { t({ id: 1 }); });
    export const modules = async () => ({ "pipelines/p.ts": { p, called } });
    export const settings = { project: "test", pools: {}, queues: [] };
  `);
  const first = dispatchOf(bundle, "t", { input: { value: { id: 7 } } });
  const name = "an event paid where data.id == 7";
  expect(await fixture.run(first)).toEqual({
    kind: "suspended",
    waits: [
      {
        name,
        occurrence: 1,
        op: {
          kind: "event",
          condition: {
            kind: "event",
            type: "paid",
            name: "order",
            where: { op: "eq", path: ["data", "id"], value: 7 },
          },
        },
      },
    ],
  });
  const second = await resume(fixture, first, [[name, value({ isFired: true, members: { order: [1] } })]]);
  expect(second.outcome).toMatchObject({
    waits: [{ op: { form: { type: "object", properties: { note: { type: "string" } } } } }],
  });
  const answer = { approved: true, by: "ann", at: "2026-01-31T00:00:00Z", form: { note: " yes " } };
  const third = await resume(fixture, second.dispatch, [["approval", value(answer)]]);
  expect(third.outcome).toMatchObject({
    waits: [{ op: { kind: "call", pipeline: "called", params: { value: {} } } }],
  });
  const last = await resume(fixture, third.dispatch, [["call called", value(null)]]);
  expect(outputOf(last.outcome)).toEqual([1, { note: "yes" }, null]);
});

test("a process that is killed at any point repeats a step only when it was not recorded", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const file = join(fixture.cacheFolder, "effects");
  const bundle = server.addBundle(
    bundleCode(
      `{ t: async (input, ctx) => {
        const die = (at) => { if (input.deaths[ctx.dispatch - 1] === at) process.kill(process.pid, "SIGKILL"); };
        const given = [];
        for (let n = 0; n < 4; n += 1) {
          die("before " + n);
          given.push(await ctx.step("effect", () => {
            appendFileSync(input.file, n + "\\n");
            die("in " + n);
            return n;
          }));
          die("after " + n);
        }
        return given;
      } }`,
      `import { appendFileSync } from "node:fs";`,
    ),
  );
  const deaths = ["before 0", "in 0", "after 0", "in 2", "in 2", "after 3"];
  let dispatch = dispatchOf(bundle, "t", { input: { value: { file, deaths } } });
  let outcome = await fixture.run(dispatch);
  for (const _ of deaths) {
    expect(outcome).toMatchObject({ kind: "infrastructure", error: { code: "MILLRACE_ATTEMPT_CRASHED" } });
    dispatch = resumed(server, dispatch);
    outcome = await fixture.run(dispatch);
  }
  expect(outputOf(outcome)).toEqual([0, 1, 2, 3]);
  expect((await readFile(file, "utf8")).trim().split("\n")).toEqual(["0", "0", "1", "2", "2", "2", "3"]);
});
