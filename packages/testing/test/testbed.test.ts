import {
  asset,
  approve,
  branch,
  daily,
  eventType,
  Fatal,
  on,
  pipeline,
  RetryAfter,
  Skip,
  task,
  wait,
  when,
} from "@millrace/sdk";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testbed, type GivenEvent } from "../src/index.ts";

const paid = eventType("order.paid", { schema: z.object({ id: z.string(), amount: z.number() }) });

const load = task(
  "load",
  { retries: { max: 2, delay: "1m", backoff: "fixed" } },
  (input: { day: string }) => ({
    rows: input.day.length,
  }),
);
const announce = task("announce", (input: { rows: number }) => `rows: ${input.rows}`);
const report = pipeline(
  "report",
  { params: z.object({ day: z.string().default("today") }) },
  ({ params }) => {
    const loaded = load({ day: params.day });
    return announce({ rows: loaded.rows });
  },
);

const see = task("see", (members: readonly unknown[]) => members.length);
const large = pipeline(
  "large",
  { on: on.event(paid, { where: { data: { amount: { gte: 100 } } } }).as("orders") },
  ({ firing }) => see(firing.members.orders),
);

describe("a run", () => {
  test("that is started by hand runs to its end and yields its output", async () => {
    const t = await testbed({ report });
    const run = await t.start(report, { day: "monday" });
    expect(run.state).toBe("succeeded");
    expect(run.output).toBe("rows: 6");
    expect(run.states).toEqual({ load: "succeeded", announce: "succeeded" });
    expect((await t.start(report, {})).output).toBe("rows: 5");
  });

  test("is not started with parameters that its schema refuses", async () => {
    const t = await testbed({ report });
    await expect(t.start("report", { day: 5 })).rejects.toMatchObject({
      code: "MILLRACE_PARAMS_INVALID",
      message: "`day` must be a text, found 5.",
    });
    expect(t.runs).toEqual([]);
  });

  test("waits for its retry on virtual time, and says so", async () => {
    const t = await testbed({ report }, { now: "2026-03-01T12:00:00Z" });
    t.task(load).fails("the station did not answer", { times: 1 });
    const run = await t.start(report, { day: "monday" });
    expect(run.states).toEqual({ load: "retrying", announce: "pending" });
    expect(() => t.expectFinished()).toThrow(
      `A run has not ended at 2026-03-01T12:00:00.000Z:\n  r1 of "report" is running: "load" is tried again at 2026-03-01T12:01:00.000Z`,
    );
    await t.advance("59s");
    expect(run.hasEnded).toBe(false);
    await t.advance("1s");
    expect(run.output).toBe("rows: 6");
    expect(run.node("load")).toMatchObject({ attempts: 2, state: "succeeded" });
    expect(run.endedAt).toEqual(new Date("2026-03-01T12:01:00Z"));
    t.expectFinished();
  });

  test("fails when the retries are used up, and the log tells it", async () => {
    const t = await testbed({ report });
    t.task("load").fails(new TypeError("no"), { times: 3 });
    const run = await t.finish(await t.start(report, { day: "monday" }));
    expect(run.states).toEqual({ load: "failed", announce: "upstream_failed" });
    expect(run.node("load").error).toMatchObject({ name: "TypeError", message: "no" });
    expect(run.reason).toMatchObject({ code: "nodes_failed", message: "Failed: load." });
    expect(t.events.map(({ type, subject }) => [type, subject])).toEqual([
      ["millrace.node.failed", "report/load"],
      ["millrace.run.failed", "report"],
    ]);
    expect(t.now).toEqual(new Date("2026-01-01T00:02:00Z"));
  });

  test("follows what steers its retries", async () => {
    const t = await testbed({ report });
    t.task(load)
      .fails(new RetryAfter("10m"), { times: 1 })
      .fails(new Fatal("broken"), { when: ({ attempt }) => attempt === 2 });
    const run = await t.start(report, { day: "monday" });
    await t.advance("9m");
    expect(run.node("load").state).toBe("retrying");
    await t.advance("1m");
    expect(run.node("load")).toMatchObject({ state: "failed", attempts: 2 });
    t.task(load).reset().fails(new Skip("nothing there"));
    expect((await t.start(report, { day: "x" })).states).toEqual({ load: "skipped", announce: "skipped" });
  });

  test("does not see what a task changes in its input or output afterwards", async () => {
    const list: number[] = [1];
    const give = task("give", () => list);
    const take = task("take", (numbers: number[]) => numbers.push(9));
    const twice = pipeline("twice", () => {
      const given = give();
      return { first: take(given, { id: "first" }), second: take(given, { id: "second" }), given };
    });
    const t = await testbed({ twice });
    const run = await t.start(twice);
    list.push(7);
    expect(run.output).toEqual({ first: 2, second: 2, given: [1] });
  });

  test("takes the branch that its task chose", async () => {
    const quality = branch("quality", { choices: ["good", "bad"] }, () => "good");
    const publish = task("publish", () => "published");
    const hold = task("hold", () => "held");
    const checked = pipeline("checked", () => {
      const verdict = quality();
      when(verdict, "good", () => publish());
      when(verdict, "bad", () => hold());
    });
    const t = await testbed({ checked });
    expect((await t.start(checked)).states).toMatchObject({ publish: "succeeded", hold: "skipped" });
    t.task(quality).returns("bad");
    expect((await t.start(checked)).states).toMatchObject({ publish: "skipped", hold: "succeeded" });
  });

  test("has an item for each element of its fan-out's list", async () => {
    const cities = task("cities", () => ["Lisbon", "Oslo"]);
    const measure = task("measure", (city: string, ctx) => {
      ctx.log.info("measured", { city });
      return city.length;
    });
    const mapped = pipeline("mapped", () => measure.map(cities()));
    const t = await testbed({ mapped });
    const run = await t.start(mapped);
    expect(run.output).toEqual([6, 4]);
    expect(run.states).toEqual({ cities: "succeeded", "measure[0]": "succeeded", "measure[1]": "succeeded" });
    expect(run.node("measure", 1).log).toEqual([
      { level: "info", text: "measured", fields: { city: "Oslo" } },
    ]);
    expect(() => run.node("measure")).toThrow('The node "measure" has 2 items in run r1.');
    expect(() => run.node("mesure")).toThrow('Did you mean "measure"?');
    t.task(measure).fails("no", { when: ({ input }) => input === "Oslo" });
    expect((await t.start(mapped)).states).toMatchObject({
      "measure[0]": "succeeded",
      "measure[1]": "failed",
    });
  });

  test("calls another pipeline, which has a run of its own", async () => {
    const total = pipeline("total", () => {
      const one = report.call({ day: "ab" });
      return one;
    });
    const t = await testbed([total, report]);
    const run = await t.start(total);
    expect(run.output).toBe("rows: 2");
    expect(t.runs.map(({ id, pipeline: name, calledBy }) => [id, name, calledBy])).toEqual([
      ["r1", "total", undefined],
      ["r2", "report", "r1"],
    ]);
    expect(run.node("report").calls).toBe("r2");
    t.task(load).fails(new Fatal("no"));
    expect((await t.start(total)).states).toEqual({ report: "failed" });
  });
});

