/** What comes of it: tables as Parquet, a page, or a note that says why there is nothing. */
import { task } from "millrace";
import { renderPage } from "../report/page.ts";
import { percent } from "../report/text.ts";
import { outPath, parquet, quote, withWarehouse, writeWhole } from "../warehouse.ts";
import type { Airport } from "./airports.ts";
import type { CleanMonth } from "./clean.ts";
import type { Quality } from "./quality.ts";
import type { Summary } from "./summary.ts";

interface TablesInput {
  readonly months: readonly CleanMonth[];
  readonly airports: readonly Airport[];
}

export const publishTables = task("publish-tables", async ({ months, airports }: TablesInput, ctx) => {
  const files = {
    airports: outPath("report", "airports.parquet"),
    routes: outPath("report", "routes.parquet"),
  };
  const rows = outPath("airports.json");
  await writeWhole(rows, JSON.stringify(airports));
  await withWarehouse(ctx.signal, async (warehouse) => {
    await warehouse.export(`select * from read_json(${quote(rows)})`, files.airports);
    await warehouse.export(
      `select origin, destination, count(*)::integer as flights, avg(delay) as mean_delay, any_value(distance) as distance
       from ${parquet(months.map((month) => month.file))} group by all order by flights desc`,
      files.routes,
    );
  });
  return { files: [files.airports, files.routes] };
});

export interface PageInput {
  readonly airports: readonly Airport[];
  readonly summary: Summary;
  readonly quality: Quality;
  readonly months: readonly CleanMonth[];
  readonly onTimeMinutes: number;
  readonly tables: readonly string[];
}

export const publishPage = task("publish-page", async (input: PageInput, ctx) => {
  const page = outPath("report", "index.html");
  const html = renderPage(input, { runId: ctx.run.id });
  await writeWhole(page, html);
  await ctx.artifact("The page", { html });
  await ctx.artifact("Busiest airports", { markdown: markdownTable(input.airports) });
  return { page, tables: input.tables };
});

export const quarantine = task(
  "quarantine",
  async (input: { quality: Quality; months: readonly CleanMonth[] }, ctx) => {
    const note = outPath("quarantine", "why.md");
    const text = [
      "# Nothing was published",
      "",
      ...input.quality.problems.map((problem) => `- ${problem}`),
      "",
    ];
    await writeWhole(note, text.join("\n"));
    await ctx.artifact("Why nothing was published", { markdown: text.join("\n") });
    return { note, held: input.months.map((month) => month.file) };
  },
);

interface Outcome {
  readonly published: { readonly page: string; readonly tables: readonly string[] } | null;
  readonly held: { readonly note: string } | null;
}

export const finish = task("finish", ({ published, held }: Outcome) => ({
  outcome: published ? "published" : "quarantined",
  page: published?.page ?? held?.note ?? null,
  tables: published?.tables ?? [],
}));

function markdownTable(airports: readonly Airport[]): string {
  const rows = airports.map(
    ({ code, name, departures, onTime, meanDelay }) =>
      `| ${code} | ${name ?? ""} | ${departures} | ${percent(onTime)} | ${meanDelay.toFixed(1)} |`,
  );
  return [
    "| Airport | Name | Departures | On time | Mean delay, min |",
    "|---|---|--:|--:|--:|",
    ...rows,
  ].join("\n");
}
