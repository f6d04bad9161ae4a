/** How fast a test on virtual time is: no server, no database, one process. */
import { on, pipeline, task } from "@millrace/sdk";
import { testbed } from "@millrace/testing";
import type { Bench } from "./parts/result.ts";
import { median, round, summarize } from "./parts/statistics.ts";

const count = task("count", (members: readonly unknown[]) => members.length);
const hourly = pipeline("hourly", { on: on.every("1h") }, ({ firing }) => count(firing.members.schedule));
const visits = pipeline(
  "visits",
  { on: on.session(on.event("page.seen").as("pages"), { gap: "30m" }).by("subject") },
  ({ firing }) => count(firing.members.pages),
);

const events = 100_000;
const keys = 1_000;

async function yearOfHours(): Promise<number> {
  const before = performance.now();
  const t = await testbed({ hourly }, { now: "2026-01-01T00:00:00Z" });
  await t.clock.to("2027-01-01T00:00:00Z");
  const took = performance.now() - before;
  if (t.runs.length !== 8_760 || t.unfinished.length > 0) throw new Error(`${t.runs.length} runs`);
  return took;
}

/** One by one: each event's test step waits for what follows from it. */
async function sessions(): Promise<number> {
  const before = performance.now();
  const t = await testbed({ visits });
  for (let at = 0; at < events; at += 1) await t.emit({ type: "page.seen", subject: `user-${at % keys}` });
  await t.advance("30m");
  const took = performance.now() - before;
  if (t.firings.length !== keys || t.unfinished.length > 0) throw new Error(`${t.firings.length} firings`);
  return took;
}

async function repeated(work: () => Promise<number>, times: number): Promise<number[]> {
  await work();
  const durations: number[] = [];
  for (let at = 0; at < times; at += 1) durations.push(await work());
  return durations;
}

export const testbedBench: Bench = {
  name: "testbed",
  measures:
    "tests on virtual time: a year of an hourly schedule, 8,760 firings with a run of one task each (the durations), and 100,000 events of 1,000 keys through a session per key (`sessionsMs`)",
  doesNotMeasure: ["a server: none runs", "what tasks do: these return a number"],
  run: async ({ short }) => {
    const times = short ? 3 : 9;
    const hours = await repeated(yearOfHours, times);
    const gathered = await repeated(sessions, times);
    return {
      bench: "testbed",
      unit: "ms",
      ...summarize(hours),
      sessionsMs: round(median(gathered)),
      durability: { fsync: "none", synchronousCommit: "none" },
      isolation: "none: tasks run in the test's process",
      versions: { node: process.version, postgres: "none", millrace: "" },
    };
  },
};