describe("time", () => {
  test("does not go back", async () => {
    const t = await testbed({ report }, { now: "2026-01-31T06:00:00Z" });
    await expect(t.clock.to("2026-01-31T05:59:59Z")).rejects.toMatchObject({
      code: "MILLRACE_TEST_CLOCK",
      message: "The clock is at 2026-01-31T06:00:00.000Z and can't go back to 2026-01-31T05:59:59.000Z.",
    });
    await t.clock.to("2026-01-31T06:00:00Z");
    expect(() => t.advance("1 hour" as never)).toThrow('no span of time: "1 hour"');
  });

  test("passes while a task takes its time: an attempt ends by its timeout", async () => {
    const slow = task("slow", { timeout: "10m", retries: 1 }, () => "done");
    const timed = pipeline("timed", () => slow());
    const t = await testbed({ timed });
    t.task(slow).takes("20m");
    const run = await t.start(timed);
    await t.advance("9m");
    expect(run.node("slow")).toMatchObject({ state: "running", attempts: 1 });
    t.task(slow).takes("5m");
    await t.advance("1m");
    expect(run.node("slow").error?.code).toBe("MILLRACE_ATTEMPT_TIMEOUT");
    await t.finish(run);
    expect(run.output).toBe("done");
  });

  test("ends a run at its deadline, and its task hears of it", async () => {
    let reason: unknown;
    const linger = task("linger", (_: void, ctx) => {
      ctx.signal.addEventListener("abort", () => (reason = ctx.signal.reason));
    });
    const late = pipeline("late", { deadline: "1h" }, () => linger());
    const t = await testbed({ late });
    t.task(linger).takes("2h");
    const run = await t.start(late);
    await t.advance("1h");
    expect(run).toMatchObject({ state: "failed", reason: { code: "MILLRACE_RUN_DEADLINE" } });
    expect(run.states).toEqual({ linger: "cancelled" });
    expect(String(reason)).toContain("The run did not end before its deadline.");
  });

  test("a function that waits in earnest is stopped by its timeout", async () => {
    const waits = task(
      "waits",
      { timeout: "20ms", retries: { max: 1, delay: "1m", backoff: "fixed" } },
      (_input: void, ctx) => (ctx.attempt > 1 ? "done" : new Promise<string>(() => {})),
    );
    const earnest = pipeline("earnest", () => waits());
    const t = await testbed({ earnest });
    const run = await t.start(earnest);
    expect(run.node("waits")).toMatchObject({
      state: "retrying",
      error: { code: "MILLRACE_ATTEMPT_TIMEOUT" },
    });
    await t.advance("1m");
    expect(run.output).toBe("done");
  });

  test("a task that never answers is told by its name, in real time", async () => {
    const stuck = task("stuck", (_input: { day: string }) => new Promise<string>(() => {}));
    const hanging = pipeline("hanging", () => stuck({ day: "monday" }));
    const t = await testbed({ hanging }, { hang: "20ms" });
    await expect(t.start(hanging)).rejects.toMatchObject({
      code: "MILLRACE_TEST_HANGS",
      message: `"stuck" of pipeline "hanging" (run r1, attempt 1) has not returned for 20 ms of real time; its input was {"day":"monday"}.`,
    });
  });
});

