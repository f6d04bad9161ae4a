/** The pipeline that `millrace init` writes, and its test. */

export const pipelineFile = "pipelines/hello.ts";

export const pipelineText = `import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { asset, files, on, pipeline, task } from "millrace";

const folder = "data/inbox";

// The stream: each file that lands in the folder is an event.
export const inbox = files("inbox", { folder, glob: "*.json", settle: { quiet: "300ms" } });

// What comes of it. Other pipelines can start when it changes.
export const report = asset("weather/report");

interface Reading {
  city: string;
  celsius: number;
}

// The files of the batch; all that are there when somebody starts it by hand.
const list = task("list", async (arrived: readonly { data: { path: string } }[]) => {
  if (arrived.length > 0) return arrived.map(({ data }) => data.path);
  return (await readdir(folder)).map((name) => join(folder, name));
});

// Runs once for each file. Its first try fails for one of them: the policy tries again.
const read = task("read", { retries: 3, timeout: "30s" }, async (path: string, ctx): Promise<Reading> => {
  const reading = JSON.parse(await readFile(path, "utf8")) as Reading;
  if (reading.city === "Oslo" && ctx.attempt === 1) throw new Error("the disk in Oslo did not answer");
  ctx.log.info(\`read \${reading.city}\`, { celsius: reading.celsius });
  return reading;
});

const write = task("write", { writes: report }, async (readings: readonly Reading[], ctx) => {
  const [warmest] = readings.toSorted((one, other) => other.celsius - one.celsius);
  await ctx.artifact("readings", { table: readings.map(({ city, celsius }) => ({ city, celsius })) });
  console.log(\`\${warmest?.city} is the warmest of \${readings.length}\`);
  return { cities: readings.length, warmest: warmest?.city ?? null };
});

// Not part of the graph yet: see the page.
const tell = task("tell", async (written: { cities: number; warmest: string | null }, ctx) => {
  await ctx.emit({ type: "weather.told", data: written });
  return written;
});

export const hello = pipeline(
  "hello",
  {
    description: "Reports the weather of each batch of files",
    on: on.batch(on.event(inbox.arrived).as("files"), { max: 3, maxWait: "1m" }),
  },
  ({ firing }) => {
    const paths = list(firing.members.files);
    const readings = read.map(paths); // one task run per file
    return write(readings); // waits for all of them: passing the data is the dependency
  },
);
`;

export const testText = `import assert from "node:assert/strict";
import { test } from "node:test";
import { testbed } from "millrace/testing";
import { hello, inbox } from "./hello.ts";

/** What the folder tells of a file. No folder is read on virtual time. */
const arrived = (city: string) => ({
  type: inbox.arrived,
  data: {
    path: \`data/inbox/\${city}.json\`,
    relative: \`\${city}.json\`,
    name: \`\${city}.json\`,
    folder: "data/inbox",
    size: 30,
    mtime: "2026-03-01T00:00:00Z",
    version: 1,
    fingerprint: "30-1",
  },
});

test("three files make a batch, and what fails at first is tried again", async () => {
  const t = await testbed({ hello });
  for (const city of ["lisbon", "nairobi", "oslo"]) await t.emit(arrived(city));
  const [run] = t.runsOf(hello);
  assert.equal(run?.node("read", 2).state, "retrying"); // the clock stands still until the test moves it
  await t.advance("30s");
  assert.deepEqual(run.output, { cities: 3, warmest: "Nairobi" });
});

test("a file alone waits for a minute at most", async () => {
  const t = await testbed({ hello });
  await t.emit(arrived("quito"));
  assert.equal(t.runsOf(hello).length, 0);
  await t.advance("1m");
  assert.deepEqual(t.runsOf(hello)[0]?.output, { cities: 1, warmest: "Quito" });
});

test("without all readings there is no report", async () => {
  const t = await testbed({ hello });
  t.task("read").fails("no answer", { when: ({ item }) => item === "0" });
  const run = await t.finish(await t.start(hello));
  assert.equal(run.state, "failed");
  assert.equal(run.node("write").state, "upstream_failed");
});
`;
