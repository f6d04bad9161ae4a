/**
 * The same flights as they happen: `npm run demo` replays two days of them as events. Each hour lands as a file, each file
 * makes a partition, each complete day is published, and a flight that comes late publishes its day once more.
 *
 * A feed tells of one airport's departures: the data names no airline.
 */
import { eventType, files, on, pipeline, webhook } from "millrace";
import { z } from "zod";
import { days, firstDay, hours } from "../assets.ts";
import { landHour, noteSilence, publishDay, readHour } from "../tasks/live.ts";
import { flights } from "./flights.ts";

export { days, hours };

export const departed = eventType("flight.departed", {
  schema: z.object({ origin: z.string(), destination: z.string(), delay: z.int(), distance: z.int() }),
});
/** Every feed says twice a second that it is there; the subject is its name. */
export const feedAlive = eventType("feed.alive", { schema: z.object({}) });
export const reportAsked = eventType("report.asked", {
  schema: z.object({ airports: z.int().min(1).max(100) }),
});

export const landing = files("landing", { folder: "out/live/hours", glob: "*.json", protocol: "rename" });
export const reports = webhook("reports", {
  verify: { kind: "token", secret: "REPORTS_TOKEN" },
  type: '"report.asked"',
});

/** A window of event time waits ten minutes for flights out of order; what is later revises its hour. */
export const landHours = pipeline(
  "land-hours",
  {
    on: on.window(on.event(departed).as("flights"), {
      every: "1h",
      time: "time",
      lateness: "10m",
      late: "revise",
    }),
    description: "Writes the flights of an hour to a file",
  },
  ({ firing }) =>
    landHour({ hour: firing.interval, revision: firing.revision, flights: firing.members.flights }),
);

/** A new file, and each new version of one, is a partition that was written. */
export const readHours = pipeline(
  "read-hours",
  { on: on.event(landing.arrived).as("file"), description: "Tells that an hour is there" },
  ({ firing }) => {
    const { path, version } = firing.members.file[0]!.data;
    return readHour({ path, version });
  },
);

/** Once all hours of a day are there; and as its next revision, once one of them has changed. */
export const publishDays = pipeline(
  "publish-days",
  {
    on: on.reached(hours, { partitions: days, from: `${firstDay}T00:00:00Z`, late: { debounce: "1s" } }),
    description: "Publishes a complete day; its revisions only after a person agreed",
  },
  ({ partition, firing }) =>
    publishDay({ day: partition.key, revision: firing.revision, previousRun: firing.previousRun }),
);

export const missingFeed = pipeline(
  "missing-feed",
  {
    on: on.absent(on.event(feedAlive), { within: "6s" }).by("subject"),
    description: "Notices a feed that has gone silent",
  },
  ({ firing }) => noteSilence({ feed: firing.key, since: firing.members.absent[0]!.silentFrom }),
);

export const askedReport = pipeline(
  "asked-report",
  { on: on.event(reportAsked).as("asked"), description: "Makes the report over all flights for who asks" },
  ({ firing }) => flights.call({ airports: firing.members.asked[0]!.data.airports }),
);
