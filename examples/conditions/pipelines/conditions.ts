// A pipeline for each atom and operator of conditions. docs/reference/conditions.md shows them one by one.
import { readFile } from "node:fs/promises";
import { asset, daily, eventType, hourly, on, pipeline, probe, task, weekly } from "millrace";
import { z } from "zod";

export const paid = eventType("order.paid", {
  schema: z.object({ orderId: z.string(), amount: z.number() }),
});
export const shipped = eventType("order.shipped", { schema: z.object({ orderId: z.string() }) });

const count = task("count", (members: readonly unknown[]) => members.length);

export const largeOrder = pipeline(
  "large-order",
  { on: on.event(paid, { where: { data: { amount: { gte: 100 } } } }).as("orders") },
  ({ firing }) => count(firing.members.orders),
);

export const everyOrder = pipeline("every-order", { on: on.event("order.*").as("orders") }, ({ firing }) =>
  count(firing.members.orders),
);

export const workdays = pipeline(
  "workdays",
  { on: on.cron("0 6 * * MON-FRI", { tz: "Europe/Berlin" }), catchUp: "all" },
  ({ firing }) => count(firing.members.schedule),
);

export const opening = pipeline(
  "opening",
  {
    on: on.cron("0 9 * * *", {
      tz: "Europe/Berlin",
      calendar: { businessDays: true, holidays: ["2025-12-24/2026-01-01", "2026-01-06"] },
      jitter: "5m",
    }),
  },
  ({ firing }) => count(firing.members.schedule),
);

export const quarterly = pipeline("quarterly", { on: on.every("15m") }, ({ firing }) =>
  count(firing.members.schedule),
);

export const closings = pipeline(
  "closings",
  { on: on.at(["2026-01-31T18:00", "2026-02-28T18:00"], { tz: "Europe/Berlin" }) },
  ({ firing }) => count(firing.members.schedule),
);

export const hours = asset("lake/orders", { partitions: hourly("2026-01-01") });
export const days = asset("mart/orders", { partitions: daily("2026-01-01"), upstream: [hours] });

const forPartition = task("for-partition", (key: string) => key);

export const anyHour = pipeline("any-hour", { on: on.updated(hours) }, ({ partition }) =>
  forPartition(partition.key),
);

export const filledHour = pipeline(
  "filled-hour",
  {
    on: on.updated(hours, {
      where: { data: { metadata: { rows: { gt: 0 } } } },
      partitions: { latest: 48 },
    }),
  },
  ({ partition }) => forPartition(partition.key),
);

export const wholeDay = pipeline("whole-day", { on: on.updated(hours, { all: days }) }, ({ partition }) =>
  forPartition(partition.key),
);

export const changedWeek = pipeline(
  "changed-week",
  { on: on.updated(hours, { each: weekly("2026-01-01") }) },
  ({ partition }) => forPartition(partition.key),
);

export const dayReached = pipeline(
  "day-reached",
  {
    on: on.reached(hours, {
      partitions: days,
      delay: "10m",
      late: { debounce: "1s", max: 1 },
      orAfter: "3h",
      from: "2026-03-01T00:00:00Z",
    }),
  },
  ({ partition }) => forPartition(partition.key),
);

export const delivered = pipeline(
  "delivered",
  { on: on.all([on.event(paid), on.event(shipped)], { within: "30d" }).by("data.orderId") },
  ({ firing }) => count(firing.members["order.shipped"]),
);

export const anyChange = pipeline(
  "any-change",
  { on: on.any([on.event("price.changed"), on.event("stock.changed")]).as("changes") },
  ({ firing }) => count(firing.members.changes),
);

export const quorum = pipeline(
  "quorum",
  { on: on.atLeast(2, [on.event("vote.a"), on.event("vote.b"), on.event("vote.c")]).as("votes") },
  ({ firing }) => count(firing.members.votes),
);

export const inOrder = pipeline(
  "in-order",
  { on: on.sequence([on.event("door.opened"), on.event("door.closed")], { within: "5m" }) },
  ({ firing }) => count(firing.members["door.closed"]),
);

export const unlessFrozen = pipeline(
  "unless-frozen",
  { on: on.unless(on.event("release.asked"), on.event("release.frozen"), { within: "1d" }) },
  ({ firing }) => count(firing.members["release.asked"]),
);

export const notPaid = pipeline(
  "not-paid",
  {
    on: on
      .absent(on.event("invoice.paid"), { within: "2s", after: on.event("invoice.sent") })
      .by("data.invoiceId"),
  },
  ({ firing }) => count(firing.members["invoice.sent"]),
);

export const threeFailures = pipeline(
  "three-failures",
  { on: on.count(on.event("login.failed"), 3, { within: "10m" }).by("subject") },
  ({ firing }) => count(firing.members["login.failed"]),
);

export const upload = pipeline(
  "upload",
  { on: on.batch(on.event("row.added").as("rows"), { max: 3, maxWait: "2s" }) },
  ({ firing }) => count(firing.members.rows),
);

export const visit = pipeline(
  "visit",
  { on: on.session(on.event("page.seen").as("pages"), { gap: "2s", max: "1h" }).by("subject") },
  ({ firing }) => count(firing.members.pages),
);

export const rebuild = pipeline(
  "rebuild",
  { on: on.debounce(on.event("source.changed").as("changes"), { quiet: "2s", maxWait: "1m" }) },
  ({ firing }) => count(firing.members.changes),
);

export const notify = pipeline(
  "notify",
  { on: on.throttle(on.event("alarm").as("alarms"), { limit: 1, per: "3s" }) },
  ({ firing }) => count(firing.members.alarms),
);

export const hourlyReadings = pipeline(
  "hourly-readings",
  {
    on: on.window(on.event("reading").as("readings"), {
      every: "1h",
      time: "time",
      lateness: "10m",
      late: "revise",
    }),
  },
  ({ firing }) => count(firing.members.readings),
);

export const afterNotify = pipeline("after-notify", { on: on.finished("notify") }, ({ firing }) =>
  count(firing.members.notify),
);

export const price = probe("price", { every: "10s" }, async () => {
  const text = await readFile("price.txt", "utf8").catch(() => null);
  return text && { price: Number(text) };
});

export const repriced = pipeline("repriced", { on: on.probe(price) }, ({ firing }) =>
  count(firing.members.probe),
);
