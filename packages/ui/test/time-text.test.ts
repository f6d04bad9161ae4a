import { expect, test } from "vitest";
import { clockText, durationText, relativeText } from "../src/parts/time-text.ts";

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1_000, "1.0s"],
  [9_940, "9.9s"],
  [12_300, "12s"],
  [59_940, "60s"],
  [59_960, "1m 00s"],
  [72_000, "1m 12s"],
  [3_599_400, "59m 59s"],
  [3_599_600, "1h 00m"],
  [11_100_000, "3h 05m"],
  [86_400_000, "1d 0h"],
  [187_200_000, "2d 4h"],
  [-5, "0 ms"],
])("%d ms are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [-1_000, "just now"],
  [-12_000, "12 s ago"],
  [-180_000, "3 min ago"],
  [-18_000_000, "5 h ago"],
  [-86_400_000, "24 h ago"],
  [-172_800_000, "2 d ago"],
  [180_000, "in 3 min"],
])("%d ms from now is %s", (distance, text) => {
  const now = Date.UTC(2026, 10, 27, 12);
  expect(relativeText(now + distance, now)).toBe(text);
});

test("the day is told where it is another one", () => {
  const now = new Date(2026, 10, 27, 12).getTime();
  expect(clockText(new Date(2026, 10, 27, 9, 5, 7).getTime(), now)).toBe("09:05:07");
  expect(clockText(new Date(2026, 10, 26, 23, 59, 59).getTime(), now)).toBe("2026-11-26 23:59:59");
});
