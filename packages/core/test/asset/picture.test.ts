import { expect, test } from "vitest";
import {
  expectedKeys as expectedSteps,
  parsePartitions,
  partitionPicture,
  type ExpectedKeys,
  type PartitionsDefinition,
  type Steps,
} from "../../src/index.ts";

const days = parsePartitions({
  kind: "time",
  every: { kind: "every", every: "1d", tz: "Europe/Berlin" },
  start: "2026-03-27",
});
const now = Date.parse("2026-04-01T12:00:00+02:00");

function done<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

function expectedKeys(definition: PartitionsDefinition, at: number, max: number): ExpectedKeys | undefined {
  return done(expectedSteps(definition, at, max));
}

function picture(
  expected: ExpectedKeys | undefined,
  written: readonly string[],
  known: readonly string[] = [],
  definition = days,
): unknown {
  const keys = [...known.map((key) => [key, false] as const), ...written.map((key) => [key, true] as const)];
  const told = { keys: new Map(keys), isCut: false };
  const { present, missing, ranges } = done(partitionPicture(expected, told, definition));
  const words = ranges.map(
    ({ state, from, to, count }) => `${state} ${from}${count > 1 ? `…${to} ${count}` : ""}`,
  );
  return [present, missing, words.join(", ")];
}

test("windows that are over and were not written are missing, also over a change of the clock", () => {
  const expected = expectedKeys(days, now, 100);
  expect(expected).toEqual({
    keys: ["2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"],
    isCut: false,
  });
  expect(picture(expected, [])).toEqual([0, 5, "missing 2026-03-27…2026-03-31 5"]);
  expect(picture(expected, ["2026-03-31", "2026-03-28", "2026-03-29"])).toEqual([
    3,
    2,
    "missing 2026-03-27, present 2026-03-28…2026-03-29 2, missing 2026-03-30, present 2026-03-31",
  ]);
});

test("a window that is written before it is over is there, and not awaited", () => {
  const expected = expectedKeys(days, now, 100);
  const all = [...expected!.keys];
  expect(picture(expected, [...all, "2026-04-01"])).toEqual([6, 0, "present 2026-03-27…2026-04-01 6"]);
});

test("windows far ahead, and long ago, are stretches of their own, in the order of time", () => {
  const expected = { keys: ["2026-03-30", "2026-03-31"], isCut: false };
  const written = ["2999-01-01", "2026-04-01", "2026-03-28", "2026-03-31", "2026-03-27"];
  expect(picture(expected, written)).toEqual([
    5,
    1,
    "present 2026-03-27…2026-03-28 2, missing 2026-03-30, present 2026-03-31…2026-04-01 2, present 2999-01-01",
  ]);
});

test("of more windows than are looked at the newest count", () => {
  const hours = parsePartitions({
    kind: "time",
    every: { kind: "every", every: "1h", tz: "UTC" },
    start: "2020-01-01",
  });
  const expected = expectedKeys(hours, now, 1_000)!;
  expect(expected.isCut).toBe(true);
  expect(expected.keys.length).toBeGreaterThan(800);
  expect(expected.keys.at(-1)).toBe("2026-04-01T09:00Z");
});

test("nothing is expected before the first window is over", () => {
  const expected = expectedKeys(days, Date.parse("2026-03-27T23:59:59+01:00"), 100);
  expect(expected).toEqual({ keys: [], isCut: false });
  expect(picture(expected, [])).toEqual([0, 0, ""]);
  expect(expectedKeys(days, 0, 100)).toEqual({ keys: [], isCut: false });
});

test("static keys are all expected, in their order; what else was written comes behind", () => {
  const keys = parsePartitions({ kind: "static", keys: ["us", "eu", "apac"] });
  const expected = expectedKeys(keys, now, 100);
  expect(picture(expected, ["us", "apac", "old"], [], keys)).toEqual([
    3,
    1,
    "present us, missing eu, present apac…old 2",
  ]);
});

