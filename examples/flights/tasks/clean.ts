/** One month: real rows in, believable rows out, and a count of the others. */
import { Skip, task } from "millrace";
import { outPath, parquet, withWarehouse } from "../warehouse.ts";

export interface CleanMonth {
  readonly month: string;
  readonly file: string;
  readonly kept: number;
  readonly dropped: { readonly early: number; readonly late: number; readonly duplicate: number };
}

interface Counts {
  kept: number;
  early: number;
  late: number;
  duplicate: number;
}

export const clean = task(
  "clean",
  { timeout: "2m", description: "Drops rows that can't be, and counts them." },
  async (input: { source: string; month: string; rows: number; fewest: number }, ctx) => {
    const { source, month, rows, fewest } = input;
    // The last six rows of the file begin a seventh month. A mapped task that skips is left out of the list of outputs.
    if (rows < fewest) throw new Skip(`${month} has only ${rows} flights`);
    return await withWarehouse(ctx.signal, async ({ query, export: write }): Promise<CleanMonth> => {
      await query(`create temp table flight as
        select date, delay::integer as delay, distance::integer as distance, origin, destination,
          count(*)::integer as copies
        from ${parquet([source])}
        where date >= '${month}-01' and date < date '${month}-01' + interval 1 month
        group by all`);
      ctx.progress(0.5, "read");
      // More than an hour early or a day late is a mistake in the report of that flight.
      const [counts] = await query<Counts>(`select
          coalesce(sum(copies) filter (delay < -60), 0)::integer as early,
          coalesce(sum(copies) filter (delay > 1440), 0)::integer as late,
          coalesce(sum(copies - 1) filter (delay between -60 and 1440), 0)::integer as duplicate,
          count(*) filter (delay between -60 and 1440)::integer as kept
        from flight`);
      const { kept = 0, ...dropped } = counts ?? { early: 0, late: 0, duplicate: 0 };
      const file = outPath("clean", `${month}.parquet`);
      await write(
        "select * exclude (copies) from flight where delay between -60 and 1440 order by origin, date",
        file,
      );
      ctx.log.info(`cleaned ${month}`, { kept, ...dropped });
      return { month, file, kept, dropped };
    });
  },
);

/** All months that are there. `none_failed` lets it run although a month was skipped, which `all_success` would not. */
export const collectMonths = task("collect-months", async (months: readonly CleanMonth[], ctx) => {
  const rows = months.map(({ month, kept, dropped }) => ({ month, kept, ...dropped }));
  await ctx.artifact("Rows kept and dropped", { table: rows });
  return months;
});
