/** What happens at one instant, and where clocks change. */
import { on, pipeline, task, wait } from "@millrace/sdk";
import { describe, expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const noon = "2026-06-01T12:00:00Z";
const see = task("see", (firing: { at: string | null; members: object }) => firing.at);
const answer = task("answer", (_input: void, ctx) => ctx.emit({ type: "answer" }));
const answering = pipeline("answering", () => answer());

describe("an event at the very instant of a deadline", () => {
  const waiting = pipeline("waiting", () => {
    wait(on.event("answer"), { id: "one", timeout: "1h", onTimeout: "skip" });
  });
  const inCode = task("in-code", async (_input: void, ctx) => {
    const [long, short] = await Promise.all([
      ctx.waitFor(on.event("answer"), { timeout: "1h" }),
      ctx.waitFor(on.event("answer"), { timeout: "59m" }),
    ]);
    return [long !== null, short !== null];
  });
  const coded = pipeline("coded", () => inCode());

  test("comes before it: the wait has its event, in a graph and in code", async () => {
    const t = await testbed({ answering, waiting, coded }, { now: noon });
    t.task(answer).takes("1h");
    const late = await t.start(answering);
    const [run, code] = [await t.start(waiting), await t.start(coded)];
    // The task's event is in the log with its success, which comes at that instant.
    await t.advance("1h");
    expect(late.state).toBe("succeeded");
    expect(run.states).toEqual({ one: "succeeded" });
    await t.finish(code);
    expect(code.output).toEqual([true, false]);
  });

  test("comes after it once the clock was moved to the deadline", async () => {
    const t = await testbed({ waiting }, { now: noon });
    const run = await t.start(waiting);
    await t.advance("1h");
    await t.emit({ type: "answer" });
    expect(run.states).toEqual({ one: "skipped" });
  });

  test("keeps a session of its key going, and silence from being told", async () => {
    const sessions = pipeline(
      "sessions",
      { on: on.session(on.event("answer").as("pages"), { gap: "1h" }).by("type") },
      ({ firing }) => see(firing),
    );
    const silence = pipeline(
      "silence",
      { on: on.absent(on.event("answer"), { within: "1h", after: on.event("asked") }) },
      ({ firing }) => see(firing),
    );
    const t = await testbed({ answering, sessions, silence }, { now: noon });
    t.task(answer).takes("1h");
    await t.start(answering);
    await t.emit([{ type: "answer" }, { type: "asked" }]);
    await t.advance("1h");
    expect(t.firingsOf(silence)).toEqual([]);
    await t.advance("1h");
    expect(t.firingsOf(sessions).map(({ members }) => members["pages"]?.length)).toEqual([2]);
  });
});

describe("sessions of several keys end each at its own time", () => {
  const visits = pipeline(
    "visits",
    { on: on.session(on.event("page").as("pages"), { gap: "10m", max: "25m" }).by("subject") },
    ({ firing }) => see(firing),
  );

  test("by its gap, by the longest that one lasts, and not by another key's events", async () => {
    const t = await testbed({ visits }, { now: noon });
    const page = (subject: string): Promise<unknown> => t.emit({ type: "page", subject });
    await page("ann");
    for (let minute = 0; minute < 30; minute += 5) {
      await page("bob");
      await t.advance("5m");
    }
    await t.advance("1h");
    expect(
      t.firings.map(({ key, at, members }) => [
        key,
        at.toISOString().slice(11, 16),
        members["pages"]?.length,
      ]),
    ).toEqual([
      ["ann", "12:10", 1],
      ["bob", "12:25", 5],
      ["bob", "12:35", 1],
    ]);
  });
});

describe("a clock that changes", () => {
  const ticks = (name: string, at: Parameters<typeof on.cron>[0]) =>
    pipeline(name, { on: on.cron(at, { tz: "Europe/Berlin" }) }, ({ firing }) => see(firing));
  const nightly = ticks("nightly", "30 2 * * *");
  const halfHours = ticks("half-hours", "*/30 2 * * *");
  const instants = (t: Awaited<ReturnType<typeof testbed>>, name: string): string[] =>
    t.firingsOf(name).map(({ at }) => at.toISOString().slice(5, 16));

  test("forward: a local time that is skipped runs once right after the gap", async () => {
    const t = await testbed({ nightly, halfHours }, { now: "2026-03-28T12:00:00Z" });
    await t.advance("2d");
    expect(instants(t, "nightly")).toEqual(["03-29T01:00", "03-30T00:30"]);
    expect(instants(t, "half-hours")).toEqual(["03-30T00:00", "03-30T00:30"]);
  });

  test("back: a fixed local time runs once, and steps fire at every real instant", async () => {
    const t = await testbed({ nightly, halfHours }, { now: "2026-10-24T12:00:00Z" });
    await t.advance("1d");
    expect(instants(t, "nightly")).toEqual(["10-25T00:30"]);
    expect(instants(t, "half-hours")).toEqual(["10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30"]);
  });

  test("spans of waits and sleeps are real time; an instant of a zone is that instant", async () => {
    const sleep = task("sleep", async (_input: void, ctx) => {
      await ctx.sleep("24h");
      await ctx.sleepUntil("2026-03-29T08:00:00+02:00");
      return "awake";
    });
    const sleeping = pipeline("sleeping", () => sleep());
    const waiting = pipeline("waiting", () => {
      wait(on.event("answer"), { id: "one", timeout: "1d", onTimeout: "skip" });
    });
    const t = await testbed({ sleeping, waiting }, { now: "2026-03-28T00:30:00Z" });
    const [asleep, run] = [await t.start(sleeping), await t.start(waiting)];
    await t.clock.to("2026-03-29T00:29:59.999Z");
    expect(run.state).toBe("waiting");
    await t.clock.to("2026-03-29T00:30:00Z");
    expect(run.states).toEqual({ one: "skipped" });
    await t.clock.to("2026-03-29T05:59:59.999Z");
    expect(asleep.state).toBe("waiting");
    await t.advance(1);
    expect(asleep.output).toBe("awake");
  });
});

test("a loop of waits takes each event once, also those that came before it waits for them", async () => {
  const gather = task("gather", async (count: number, ctx) => {
    const ids: string[] = [];
    while (ids.length < count) {
      const next = await ctx.waitFor(on.event("tick"), { name: "next", timeout: "1h" });
      ids.push(next ? next.members.tick[0]!.id : "none");
    }
    return ids;
  });
  const gathering = pipeline("gathering", () => gather(6));
  const t = await testbed({ gathering });
  const run = await t.start(gathering);
  await t.emit([1, 2, 3].map((id) => ({ type: "tick", id: `${id}` })));
  await t.advance("1h");
  await t.emit([4, 5].map((id) => ({ type: "tick", id: `${id}` })));
  expect(run.output).toEqual(["1", "2", "3", "none", "4", "5"]);
});

test("what is due by now, or was due before it was asked for, needs no clock that moves", async () => {
  const doze = task("doze", async (_input: void, ctx) => {
    await ctx.sleep(0);
    await ctx.sleepUntil(new Date(0));
    return "awake";
  });
  const again = task("again", { retries: { max: 2, delay: 0, backoff: "fixed" } }, (_input: void, ctx) => {
    if (ctx.attempt < 3) throw new Error("not yet");
    return ctx.attempt;
  });
  const hasty = pipeline("hasty", () => [doze(), again()]);
  const t = await testbed({ hasty }, { now: noon });
  const run = await t.start(hasty);
  expect(run.output).toEqual(["awake", 3]);
  expect(t.now).toEqual(new Date(noon));
});
