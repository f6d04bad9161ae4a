/** Assets on virtual time: what tasks write, what others tell, and the runs for partitions that follow. */
import {
  asset,
  daily,
  dynamicPartitions,
  on,
  pipeline,
  staticPartitions,
  task,
  windows,
  type PartitionWindow,
} from "@millrace/sdk";
import { expect, test } from "vitest";
import { z } from "zod";
import { testbed } from "../src/index.ts";

const quarters = windows("6h", "2026-01-01");
const landing = asset("landing", { partitions: quarters });
const clean = asset("clean", { partitions: quarters, upstream: [landing] });
const report = asset("report", { partitions: daily("2026-01-01"), upstream: [clean] });

const cleanSlice = task("clean", { writes: [clean] }, ({ from }: PartitionWindow) => from);
const publish = task(
  "publish",
  { writes: [report] },
  async (input: { day: string; revision: number; previousRun: string | null }, ctx) => {
    await ctx.asset(report).materialized({ metadata: { rows: 7 } });
    return { ...input, partition: ctx.run.partition };
  },
);

const cleaning = pipeline("cleaning", { on: on.updated(landing) }, ({ partition }) =>
  cleanSlice(partition.window),
);
const publishing = pipeline(
  "publishing",
  { on: on.reached(clean, { partitions: report, orAfter: "3h" }) },
  ({ partition, firing }) =>
    publish({ day: partition.key, revision: firing.revision, previousRun: firing.previousRun }),
);
const read = task("read", (key: string) => key);
const project = { landing, clean, report, cleaning, publishing };

const landed = (partition: string) => ({
  type: "millrace.asset.updated",
  subject: "landing",
  data: { partition },
});

test("a day is published once its slices are there, and again ten minutes after a late one", async () => {
  const t = await testbed(project, { now: "2026-03-02T00:00:00Z" });
  for (const hour of ["00", "06", "12", "18"]) await t.emit(landed(`2026-03-02T${hour}:00Z`));
  const published = () => t.firings.filter(({ pipeline: name }) => name === "publishing");
  expect(published()).toMatchObject([{ partition: "2026-03-02", revision: 1 }]);
  const first = published()[0]!.run!;
  expect(first.output).toEqual({
    day: "2026-03-02",
    revision: 1,
    previousRun: null,
    partition: "2026-03-02",
  });
  await t.emit(landed("2026-03-02T06:00Z"));
  await t.advance("9m");
  expect(published()).toHaveLength(1);
  await t.advance("1m");
  expect(published()[1]).toMatchObject({ partition: "2026-03-02", revision: 2 });
  expect(published()[1]!.run!.output).toMatchObject({ revision: 2, previousRun: first.id });
  const told = t.events.filter(
    ({ type, subject }) => type === "millrace.asset.updated" && subject === "report",
  );
  expect(told.map(({ data }) => data)).toMatchObject([
    { partition: "2026-03-02", metadata: { rows: 7 }, run: { id: first.id } },
    { partition: "2026-03-02", revision: 2 },
  ]);
});

test("a day of which a slice is missing is published incomplete when nothing moves", async () => {
  const t = await testbed(project, { now: "2026-03-02T00:00:00Z" });
  for (const hour of ["00", "12", "18"]) await t.emit(landed(`2026-03-02T${hour}:00Z`));
  await t.advance("26h");
  const published = () => t.firings.filter(({ pipeline: name }) => name === "publishing");
  expect(published()).toEqual([]);
  await t.advance("1h");
  expect(published()).toMatchObject([{ partition: "2026-03-02", revision: 1, incomplete: true }]);
});

test("an update of a partition that there is not starts nothing", async () => {
  const t = await testbed(project, { now: "2026-03-02T00:00:00Z" });
  await t.emit(landed("2026-03-02T05:00Z"));
  expect(t.firings).toEqual([]);
});

test("what has no partitions tells how far it is complete, and its windows fire in their order", async () => {
  const [orders, clicks] = [asset("orders"), asset("clicks")];
  const told = { orders, clicks };
  const tell = task("tell", async (input: { of: "orders" | "clicks"; until: string }, ctx) => {
    await ctx.asset(told[input.of]).progress(input.until);
  });
  const onDay = pipeline(
    "on-day",
    { on: on.reached([orders, clicks], { every: "1d", tz: "Europe/Berlin", delay: "10m" }) },
    ({ partition }) => read(partition.key),
  );
  const telling = pipeline(
    "telling",
    { params: z.object({ of: z.enum(["orders", "clicks"]), until: z.string() }) },
    ({ params }) => tell({ of: params.of, until: params.until }),
  );
  const t = await testbed({ orders, clicks, onDay, telling }, { now: "2026-03-28T12:00:00Z" });
  const days = () => t.runsOf(onDay).map(({ output }) => output);
  await t.clock.to("2026-03-31T12:00:00Z");
  await t.start(telling, { of: "orders", until: "2026-03-31T00:10:00+02:00" });
  expect(days()).toEqual([]);
  await t.start(telling, { of: "clicks", until: "2026-03-30T00:09:59+02:00" });
  expect(days()).toEqual(["2026-03-28"]);
  await t.start(telling, { of: "clicks", until: "2026-03-31T12:00:00+02:00" });
  expect(days()).toEqual(["2026-03-28", "2026-03-29", "2026-03-30"]);
});

test("an update whose partition the trigger is not about is filtered, and the part is named", async () => {
  const customers = asset("customers", { partitions: dynamicPartitions() });
  const regions = asset("regions", { partitions: staticPartitions(["eu", "us"]) });
  const mapping = { kind: "cel", text: "key.startsWith('us-') ? 'us' : 'mars'" } as const;
  const mapped = pipeline(
    "mapped",
    { on: on.updated([{ asset: customers, mapping }], { each: regions }) },
    ({ partition }) => read(partition.key),
  );
  const newest = pipeline("newest", { on: on.updated(landing, { partitions: { latest: 2 } }) }, () =>
    read("x"),
  );
  const some = pipeline("some", { on: on.updated(regions, { partitions: ["us"] }) }, () => read("x"));
  const t = await testbed(
    { customers, regions, landing, mapped, newest, some },
    { now: "2026-03-02T13:00:00Z" },
  );
  const why = async (of: typeof newest, subject: string, partition: string) => {
    const event = await t.emit({ type: "millrace.asset.updated", subject, data: { partition } });
    const { verdict, text } = (await t.explain(of, { event })).event!;
    return `${verdict}: ${text}`;
  };
  expect(await why(mapped, "customers", "us-1")).toMatch(/^member/);
  expect(await why(mapped, "customers", "de-1")).toMatch(
    /^filtered: .*data\.partition: expected one that a partition of the target is made of, found "de-1"/,
  );
  expect(await why(newest, "landing", "2026-03-02T06:00Z")).toMatch(/^member/);
  expect(await why(newest, "landing", "2026-03-02T00:00Z")).toMatch(
    /^filtered: .*expected one of the last 2 windows that have begun, found "2026-03-02T00:00Z"/,
  );
  expect(await why(some, "regions", "eu")).toMatch(/^filtered: .*expected one of us, found "eu"/);
});