describe("a trigger", () => {
  test("fires on the events that fit, and its run gets exactly those", async () => {
    const t = await testbed({ large });
    await t.emit({ type: paid, data: { id: "a", amount: 99 } });
    const { position } = await t.emit({ type: paid, data: { id: "b", amount: 100 } });
    expect(t.firings).toMatchObject([
      {
        pipeline: "large",
        key: null,
        occurrence: position,
        members: { orders: [{ data: { id: "b" }, position }] },
      },
    ]);
    expect(t.firings[0]!.run).toBe(t.runs[0]);
    expect(t.runsOf(large)[0]!.output).toBe(1);
  });

  test("ticks at the instants of its schedule, over a change of the clocks", async () => {
    const day = task("day", (interval: { from: string; to: string } | null) => interval);
    const daily = pipeline("daily", { on: on.cron("0 6 * * *", { tz: "Europe/Berlin" }) }, ({ firing }) =>
      day(firing.interval),
    );
    const t = await testbed({ daily }, { now: "2026-03-27T12:00:00Z" });
    await t.clock.to("2026-03-29T04:00:00Z");
    expect(t.runs.map(({ output }) => output)).toEqual([
      { from: "2026-03-27T05:00:00.000Z", to: "2026-03-28T05:00:00.000Z" },
      { from: "2026-03-28T05:00:00.000Z", to: "2026-03-29T04:00:00.000Z" },
    ]);
  });

  test("a session ends after its gap, for each key by itself", async () => {
    const visit = pipeline(
      "visit",
      { on: on.session(on.event("page.seen").as("pages"), { gap: "30m" }).by("subject") },
      ({ firing }) => see(firing.members.pages),
    );
    const t = await testbed([visit]);
    await t.emit([
      { type: "page.seen", subject: "ann" },
      { type: "page.seen", subject: "bob" },
    ]);
    await t.advance("20m");
    await t.emit({ type: "page.seen", subject: "ann" });
    await t.advance("10m");
    expect(t.firings.map(({ key, members }) => [key, members["pages"]!.length])).toEqual([["bob", 1]]);
    await t.advance("20m");
    expect(t.firings.map(({ key, members }) => [key, members["pages"]!.length])).toEqual([
      ["bob", 1],
      ["ann", 2],
    ]);
  });

  test("hears what other runs emit, and that they fail", async () => {
    const emit = task("emit", async (_: void, ctx) => {
      await ctx.emit({ type: "file.landed", subject: "a.csv" });
    });
    const source = pipeline("source", () => emit());
    const landed = pipeline("landed", { on: on.event("file.landed") }, ({ firing }) =>
      see(firing.members["file.landed"]),
    );
    const alarm = pipeline(
      "alarm",
      { on: on.event("millrace.run.failed", { where: { subject: "source" } }).as("failures") },
      ({ firing }) => see(firing.members.failures),
    );
    const t = await testbed({ source, landed, alarm });
    await t.start(source);
    expect(t.runs.map((run) => run.pipeline)).toEqual(["source", "landed"]);
    expect(t.events.at(-1)).toMatchObject({
      source: "/pipelines/source/emit",
      id: "r1/g1/file.landed/1",
      subject: "a.csv",
    });
    t.task(emit).does(async (_, ctx) => {
      await ctx.emit({ type: "file.landed" });
      throw new Error("after all");
    });
    await t.start(source);
    expect(t.runs.map((run) => run.pipeline)).toEqual(["source", "landed", "source", "alarm"]);
  });
});

describe("a wait in a graph", () => {
  const place = task("place", (input: { item: string }) => ({ id: `order-${input.item}` }));
  const ship = task("ship", (order: string) => `shipped ${order}`);
  const shop = pipeline("shop", { params: z.object({ item: z.string() }) }, ({ params }) => {
    const order = place({ item: params.item });
    const paidFor = wait(on.event("order.paid", { where: { subject: order.id } }), {
      id: "paid",
      timeout: "2d",
    });
    return ship(order.id, { after: paidFor });
  });

  test("ends by the event that it waits for, and by no other", async () => {
    const t = await testbed({ shop }, { now: "2026-01-01T00:00:00Z" });
    const run = await t.start(shop, { item: "7" });
    expect(run).toMatchObject({ state: "waiting", states: { paid: "waiting", ship: "pending" } });
    expect(t.unfinished[0]!.waitsFor).toBe(
      '"paid" waits for an event order.paid that fits its filter, until 2026-01-03T00:00:00.000Z',
    );
    await t.emit({ type: "order.paid", subject: "order-8" });
    expect(run.hasEnded).toBe(false);
    await t.emit({ type: "order.paid", subject: "order-7", data: { amount: 5 } });
    expect(run.output).toBe("shipped order-7");
    expect(run.node("paid").output).toMatchObject({
      isFired: true,
      timedOut: false,
      members: { "order.paid": [{ subject: "order-7", data: { amount: 5 } }] },
    });
  });

  test("fails when its time is over, and not before; an event at that instant comes first", async () => {
    const t = await testbed({ shop }, { now: "2026-01-01T00:00:00Z" });
    const late = await t.start(shop, { item: "7" });
    await t.advance("1d");
    const inTime = await t.start(shop, { item: "8" });
    await t.clock.to("2026-01-02T23:59:59.999Z");
    expect(late.hasEnded).toBe(false);
    await t.advance("1ms");
    expect(late.node("paid").reason?.code).toBe("MILLRACE_WAIT_TIMEOUT");
    expect(late.states).toMatchObject({ paid: "failed", ship: "upstream_failed" });
    await t.emit({ type: "order.paid", subject: "order-8" });
    expect(inTime.state).toBe("succeeded");
  });

  test("finds an event that came after its run began and before it waited", async () => {
    const t = await testbed({ shop });
    t.task(place).takes("1h");
    const run = await t.start(shop, { item: "7" });
    await t.emit({ type: "order.paid", subject: "order-7" });
    await t.advance("1h");
    expect(run.output).toBe("shipped order-7");
  });

  test("is over when its run is cancelled", async () => {
    const t = await testbed({ shop });
    const run = await t.start(shop, { item: "7" });
    await t.cancel(run);
    expect(run).toMatchObject({ state: "cancelled", states: { paid: "cancelled" } });
    await t.emit({ type: "order.paid", subject: "order-7" });
    await t.advance("3d");
    expect(run.states).toMatchObject({ paid: "cancelled", ship: "cancelled" });
    t.expectFinished();
  });
});

