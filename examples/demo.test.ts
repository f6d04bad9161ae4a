/** `npm run demo` as anybody runs it, in a copy of the example, and its parts. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { demoFolderPrefix, sweepLeftovers } from "./flights/demo/leftover.ts";
import type { Observation, Started } from "./flights/demo/observation.ts";
import { fold, Paper } from "./flights/demo/paper.ts";
import { planReplay } from "./flights/demo/replay.ts";
import { judge } from "./flights/demo/verdict.ts";

const timeoutMs = 180_000;
const demos: { readonly child: ChildProcess; readonly folder: string }[] = [];

afterAll(async () => {
  for (const { child, folder } of demos) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Starts it in a copy below `examples`, so that `millrace` is found and what it makes is its own. */
function startDemo(): {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly printed: () => string;
} {
  const folder = mkdtempSync(join(import.meta.dirname, ".flights-"));
  const isMade = (source: string): boolean => ["out", ".millrace"].includes(basename(source));
  cpSync(join(import.meta.dirname, "flights"), folder, { recursive: true, filter: (one) => !isMade(one) });
  const child = spawn(process.execPath, [join(folder, "demo.ts")], { stdio: ["ignore", "pipe", "pipe"] });
  demos.push({ child, folder });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, folder, printed: () => text };
}

test("a demo takes away what demos left that were killed, and nothing else", async () => {
  const parent = mkdtempSync(join(tmpdir(), "millrace-leftovers-"));
  const ended = spawn(process.execPath, ["-e", ""]);
  await once(ended, "exit");
  const hour = 3_600_000;
  const make = (
    prefix: string,
    { ageMs = hour, postgres }: { ageMs?: number; postgres?: number } = {},
  ): string => {
    const folder = mkdtempSync(join(parent, prefix));
    mkdirSync(join(folder, "state", "data"), { recursive: true });
    if (postgres !== undefined)
      writeFileSync(join(folder, "state", "data", "postmaster.pid"), `${postgres}\n/x\n`);
    const at = new Date(Date.now() - ageMs);
    utimesSync(folder, at, at);
    return basename(folder);
  };
  const dead = demoFolderPrefix(ended.pid!);
  const kept = [
    make(demoFolderPrefix(process.pid)),
    make(dead, { ageMs: 60_000 }),
    make(dead, { postgres: process.pid }),
    make("millrace-demo-"),
    make("millrace-examples-"),
  ];
  make(dead);
  make(dead, { postgres: ended.pid! });
  await sweepLeftovers(parent, Date.now());
  expect(readdirSync(parent).toSorted()).toEqual(kept.toSorted());
  rmSync(parent, { recursive: true, force: true });
});

describe("the demo", () => {
  test(
    "plays all that it claims, says so in 80 columns, and ends with 0",
    async () => {
      const { child, folder, printed } = startDemo();
      const [code] = (await once(child, "close")) as [number | null];
      expect(code, printed()).toBe(0);
      const lines = printed().split("\n");
      expect(lines.filter((line) => line.startsWith("  ✓ ")).length).toBeGreaterThanOrEqual(6);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(printed()).not.toContain("\u001b");
      for (const part of [
        "2001-04-09 is re-opened as revision 2",
        "$ millrace trigger explain land-hours --event",
        "because its trigger fired (version 1, revision 2)",
        "node flights of run",
      ])
        expect(printed()).toContain(part);
      expect(existsSync(join(folder, "out", "report", "index.html"))).toBe(true);
      expect(readdirSync(join(folder, "out", "live", "days"))).toEqual([
        "2001-04-09.parquet",
        "2001-04-10.parquet",
      ]);
    },
    timeoutMs,
  );

  test(
    "stops all on Ctrl-C and ends with 130",
    async () => {
      const { child, printed } = startDemo();
      const readyAt = (): string | undefined => /Ready: (http:\S+)/.exec(printed())?.[1];
      await expect.poll(readyAt, { timeout: timeoutMs }).toBeDefined();
      child.kill("SIGINT");
      const [code] = (await once(child, "close")) as [number | null];
      expect(code, printed()).toBe(130);
      expect(printed().trimEnd()).toMatch(/Stopped$/);
      await expect(fetch(`${readyAt()}/api/v1/runs`)).rejects.toThrow("fetch failed");
    },
    timeoutMs,
  );

  test(
    "leaves nothing running when it is killed",
    async () => {
      const { child, printed } = startDemo();
      await expect.poll(printed, { timeout: timeoutMs }).toContain("Ready: ");
      const dev = devOf(child.pid!);
      child.kill("SIGKILL");
      await once(child, "exit");
      await expect.poll(() => isRunning(dev.pid), { timeout: 60_000 }).toBe(false);
      expect(existsSync(join(dev.state, "postgres", "postmaster.pid"))).toBe(false);
      rmSync(dirname(dev.state), { recursive: true });
    },
    timeoutMs,
  );
});

