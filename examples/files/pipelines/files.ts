/** Folders whose files start runs, one for each way in which a writer shows that a file is complete. */
import { readFile } from "node:fs/promises";
import { files, on, pipeline, task } from "millrace";

// Whoever writes here writes on and on: a file is complete when it has not changed for half a second.
export const landing = files("landing", {
  folder: "data/in",
  glob: "**/*.csv",
  settle: { quiet: "500ms" },
  gone: true,
});
// Here a file gets its name when it is complete.
export const renamed = files("renamed", {
  folder: "data/renamed",
  glob: "*.csv",
  protocol: "rename",
  type: "csv.ready",
});
// Here `_SUCCESS` says that all files of its folder are.
export const marked = files("marked", {
  folder: "data/marked",
  glob: "*/part-*",
  protocol: "marker",
  marker: "_SUCCESS",
  type: "part.ready",
});

const count = task("count", async (input: { path: string; relative: string }) => {
  const text = await readFile(input.path, "utf8");
  return { file: input.relative, lines: text.split("\n").filter((line) => line !== "").length };
});

export const load = pipeline("load", { on: on.event(landing.arrived).as("file") }, ({ firing }) => {
  const { path, relative } = firing.members.file[0]!.data;
  return count({ path, relative });
});

export const loadOrders = pipeline(
  "load-orders",
  { on: on.event(renamed.arrived, { where: { data: { name: { glob: "orders-*" } } } }).as("file") },
  ({ firing }) => {
    const { path, relative } = firing.members.file[0]!.data;
    return count({ path, relative });
  },
);

// One run for a whole folder: three parts of it have come.
const sum = task("sum", (input: { parts: string[] }) => input.parts.toSorted());
export const loadDay = pipeline(
  "load-day",
  { on: on.count(on.event(marked.arrived).as("parts"), 3).by((event) => event.data.folder) },
  ({ firing }) => {
    const { parts } = firing.members;
    return sum({ parts: [parts[0]!.data.name, parts[1]!.data.name, parts[2]!.data.name] });
  },
);

const report = task("report", (input: { file: string }) => `${input.file} is gone`);
export const removed = pipeline("removed", { on: on.event(landing.gone).as("file") }, ({ firing }) =>
  report({ file: firing.members.file[0]!.data.relative }),
);