describe("steps and waits in a task's code", () => {
  const follow = task(
    "follow",
    { retries: { max: 1, delay: "1m", backoff: "fixed" } },
    async (order: string, ctx) => {
      ctx.log.info("begins");
      const number = await ctx.step("number", () => {
        made += 1;
        return made;
      });
      const paidFor = await ctx.waitFor(on.event("order.paid", { where: { subject: order } }), {
        timeout: "2d",
      });
      ctx.log.info("goes on");
      if (paidFor === null) return `${number}: not paid`;
      await ctx.sleep("1h");
      await ctx.emit({ type: "order.done", subject: order });
      return `${number}: ${paidFor.members["order.paid"].length} payment`;
    },
  );
  const following = pipeline("following", { params: z.object({ order: z.string() }) }, ({ params }) =>
    follow(params.order),
  );
  let made = 0;

  test("a task waits without running, and its finished steps are not run again", async () => {
    made = 0;
    const t = await testbed({ following }, { now: "2026-01-01T00:00:00Z" });
    const run = await t.start(following, { order: "a" });
    expect(run).toMatchObject({ state: "waiting", states: { follow: "waiting" } });
    expect(t.unfinished[0]!.waitsFor).toContain("waits for an event order.paid");
    await t.emit({ type: "order.paid", subject: "a" });
    expect(t.unfinished[0]!.waitsFor).toBe('"follow" waits until 2026-01-01T01:00:00.000Z');
    await t.advance("1h");
    expect(run.output).toBe("1: 1 payment");
    expect(run.node("follow").log.map(({ text }) => text)).toEqual(["begins", "goes on"]);
    expect(t.task(follow).calls.length).toBe(1);
    expect(t.events.filter(({ type }) => type === "order.done").length).toBe(1);
    const late = await t.start(following, { order: "b" });
    await t.advance("2d");
    expect(late.output).toBe("2: not paid");
  });

  test("a race of waits has the winner that came first", async () => {
    const race = task("race", async (_input: void, ctx) =>
      Promise.race([ctx.sleep("1h").then(() => "time"), ctx.waitFor(on.event("go")).then(() => "event")]),
    );
    const racing = pipeline("racing", () => race());
    const t = await testbed({ racing });
    const [first, second] = [await t.start(racing), await t.start(racing)];
    await t.advance("1h");
    expect([first.output, second.output]).toEqual(["time", "time"]);
    const third = await t.start(racing);
    await t.emit({ type: "go" });
    expect(third.output).toBe("event");
  });

  test("a step that failed is run again by the next attempt, what finished is not", async () => {
    const seen: string[] = [];
    const stumble = task(
      "stumble",
      { retries: { max: 1, delay: "1m", backoff: "fixed" } },
      async (_input: void, ctx) => {
        const one = await ctx.step("one", () => void seen.push("one"));
        await ctx.step("two", () => {
          seen.push(`two ${ctx.attempt}`);
          if (ctx.attempt === 1) throw new Error("no");
        });
        return one;
      },
    );
    const stumbling = pipeline("stumbling", () => stumble());
    const t = await testbed({ stumbling });
    const run = await t.finish(await t.start(stumbling));
    expect(run).toMatchObject({ state: "succeeded", output: null });
    expect(seen).toEqual(["one", "two 1", "two 2"]);
  });

  test("a call in code waits for the run that it starts", async () => {
    const ask = task("ask", async (_input: void, ctx) => ctx.call(report, { day: "ab" }));
    const asking = pipeline("asking", () => ask());
    const t = await testbed([asking, report]);
    t.task(load).takes("1h");
    const run = await t.start(asking);
    expect(run.state).toBe("waiting");
    await t.advance("1h");
    expect(run.output).toBe("rows: 2");
    expect(t.runs.map(({ pipeline: name, calledBy }) => [name, calledBy])).toEqual([
      ["asking", undefined],
      ["report", "r1"],
    ]);
  });

  test("an approval is asked for, and answered by the test", async () => {
    const publish = task("publish", async (_input: void, ctx) => {
      const answer = await ctx.approve({
        title: "Publish?",
        form: z.object({ note: z.string() }),
        timeout: "1d",
      });
      return answer === null
        ? "nobody answered"
        : { approved: answer.approved, by: answer.by, form: answer.form };
    });
    const publishing = pipeline("publishing", () => publish());
    const t = await testbed({ publishing });
    const run = await t.start(publishing);
    expect(t.approvals).toMatchObject([{ run: "r1", node: "publish", title: "Publish?" }]);
    await t.answer(t.approvals[0]!, { approved: true, by: "ann", form: { note: "fine" } });
    expect(run.output).toEqual({ approved: true, by: "ann", form: { note: "fine" } });
    expect(t.approvals).toEqual([]);
    const late = await t.start(publishing);
    await expect(t.answer(t.approvals[0]!, { form: { note: 5 } })).rejects.toMatchObject({
      code: "MILLRACE_FORM_INVALID",
    });
    await t.advance("1d");
    expect(late.output).toBe("nobody answered");
    const boss = task("boss", async (_input: void, ctx) => (await ctx.approve({ by: ["ann"] })).approved);
    const bossy = pipeline("bossy", () => boss());
    const other = await testbed({ bossy });
    const asked = await other.start(bossy);
    const [approval] = other.approvals;
    await expect(other.answer(approval!, { by: "bob" })).rejects.toMatchObject({
      code: "MILLRACE_APPROVAL_FORBIDDEN",
    });
    await expect(other.answer(approval!, { form: {} })).rejects.toMatchObject({
      code: "MILLRACE_FORM_INVALID",
    });
    await other.answer(approval!, { approved: false });
    expect(asked.output).toBe(false);
  });
});