test("of dynamic keys those are missing that are known without an update", () => {
  const dynamic = parsePartitions({ kind: "dynamic" });
  expect(expectedKeys(dynamic, now, 100)).toBe(undefined);
  expect(picture(undefined, ["b"], ["a"], dynamic)).toEqual([1, 1, "missing a, present b"]);
  expect(picture(undefined, ["b"], [], dynamic)).toEqual([1, undefined, "present b"]);
  expect(picture(undefined, [], [], dynamic)).toEqual([0, undefined, ""]);
});

test("combinations are expected where all their dimensions are known", () => {
  const of = { day: days, region: { kind: "static", keys: ["eu", "us"] } } as const;
  const tuple = parsePartitions({ kind: "tuple", of });
  const expected = expectedKeys(tuple, now, 100);
  expect(expected?.keys).toHaveLength(10);
  expect(expected?.keys[1]).toBe("day=2026-03-27/region=us");
  expect(picture(expected, ["day=2026-03-27/region=eu"], [], tuple)).toEqual([
    1,
    9,
    "present day=2026-03-27/region=eu, missing day=2026-03-27/region=us…day=2026-03-31/region=us 9",
  ]);
  const open = parsePartitions({ kind: "tuple", of: { day: days, customer: { kind: "dynamic" } } });
  expect(expectedKeys(open, now, 100)).toBe(undefined);
});

test("of more combinations than are looked at those of the newest windows count", () => {
  const of = { region: { kind: "static", keys: ["eu", "us", "apac"] }, day: days } as const;
  const tuple = parsePartitions({ kind: "tuple", of });
  const [first, second] = ["2026-03-30", "2026-03-31"].map((day) =>
    ["eu", "us", "apac"].map((region) => `day=${day}/region=${region}`),
  );
  expect(expectedKeys(tuple, now, 7)).toEqual({ keys: [...first!, ...second!], isCut: true });
  expect(expectedKeys(tuple, now, 15)).toMatchObject({
    isCut: false,
    keys: expect.objectContaining({ length: 15 }),
  });
});

test("where there are more than are looked at, nothing is missing before what was read or listed", () => {
  const of = (keys: string[], isCut: boolean, wanted: ExpectedKeys): unknown => {
    const known = { keys: new Map(keys.map((key) => [key, true])), isCut };
    const { ranges, ...rest } = done(partitionPicture(wanted, known, days));
    return { ...rest, ranges: ranges.map(({ state, from, to }) => `${state} ${from}…${to}`) };
  };
  const all = { keys: ["2026-03-27", "2026-03-28", "2026-03-29", "2026-03-30"], isCut: false };
  const newest = { keys: all.keys.slice(2), isCut: true };
  const whole = { present: 2, missing: 0, isCut: true, ranges: ["present 2026-03-29…2026-03-30"] };
  // The rows of before were not read: they are not missing.
  expect(of(["2026-03-30", "2026-03-29"], true, all)).toEqual(whole);
  // The windows of before were not listed: what is missing of them is not counted, and what is written is.
  expect(of([...all.keys], false, newest)).toEqual({
    present: 4,
    missing: 0,
    isCut: true,
    ranges: ["present 2026-03-27…2026-03-30"],
  });
  expect(of(["2026-03-30"], true, newest)).toEqual({
    present: 1,
    missing: 0,
    isCut: true,
    ranges: ["present 2026-03-30…2026-03-30"],
  });
});

test("thousands of windows, and of keys that are of none, are worked through in short steps (G1)", () => {
  const minutes = parsePartitions({
    kind: "time",
    every: { kind: "cron", expression: "*/5 * * * *", tz: "Europe/Berlin" },
    start: "1990-01-01",
  });
  const steps = { count: 0 };
  const counted = <Result>(work: Steps<Result>): Result => {
    for (;;) {
      const step = work.next();
      if (step.done) return step.value;
      steps.count += 1;
    }
  };
  const expected = counted(expectedSteps(minutes, now, 20_000))!;
  expect(expected.keys.length).toBeGreaterThan(15_000);
  expect(steps.count).toBeGreaterThan(expected.keys.length / 250 - 2);
  const keys = Array.from({ length: 20_000 }, (_, at) => [`x${at}`, true] as const);
  steps.count = 0;
  counted(partitionPicture(expected, { keys: new Map(keys), isCut: false }, minutes));
  expect(steps.count).toBeGreaterThanOrEqual(80);
});
