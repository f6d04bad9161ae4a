/** The busiest airports: found, measured one by one, and joined with their names. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { task } from "millrace";
import { downloadFromMirror, MirrorHungUp } from "../mirror.ts";
import { datasetPath, outPath, parquet, quote, withWarehouse } from "../warehouse.ts";
import type { CleanMonth } from "./clean.ts";

export interface Measured {
  readonly code: string;
  readonly departures: number;
  readonly destinations: number;
  /** Share of departures that were on time, from 0 to 1. */
  readonly onTime: number;
  /** Minutes. */
  readonly meanDelay: number;
  readonly lateNinth: number;
  /** The destination with the longest mean delay among those flown to at least daily. */
  readonly worst: string | null;
  readonly worstDelay: number | null;
}

export interface Airport extends Measured {
  readonly name: string | null;
  readonly city: string | null;
  readonly state: string | null;
}

/**
 * The one task that fails. The mirror hangs up on the first attempt of every run, so that you see a retry: the run shows
 * `retrying`, waits for the backoff, and goes on. Everything that does not need the names goes on meanwhile.
 */
export const loadNames = task(
  "load-names",
  { retries: { max: 3, delay: "400ms", on: [MirrorHungUp] }, timeout: "30s" },
  async (_: void, ctx) => {
    const text = await downloadFromMirror(datasetPath("airports.csv"), {
      hangsUp: ctx.attempt === 1,
      signal: ctx.signal,
    });
    const file = outPath("airports.csv");
    await mkdir(outPath(), { recursive: true });
    await writeFile(`${file}.unfinished`, text);
    await rename(`${file}.unfinished`, file);
    ctx.log.info("loaded the airports' names", { bytes: text.length, attempt: ctx.attempt });
    return { file };
  },
);

/** The list that the next task is mapped over is found while the run runs. */
export const findBusiest = task(
  "find-busiest",
  async (input: { months: readonly CleanMonth[]; count: number }, ctx) => {
    return await withWarehouse(ctx.signal, async ({ query }) => {
      const found = await query<{ origin: string }>(
        `select origin from ${parquet(input.months.map((month) => month.file))}
         group by origin order by count(*) desc, origin limit ${input.count}`,
      );
      return found.map((row) => row.origin);
    });
  },
);

export const measure = task(
  "measure",
  { timeout: "1m" },
  async (input: { code: string; months: readonly CleanMonth[]; onTimeMinutes: number }, ctx) => {
    const { code, months, onTimeMinutes } = input;
    const flights = `${parquet(months.map((month) => month.file))} where origin = ${quote(code)}`;
    return await withWarehouse(ctx.signal, async ({ query }): Promise<Measured> => {
      const [total] = await query<Omit<Measured, "worst" | "worstDelay">>(`select
          ${quote(code)} as code, count(*)::integer as departures,
          count(distinct destination)::integer as destinations,
          avg((delay <= ${onTimeMinutes})::integer) as onTime, avg(delay) as meanDelay,
          quantile_cont(delay, 0.9)::double as lateNinth
        from ${flights}`);
      const [worst] = await query<{ destination: string; delay: number }>(`
        select destination, avg(delay) as delay from ${flights}
        group by destination having count(*) >= 180 order by delay desc limit 1`);
      if (!total) throw new Error(`there are no flights from ${code}`);
      return { ...total, worst: worst?.destination ?? null, worstDelay: worst?.delay ?? null };
    });
  },
);

export const join = task("join", async (input: { measured: readonly Measured[]; names: string }, ctx) => {
  const names = await withWarehouse(ctx.signal, ({ query }) =>
    query<Pick<Airport, "name" | "city" | "state"> & { code: string }>(
      `select iata as code, name, city, state from read_csv(${quote(input.names)}, header = true)`,
    ),
  );
  const byCode = new Map(names.map((row) => [row.code, row]));
  return input.measured.map((airport): Airport => {
    const { name = null, city = null, state = null } = byCode.get(airport.code) ?? {};
    return { ...airport, name, city, state };
  });
});