describe("assets", () => {
  const landing = asset("landing", { partitions: daily("2026-01-01") });
  const clean = asset("clean", { partitions: daily("2026-01-01"), upstream: [landing] });
  const tidy = task("tidy", { writes: clean }, (day: string) => day);
  const tidied = pipeline("tidied", { on: on.updated(landing) }, ({ partition }) => tidy(partition.key));
  const count = task("count", (run: { key: string; revision: number; previousRun: string | null }) => run);
  const counted = pipeline(
    "counted",
    { on: on.reached(clean, { from: "2026-01-01T00:00:00Z", late: { debounce: "10m" } }) },
    ({ partition, firing }) =>
      count({ key: partition.key, revision: firing.revision, previousRun: firing.previousRun }),
  );
  const update = (partition: string): GivenEvent => ({
    type: "millrace.asset.updated",
    subject: "landing",
    data: { partition },
  });

  test("an update from outside starts who listens; a success updates what its task writes, and late data makes a revision", async () => {
    const t = await testbed({ landing, clean, tidied, counted }, { now: "2026-01-05T00:00:00Z" });
    await t.emit(update("2026-01-02"));
    expect(t.runsOf(tidied)[0]!.output).toBe("2026-01-02");
    expect(t.runsOf(counted)).toEqual([]);
    await t.emit(update("2026-01-01"));
    expect(t.runsOf(counted).map(({ output }) => output)).toEqual([
      { key: "2026-01-01", revision: 1, previousRun: null },
      { key: "2026-01-02", revision: 1, previousRun: null },
    ]);
    await t.emit(update("2026-01-01"));
    await t.advance("10m");
    expect(t.runsOf(counted).at(-1)!.output).toEqual({
      key: "2026-01-01",
      revision: 2,
      previousRun: t.runsOf(counted)[0]!.id,
    });
    expect(
      t.events.filter(({ type, subject }) => type === "millrace.asset.updated" && subject === "clean").length,
    ).toBe(3);
  });

  test("that a trigger listens to must be given, too", async () => {
    await expect(testbed({ tidied })).rejects.toMatchObject({
      code: "MILLRACE_ASSET_UNKNOWN",
      message: expect.stringContaining('The trigger of "tidied" waits for the asset "landing"') as string,
    });
  });

  test("a run by hand is for a partition", async () => {
    const t = await testbed({ landing, clean, tidied });
    await expect(t.start(tidied)).rejects.toMatchObject({ code: "MILLRACE_PARTITION_REQUIRED" });
    const run = await t.start(tidied, undefined, { partition: "2026-01-03" });
    expect(run.output).toBe("2026-01-03");
    expect(t.events.at(-1)).toMatchObject({
      type: "millrace.asset.updated",
      subject: "clean",
      data: { partition: "2026-01-03" },
    });
  });
});

