import { describe, expect, test } from "vitest";
import { FileRules, isTellable } from "../../src/files/rules.ts";
import { SettlingFiles } from "../../src/files/settling.ts";

function rules(glob: string, parts: { ignore?: readonly string[]; marker?: string } = {}): FileRules {
  return new FileRules({ glob, ignore: [], ...parts });
}

describe("globs", () => {
  test.each([
    ["**", ["a", "a/b.csv", "a\nb"], [".a", "a/.b/c"]],
    ["*.csv", ["a.csv", "ä b\n.csv", "[x].csv"], ["a.txt", "a/b.csv", ".csv", "a.csv/b"]],
    ["**/*.csv", ["a.csv", "a/b.csv", "a/b/c.csv"], ["a/.b.csv", ".a/b.csv", "a.csv.part"]],
    ["in/*/*.{csv,json}", ["in/a/b.csv", "in/a/b.json"], ["in/b.csv", "in/a/b/c.csv", "in/a/b.xml"]],
    ["day-[0-9]?/x", ["day-12/x"], ["day-1/x", "day-a2/x"]],
    [".landing/*", [".landing/a"], ["landing/a"]],
    ["!(a)", ["!(a)"], ["b", "a"]],
  ])("%s", (glob, wanted, others) => {
    const matched = [...wanted, ...others].filter((key) => rules(glob).wants(key));
    expect(matched).toEqual(wanted);
  });

  test("a glob that would repeat without end is matched at once", () => {
    const slow = rules("*a*a*x");
    const begunAt = performance.now();
    for (let round = 0; round < 20; round += 1) expect(slow.wants("a".repeat(255))).toBe(false);
    expect(performance.now() - begunAt).toBeLessThan(2_000);
  });
});

test("folders that can hold no wanted file are not entered", () => {
  expect(rules("*.csv").enters("a")).toBe(false);
  expect(rules("a/*/*.csv").enters("a/b")).toBe(true);
  expect(rules("a/*/*.csv").enters("a/b/c")).toBe(false);
  expect(rules("**/*.csv").enters("a/b/c/d/e")).toBe(true);
  expect(rules("**/*.csv").enters("a/.git")).toBe(false);
  expect(rules("**/.cache/*.csv").enters("a/.cache")).toBe(true);
  const some = rules("**/*.csv", { ignore: ["archive/**", "**/tmp"] });
  expect(["archive", "archive/a", "x/tmp", "x/archive", "tmp2"].filter((key) => some.enters(key))).toEqual([
    "x/archive",
    "tmp2",
  ]);
  expect(some.wants("archive/a.csv")).toBe(false);
});

describe("markers", () => {
  test("with a star, by the file's name with and without what follows its last dot", () => {
    const done = rules("**", { marker: "*.done" });
    expect(done.markersOf("in/a.b.csv")).toEqual(["in/a.b.csv.done", "in/a.b.done"]);
    expect(done.markersOf("plain")).toEqual(["plain.done"]);
    expect(done.markersOf("in/.env")).toEqual(["in/.env.done"]);
    expect(done.fileOf("in/a.csv.done")).toBe("in/a.csv");
    expect(["in/a.csv.done", ".done", "a.done.csv", "in/done"].map((key) => done.isMarker(key))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(done.wants("in/a.csv.done")).toBe(false);
  });

  test("a name may hold what stands for something elsewhere", () => {
    expect(rules("**", { marker: "*.done" }).markersOf("a$&$1.csv")).toEqual([
      "a$&$1.csv.done",
      "a$&$1.done",
    ]);
  });

  test("without a star, for all files of a folder", () => {
    const success = rules("**", { marker: "_SUCCESS" });
    expect(success.markersOf("day/part-1")).toEqual(["day/_SUCCESS"]);
    expect(success.fileOf("day/_SUCCESS")).toBeUndefined();
    expect(success.isMarker("day/_SUCCESS")).toBe(true);
    expect(success.isMarker("day/_SUCCESS2")).toBe(false);
  });
});

test("what an index can't hold is not told", () => {
  expect(isTellable("ä".repeat(1_000))).toBe(true);
  expect(isTellable(`${"ä".repeat(1_000)}x`)).toBe(false);
});

test("files settle in the order in which they were seen last, and a bound holds", () => {
  const files = new SettlingFiles();
  for (const [at, key] of ["a", "b", "c"].entries()) files.put(key, { fingerprint: "1", dueAt: 10 + at });
  files.put("a", { fingerprint: "2", dueAt: 20 });
  expect([files.nextDueAt, files.due(9, 5), files.due(12, 5), files.due(30, 2)]).toEqual([
    11,
    [],
    ["b", "c"],
    ["b", "c"],
  ]);
  files.drop("b");
  files.drop("c");
  expect([files.size, files.due(30, 2), files.get("a")?.fingerprint]).toEqual([1, ["a"], "2"]);
  expect([files.hasRoomFor(19_999), files.hasRoomFor(20_000)]).toEqual([true, false]);
  files.drop("a");
  expect(files.nextDueAt).toBe(Number.POSITIVE_INFINITY);
});
