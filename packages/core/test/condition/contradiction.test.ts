import { array, assert, boolean, constant, constantFrom, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { ownEventTypes } from "../../src/event/own.ts";
import {
  compileWhere,
  parseCondition,
  requireSatisfiable,
  type Json,
  type JsonSchema,
  type Where,
} from "../../src/index.ts";

const a = ["data", "a"];
const leaf = (op: string, value: Json, path: readonly string[] = a): Json => ({ op, path, value });
const and = (...of: Json[]): Json => ({ op: "and", of });
const or = (...of: Json[]): Json => ({ op: "or", of });
const time = (text: string): Json => ({ time: text });

function judge(where: Json | undefined, type = "order.paid", schema?: JsonSchema): string {
  const event = { kind: "event", type, ...(where === undefined ? {} : { where }) };
  try {
    requireSatisfiable(parseCondition({ kind: "any", of: [event] }), () => schema);
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
  ["an empty range in CEL", { op: "cel", text: "data.a > 5.0 && 3 >= data.a" }],
  [
    "a beginning that is not the value's in CEL",
    { op: "cel", text: 'data.a.startsWith("a") && data.a == "b"' },
  ],
  ["a number in CEL that is a text", and({ op: "cel", text: "data.a < 5.0" }, leaf("suffix", "a"))],
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

test("what some value fits is never called impossible in CEL", () => {
  const scalar = constantFrom("0", "1.0", "-2", '"a"', '"ab"', '"b"');
  const part = oneof(
    record({ op: constantFrom("==", "!=", "<", "<=", ">", ">="), value: scalar, isTurned: boolean() }).map(
      ({ op, value, isTurned }) => (isTurned ? `${value} ${op} data.a` : `data.a ${op} ${value}`),
    ),
    record({
      of: constantFrom("startsWith", "endsWith", "contains"),
      value: constantFrom('"a"', '"b"', '""'),
    }).map(({ of, value }) => `data.a.${of}(${value})`),
  );
  const found = [0, 0.5, 1, 1.5, 2, -1, -2, -3, "", "a", "ab", "b", "ba", "c", true, null, [1], undefined];
  assert(
    property(array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const where = { op: "cel", text: parts.join(" && ") } as const;
      const compiled = compileWhere(where);
      const base = { source: "/s", id: "1", type: "order.paid", time: 0 };
      const isPossible = found.some((value) =>
        compiled.matches({ ...base, data: value === undefined ? {} : { a: value as Json } }),
      );
      if (isPossible) expect(judge(where)).toBe("");
    }),
  );
});

const order: JsonSchema = {
  $defs: { tag: { type: "string" } },
  type: "object",
  properties: {
    amount: { type: "number" },
    count: { type: "integer" },
    state: { type: "string", enum: ["open", "paid"] },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
    tags: { type: "array", items: { $ref: "#/$defs/tag" } },
    version: { const: 2 },
    kind: { allOf: [{ type: "string" }, { enum: ["a", "b"] }] },
    any: {},
    more: { type: "object", additionalProperties: { type: "boolean" } },
  },
};
const at = (name: string, ...more: string[]): string[] => ["data", name, ...more];

test.each<[string, Json]>([
  ["a text for a number", leaf("eq", "5", at("amount"))],
  ["a fraction for a whole number", leaf("eq", 1.5, at("count"))],
  ["a value that is not among those listed", leaf("eq", "opne", at("state"))],
  ["a list of such values", leaf("in", ["opne", "piad"], at("state"))],
  ["null, where there is none", leaf("eq", null, at("amount"))],
  ["another constant", leaf("eq", 1, at("version"))],
  ["a value that one of two schemas forbids", leaf("eq", "c", at("kind"))],
  ["a number in the order of texts", leaf("gt", "x", at("amount"))],
  ["a text in the order of numbers", leaf("gt", 5, at("note"))],
  ["the beginning of a number", leaf("prefix", "1", at("amount"))],
  ["what a text holds as a list", leaf("has", "x", at("note"))],
  ["a number in a list of texts", leaf("eq", 1, at("tags", "0"))],
  ["a text among members of any name", leaf("eq", "true", at("more", "x"))],
  ["alternatives that are all wrong", or(leaf("eq", "x", at("amount")), leaf("eq", "y", at("state")))],
  ["in CEL", { op: "cel", text: "data.amount > 5.0 && data.state == 'opne'" }],
  ["a text in the order of numbers in CEL", { op: "cel", text: "data.note > 5.0" }],
])("%s never fits a declared type", (_what, where) => {
  expect(judge(where, "order.paid", order)).toMatch(
    /^No event can fit the filter of "order\.paid": .* does not fit the type's schema(: it has .*)?\.$/,
  );
  expect(judge(where)).toBe("");
});

test.each<[string, Json]>([
  ["a number", leaf("gte", 100, at("amount"))],
  ["one value of a list of them", leaf("in", ["opne", "paid"], at("state"))],
  ["null, where it may stand", leaf("eq", null, at("note"))],
  ["a text in a list", leaf("has", "vip", at("tags"))],
  ["what is left open", leaf("eq", "x", at("any", "b", "c"))],
  ["one alternative", or(leaf("eq", "x", at("amount")), leaf("eq", 5, at("amount")))],
  ["what must not be", leaf("ne", "opne", at("state"))],
  ["a time", leaf("gt", time("2026-01-01T00:00:00Z"), at("note"))],
  ["an attribute", leaf("eq", "x", ["subject"])],
])("%s fits a declared type", (_what, where) => {
  expect(judge(where, "order.paid", order)).toBe("");
});

test("values that there are, are told", () => {
  expect(judge(leaf("eq", "opne", at("state")), "order.paid", order)).toContain('it has "open", "paid".');
});

test("a type of Millrace's own that there is none of is refused, with the nearest", () => {
  expect(judge(undefined, "millrace.run.fialed")).toBe(
    'Millrace has no events of type "millrace.run.fialed", and nobody else may send one. Did you mean "millrace.run.failed"?',
  );
  expect(judge(undefined, "millrace.rnu.*")).toContain("no events of type");
  for (const type of ["millrace.run.*", "millrace.*", "*", "millrace", ...ownEventTypes])
    expect(judge(undefined, type)).toBe("");
});

test("the list of Millrace's own types has all that the sources name", () => {
  const root = new URL("../../../", import.meta.url);
  const named = new Set<string>();
  for (const name of readdirSync(root).filter((one) => one !== "testkit")) {
    const files = readdirSync(new URL(`${name}/src/`, root), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((one) => one.endsWith(".ts")))
      for (const [, type] of readFileSync(new URL(`${name}/src/${file}`, root), "utf8").matchAll(
        /"(millrace\.(?!config)[a-z]+\.[a-z_]+)"/g,
      ))
        named.add(type!);
  }
  expect(named.size).toBeGreaterThan(15);
  expect([...named].filter((type) => !ownEventTypes.includes(type))).toEqual([]);
});

test("a name that JavaScript takes for itself is refused, as members would be lost", () => {
  for (const event of [{ type: "t", name: "__proto__" }, { type: "__proto__" }])
    expect(() => parseCondition({ kind: "event", ...event })).toThrow(/another name than "__proto__"/);
  expect(parseCondition({ kind: "event", type: "__proto__", name: "p" })).toMatchObject({ name: "p" });
});
