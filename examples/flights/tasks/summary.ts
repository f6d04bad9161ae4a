/** What the page draws beside the busiest airports: days, hours, routes and places. */
import { readFile } from "node:fs/promises";
import { task } from "millrace";
import { readOutline, type Polyline } from "../report/outline.ts";
import { datasetPath, parquet, quote, withWarehouse } from "../warehouse.ts";
import type { CleanMonth } from "./clean.ts";

export interface Day {
  /** `2001-01-31`. */
  readonly day: string;
  readonly flights: number;
  readonly onTime: number;
}

export interface Hour {
  readonly hour: number;
  readonly flights: number;
  readonly meanDelay: number;
}

export interface Place {
  readonly code: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly flights: number;
  readonly onTime: number;
}

export interface Route {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
  readonly meanDelay: number;
}

export interface Summary {
  readonly flights: number;
  readonly onTime: number;
  readonly meanDelay: number;
  readonly days: readonly Day[];
  readonly hours: readonly Hour[];
  readonly places: readonly Place[];
  /** The most flown pairs of airports, both directions together. */
  readonly busiestRoutes: readonly Route[];
  readonly latestRoutes: readonly Route[];
  /** The states' borders, for the map. */
  readonly outline: readonly Polyline[];
}

interface SummaryInput {
  readonly months: readonly CleanMonth[];
  readonly names: string;
  readonly onTimeMinutes: number;
}

export const summarise = task(
  "summarise",
  { timeout: "2m" },
  async ({ months, names, onTimeMinutes }: SummaryInput, ctx): Promise<Summary> => {
    const source = parquet(months.map((month) => month.file));
    const onTime = `(delay <= ${onTimeMinutes})::integer`;
    return await withWarehouse(ctx.signal, async ({ query }) => {
      // Some thousand routes: what airports and the whole country come to is added up from them.
      await query(`create temp table route as
        select origin, destination, count(*)::integer as flights, sum(delay) as delay, sum(${onTime}) as on_time
        from ${source} group by all`);
      ctx.progress(0.4);
      const [total] = await query<Pick<Summary, "flights" | "onTime" | "meanDelay">>(
        `select sum(flights)::integer as flights, sum(on_time) / sum(flights) as onTime,
           sum(delay) / sum(flights) as meanDelay
         from route`,
      );
      if (!total) throw new Error("there are no flights");
      const places = await query<Place>(
        `select origin as code, name, latitude, longitude, sum(flights)::integer as flights,
           sum(on_time) / sum(flights) as onTime
         from route join read_csv(${quote(names)}, header = true) on iata = origin
         group by origin, name, latitude, longitude order by sum(flights) desc`,
      );
      const busiestRoutes = await query<Route>(
        `select least(origin, destination) as "from", greatest(origin, destination) as "to",
           sum(flights)::integer as flights, sum(delay) / sum(flights) as meanDelay
         from route group by 1, 2 order by sum(flights) desc limit 400`,
      );
      const latestRoutes = await query<Route>(
        `select origin as "from", destination as "to", flights, delay / flights as meanDelay
         from route where flights >= 1000 order by meanDelay desc limit 10`,
      );
      const days = await query<Day>(
        `select strftime(day, '%Y-%m-%d') as day, flights, onTime
         from (select date::date as day, count(*)::integer as flights, avg(${onTime}) as onTime
               from ${source} group by day)
         order by day`,
      );
      ctx.progress(0.7);
      const hours = await query<Hour>(
        `select extract(hour from date)::integer as hour, count(*)::integer as flights, avg(delay) as meanDelay
         from ${source} group by hour order by hour`,
      );
      const outline = readOutline(await readFile(datasetPath("us-10m.json"), "utf8"));
      return { ...total, days, hours, places, busiestRoutes, latestRoutes, outline };
    });
  },
);
