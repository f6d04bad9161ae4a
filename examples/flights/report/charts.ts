/** Plots as SVG texts. Colours are classes that the page defines for light and dark. */
import type { Airport } from "../tasks/airports.ts";
import type { Day, Hour, Place, Route, Summary } from "../tasks/summary.ts";
import { mapHeight, mapWidth, project } from "./projection.ts";
import { count, escape, minutes, monthName, percent, signed } from "./text.ts";

/** Shares on time from which a class begins: `s0` is the quietest, `s5` the strongest. */
const steps = [0.85, 0.8, 0.75, 0.7, 0.6];

export const legend: readonly string[] = [
  "85 % and more",
  "80–85 %",
  "75–80 %",
  "70–75 %",
  "60–70 %",
  "below 60 %",
];

/** The class of a share on time. */
export function shade(onTime: number): string {
  const step = steps.findIndex((least) => onTime >= least);
  return `s${step < 0 ? steps.length : step}`;
}

interface Figure {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
}

function svg({ id, title, description, width, height }: Figure, body: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${escape(title)}</title><desc id="${id}-d">${escape(description)}</desc>
${body.join("\n")}
</svg>`;
}

const hint = (text: string): string => `<title>${escape(text)}</title>`;

/** Borders, the most flown routes, and every airport: larger with more flights, stronger with more delays. */
export function mapPlot({ places, busiestRoutes, outline }: Summary): string {
  const byCode = new Map(places.map((place) => [place.code, place]));
  const borders = outline.map((line) => `M${line.map((point) => point.join(" ")).join("L")}`).join("");
  const most = places[0]?.flights ?? 1;
  return svg(
    {
      id: "map",
      title: "Airports and their busiest routes",
      description:
        "A map of the contiguous United States. The table of busiest airports below has the same numbers.",
      width: mapWidth,
      height: mapHeight,
    },
    [
      `<path class="border" d="${borders}"/>`,
      `<g class="routes">${busiestRoutes.map((route) => routeArc(route, byCode)).join("")}</g>`,
      ...places.toReversed().map((place) => placeDot(place, most)),
      ...places.slice(0, 12).map((place) => placeLabel(place, most)),
    ],
  );
}

function routeArc({ from, to, flights }: Route, places: ReadonlyMap<string, Place>): string {
  const [a, b] = [places.get(from), places.get(to)].map(
    (place) => place && project(place.latitude, place.longitude),
  );
  if (!a || !b) return "";
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const bend = `${((a[0] + b[0]) / 2).toFixed(1)} ${((a[1] + b[1]) / 2 - length * 0.14).toFixed(1)}`;
  return `<path stroke-width="${Math.max(0.4, flights / 4_000).toFixed(2)}" d="M${a.join(" ")}Q${bend} ${b.join(" ")}"/>`;
}

const dotRadius = (flights: number, most: number): number => 1.2 + 10 * Math.sqrt(flights / most);

function placeDot({ code, name, latitude, longitude, flights, onTime }: Place, most: number): string {
  const point = project(latitude, longitude);
  if (!point) return "";
  const text = `${code}, ${name}: ${count(flights)} departures, ${percent(onTime)} on time`;
  const radius = dotRadius(flights, most).toFixed(1);
  return `<circle class="dot ${shade(onTime)}" cx="${point[0]}" cy="${point[1]}" r="${radius}">${hint(text)}</circle>`;
}

function placeLabel({ code, latitude, longitude, flights }: Place, most: number): string {
  const point = project(latitude, longitude);
  if (!point) return "";
  const y = point[1] - dotRadius(flights, most) - 3;
  return `<text class="label strong" text-anchor="middle" x="${point[0]}" y="${y.toFixed(1)}">${code}</text>`;
}

const cell = 27;
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** One square a day: a column is a week. */
export function calendarPlot(days: readonly Day[]): string {
  const first = days[0] ? weekStart(days[0].day) : 0;
  const place = (day: string): { x: number; row: number } => ({
    x: 44 + Math.round((weekStart(day) - first) / 7) * cell,
    row: (new Date(day).getUTCDay() + 6) % 7,
  });
  const squares = days.map(({ day, flights, onTime }) => {
    const { x, row } = place(day);
    const text = `${weekdays[row]}, ${day}: ${percent(onTime)} of ${count(flights)} flights on time`;
    return `<rect class="${shade(onTime)}" x="${x}" y="${24 + row * cell}" width="${cell - 3}" height="${cell - 3}" rx="3">${hint(text)}</rect>`;
  });
  const months = days
    .filter(({ day }) => day.endsWith("-01"))
    .map(({ day }) => `<text class="label" x="${place(day).x}" y="15">${monthName(day)}</text>`);
  const names = weekdays.map(
    (name, row) => `<text class="label" x="0" y="${24 + row * cell + 16}">${name}</text>`,
  );
  return svg(
    {
      id: "calendar",
      title: "Flights on time, day by day",
      description: "A calendar with one square a day, stronger on days with more delays.",
      width: 44 + 27 * cell,
      height: 24 + 7 * cell,
    },
    [...months, ...names, ...squares],
  );
}

/** Days since 1970 of the Monday before. */
function weekStart(day: string): number {
  const date = new Date(day);
  return date.getTime() / 86_400_000 - ((date.getUTCDay() + 6) % 7);
}

const row = 26;
const barsFrom = 300;
const barsWidth = 560;

/** The busiest airports, the most punctual first. */
export function airportPlot(airports: readonly Airport[]): string {
  const sorted = airports.toSorted((a, b) => b.onTime - a.onTime);
  const bars = sorted.flatMap(({ code, city, onTime, departures }, index) => {
    const y = index * row;
    const width = (onTime * barsWidth).toFixed(1);
    const text = `${code}: ${percent(onTime)} of ${count(departures)} departures on time`;
    return [
      `<text class="label strong" x="0" y="${y + 17}">${code}</text>`,
      `<text class="label" x="42" y="${y + 17}">${escape(city ?? "")}</text>`,
      `<text class="label number" text-anchor="end" x="${barsFrom - 16}" y="${y + 17}">${count(departures)}</text>`,
      `<rect class="track" x="${barsFrom}" y="${y + 4}" width="${barsWidth}" height="${row - 8}" rx="3"/>`,
      `<rect class="${shade(onTime)}" x="${barsFrom}" y="${y + 4}" width="${width}" height="${row - 8}" rx="3">${hint(text)}</rect>`,
      `<text class="label number" text-anchor="end" x="${barsFrom + barsWidth + 66}" y="${y + 17}">${percent(onTime)}</text>`,
    ];
  });
  return svg(
    {
      id: "airports",
      title: "Departures on time at the busiest airports",
      description: "One bar an airport, the most punctual first, with its departures and its share on time.",
      width: barsFrom + barsWidth + 70,
      height: Math.max(row, sorted.length * row),
    },
    bars,
  );
}

const hoursHeight = 200;

/** The mean delay by the hour in which flights left. Hours in which hardly anybody flies are left out. */
export function hourPlot(hours: readonly Hour[]): string {
  const busy = hours.filter(({ flights }) => flights >= 5_000).toSorted(dayOrder);
  const highest = Math.max(10, ...busy.map(({ meanDelay }) => meanDelay));
  const lowest = Math.min(0, ...busy.map(({ meanDelay }) => meanDelay));
  const scale = (hoursHeight - 50) / (highest - lowest);
  const zero = 22 + highest * scale;
  const width = 900 / Math.max(1, busy.length);
  const columns = busy.flatMap(({ hour, flights, meanDelay }, index) => {
    const x = index * width + width / 2;
    const height = Math.abs(meanDelay) * scale;
    const y = meanDelay >= 0 ? zero - height : zero;
    const text = `${hour}:00: ${count(flights)} flights, ${minutes(meanDelay)} late on average`;
    return [
      `<rect class="${meanDelay > 10 ? "s4" : "s1"}" x="${(x - width * 0.36).toFixed(1)}" y="${y.toFixed(1)}" width="${(width * 0.72).toFixed(1)}" height="${Math.max(1, height).toFixed(1)}" rx="3">${hint(text)}</rect>`,
      `<text class="label number" text-anchor="middle" x="${x.toFixed(1)}" y="${(meanDelay >= 0 ? y - 5 : y + height + 13).toFixed(1)}">${signed(meanDelay)}</text>`,
      `<text class="label number" text-anchor="middle" x="${x.toFixed(1)}" y="${hoursHeight + 14}">${hour}</text>`,
    ];
  });
  return svg(
    {
      id: "hours",
      title: "Mean delay by the hour of departure",
      description:
        "One column an hour, from early morning to after midnight, with the mean delay in minutes.",
      width: 900,
      height: hoursHeight + 20,
    },
    [`<line class="axis" x1="0" x2="900" y1="${zero.toFixed(1)}" y2="${zero.toFixed(1)}"/>`, ...columns],
  );
}

/** A day of flying begins at four: what leaves after midnight belongs to the evening before. */
function dayOrder(a: Hour, b: Hour): number {
  return ((a.hour + 20) % 24) - ((b.hour + 20) % 24);
}
