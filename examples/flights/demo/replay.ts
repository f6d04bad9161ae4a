/** Two days of real flights, in the order in which their feeds tell of them: some out of order, one a day late. */
import { datasetPath, parquet, withWarehouse } from "../warehouse.ts";

/** Between them they have a departure in each hour of both days, as `flights/hours` asks. */
export const feeds = ["LAS", "ANC", "SBN", "SEA"] as const;
export const replayedDays = ["2001-04-09", "2001-04-10"] as const;
/** The feed that breaks off, and when. */
export const brokenFeed = "SEA";
const brokenFrom = "2001-04-10T12:00:00Z";
/** The flight that is told of late is the first of this feed in this hour, and comes with the flights of that one. */
const lateFeed = "LAS";
const lateHour = "2001-04-09T07";
export const lateToldHour = "2001-04-10T15";

const minuteMs = 60_000;
/** Less than the ten minutes that `land-hours` waits. */
const outOfOrderMs = 8 * minuteMs;
const outOfOrderEach = 9;

export interface FlightEvent {
  readonly specversion: "1.0";
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly subject?: string;
  readonly time: string;
  readonly data: Omit<Row, "time">;
}

/** What is told within one hour, in its order. */
export interface ReplayHour {
  /** `2001-04-09T07`. */
  readonly hour: string;
  readonly events: readonly FlightEvent[];
}

export interface Replay {
  readonly hours: readonly ReplayHour[];
  readonly flights: number;
  /** By day, with the late one. */
  readonly flightsOfDay: ReadonlyMap<string, number>;
  readonly outOfOrder: number;
  readonly late: FlightEvent;
  /** Flights that the broken feed never told of. */
  readonly untold: number;
}

interface Row {
  readonly time: string;
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
  readonly distance: number;
}

export async function readReplay(signal: AbortSignal): Promise<Replay> {
  // The first flights of the day after close the last hour.
  const rows = await withWarehouse(signal, ({ query }) =>
    query<Row>(
      `select distinct strftime(date, '%Y-%m-%dT%H:%M:%SZ') as time, origin, destination, delay::integer as delay,
         distance::integer as distance
       from ${parquet([datasetPath("flights-3m.parquet")])}
       where date >= '${replayedDays[0]}' and date < date '${replayedDays[1]}' + interval 27 hour
         and origin in (${feeds.map((feed) => `'${feed}'`).join(", ")})
       order by time, origin, destination, delay, distance`,
    ),
  );
  return planReplay(rows);
}

/** When each flight is told of is decided by its place alone: every replay is the same. */
export function planReplay(rows: readonly Row[]): Replay {
  const told: { readonly at: number; readonly event: FlightEvent }[] = [];
  let late: FlightEvent | undefined;
  let outOfOrder = 0;
  let untold = 0;
  for (const [index, row] of rows.entries()) {
    const event = asEvent(row, index);
    const isLate = row.origin === lateFeed && row.time.startsWith(lateHour) && late === undefined;
    if (row.origin === brokenFeed && row.time >= brokenFrom) untold += 1;
    else if (isLate) {
      late = event;
      told.push({ at: Date.parse(`${lateToldHour}:00:00Z`), event });
    } else if (index % outOfOrderEach === 0) {
      outOfOrder += 1;
      told.push({ at: Date.parse(row.time) + outOfOrderMs, event });
    } else told.push({ at: Date.parse(row.time), event });
  }
  if (late === undefined) throw new Error(`${lateFeed} has no flight at ${lateHour}`);
  const byHour = Map.groupBy(
    told.toSorted((a, b) => a.at - b.at),
    ({ at }) => new Date(at).toISOString().slice(0, 13),
  );
  const hours = [...byHour].map(([hour, some]) => ({ hour, events: some.map(({ event }) => event) }));
  const days = Map.groupBy(told, ({ event }) => event.time.slice(0, 10));
  const flightsOfDay = new Map([...days].map(([day, some]) => [day, some.length]));
  return { hours, flights: told.length, flightsOfDay, outOfOrder, late, untold };
}

function asEvent({ time, ...data }: Row, index: number): FlightEvent {
  const { origin, destination } = data;
  return {
    specversion: "1.0",
    type: "flight.departed",
    source: `/feeds/${origin}`,
    id: `${origin}-${index}`,
    subject: `${origin}-${destination}`,
    time,
    data,
  };
}

/** Whether the feed still tells of anything at this hour. */
export function isFeedAlive(feed: string, hour: string): boolean {
  return feed !== brokenFeed || `${hour}:00:00Z` < brokenFrom;
}