/** The `millrace dev` that a demo started, by Linux's account. */
function devOf(demo: number): { readonly pid: number; readonly state: string } {
  const children = readFileSync(`/proc/${demo}/task/${demo}/children`, "utf8").trim().split(" ");
  for (const pid of children.map(Number)) {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (words.includes("dev")) return { pid, state: words[words.indexOf("--state") + 1]! };
  }
  throw new Error("the demo has no server");
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const expected = {
  flightsOfDay: new Map([
    ["2001-04-09", 714],
    ["2001-04-10", 540],
  ]),
  outOfOrder: 144,
};

function published(
  day: string,
  revision: number,
  flights: number,
  approvedBy: string | null = null,
): Started {
  return {
    firing: { pipeline: "publish-days", revision, occurrence: 0, at: "2026-01-01T00:00:00Z", partition: day },
    run: { id: "r0", state: "succeeded", output: { day, revision, flights, approvedBy, replaces: null } },
  };
}

function started(pipeline: string, more: { readonly key?: string; readonly output?: unknown }): Started {
  const { key, output } = more;
  const firing = { pipeline, revision: 1, occurrence: 0, at: "2026-01-01T00:00:00Z", ...(key && { key }) };
  return { firing, run: { id: "r0", state: "succeeded", output } };
}

/** All of the claim. */
const whole: Observation = {
  published: [
    published("2001-04-09", 1, 713),
    published("2001-04-09", 2, 714, "ann"),
    published("2001-04-10", 1, 540),
  ],
  silences: [started("missing-feed", { key: "SEA" })],
  reports: [started("asked-report", { output: { outcome: "published" } })],
  landed: [],
  read: [],
  asked: [
    { id: "a", run: "r0", since: "2026-01-01T00:00:00Z", answer: { approved: true, by: "ann", at: "" } },
  ],
  hoursPresent: 48,
};

describe("the verdict", () => {
  const broken = (more: Partial<Observation>): readonly string[] =>
    judge({ ...whole, ...more }, expected)
      .filter(({ isTrue }) => !isTrue)
      .map(({ text }) => text);

  test("holds when all has happened", () => {
    expect(broken({})).toEqual([]);
  });

  test.each<[what: string, more: Partial<Observation>, claims: readonly RegExp[]]>([
    ["an hour is missing", { hoursPresent: 47 }, [/48 hours/]],
    [
      "revision 2 did not come",
      { published: whole.published.filter(({ firing }) => firing.revision === 1) },
      [/late flight/, /waited/],
    ],
    [
      "another day was revised, too",
      { published: [...whole.published, published("2001-04-10", 2, 540, "ann")] },
      [/late flight/],
    ],
    [
      "a flight was lost",
      { published: [...whole.published.slice(0, 2), published("2001-04-10", 1, 539)] },
      [/every flight/],
    ],
    ["nobody was asked", { asked: [] }, [/waited/]],
    ["the silence was not noticed", { silences: [] }, [/silence/]],
    ["a silence of another feed was", { silences: [started("missing-feed", { key: "LAS" })] }, [/silence/]],
    [
      "the report's check said no",
      { reports: [started("asked-report", { output: { outcome: "quarantined" } })] },
      [/report/],
    ],
  ])("does not when %s", (_, more, claims) => {
    const texts = broken(more);
    expect(texts).toHaveLength(claims.length);
    for (const [index, claim] of claims.entries()) expect(texts[index]).toMatch(claim);
  });
});

test("a replay tells of all flights but those of the feed that broke off, one of them late", () => {
  const row = (time: string, origin: string) => ({ time, origin, destination: "MCI", delay: 0, distance: 1 });
  const { hours, flights, flightsOfDay, late, untold } = planReplay([
    row("2001-04-09T06:59:00Z", "LAS"),
    row("2001-04-09T07:00:00Z", "LAS"),
    row("2001-04-09T07:05:00Z", "LAS"),
    row("2001-04-10T11:59:00Z", "SEA"),
    row("2001-04-10T12:00:00Z", "SEA"),
  ]);
  expect({ flights, untold, late: late.id, flightsOfDay }).toEqual({
    flights: 4,
    untold: 1,
    late: "LAS-1",
    flightsOfDay: new Map([
      ["2001-04-09", 3],
      ["2001-04-10", 1],
    ]),
  });
  // The first of them is told eight minutes late, which is in time.
  expect(hours.map(({ hour, events }) => [hour, events.map(({ id }) => id)])).toEqual([
    ["2001-04-09T07", ["LAS-2", "LAS-0"]],
    ["2001-04-10T11", ["SEA-3"]],
    ["2001-04-10T15", ["LAS-1"]],
  ]);
});

test("long lines are folded at spaces, else behind commas and slashes, and go on further in", () => {
  expect(fold("  one two three", 9, 2)).toEqual(["  one two", "    three"]);
  expect(fold("/aaa/bbb,ccc", 8, 0)).toEqual(["/aaa/", "bbb,ccc"]);
  expect(fold("abcdefgh", 4, 0)).toEqual(["abcd", "efgh"]);
});

test.each([
  [undefined, 80],
  [200, 80],
  [80, 80],
  [40, 40],
])("in a terminal of %s columns the demo's lines have at most %s", (columns, most) => {
  const lines: string[] = [];
  const paper = new Paper((line) => lines.push(line), { isColored: false, columns });
  const what = "2001-04-09 is published, revision 1: 713 flights";
  paper.title("From the late event to the published day, as the command explains it");
  paper.news(`${what}, and here is more of it that no line holds`);
  paper.entry({ at: Date.now(), what, run: "r01qz9s3qac5vnqvq" });
  paper.claim({ text: "Each day was published when complete, with every flight", isTrue: true, found: "" });
  paper.output("millrace trigger explain land-hours --event 1271", `  ${what}`);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(most);
  const entry = lines.findIndex((line) => line.includes("r01qz9s3qac5vnqvq"));
  expect(lines[entry]!.includes("2001-04-09")).toBe(most === 80);
});
