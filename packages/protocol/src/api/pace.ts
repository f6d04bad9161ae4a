import { about, integer, list, named, number, object, text, yes, type TypeOf } from "../shape.ts";
import { operation } from "./operation.ts";

export const eventRateView = named(
  "EventRateView",
  object(
    {
      source: about("`millrace`: what the server itself tells.", text),
      counts: about("In each stretch from `from` on; the last one has not ended.", list(integer(0))),
    },
    { isAbout: about("Some of the counts are estimates: as the first events of the stretch came.", yes) },
  ),
);
export type EventRateView = TypeOf<typeof eventRateView>;

export const eventRatesView = about(
  "Shapes of how many events come from where, in `/api/v1`.",
  named(
    "EventRatesView",
    object(
      {
        from: text,
        stretchMs: number(),
        sources: about(
          "Those with the most events first; of sources with none in this time nothing is said.",
          list(eventRateView),
        ),
      },
      { areMore: about("There are so many sources that not all were looked at.", yes) },
    ),
  ),
);
export type EventRatesView = TypeOf<typeof eventRatesView>;

const rateStretches = 60;

export const rateOperations = {
  listEventRates: operation({
    method: "GET",
    path: "/event-rates",
    summary: `How many events came in each of the last ${rateStretches} minutes, by source`,
    answer: eventRatesView,
  }),
} as const;
