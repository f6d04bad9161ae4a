/** The type test of conditions over assets and of the run's partition: see `authoring.types.ts`. */
import {
  asset,
  daily,
  dynamicPartitions,
  hourly,
  on,
  pipeline,
  staticPartitions,
  task,
  tuplePartitions,
  type FiredProgress,
  type FiredUpdate,
  type PartitionWindow,
  type RunPartition,
} from "../src/index.ts";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- compares two types exactly
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void;
type ValueOf<R> = R extends import("../src/index.ts").ReferenceBase<infer T> ? T : never;

const hours = asset("hours", { partitions: hourly("2026-01-01") });
const days = asset("days", { partitions: daily("2026-01-01") });
const regions = asset("regions", { partitions: staticPartitions(["eu", "us"]) });
const open = asset("open", { partitions: dynamicPartitions() });
const tuple = asset("tuple", {
  partitions: tuplePartitions({ day: daily("2026-01-01"), region: staticPartitions(["eu", "us"]) }),
});
const model = asset("model");

const text = task("text", (value: string) => value);
const region = task("region", (value: "eu" | "us") => value);
const updates = task("updates", (value: readonly FiredUpdate[]) => value.length);
const any = task("any", (value: readonly (FiredUpdate | FiredProgress)[]) => value.length);
const window = task("window", (value: PartitionWindow) => value.from);
const partitionOf = task("partition-of", (value: RunPartition | null) => value?.key ?? null);

// The run's partition is that of the asset: windows of time have `from` and `to`.
export const ofHours = pipeline("of-hours", { on: on.updated(hours) }, ({ partition, firing }) => {
  same<ValueOf<typeof partition>, RunPartition<string, PartitionWindow>>();
  text(partition.key);
  window(partition.window);
  text(partition.window.from);
  text(firing.partition.window.to);
  updates(firing.members["hours"]!);
});

// Static keys are known to the compiler; they are no stretch of time.
export const ofRegions = pipeline("of-regions", { on: on.updated(regions) }, ({ partition }) => {
  region(partition.key);
  // @ts-expect-error it has no window
  text(partition.window.from);
});

export const ofOpen = pipeline("of-open", { on: on.updated(open) }, ({ partition }) => text(partition.key));

export const ofTuple = pipeline("of-tuple", { on: on.updated(tuple) }, ({ partition }) => {
  text(partition.key);
  // @ts-expect-error whether it has a window must be looked at
  text(partition.window.from);
});

// An asset that is one piece has no partition.
export const ofModel = pipeline("of-model", { on: on.updated(model) }, ({ partition }) => {
  same<ValueOf<typeof partition>, null>();
  // @ts-expect-error there is none
  text(partition.key);
});

// Of several assets it is one of theirs; by name, nothing is known.
export const ofSeveral = pipeline("of-several", { on: on.updated([hours, regions]) }, ({ partition }) =>
  text(partition.key),
);
export const byName = pipeline("by-name", { on: on.updated("elsewhere") }, ({ partition }) => {
  same<ValueOf<typeof partition>, RunPartition | null>();
  partitionOf(partition);
});

// A target's partitions are the run's.
export const ofDay = pipeline(
  "of-day",
  { on: on.updated(hours, { all: daily("2026-01-01"), late: "revise" }).as("hours") },
  ({ partition, firing }) => {
    window(partition.window);
    updates(firing.members.hours);
    // @ts-expect-error no operand has this name
    updates(firing.members.days);
    text(firing.previousRun as never);
  },
);
export const ofEach = pipeline(
  "of-each",
  { on: on.updated([{ asset: days, mapping: { kind: "last", n: 7 } }], { each: days }) },
  ({ partition }) => window(partition.window),
);
export const ofAll = pipeline("of-all", { on: on.updated(regions, { all: true }) }, ({ partition }) => {
  same<ValueOf<typeof partition>, null>();
});

export const ofReached = pipeline(
  "of-reached",
  { on: on.reached([hours, "other"], { every: "1d", delay: "10m", late: { max: 1 }, orAfter: "3h" }) },
  ({ partition, firing }) => {
    window(partition.window);
    any(firing.members["other"]!);
  },
);
export const likeAsset = pipeline(
  "like-asset",
  { on: on.reached(hours, { partitions: days }) },
  ({ partition }) => window(partition.window),
);
// @ts-expect-error regions are no windows of time
on.reached(hours, { partitions: regions });
// @ts-expect-error a mapping has a kind
on.updated([{ asset: days, mapping: { n: 7 } }], { each: days });
// @ts-expect-error one or the other
on.updated(hours, { each: days, all: days });

// What passes matches on passes partitions on; what merges them, only where they agree.
export const ofAny = pipeline(
  "of-any",
  { on: on.any([on.updated(hours), on.updated(regions)]) },
  ({ partition }) => text(partition.key),
);
export const ofUnless = pipeline(
  "of-unless",
  { on: on.unless(on.updated(hours), on.event("stop")) },
  ({ partition }) => text(partition.window.from),
);
export const ofCount = pipeline("of-count", { on: on.count(on.updated(hours), 3) }, ({ partition }) => {
  // @ts-expect-error three may be of three partitions
  text(partition.key);
  partitionOf(partition);
});
export const ofEvent = pipeline("of-event", { on: on.event("order.placed") }, ({ partition }) => {
  same<ValueOf<typeof partition>, null>();
});

// Filters are typed by the update.
on.updated(hours, { where: { data: { kind: "materialized", partition: { prefix: "2026" } } } });
// @ts-expect-error there is no such field
on.updated(hours, { where: { data: { kindd: "materialized" } } });
on.updated(hours, { partitions: { latest: 3 } });
on.updated(tuple, { partitions: { region: ["eu"] } });
on.updated(regions, { partitions: ["eu"] });
