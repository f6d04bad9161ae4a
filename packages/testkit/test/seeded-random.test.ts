import { expect, test } from "vitest";
import { seededRandom } from "../src/seeded-random.ts";

const draws = (seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: 50 }, () => random.next());
};

test("one seed gives one sequence, other seeds other ones", () => {
  expect(draws(42)).toEqual(draws(42));
  expect(draws(42)).not.toEqual(draws(43));
  expect(draws(1)).not.toEqual(draws(1 + 2 ** 32));
});

test("draws below a bound are whole, within it, and even", () => {
  const random = seededRandom(7);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 100_000; draw += 1) {
    const value = random.below(10);
    counts[value] = (counts[value] ?? Number.NaN) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test("a shuffle keeps all items and moves them", () => {
  const items = Array.from({ length: 100 }, (_, index) => index);
  const shuffled = seededRandom(3).shuffle(items);
  expect(shuffled).not.toEqual(items);
  expect(shuffled.sort((a, b) => a - b)).toEqual(items);
});

test("a fork's draws don't shift the parent's", () => {
  const [plain, forked] = [seededRandom(9), seededRandom(9)];
  plain.fork();
  const child = forked.fork();
  child.next();
  child.next();
  expect(forked.next()).toBe(plain.next());
});
