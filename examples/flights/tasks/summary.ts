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
    const flight = `(select *, (delay <= ${onTimeMinutes})::integer as on_time from ${source})`;
    return await withWarehouse(ctx.signal, async ({ query }) => {
      const [total] = await query<Pick<Summary, "flights" | "onTime" | "meanDelay">>(
        `select count(*)::integer as flights, avg(on_time) as onTime, avg(delay) as meanDelay from ${flight}`,
      );
      if (!total) throw new Error("there are no flights");
      ctx.progress(0.2);
      const days = await query<Day>(
        `select strftime(date, '%Y-%m-%d') as day, count(*)::integer as flights, avg(on_time) as onTime
         from ${flight} group by day order by day`,
      );
      ctx.progress(0.4);
      const hours = await query<Hour>(
        `select extract(hour from date)::integer as hour, count(*)::integer as flights, avg(delay) as meanDelay
         from ${flight} group by hour order by hour`,
      );
      ctx.progress(0.6);
      const places = await query<Place>(
        `select origin as code, name, latitude, longitude, count(*)::integer as flights, avg(on_time) as onTime
         from ${flight} join read_csv(${quote(names)}, header = true) on iata = origin
         group by all order by flights desc`,
      );
      ctx.progress(0.8);
      const routes = `select least(origin, destination) as "from", greatest(origin, destination) as "to",
        count(*)::integer as flights, avg(delay) as meanDelay from ${flight} group by all`;
      const busiestRoutes = await query<Route>(`${routes} order by flights desc limit 400`);
      const latestRoutes = await query<Route>(
        `select origin as "from", destination as "to", count(*)::integer as flights, avg(delay) as meanDelay
         from ${flight} group by all having count(*) >= 1000 order by meanDelay desc limit 10`,
      );
      const outline = readOutline(await readFile(datasetPath("us-10m.json"), "utf8"));
      return { ...total, days, hours, places, busiestRoutes, latestRoutes, outline };
    });
  },
);
