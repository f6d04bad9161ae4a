/** What comes of the flights as they happen, hour by hour and day by day. */
import { asset, daily, hourly } from "millrace";

/** The first of the days that `npm run demo` replays. */
export const firstDay = "2001-04-09";

export const hours = asset("flights/hours", {
  partitions: hourly(firstDay),
  description: "Departures of an hour, a file each",
});
export const days = asset("flights/days", {
  partitions: daily(firstDay),
  upstream: [hours],
  description: "Departures of a complete day, by airport",
});
