/** One task run per element of a list. The graph is described once; how many items there are is known when the run runs. */
import { cross, group, pipeline, task, zip } from "millrace";

const listCities = task("list-cities", () => ["Oslo", "Lima", "Atlantis"]);
const listYears = task("list-years", () => [2024, 2025]);

const measure = task("measure", (city: string) => {
  if (city === "Atlantis") throw new Error("there is no such city any more");
  return { city, letters: city.length };
});
const label = task(
  "label",
  (input: { city: string; position: number }) => `${input.position}: ${input.city}`,
);
const pair = task("pair", ([city, year]: [string, number]) => `${city} ${year}`);
const shout = task("shout", (text: string) => text.toUpperCase());
const print = task("print", (input: { text: string }) => `«${input.text}»`);

// Items that failed and items that succeeded, as they come: the map below asks for `settled`.
interface Outcome {
  readonly status: string;
}
const countFailed = task(
  "count-failed",
  (outcomes: readonly Outcome[]) => outcomes.filter((outcome) => outcome.status === "failed").length,
);

export const fanOut = pipeline("fan-out", () => {
  const cities = listCities();
  const years = listYears();

  // Each element is the input; or a function makes the input, from references to the element and its index.
  const labels = label.map(cities, (city, index) => ({ city, position: index }), { concurrency: 2 });

  // One failed item fails who reads the list. With `settled` the readers get an outcome per item instead.
  const measured = measure.map(cities, { settled: true });

  // Two lists: pairs of one length, or every combination.
  const pairs = pair.map(zip(["Oslo", "Lima"], years), { id: "zipped" });
  const grid = pair.map(cross(cities, years), { id: "crossed" });

  // A whole group per item: Oslo's `print` waits for Oslo's `shout`, and for nobody else's.
  const printed = group.map("posters", cities, (city) => print({ text: shout(city) }), { concurrency: 2 });

  return { labels, failed: countFailed(measured), pairs, grid, printed };
});
