/** The report: one HTML file that needs nothing beside it. */
import type { Airport } from "../tasks/airports.ts";
import type { PageInput } from "../tasks/publish.ts";
import type { Day, Summary } from "../tasks/summary.ts";
import { airportPlot, calendarPlot, hourPlot, legend, mapPlot } from "./charts.ts";
import { style } from "./style.ts";
import { count, escape, minutes, monthName, percent } from "./text.ts";

/** The whole page. `runId` is told at its foot, so that a reader finds the run that made it. */
export function renderPage(input: PageInput, { runId }: { readonly runId: string }): string {
  const { summary, airports } = input;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>On time?</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>On time?</h1>
<p class="lead">${lead(input)}</p>
</header>
${figure("Where", `The ${summary.busiestRoutes.length} most flown routes, and every airport: larger with more departures, stronger with more delays.`, mapPlot(summary))}
${legendList()}
${figure("When", daySentence(summary.days), calendarPlot(summary.days))}
${figure("At which hour", "Mean delay in minutes, by the hour in which the flight left: it builds up over the day.", hourPlot(summary.hours))}
${figure(`The ${airports.length} busiest airports`, airportSentence(airports), airportPlot(airports))}
${airportTable(airports)}
${routeTable(summary)}
${foot(input, runId)}
</main>
</body>
</html>
`;
}

function lead({ summary, months, onTimeMinutes }: PageInput): string {
  const [first, last] = [months[0], months.at(-1)].map((month) => (month ? monthName(month.month) : ""));
  const year = months[0]?.month.slice(0, 4) ?? "";
  return `Of ${count(summary.flights)} flights in the United States from ${first} to ${last} ${year}, <strong>${percent(summary.onTime)} were on time</strong>: at most ${onTimeMinutes} minutes late. The mean delay was ${minutes(summary.meanDelay)}.`;
}

function daySentence(days: readonly Day[]): string {
  const sorted = days.toSorted((a, b) => a.onTime - b.onTime);
  const [worst, best] = [sorted[0], sorted.at(-1)];
  if (!worst || !best) return "";
  return `The worst day was ${dayText(worst)}, the best ${dayText(best)}.`;
}

function dayText({ day, onTime }: Day): string {
  return `${Number(day.slice(8))} ${monthName(day)} (${percent(onTime)} on time)`;
}

function airportSentence(airports: readonly Airport[]): string {
  const sorted = airports.toSorted((a, b) => b.onTime - a.onTime);
  const [best, worst] = [sorted[0], sorted.at(-1)];
  if (!best || !worst) return "";
  return `Departures, and the share of them on time: most at ${escape(best.city ?? best.code)}, fewest at ${escape(worst.city ?? worst.code)}.`;
}

function figure(title: string, caption: string, plot: string): string {
  return `<section><h2>${title}</h2><p>${caption}</p><figure>${plot}</figure></section>`;
}

function legendList(): string {
  const entries = legend.map((text, step) => `<li><i class="b${step}"></i>${text}</li>`);
  return `<ul class="legend" aria-label="Share of flights on time"><li>On time:</li>${entries.join("")}</ul>`;
}

interface Column {
  readonly title: string;
  readonly number?: boolean;
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const align = (index: number): string => (columns[index]?.number ? ' class="number"' : "");
  const head = columns.map(({ title }, index) => `<th scope="col"${align(index)}>${title}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((text, index) => `<td${align(index)}>${text}</td>`).join("")}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

function airportTable(airports: readonly Airport[]): string {
  const columns = [
    { title: "Airport" },
    { title: "Name" },
    { title: "Departures", number: true },
    { title: "Destinations", number: true },
    { title: "Mean delay", number: true },
    { title: "One in ten later than", number: true },
    { title: "Most delayed route" },
  ];
  const rows = airports.map((airport) => [
    airport.code,
    escape(airport.name ?? ""),
    count(airport.departures),
    count(airport.destinations),
    minutes(airport.meanDelay),
    minutes(airport.lateNinth),
    airport.worst === null ? "" : `${airport.worst}, ${minutes(airport.worstDelay ?? 0)}`,
  ]);
  return `<details><summary>The same airports as a table</summary>${table(columns, rows)}</details>`;
}

function routeTable({ latestRoutes }: Summary): string {
  const columns = [
    { title: "From" },
    { title: "To" },
    { title: "Flights", number: true },
    { title: "Mean delay", number: true },
  ];
  const rows = latestRoutes.map(({ from, to, flights, meanDelay }) => [
    from,
    to,
    count(flights),
    minutes(meanDelay),
  ]);
  return `<section><h2>The most delayed routes</h2><p>Of those with at least 1,000 flights.</p>${table(columns, rows)}</section>`;
}

function foot({ quality, months }: PageInput, runId: string): string {
  const dropped = months.reduce(
    (sum, { dropped }) => ({
      early: sum.early + dropped.early,
      late: sum.late + dropped.late,
      duplicate: sum.duplicate + dropped.duplicate,
    }),
    { early: 0, late: 0, duplicate: 0 },
  );
  return `<footer>
<p>${count(quality.dropped)} rows were left out: ${count(dropped.duplicate)} duplicates, ${count(dropped.early)} more than an hour early, ${count(dropped.late)} more than a day late.</p>
<p>Data: U.S. Bureau of Transportation Statistics, as packed in vega-datasets. It names no airlines, so neither does this page.</p>
<p>Made by Millrace, run <code>${escape(runId)}</code>.</p>
</footer>`;
}
