/**
 * Three million real flights of January to June 2001 (U.S. Bureau of Transportation Statistics, in the npm package
 * `vega-datasets`): cleaned month by month, measured airport by airport, joined, checked, published.
 *
 * The data has a date, a delay, a distance and two airports per flight, and no airline: so numbers are per airport and route.
 */
import { pipeline, when } from "millrace";
import { z } from "zod";
import { findBusiest, join, loadNames, measure } from "../tasks/airports.ts";
import { clean, collectMonths } from "../tasks/clean.ts";
import { finish, publishPage, publishTables, quarantine } from "../tasks/publish.ts";
import { checkQuality, verdict } from "../tasks/quality.ts";
import { findSource, listMonths } from "../tasks/source.ts";
import { summarise } from "../tasks/summary.ts";

const params = z.object({
  /** How many of the busiest airports are measured. */
  airports: z.int().min(1).max(100).default(20),
  /** A flight is on time when it is at most this late. */
  onTimeMinutes: z.int().min(0).max(120).default(15),
  /** Months with fewer flights are left out. */
  fewest: z.int().min(1).default(1_000),
  /** Nothing is published when a larger share of rows, or fewer months, remain. */
  droppedMax: z.number().min(0).max(1).default(0.001),
  monthsMin: z.int().min(1).default(6),
});

export const flights = pipeline(
  "flights",
  { params, description: "On time? Three million flights, by airport and route.", tags: ["example"] },
  ({ params }) => {
    const names = loadNames(); // fails once, and is retried
    const source = findSource();
    const cleaned = clean.map(
      listMonths(source),
      ({ month, rows }) => ({ source: source.file, month, rows, fewest: params.fewest }),
      { concurrency: 2 },
    );
    const months = collectMonths(cleaned, { rule: "none_failed" });

    const busiest = findBusiest({ months, count: params.airports });
    const measured = measure.map(busiest, (code) => ({ code, months, onTimeMinutes: params.onTimeMinutes }), {
      concurrency: 4,
    });
    const airports = join({ measured, names: names.file });
    const summary = summarise({ months, names: names.file, onTimeMinutes: params.onTimeMinutes });

    const { droppedMax, monthsMin } = params;
    const quality = checkQuality({ months, airports, droppedMax, monthsMin });
    const decision = verdict(quality);
    const page = { airports, summary, quality, months, onTimeMinutes: params.onTimeMinutes };
    const published = when(decision, "publish", () => {
      const tables = publishTables({ months, airports });
      return publishPage({ ...page, tables: tables.files });
    });
    const held = when(decision, "quarantine", () => quarantine({ quality, months }));

    // Either way there is an end: one of the two was skipped, and its output is null.
    return finish({ published, held }, { rule: "none_failed_min_one_success" });
  },
);
