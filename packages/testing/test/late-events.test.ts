/** What a trigger says of events whose window had fired. */
import { asset, daily, on, pipeline, task } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const see = task("see", async (members: readonly unknown[]) => members.length);
const hourly = (late: "ignore" | "revise") =>
  pipeline(
    "hourly",
    { on: on.window(on.event("reading").as("r"), { every: "1h", time: "time", lateness: "10m", late }) },
    ({ firing }) => see(firing.members.r),
  );
const readings = ["10:15", "11:11", "10:16"].map((at) => ({ type: "reading", time: `2026-03-01T${at}:00Z` }));
const options = { now: "2026-03-01T12:00:00Z" };

test("an event whose window had closed is late where late events are left out, however deep", async () => {
  const windows = hourly("ignore");
  const deep = pipeline(
    "deep",
    {
      on: on.count(on.window(on.event("reading").as("r"), { every: "1h", time: "time", lateness: "10m" }), 5),
    },
    () => see([]),
  );
  const t = await testbed({ windows, deep }, options);
  await t.emit(readings);
  const [first, , last] = t.events.filter(({ type }) => type === "reading");
  for (const one of [windows, deep])
    expect((await t.explain(one, { event: last!.position })).event).toMatchObject({
      verdict: "late",
      text: "it came too late: its window had fired, and takes no revision by it",
    });
  expect((await t.explain(windows, { event: first!.position })).event?.verdict).toBe("member");
  expect((await t.explain(windows)).text).toContain("1 late event was left out");
});

test("an event whose window had closed is a member where it makes a revision, which knows the run before", async () => {
  const windows = hourly("revise");
  const t = await testbed({ windows }, options);
  await t.emit(readings);
  const last = t.events.findLast(({ type }) => type === "reading")!;
  expect((await t.explain(windows, { event: last.position })).event?.verdict).toBe("member");
  expect(t.firings.map(({ revision, members }) => [revision, members["r"]?.length])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

test("an update of a partition that has fired is late once it makes no revision any more", async () => {
  const days = asset("days", { partitions: daily("2026-01-01") });
  const day = pipeline("day", { on: on.updated(days, { all: days }) }, () => see([]));
  const t = await testbed({ days, day }, options);
  const update = { type: "millrace.asset.updated", subject: "days", data: { partition: "2026-02-01" } };
  await t.emit([update, { ...update }]);
  const updates = t.events.filter(({ type }) => type === "millrace.asset.updated");
  const verdicts = updates.map(
    async ({ position }) => (await t.explain(day, { event: position })).event?.verdict,
  );
  expect(await Promise.all(verdicts)).toEqual(["member", "late"]);
});

test("an event without a time that can be read belongs to no window, and is told so", async () => {
  const timed = pipeline(
    "timed",
    { on: on.window(on.event<{ at: string }>("timed"), { every: "1h", time: "data.at", lateness: "1m" }) },
    () => see([]),
  );
  const t = await testbed({ timed }, options);
  await t.emit(
    [{}, { at: "yesterday" }, { at: "2026-03-01T10:15:00Z" }].map((data) => ({ type: "timed", data })),
  );
  const told = [2, 3, 4].map(async (event) => (await t.explain(timed, { event })).event);
  expect(await Promise.all(told)).toMatchObject([
    { verdict: "no_time", text: "the time of its window can't be read: data.at is nothing" },
    { verdict: "no_time", text: 'the time of its window can\'t be read: "yesterday" is no time' },
    { verdict: "gathered" },
  ]);
});

test("what changed nothing is said with how the condition stood", async () => {
  const order = pipeline("order", { on: on.sequence([on.event("a"), on.event("b")]) }, () => see([]));
  const t = await testbed({ order }, options);
  await t.emit({ type: "b" });
  expect((await t.explain(order, { event: t.events.at(-1)!.position })).event).toMatchObject({
    verdict: "not_counted",
    text: expect.stringMatching(
      /^it changed nothing, as the condition stood: 0 of 2 steps have come in order/,
    ),
  });
});
