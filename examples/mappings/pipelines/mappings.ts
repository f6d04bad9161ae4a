// Partitions of every kind, and which of one asset those of another are made of. A test runs them on virtual time.
import {
  asset,
  daily,
  dynamicPartitions,
  hourly,
  monthly,
  on,
  pipeline,
  staticPartitions,
  task,
  tuplePartitions,
  weekly,
  windows,
} from "millrace";

const berlin = { tz: "Europe/Berlin" };
export const clicks = asset("lake/clicks", { partitions: hourly("2026-01-01", berlin) });
export const visits = asset("mart/visits", { partitions: daily("2026-01-01", berlin), upstream: [clicks] });
export const weeks = asset("mart/weeks", { partitions: weekly("2026-01-01", berlin) });
export const months = asset("mart/months", { partitions: monthly("2026-01-01", berlin) });
export const shifts = asset("plant/shifts", { partitions: windows("0 6,14,22 * * *", "2026-01-01", berlin) });
export const regions = asset("sales/regions", { partitions: staticPartitions(["eu", "us", "asia"]) });
export const customers = asset("crm/customers", { partitions: dynamicPartitions() });
export const sales = asset("mart/sales", {
  partitions: tuplePartitions({
    day: daily("2026-01-01", berlin),
    region: staticPartitions(["eu", "us", "asia"]),
  }),
});

const make = task("make", (key: string) => key);

/** Each day of visits, as soon as it is written. */
export const bills = asset("mart/bills", { partitions: daily("2026-01-01", berlin) });
export const billDay = pipeline(
  "bill-day",
  { on: on.updated([{ asset: visits, mapping: { kind: "identity" } }], { each: bills }) },
  ({ partition }) => make(partition.key),
);

/** From short windows to long ones: a shift once its eight hours are there. */
export const closeShift = pipeline(
  "close-shift",
  { on: on.updated([{ asset: clicks, mapping: { kind: "windows" } }], { all: shifts }) },
  ({ partition }) => make(partition.key),
);

/** From long ones to short ones: a new month's plan concerns each of its weeks. */
export const planWeek = pipeline(
  "plan-week",
  { on: on.updated([{ asset: months, mapping: { kind: "windows" } }], { each: weeks }) },
  ({ partition }) => make(partition.key),
);

/** The mean of seven days: a day that is written concerns the means of itself and of the six days after it. */
export const means = asset("mart/means", { partitions: daily("2026-01-01", berlin) });
export const meanOfWeek = pipeline(
  "mean-of-week",
  { on: on.updated([{ asset: visits, mapping: { kind: "last", n: 7 } }], { each: means }) },
  ({ partition }) => make(partition.key),
);

/** All regions go into each of two reports. */
export const reports = asset("mart/reports", { partitions: staticPartitions(["board", "press"]) });
export const report = pipeline(
  "report",
  { on: on.updated([{ asset: regions, mapping: { kind: "all" } }], { all: reports }) },
  ({ partition }) => make(partition.key),
);

/** Which goes into which stands in a table. */
export const offices = asset("hr/offices", { partitions: staticPartitions(["london", "newyork"]) });
export const officeDay = pipeline(
  "office",
  {
    on: on.updated(
      [
        {
          asset: regions,
          mapping: { kind: "table", to: { eu: ["london"], asia: ["london"], us: ["newyork"] } },
        },
      ],
      { all: offices },
    ),
  },
  ({ partition }) => make(partition.key),
);

/** An expression over the key says it: customers as de-17 and fr-4 belong to a region. */
export const regionOfCustomer = pipeline(
  "region-of-customer",
  {
    on: on.updated(
      [{ asset: customers, mapping: { kind: "cel", text: "key.startsWith('us-') ? 'us' : 'eu'" } }],
      { each: regions },
    ),
  },
  ({ partition }) => make(partition.key),
);

/** Tuples: hours go into days, region by region. */
export const views = asset("lake/views", {
  partitions: tuplePartitions({
    hour: hourly("2026-01-01", berlin),
    region: staticPartitions(["eu", "us", "asia"]),
  }),
});
export const salesOfViews = pipeline(
  "sales-of-views",
  {
    on: on.updated(
      [
        {
          asset: views,
          mapping: {
            kind: "dimensions",
            of: {
              day: { from: "hour", mapping: { kind: "windows" } },
              region: { from: "region", mapping: { kind: "identity" } },
            },
          },
        },
      ],
      { all: sales, late: "ignore" },
    ),
  },
  ({ partition }) => make(partition.key),
);

const count = task("count", { writes: [visits] }, (day: { from: string; to: string }) => day.from);

export const daysOfClicks = pipeline(
  "days-of-clicks",
  { on: on.updated(clicks, { all: visits }) },
  ({ partition }) => count(partition.window),
);

/** All regions were written, in any order; then all of them once more. */
export const allRegions = pipeline("all-regions", { on: on.updated(regions, { all: true }) }, () =>
  make("all"),
);

/** What a task tells of work that is not its own: a customer is new, a region was written, hours are complete. */
const look = task("look", async (_: void, ctx) => {
  await ctx.asset(customers).addPartition("de-18");
  await ctx.asset(regions).observed({ partition: "eu", metadata: { rows: 3 } });
  await ctx.asset(clicks).progress("2026-09-30T00:00:00+02:00");
});
export const looking = pipeline("looking", () => look());
