/** Did all of it happen? Each claim is judged by what the server tells, never by what the demo did. */
import type { Observation, Started } from "./observation.ts";
import { brokenFeed, replayedDays, type Replay } from "./replay.ts";

export interface Claim {
  readonly text: string;
  readonly isTrue: boolean;
  /** What was found in its place. */
  readonly found: string;
}

/** What a run of `publish-days` gives. */
export interface DayOutput {
  readonly day: string;
  readonly revision: number;
  readonly flights: number;
  readonly approvedBy: string | null;
  readonly replaces: string | null;
}

export type Expected = Pick<Replay, "flightsOfDay" | "outOfOrder">;

const hoursOfDays = replayedDays.length * 24;

export function judge(seen: Observation, expected: Expected): readonly Claim[] {
  const [first, second] = replayedDays;
  const days = seen.published.map(dayOf);
  const published = days.map(({ day, revision, flights }) => `${day} r${revision}: ${flights}`).join(", ");
  const isDay = (day: string, revision: number, flights: number): boolean =>
    days.some((one) => one.day === day && one.revision === revision && one.flights === flights);
  const firstFlights = expected.flightsOfDay.get(first) ?? 0;
  const secondFlights = expected.flightsOfDay.get(second) ?? 0;
  const revised = days.filter(({ revision }) => revision > 1);
  const [answer] = seen.asked;
  const [revision] = revised;
  return [
    {
      text: `All ${hoursOfDays} hours landed as files, and are partitions`,
      isTrue: seen.hoursPresent >= hoursOfDays,
      found: `${seen.hoursPresent} partitions`,
    },
    {
      text: `Each day was published when complete, with every flight in its hour`,
      isTrue: isDay(first, 1, firstFlights - 1) && isDay(second, 1, secondFlights),
      found: published || "nothing published",
    },
    {
      text: `The late flight re-opened ${first} as revision 2, and no other day`,
      isTrue: revised.length === 1 && isDay(first, 2, firstFlights),
      found: published || "nothing published",
    },
    {
      text: `Revision 2 waited for a person, who agreed`,
      isTrue: answer?.answer?.approved === true && revision?.approvedBy === answer.answer.by,
      found: answer === undefined ? "nobody was asked" : "there is no answer",
    },
    {
      text: `The silence of the feed ${brokenFeed} was noticed`,
      isTrue: seen.silences.some(({ firing, run }) => firing.key === brokenFeed && run.state === "succeeded"),
      found: `noticed: ${seen.silences.map(({ firing }) => firing.key).join(", ") || "none"}`,
    },
    {
      text: `The webhook's report over all flights was made`,
      isTrue: seen.reports.some(({ run }) => run.state === "succeeded" && isPublished(run.output)),
      found: seen.reports.map(({ run }) => `run ${run.id} ${run.state}`).join(", ") || "no run",
    },
  ];
}

function isPublished(output: unknown): boolean {
  return (output as { readonly outcome?: unknown } | null | undefined)?.outcome === "published";
}

/** What was published by a run; nothing is known of one that has not succeeded. */
export function dayOf({ firing, run }: Started): DayOutput {
  const none = { day: firing.partition ?? "?", revision: firing.revision, flights: 0, approvedBy: null };
  return run.state === "succeeded" ? (run.output as DayOutput) : { ...none, replaces: null };
}
