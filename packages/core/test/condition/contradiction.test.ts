import { array, assert, boolean, constant, constantFrom, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { compileWhere, parseCondition, requireSatisfiable, type Json, type Where } from "../../src/index.ts";

const a = ["data", "a"];
const leaf = (op: string, value: Json, path: readonly string[] = a): Json => ({ op, path, value });
const and = (...of: Json[]): Json => ({ op: "and", of });
const or = (...of: Json[]): Json => ({ op: "or", of });
const time = (text: string): Json => ({ time: text });

function judge(where: Json, type = "order.paid"): string {
  try {
    requireSatisfiable(parseCondition({ kind: "any", of: [{ kind: "event", type, where }] }));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

test.each<[string, Json]>([
  ["two values", and(leaf("eq", 1), leaf("eq", 2))],
  ["two values, deeper", and(leaf("eq", 1), and(leaf("exists", true), and(leaf("eq", 2))))],
  ["a value, and not it", and(leaf("eq", "x"), leaf("ne", "x"))],
  ["a value out of its list", and(leaf("in", [1, 2]), leaf("eq", 3))],
  ["lists without a common value", and(leaf("in", [1, 2]), leaf("in", [3, 4]))],
  ["a value out of its range", and(leaf("eq", 5), leaf("lt", 5))],
  ["a value without its prefix", and(leaf("eq", "abc"), leaf("prefix", "b"))],
  ["an empty range", and(leaf("gt", 5), leaf("lt", 3))],
  ["a range that leaves out its only value", and(leaf("gt", 5), leaf("lte", 5))],
  ["an empty range of texts", and(leaf("gte", "b"), leaf("lt", "a"))],
  [
    "an empty range of times",
    and(leaf("gt", time("2026-02-01T00:00:00Z")), leaf("lt", time("2026-01-01T00:00:00Z"))),
  ],
  ["a number that begins as a text", and(leaf("gt", 5), leaf("prefix", "a"))],
  ["a list that is a text", and(leaf("has", 5), leaf("contains", "a"))],
  ["nothing that is something", and(leaf("exists", false), leaf("gt", 5))],
  ["nothing that is a value", and(leaf("exists", false), leaf("eq", null))],
  [
    "alternatives that are all wrong",
    or(and(leaf("eq", 1), leaf("eq", 2)), and(leaf("gt", 2), leaf("lt", 1))),
  ],
  ["another type", leaf("eq", "order.shipped", ["type"])],
  ["in CEL", { op: "cel", text: 'data.a == 1 && data.b == "x" && data.a == 2' }],
])("%s is found", (_what, where) => {
  expect(judge(where)).toMatch(/^No event can fit the filter of "order\.paid": .* never hold together\.$/);
});

test.each<[string, Json]>([
  ["one value", and(leaf("eq", 5), leaf("lte", 5), leaf("ne", 4))],
  ["a range of one", and(leaf("gte", 5), leaf("lte", 5))],
  ["alternatives of which one is right", or(and(leaf("eq", 1), leaf("eq", 2)), leaf("eq", 1))],
  ["not, whatever it says", and(leaf("eq", 1), { op: "not", of: leaf("eq", 1) })],
  ["two paths", and(leaf("eq", 1), leaf("eq", 2, ["data", "b"]))],
  ["nothing, and not a value", and(leaf("exists", false), leaf("ne", 5))],
  ["a text that is a time", and(leaf("prefix", "2026"), leaf("gt", time("2026-01-01T00:00:00Z")))],
  ["its own type", leaf("prefix", "order.", ["type"])],
])("%s is left alone", (_what, where) => {
  expect(judge(where)).toBe("");
});

test("the parts that clash are named", () => {
  expect(judge(and(leaf("eq", 1), leaf("eq", "x", ["subject"]), leaf("eq", 2)))).toContain(
    "data.a == 1 and data.a == 2 never hold together",
  );
  expect(judge(leaf("eq", "x.y", ["type"]), "order.*")).toContain('type starts with "order."');
});

test("what some value fits is never called impossible", () => {
  const scalar = constantFrom<Json>(0, 1, 2, "a", "ab", "b", true, null);
  const order = constantFrom("lt", "lte", "gt", "gte");
  const any = oneof(
    record({ op: constantFrom("eq", "ne"), value: scalar }),
    record({ op: order, value: constantFrom<Json>(0, 1, 2, "a", "ab", "b") }),
    record({ op: constant("in"), value: array(scalar, { minLength: 1, maxLength: 3 }) }),
    record({ op: constant("exists"), value: boolean() }),
    record({ op: constantFrom("prefix", "contains"), value: constantFrom<Json>("a", "b") }),
    record({ op: constant("has"), value: scalar }),
  );
  const found = [0, 0.5, 1, 1.5, 2, 3, -1, "a", "ab", "b", "ba", "c", true, null, [1], ["a"], undefined];
  assert(
    property(array(any, { minLength: 1, maxLength: 4 }), (leaves) => {
      const where = { op: "and", of: leaves.map((one) => ({ ...one, path: a })) } as unknown as Where;
      const compiled = compileWhere(where);
      const base = { source: "/s", id: "1", type: "order.paid", time: 0 };
      const isPossible = found.some((value) =>
        compiled.matches({ ...base, data: value === undefined ? {} : { a: value as Json } }),
      );
      if (isPossible) expect(judge(where as unknown as Json)).toBe("");
    }),
  );
});
