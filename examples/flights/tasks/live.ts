/** From flights as they happen to days that are published. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, relative } from "node:path";
import { Fatal, task, type FiredEvent, type FiringInterval } from "millrace";
import { days, hours } from "../assets.ts";
import { outPath, quote, withWarehouse, writeWhole } from "../warehouse.ts";

/** One flight, as a line of an hour's file. */
interface Flight {
  readonly date: string;
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
  readonly distance: number;
}

interface HourInput {
  readonly hour: FiringInterval | null;
  readonly revision: number;
  readonly flights: readonly FiredEvent<"flight.departed", Omit<Flight, "date">>[];
}

/** A revision has the late flights alone, which are added to what has landed; a repeat of the attempt adds none twice. */
export const landHour = task("land-hour", async ({ hour, revision, flights }: HourInput) => {
  if (hour === null) throw new Fatal("there is no hour without events: `npm run demo` sends some");
  const file = hourFile(hour.from.slice(0, 13));
  const landed = revision > 1 ? await readLines(file) : [];
  const come = flights.map(({ time, data }) => JSON.stringify({ date: time, ...data } satisfies Flight));
  const lines = new Set([...landed, ...come]);
  await writeWhole(file, `${[...lines].toSorted().join("\n")}\n`);
  return { file: relative(".", file), flights: lines.size, added: come.length };
});

/** The partition's key stands in the file's name. */
export const readHour = task(
  "read-hour",
  { writes: [hours] },
  async ({ path, version }: { path: string; version: number }, ctx) => {
    const partition = basename(path, ".json").replace("Z", ":00Z");
    const flights = (await readLines(path)).length;
    await ctx.asset(hours).materialized({ partition, metadata: { flights, version } });
    return { partition, version, flights };
  },
);

interface DayInput {
  readonly day: string;
  readonly revision: number;
  readonly previousRun: string | null;
}

/**
 * What is published already is replaced only when a person agrees. While it waits for the answer, no process and no slot
 * are held: the function then begins again from the top, and `count` gives what it has recorded.
 */
export const publishDay = task(
  "publish-day",
  { writes: [days] },
  async ({ day, revision, previousRun }: DayInput, ctx) => {
    const counted = await ctx.step("count", () => countDay(day, ctx.signal));
    const { flights } = counted;
    let approvedBy: string | null = null;
    if (revision > 1) {
      const answer = await ctx.approve({
        name: "replace",
        title: `Replace ${day} by revision ${revision} (${flights} flights)?`,
        by: ["ann"],
        timeout: "1d",
      });
      if (!answer?.approved) throw new Fatal(`nobody agreed to replace ${day}`);
      approvedBy = answer.by;
    }
    const file = await ctx.step("write", () => writeDay(day, ctx.signal));
    await ctx.asset(days).materialized({ metadata: { flights, revision, file } });
    await ctx.artifact(`Departures of ${day}`, { table: counted.airports });
    return { day, revision, flights, file, replaces: previousRun, approvedBy };
  },
);

export const noteSilence = task("note-silence", (input: { feed: string | null; since: string }, ctx) => {
  ctx.log.warn(`the feed of ${input.feed} is silent`, input);
  return input;
});

type AirportDay = {
  readonly airport: string;
  readonly flights: number;
  readonly meanDelay: number;
};

async function countDay(day: string, signal: AbortSignal) {
  const from = await dayFiles(day);
  const airports = await withWarehouse(signal, ({ query }) =>
    query<AirportDay>(
      `select origin as airport, count(*)::integer as flights, round(avg(delay), 1) as meanDelay
       from read_json(${from}) group by origin order by flights desc`,
    ),
  );
  return { airports, flights: airports.reduce((sum, one) => sum + one.flights, 0) };
}

async function writeDay(day: string, signal: AbortSignal): Promise<string> {
  const file = outPath("live", "days", `${day}.parquet`);
  const from = await dayFiles(day);
  await withWarehouse(signal, (warehouse) =>
    warehouse.export(`select * from read_json(${from}) order by date`, file),
  );
  return relative(".", file);
}

/** The files of a day's hours, as a list in SQL. */
async function dayFiles(day: string): Promise<string> {
  const folder = outPath("live", "hours");
  const names = existsSync(folder) ? await readdir(folder) : [];
  const files = names.filter((name) => name.startsWith(day) && name.endsWith(".json")).toSorted();
  if (files.length === 0)
    throw new Fatal(`no hour of ${day} has landed: \`npm run demo\` sends some flights`);
  return `[${files.map((name) => quote(outPath("live", "hours", name))).join(", ")}]`;
}

/** `2001-04-09T07` has the file `2001-04-09T07Z.json`. */
function hourFile(hour: string): string {
  return outPath("live", "hours", `${hour}Z.json`);
}

async function readLines(file: string): Promise<string[]> {
  return (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
}
