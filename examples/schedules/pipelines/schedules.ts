// Calendar time: what runs of the ticks that nobody could run, and what changes of the clocks do. A test runs them on virtual time.
import { on, pipeline, task } from "millrace";

const load = task("load", (span: { from: string; to: string } | null) => span);

/** One run for all hours that were missed, with the interval of all of them. */
export const newest = pipeline(
  "newest",
  { on: on.cron("0 * * * *"), catchUp: "latest", onResume: "latest" },
  ({ firing }) => load(firing.interval),
);

/** A run for each hour that was missed. */
export const eachHour = pipeline(
  "each-hour",
  { on: on.cron("0 * * * *"), catchUp: "all", onResume: "all" },
  ({ firing }) => load(firing.interval),
);

/** Three runs at most; the first of them has the hours before it, too. */
export const lastThree = pipeline(
  "last-three",
  { on: on.cron("0 * * * *"), catchUp: { limit: 3 }, onResume: { limit: 3 } },
  ({ firing }) => load(firing.interval),
);

/** What was missed is missed. */
export const onlyNow = pipeline(
  "only-now",
  { on: on.cron("0 * * * *"), catchUp: "none", onResume: "none" },
  ({ firing }) => load(firing.interval),
);

const berlin = { tz: "Europe/Berlin" };

/** At half past two each night, also where clocks skip that time, and once where they show it twice. */
export const nightly = pipeline("nightly", { on: on.cron("30 2 * * *", berlin) }, ({ firing }) =>
  load(firing.interval),
);

/** Each half hour that passes. */
export const halfHourly = pipeline("half-hourly", { on: on.cron("*/30 * * * *", berlin) }, ({ firing }) =>
  load(firing.interval),
);

/** Six hours that pass, counted from each local midnight. */
export const sixHourly = pipeline("six-hourly", { on: on.every("6h", berlin) }, ({ firing }) =>
  load(firing.interval),
);

/** The last weekday of each month, and the second Monday; with seconds first. */
export const payday = pipeline("payday", { on: on.cron("0 0 9 LW * *", berlin) }, ({ firing }) =>
  load(firing.interval),
);
export const secondMonday = pipeline(
  "second-monday",
  { on: on.cron("0 9 * * MON#2", berlin) },
  ({ firing }) => load(firing.interval),
);

/** Days on which the exchange is open, spread over five minutes. */
export const exchange = pipeline(
  "exchange",
  {
    on: on.cron("0 9 * * *", {
      tz: "Europe/Berlin",
      calendar: { businessDays: true, holidays: ["2026-12-24/2026-12-26"], include: ["2026-12-19"] },
      jitter: "5m",
    }),
  },
  ({ firing }) => load(firing.interval),
);
