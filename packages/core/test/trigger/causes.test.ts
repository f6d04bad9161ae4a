import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  causesOfFiring,
  formatCauses,
  loopOf,
  noCauses,
  parseCauses,
  type Causes,
} from "../../src/trigger/causes.ts";
import { eventTextMax } from "../../src/limits.ts";

/** Triggers that start each other in turn, from one event of outside. */
function round(names: readonly string[], firings: number): Causes {
  let causes = noCauses;
  for (let at = 0; at < firings; at += 1) causes = causesOfFiring(names[at % names.length]!, [causes]);
  return causes;
}

test("what is written is read again", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
  fc.assert(
    fc.property(fc.array(name, { maxLength: 30 }), (names) => {
      let causes = noCauses;
      for (const pipeline of names) causes = causesOfFiring(pipeline, [causes]);
      expect(parseCauses(formatCauses(causes))).toEqual(causes);
    }),
  );
});

test("a loop is seen once a trigger has fired more often than its limit, with its path", () => {
  expect(loopOf(round(["a", "b"], 50), "b", 25)).toBeUndefined();
  expect(loopOf(round(["a", "b"], 51), "a", 25)).toEqual(["a", "b", "a"]);
  expect(loopOf(round(["self"], 26), "self", 25)).toEqual(["self", "self"]);
  expect(loopOf(round(["a", "b", "c"], 77), "b", 25)).toEqual(["b", "c", "a", "b"]);
});

test("what led into a loop is no part of its path", () => {
  let causes = causesOfFiring("first", []);
  for (let at = 0; at < 51; at += 1) causes = causesOfFiring(at % 2 === 0 ? "a" : "b", [causes]);
  expect(loopOf(causes, "a", 25)).toEqual(["a", "b", "a"]);
});

test("of several members the one counts that has gone round most often", () => {
  expect(
    formatCauses(causesOfFiring("a", [parseCauses("b*9"), parseCauses("a*3,b*2"), parseCauses("a*1,c*8")])),
  ).toBe("a*4,b*2");
});

test("causes stay within an attribute, and a long loop is seen all the same", () => {
  const names = Array.from(
    { length: 40 },
    (_, at) => `pipeline-with-a-rather-long-name-${at}-${"x".repeat(20)}`,
  );
  const causes = round(names, 40 * 26);
  expect(formatCauses(causes).length).toBeLessThanOrEqual(eventTextMax);
  expect(loopOf(causes, names.at(-1)!, 25)?.at(-1)).toBe(names.at(-1));
});

test("an attribute that somebody made up is no cause", () => {
  expect(parseCauses("a*1,nonsense,*3,b*x,c*2")).toEqual([
    { pipeline: "a", times: 1 },
    { pipeline: "c", times: 2 },
  ]);
  expect(parseCauses(7)).toEqual([]);
  expect(parseCauses("")).toEqual([]);
});
