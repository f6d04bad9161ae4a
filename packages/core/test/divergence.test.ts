import { expect, test } from "vitest";
import { compareOperations, describeDivergence, type AskedOperation } from "../src/run/divergence.ts";

const step = (name: string, occurrence = 1, place?: string): AskedOperation => ({
  kind: "step",
  name,
  occurrence,
  ...(place === undefined ? {} : { place }),
});
const wait = (name: string): AskedOperation => ({ kind: "wait", name, occurrence: 1 });

test("the same operations in any order differ in nothing", () => {
  expect(
    compareOperations([step("a"), step("a", 2), wait("w")], [wait("w"), step("a"), step("a", 2)]),
  ).toEqual([]);
  expect(compareOperations([], [])).toEqual([]);
});

test("what is missing, new, or of another kind is told by name and line", () => {
  const before = [step("a"), step("b", 2, "p/a.ts:3"), wait("x")];
  const now = [step("a"), step("c", 1, "p/a.ts:9"), step("x", 1, "p/a.ts:10")];
  expect(compareOperations(before, now).map(describeDivergence)).toEqual([
    'step "b" no. 2 (p/a.ts:3) is not asked for any more',
    'step "x" (p/a.ts:10) was a wait "x" before',
    'step "c" (p/a.ts:9) was not asked for before',
  ]);
});

test("a function that has only gone on gives what is new", () => {
  expect(compareOperations([step("a")], [step("a"), wait("w")])).toEqual([{ kind: "new", now: wait("w") }]);
});
