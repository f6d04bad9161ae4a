import { expect, test } from "vitest";
import { manualClock } from "../src/manual-clock.ts";

test("callbacks run in the order of their times, each at its own time", () => {
  const clock = manualClock(1_000);
  const seen: string[] = [];
  clock.schedule(1_300, () => seen.push(`late ${clock.now()}`));
  clock.schedule(1_100, () => seen.push(`first ${clock.now()}`));
  clock.schedule(1_100, () => seen.push(`second ${clock.now()}`));
  clock.advance(200);
  expect(seen).toEqual(["first 1100", "second 1100"]);
  expect(clock.now()).toBe(1_200);
  expect(clock.nextDue()).toBe(1_300);
});

test("what a callback schedules runs in the same advance when it is due", () => {
  const clock = manualClock(0);
  const seen: number[] = [];
  clock.schedule(10, () => clock.schedule(20, () => seen.push(clock.now())));
  clock.advanceTo(30);
  expect(seen).toEqual([20]);
});

test("a callback that was taken back does not run", () => {
  const clock = manualClock(0);
  const seen: number[] = [];
  clock.schedule(5, () => seen.push(5))();
  clock.advance(10);
  expect(seen).toEqual([]);
  expect(clock.nextDue()).toBeUndefined();
});

test("the clock does not go back", () => {
  expect(() => manualClock(5).advanceTo(4)).toThrow("does not go back");
});