describe("an approval in a graph", () => {
  const publish = task("publish", (input: { by: string | null; copies: number }) => input);
  const release = pipeline("release", () => {
    const loaded = load({ day: "monday" });
    const asked = approve({
      title: "Publish?",
      details: { rows: loaded.rows },
      by: ["ann"],
      form: z.object({ copies: z.int() }),
      timeout: "2d",
    });
    return publish({ by: asked.by, copies: asked.form.copies });
  });

  test("is answered by the test, and shows what its person sees", async () => {
    const t = await testbed({ release });
    const run = await t.start(release);
    expect(t.approvals).toMatchObject([
      { id: "r1/approve:1", node: "approve", title: "Publish?", by: ["ann"], details: { rows: 6 } },
    ]);
    await t.answer(t.approvals[0]!, { form: { copies: 2 }, note: "fine" });
    expect(run.output).toEqual({ by: "ann", copies: 2 });
    expect(run.node("approve").output).toMatchObject({ approved: true, note: "fine", timedOut: false });
  });

  test("skips what follows when the answer is no, and fails when nobody answers in time", async () => {
    const t = await testbed({ release });
    const rejected = await t.start(release);
    await t.answer(t.approvals[0]!, { approved: false });
    expect(rejected.states).toEqual({ load: "succeeded", approve: "skipped", publish: "skipped" });
    const late = await t.start(release);
    await t.advance("2d");
    expect(late.states).toMatchObject({ approve: "failed", publish: "upstream_failed" });
    expect(t.approvals).toEqual([]);
  });
});

describe("a paused trigger", () => {
  const tick = pipeline("tick", { on: on.every("1h"), onResume: "latest" }, ({ firing }) =>
    see(firing.members.schedule),
  );

  test("is told nothing; its resume lets those begin that the policy names", async () => {
    const t = await testbed({ tick });
    await t.pause(tick);
    await t.advance("5h");
    expect(t.firings).toEqual([]);
    await expect(t.start(tick)).rejects.toMatchObject({ code: "MILLRACE_PIPELINE_PAUSED" });
    await t.resume(tick);
    expect(t.firings.map(({ at }) => at.toISOString())).toEqual(["2026-01-01T05:00:00.000Z"]);
    await t.pause(tick);
    await t.advance("2h");
    await t.resume(tick, { onResume: "all" });
    expect(t.firings.length).toBe(3);
    await t.advance("1h");
    expect(t.firings.length).toBe(4);
    expect(t.events.map(({ type }) => type)).toEqual([
      "millrace.trigger.changed",
      "millrace.trigger.paused",
      "millrace.trigger.resumed",
      "millrace.trigger.paused",
      "millrace.trigger.resumed",
    ]);
  });
});

describe("an explanation", () => {
  const both = pipeline(
    "both",
    {
      on: on
        .all([on.event("order.paid").as("paid"), on.event("order.shipped").as("shipped")], { within: "1d" })
        .by("subject"),
    },
    ({ firing }) => see(firing.members.paid),
  );

  test("tells what a key has and waits for", async () => {
    const t = await testbed({ both, report });
    await t.emit({ type: "order.paid", subject: "a" });
    await t.emit({ type: "order.paid", subject: "b" });
    const { state, key, text } = await t.explain(both, { key: "a" });
    expect(key).toBe("a");
    expect(state?.of?.map((part) => [part.name, part.state])).toEqual([
      ["paid", "held"],
      ["shipped", "waiting"],
    ]);
    expect(text).toContain("○ shipped waits for an event order.shipped");
    expect((await t.explain(both)).keys).toEqual(["a", "b"]);
    await expect(t.explain(both, { key: "c" })).rejects.toMatchObject({
      code: "MILLRACE_TRIGGER_KEY_UNKNOWN",
    });
    await expect(t.explain(report)).rejects.toMatchObject({ code: "MILLRACE_TRIGGER_UNKNOWN" });
  });

  test("tells what became of an event", async () => {
    const t = await testbed({ both, large });
    const verdict = async (name: { name: string }, event: { position: number }): Promise<string> => {
      const { event: judged } = await t.explain(name, { event });
      return `${judged!.verdict}: ${judged!.text}`;
    };
    const small = await t.emit({ type: paid, subject: "a", data: { id: "a", amount: 5 } });
    expect(await verdict(large, small)).toBe(
      "filtered: it does not fit the filter: data.amount >= 100: expected at least 100, found 5",
    );
    expect(await verdict(both, small)).toBe(
      "gathered: it counts, and waits in the state of the key a for the others",
    );
    await t.advance("2d");
    expect(await verdict(both, small)).toBe(
      "expired: it was gathered, and given up as its time was over at 2026-01-03T00:00:00.000Z",
    );
    const keyless = await t.emit({ type: "order.shipped" });
    expect(await verdict(both, keyless)).toContain("no_key: it has no key");
    const paidAgain = await t.emit({ type: "order.paid", subject: "a", data: { id: "a", amount: 500 } });
    expect(await verdict(large, paidAgain)).toBe("member: it is a member of the firing that started run r1");
    await expect(t.explain(large, { event: 99 })).rejects.toMatchObject({ code: "MILLRACE_EVENT_UNKNOWN" });
  });
});

