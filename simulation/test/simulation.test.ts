import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { mutants } from "../mutants.ts";
import { parseParts } from "../parts.ts";
import { simulate } from "../simulation.ts";
import { mutantHours, mutantSeeds, tryMutant } from "../try-mutants.ts";

interface Seeds {
  readonly hours: number;
  readonly short: readonly number[];
  /** `hours` where it took longer than the others; `parts` that it had, absent: none. */
  readonly kept: readonly {
    readonly seed: number;
    readonly hours?: number;
    readonly parts?: string;
    readonly saw: string;
  }[];
}

const isLong = process.env["MILLRACE_TEST_LONG"] !== undefined;
const { hours, short, kept } = JSON.parse(
  await readFile(new URL("../seeds.json", import.meta.url), "utf8"),
) as Seeds;

test.each(short)("seed %i holds", { timeout: 120_000 }, async (seed) => {
  const report = await simulate({ seed, hours });
  expect(report.violations).toEqual([]);
  expect(report.counts["runs accepted"]).toBeGreaterThan(10);
});

/** What each simulation has. */
const parts = parseParts("none");

test("people rerun and deploy, workers are sent ahead and drain", { timeout: 120_000 }, async () => {
  // What is rare need not be in each seed.
  const reports = [
    await simulate({ seed: 3, hours, parts }),
    await simulate({ seed: 4, hours, parts }),
    await simulate({ seed: 9, hours, parts }),
  ];
  const seen = ["rerun accepted", "generation: newer bundle", "task runs kept", "sent ahead: returned"];
  for (const name of [...seen, "worker drained", "rolling restart of workers done"])
    expect(Math.max(...reports.map(({ counts }) => counts[name] ?? 0)), name).toBeGreaterThan(0);
});

test("steps fail and run again, and functions sleep until an instant", { timeout: 120_000 }, async () => {
  const { counts, violations } = await simulate({ seed: 3, hours, parts: parseParts("steps") });
  expect(violations).toEqual([]);
  for (const name of ["steps that fail", "failed steps that ran again", "waits for sleep_until"])
    expect(counts[`code: ${name}`], name).toBeGreaterThan(10);
  expect(counts["shapes of waits forgotten"]).toBeGreaterThan(10);
});

test("people are asked and answer, once and twice and too late", { timeout: 120_000 }, async () => {
  const asking = { hours, parts: parseParts("approvals") };
  // What is rare need not be in each seed.
  const reports = [await simulate({ seed: 9, ...asking }), await simulate({ seed: 18, ...asking })];
  expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
  const most = (name: string): number => Math.max(...reports.map(({ counts }) => counts[name] ?? 0));
  for (const name of ["asked for", "answered: recorded", "answered: conflict", "answered: duplicate"])
    expect(most(`approvals ${name}`), name).toBeGreaterThan(10);
  for (const name of ["approved", "rejected", "nobody answered"])
    expect(most(`approvals of nodes: ${name}`), name).toBeGreaterThan(0);
});

test(
  "probes are looked at while somebody waits, and tell each change once",
  { timeout: 120_000 },
  async () => {
    const { counts, violations } = await simulate({ seed: 3, hours, parts: parseParts("probes") });
    expect(violations).toEqual([]);
    expect(counts["looks learned"]).toBeGreaterThan(10);
    for (const name of ["looks ended: failed", "probes: changes told", "message: probe_wanted"])
      expect(counts[name], name).toBeGreaterThan(0);
  },
);

test("runs that wait are moved to other bundles", { timeout: 120_000 }, async () => {
  const { counts, violations } = await simulate({ seed: 11, hours, parts: parseParts("moves") });
  expect(violations).toEqual([]);
  expect(counts["moves"]).toBeGreaterThan(0);
});

test("triggers of all kinds fire, change, pause and resume", { timeout: 120_000 }, async () => {
  const { counts } = await simulate({ seed: 3, hours, parts });
  const seen = ["millrace.trigger.changed", "millrace.trigger.paused", "millrace.trigger.resumed"];
  for (const name of [...seen, "fault: node crashed after a deploy"])
    expect(counts[name], name).toBeGreaterThan(0);
  expect(counts["firings"]).toBeGreaterThan(50);
});

test(
  "firings wait, are merged and superseded, and loops of triggers are stopped",
  { timeout: 120_000 },
  async () => {
    const reports = [await simulate({ seed: 3, hours, parts }), await simulate({ seed: 9, hours, parts })];
    const seen = ["waiting at a gate", "started after waiting", "merged", "superseded", "refused as a loop"];
    for (const name of seen)
      expect(Math.max(...reports.map(({ counts }) => counts[`firings: ${name}`] ?? 0)), name).toBeGreaterThan(
        0,
      );
  },
);

test(
  "a run without the members of the firings that were merged into its own is caught",
  { timeout: 120_000 },
  async () => {
    const mutant = mutants.find(({ name }) => name === "members of the first alone")!;
    expect((await tryMutant(mutant, mutantSeeds, mutantHours)).rule).toMatch(/^R2 /);
  },
);

test("a state of a trigger without its position in the log is caught", { timeout: 120_000 }, async () => {
  const mutant = mutants.find(({ name }) => name === "states without positions")!;
  expect((await tryMutant(mutant, mutantSeeds, mutantHours)).rule).toMatch(/^R[14] /);
});

test("one seed always goes the same way", { timeout: 120_000 }, async () => {
  const [first, second] = [
    await simulate({ seed: 6, hours: 0.02 }),
    await simulate({ seed: 6, hours: 0.02 }),
  ];
  expect(second.fingerprint).toBe(first.fingerprint);
  expect(second.counts).toEqual(first.counts);
  expect((await simulate({ seed: 9, hours: 0.02 })).fingerprint).not.toBe(first.fingerprint);
});

test("a dispatch before its commit is caught", { timeout: 120_000 }, async () => {
  const mutant = mutants.find(({ name }) => name === "dispatch before commit")!;
  expect((await tryMutant(mutant, mutantSeeds, mutantHours)).rule).toMatch(/^C1 |^C13 /);
});

test.runIf(isLong).each(kept)("kept seed $seed holds ($saw)", { timeout: 900_000 }, async (one) => {
  const own = { parts: parseParts(one.parts ?? "none") };
  expect((await simulate({ hours, ...one, ...own })).violations).toEqual([]);
});

test.runIf(isLong).each(mutants)('the mutant "$name" is caught', { timeout: 900_000 }, async (mutant) => {
  expect((await tryMutant(mutant, mutantSeeds, mutantHours)).seed).toBeDefined();
});

const longSeeds = Array.from({ length: 20 }, (_, at) => 1_000 + at);
test.runIf(isLong).each(longSeeds)("an hour of seed %i holds", { timeout: 900_000 }, async (seed) => {
  expect((await simulate({ seed, hours: 1 })).violations).toEqual([]);
});
