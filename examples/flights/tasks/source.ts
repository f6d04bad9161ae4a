/** What there is: the file, and the months in it. */
import { stat } from "node:fs/promises";
import { task } from "millrace";
import { datasetPath, parquet, withWarehouse } from "../warehouse.ts";

export interface Month {
  /** `2001-01`. */
  readonly month: string;
  readonly rows: number;
}

export const findSource = task("find-source", async (_: void, ctx) => {
  const file = datasetPath("flights-3m.parquet");
  const { size } = await stat(file);
  ctx.log.info("found the flights", { file, bytes: size });
  return { file, bytes: size };
});

/** The partitions are found in the data, not written down here: new months would simply be more of them. */
export const listMonths = task("list-months", async (source: { file: string }, ctx) => {
  return await withWarehouse(ctx.signal, ({ query }) =>
    query<Month>(
      `select strftime(date, '%Y-%m') as month, count(*)::integer as rows
       from ${parquet([source.file])} group by month order by month`,
    ),
  );
});
