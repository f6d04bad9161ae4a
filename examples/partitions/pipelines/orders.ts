// Assets in slices: what lands is cleaned slice by slice, and a day is published once all of it is there.
import { asset, daily, on, pipeline, task, windows, type PartitionWindow } from "millrace";

const berlin = { tz: "Europe/Berlin" };
const quarters = windows("6h", "2026-01-01", berlin);

/** Somebody else writes it, and tells so: `millrace.asset.updated` with the partition. */
export const landing = asset("landing/orders", { partitions: quarters });
export const clean = asset("lake/orders", { partitions: quarters, upstream: [landing] });
export const report = asset("mart/orders_daily", {
  partitions: daily("2026-01-01", berlin),
  upstream: [clean],
});

const cleanSlice = task("clean", { writes: [clean] }, ({ from, to }: PartitionWindow) => ({
  hours: (Date.parse(to) - Date.parse(from)) / 3_600_000,
}));

/** A run for each partition that has landed. */
export const cleanOrders = pipeline("clean-orders", { on: on.updated(landing) }, ({ partition }) =>
  cleanSlice(partition.window),
);

interface Day {
  readonly day: string;
  readonly revision: number;
  readonly previousRun: string | null;
}

const publish = task("publish", { writes: [report] }, ({ day, revision, previousRun }: Day) => ({
  day,
  revision,
  replaces: previousRun,
}));

/** A run for each day that is complete, in their order; a slice that is cleaned again makes a revision of its day. */
export const publishOrders = pipeline(
  "publish-orders",
  { on: on.reached(clean, { partitions: report, from: "2026-03-28T23:00:00Z", late: { debounce: "1s" } }) },
  ({ partition, firing }) =>
    publish({ day: partition.key, revision: firing.revision, previousRun: firing.previousRun }),
);