describe("limits", () => {
  test("runs beyond maxActiveRuns wait their turn", async () => {
    const work = task("work", () => null);
    const single = pipeline("single", { on: on.event("go"), maxActiveRuns: 1 }, () => work());
    const t = await testbed({ single });
    t.task(work).takes("10m");
    await t.emit([{ type: "go" }, { type: "go" }, { type: "go" }]);
    const states = (): string[] => t.runs.map(({ state }) => state);
    expect(states()).toEqual(["running", "queued", "queued"]);
    expect(t.unfinished[1]!.waitsFor).toBe("it waits for room: at most 1 run at once");
    await t.advance("10m");
    expect(states()).toEqual(["succeeded", "running", "queued"]);
    await t.advance("20m");
    expect(states()).toEqual(["succeeded", "succeeded", "succeeded"]);
  });

  test("a pool has the slots that the testbed gives it", async () => {
    const work = task("work", { pool: "warehouse" }, (n: number) => n);
    const many = pipeline("many", () => work.map([1, 2, 3]));
    const t = await testbed({ many }, { pools: { warehouse: 2 } });
    t.task(work).takes("1m");
    const run = await t.start(many);
    expect(Object.values(run.states)).toEqual(["running", "running", "queued"]);
    expect(t.unfinished[0]!.waitsFor).toContain('"work[2]" waits for a slot');
    await t.advance("1m");
    expect(Object.values(run.states)).toEqual(["succeeded", "succeeded", "running"]);
  });

  test("an output that is in the cache is not made again before it expires", async () => {
    const slow = task("slow", { cache: { expiry: "1h" } }, (n: number) => n * 2);
    const cached = pipeline("cached", () => slow(21));
    const t = await testbed({ cached });
    await t.start(cached);
    expect((await t.start(cached)).node("slow")).toMatchObject({
      state: "succeeded",
      reason: { code: "cached" },
    });
    await t.advance("1h");
    await t.start(cached);
    expect(t.task(slow).calls.length).toBe(2);
  });
});

describe("a wrong name", () => {
  test("is told with the nearest one", async () => {
    const t = await testbed({ report, large });
    await expect(t.start("reprot")).rejects.toMatchObject({
      code: "MILLRACE_PIPELINE_UNKNOWN",
      message: 'No pipeline of the testbed is named "reprot". Did you mean "report"?',
    });
    expect(() => t.task("anounce")).toThrow(
      'No task of the testbed is named "anounce". Did you mean "announce"?',
    );
  });

  test("of a pipeline that does not load is told as a deploy tells it", async () => {
    const total = pipeline("total", () => report.call({}));
    await expect(testbed({ total })).rejects.toMatchObject({ code: "MILLRACE_GRAPH_INVALID" });
    await expect(testbed([])).rejects.toMatchObject({ code: "MILLRACE_PIPELINE_UNKNOWN" });
  });
});

describe("an event", () => {
  test("is recorded once under its name, and another one under that name is refused", async () => {
    const t = await testbed({ large });
    const event = { type: "order.paid", source: "/shop", id: "1", data: { id: "1", amount: 500 } };
    expect(await t.emit(event)).toMatchObject({ position: 2, isDuplicate: false });
    expect(await t.emit(event)).toMatchObject({ position: 2, isDuplicate: true });
    await expect(t.emit({ ...event, data: {} })).rejects.toMatchObject({ code: "MILLRACE_EVENT_CONFLICT" });
    await expect(t.emit({ type: "millrace.run.failed" })).rejects.toMatchObject({
      code: "MILLRACE_EVENT_INVALID",
    });
    expect(t.runs.length).toBe(1);
  });
});

describe("a loop of triggers", () => {
  const left = asset("loop/left");
  const right = asset("loop/right");
  const writeLeft = task("write-left", { writes: left }, () => 1);
  const writeRight = task("write-right", { writes: right }, () => 1);
  const leftward = pipeline("leftward", { on: on.updated(right) }, () => writeLeft());
  const rightward = pipeline("rightward", { on: on.updated(left), loopLimit: 3 }, () => writeRight());
  const update = { type: "millrace.asset.updated", subject: "loop/left", data: {} };

  test("of assets is stopped with its path, and the log says so (W3)", async () => {
    const t = await testbed({ left, right, leftward, rightward });
    await t.emit(update);
    expect(t.runsOf(rightward).length).toBe(3);
    const refused = t.firings.filter(({ run }) => run === undefined);
    expect(refused).toMatchObject([
      {
        pipeline: "rightward",
        reason: {
          code: "trigger_loop",
          message:
            "It is the 4th firing of a loop of triggers, and starts no run: rightward → leftward → rightward.",
        },
      },
    ]);
    expect(t.events.filter(({ type }) => type === "millrace.trigger.looped")).toMatchObject([
      { subject: "rightward", data: { path: ["rightward", "leftward", "rightward"], times: 4 } },
    ]);
    t.expectFinished();
  });

  test.each<[string, { now: boolean }]>([
    ["emitted with the success", { now: false }],
    ["emitted at once", { now: true }],
  ])("of events %s is stopped, through calls, too (R3)", async (_what, { now }) => {
    const cry = task("cry", async (_input: object, ctx) => {
      await ctx.emit({ type: "echo" }, { now });
    });
    const shout = pipeline("shout", () => cry({}));
    const echo = pipeline("echo", { on: on.event("echo"), loopLimit: 2 }, () => shout.call());
    const t = await testbed({ shout, echo });
    await t.emit({ type: "echo" });
    expect(t.runsOf(echo).length).toBe(2);
    expect(t.firings.at(-1)?.reason?.code).toBe("trigger_loop");
  });
});

