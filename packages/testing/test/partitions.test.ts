/** Assets on virtual time: what tasks write, what others tell, and the runs for partitions that follow. */
import { asset, daily, on, pipeline, task, windows, type PartitionWindow } from "@millrace/sdk";
import { expect, test } from "vitest";
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
