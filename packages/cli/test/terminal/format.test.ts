import { expect, test } from "vitest";
import {
  cutPainted,
  formatDuration,
  formatIn,
  formatTable,
  harmless,
  visibleWidth,
} from "../../src/terminal/format.ts";
import { hasColors } from "../../src/terminal/terminal.ts";

test("durations keep to two units", () => {
  const values = [0, 999, 1_000, 59_949, 59_950, 72_000, 3_599_499, 7_380_000, 360_000_000];
  expect(values.map(formatDuration)).toEqual([
    "0 ms",
    "999 ms",
    "1.0 s",
    "59.9 s",
    "1m 00s",
    "1m 12s",
    "59m 59s",
    "2h 03m",
    "4d 4h",
  ]);
});

test("what is to come is told as a span", () => {
  const now = new Date(0);
  const spans = [-5_000, 400, 1_000, 12_000, 200_000, 7_200_000, 400_000_000];
  expect(spans.map((ms) => formatIn(new Date(ms), now))).toEqual([
    "now",
    "now",
    "in 1 s",
    "in 12 s",
    "in 3 min",
    "in 2 h",
    "in 5 d",
  ]);
});

test("colours take no room in a table", () => {
  expect(
    formatTable(
      [
        ["\u001B[1ma\u001B[22m", "1"],
        ["bbb", "22"],
      ],
      { align: ["left", "right"] },
    ),
  ).toEqual(["\u001B[1ma\u001B[22m     1", "bbb  22"]);
});

test("a table that is too wide cuts its last columns, then leaves them out, and never wraps", () => {
  const rows = [
    ["succeeded", "r0v2abc", "sales", "just now", "a long note about it"],
    ["failed", "r0v2abd", "report", "3 min ago", ""],
  ];
  expect(formatTable(rows, { width: 49 })).toEqual([
    "succeeded  r0v2abc  sales   just now   a long no…",
    "failed     r0v2abd  report  3 min ago",
  ]);
  expect(formatTable(rows, { width: 40 })).toEqual([
    "succeeded  r0v2abc  sales   just now",
    "failed     r0v2abd  report  3 min ago",
  ]);
  expect(formatTable(rows, { width: 40, yields: [1, 4] })[0]).toBe(
    "succeeded  sales   just now   a long no…",
  );
  for (let width = 1; width < 60; width += 1) {
    for (const line of formatTable(rows, { width })) expect(visibleWidth(line)).toBeLessThanOrEqual(width);
  }
  expect(formatTable(rows)[0]).toContain("a long note about it");
});

test("painted text is cut by what is seen, and its colours end", () => {
  const cut = cutPainted("\u001B[31mabcdef\u001B[39m", 4);
  expect(visibleWidth(cut)).toBe(4);
  expect(cut).toBe("\u001B[31mabc\u001B[39m…\u001B[0m");
});

test("text from tasks can't steer the terminal", () => {
  expect(harmless("a\u001B[2Jb\u0007c\rd\te\u001B[31mf\u001B[?25l")).toBe("abcd  ef");
  expect(harmless("two\nlines")).toBe("two lines");
});

test("NO_COLOR wins over FORCE_COLOR, and both over the terminal", () => {
  expect(hasColors({ NO_COLOR: "1", FORCE_COLOR: "1" }, true)).toBe(false);
  expect(hasColors({ FORCE_COLOR: "1" }, false)).toBe(true);
  expect(hasColors({ FORCE_COLOR: "0" }, true)).toBe(false);
  expect(hasColors({}, false)).toBe(false);
  expect(hasColors({ TERM: "dumb" }, true)).toBe(false);
});