describe("an event that does not fit the declaration of its type", () => {
  test("is kept, says why, and fires nothing (L3)", async () => {
    const t = await testbed({ paid, large });
    const { position, invalid } = await t.emit({ type: "order.paid", data: { id: "1", amount: "500" } });
    expect(invalid).toBe('data.amount must be a number, found "500"');
    expect(t.firings).toEqual([]);
    const { event } = await t.explain(large, { event: position });
    expect(event?.verdict).toBe("invalid");
  });

  test("fires nothing when a task emits it", async () => {
    const tell = task("tell", async (_input: object, ctx) => {
      await ctx.emit({ type: "order.paid", data: { id: 1, amount: 500 } });
    });
    const t = await testbed({ paid, large, telling: pipeline("telling", () => tell({})) });
    await t.start("telling");
    expect(t.runsOf(large)).toEqual([]);
  });
});

test("what waits for a person says for whom, and what was asked", async () => {
  const gate = pipeline("gate", () => {
    approve({ title: "Go on?", by: ["ann", "bob"] });
  });
  const t = await testbed({ gate });
  await t.start(gate);
  expect(t.unfinished[0]?.waitsFor).toBe('"approve" waits for an answer of ann or bob to "Go on?"');
});

describe("wrong use is told in the words of the testbed", () => {
  const wrong: readonly (readonly [what: string, use: () => unknown, code: string, text: RegExp])[] = [
    [
      "an option that is misspelt",
      () => testbed({ report }, { nwo: "2026-01-01" } as object),
      "MILLRACE_OPTION_INVALID",
      /no "nwo".* "now"/,
    ],
    ["options that are none", () => testbed({ report }, 5 as never), "MILLRACE_OPTION_INVALID", /an object/],
    ["no pipelines", () => testbed(undefined as never), "MILLRACE_PIPELINE_UNKNOWN", /no pipelines/],
    [
      "a time that each machine reads otherwise",
      () => testbed({ report }, { now: "2026-03-01T00:00:00" }),
      "MILLRACE_TEST_CLOCK",
      /no time: "2026-03-01T00:00:00"/,
    ],
    [
      "an event without a type",
      async () => (await testbed({ report })).emit({ data: 1 } as never),
      "MILLRACE_EVENT_INVALID",
      /no type/,
    ],
    [
      "a member of an event that is misspelt",
      async () => (await testbed({ report })).emit({ type: "x", dta: 1 } as never),
      "MILLRACE_EVENT_INVALID",
      /no "dta".* "data"/,
    ],
    [
      "a pool of no number of slots",
      () => testbed({ report }, { pools: { narrow: -1 } }),
      "MILLRACE_OPTION_INVALID",
      /pool "narrow" has -1 slots/,
    ],
    [
      "an option of a start that is misspelt",
      async () => (await testbed({ report })).start("report", {}, { partitoin: "a" } as object),
      "MILLRACE_OPTION_INVALID",
      /no "partitoin".* "partition"/,
    ],
    [
      "a number of times that is none",
      async () => (await testbed({ report })).task("load").fails("no", { times: 0 }),
      "MILLRACE_OPTION_INVALID",
      /`times` 0/,
    ],
    [
      "what is said of a task, misspelt",
      async () => (await testbed({ report })).task("load").fails("no", { time: 1 } as object),
      "MILLRACE_OPTION_INVALID",
      /no "time".* "times"/,
    ],
    [
      "a state that no node is marked",
      async () => {
        const t = await testbed({ report });
        await t.mark(await t.start("report"), "load", { state: "green" as "failed" });
      },
      "MILLRACE_REQUEST_INVALID",
      /succeeded, failed, skipped; found "green"/,
    ],
    [
      "a run that is none",
      async () => (await testbed({ report })).rerun("r1" as never),
      "MILLRACE_RUN_UNKNOWN",
      /no run/,
    ],
    [
      "an item of a node that is no fan-out",
      async () => (await (await testbed({ report })).start("report")).node("load", 3),
      "MILLRACE_NODE_UNKNOWN",
      /no item "3"/,
    ],
    [
      "an approval that nobody asked for",
      async () => {
        const t = await testbed({ report });
        await t.answer(t.approvals[0]!, { approved: true });
      },
      "MILLRACE_APPROVAL_UNKNOWN",
      /no approval/,
    ],
  ];
  test.each(wrong)("%s", async (_what, use, code, text) => {
    const error = await Promise.resolve()
      .then(use)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject({ code, message: expect.stringMatching(text) as string });
  });

  test("times that are the same everywhere are taken", async () => {
    const t = await testbed({ report }, { now: "2026-03-01" });
    await t.clock.to("2026-03-01T02:00+01:00");
    await t.clock.to("2026-03-01T01:00:00.5Z");
    expect(t.clock.now.toISOString()).toBe("2026-03-01T01:00:00.500Z");
  });
});
