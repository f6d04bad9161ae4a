import { expect, test } from "vitest";
import { compileWhere } from "../../src/condition/where/compile.ts";
import { whereKey, fnv1a64 } from "../../src/condition/where/key-hash.ts";
import { compareText, parseTime } from "../../src/condition/where/order.ts";
import { canonicalWhere, parseWhere } from "../../src/condition/where/parse.ts";
import type { Where, WhereEvent } from "../../src/condition/where/where.ts";
import { describeWhere, formatFault } from "../../src/condition/where/words.ts";
import type { Json } from "../../src/json.ts";
import { dataPath, eq, errorOf, eventOf } from "./event.ts";

const order: Json = {
  country: "DE",
  amount: 120,
  paid: true,
  note: null,
  tags: ["new", "vip", 7],
  at: "2026-05-01T08:00:00+02:00",
  path: "in/2026/orders.csv",
  customer: { name: "Ada" },
  lines: [{ sku: "a" }, { sku: "b" }],
  __constructor: 1,
};

function matches(where: unknown, event: WhereEvent = eventOf(order)): boolean {
  return compileWhere(parseWhere(where)).matches(event);
}

type Case = readonly [op: string, steps: readonly string[], value: unknown, holds: boolean];
const cases: readonly Case[] = [
  ["eq", ["country"], "DE", true],
  ["eq", ["country"], "de", false],
  ["eq", ["amount"], 120, true],
  ["eq", ["amount"], "120", false],
  ["eq", ["note"], null, true],
  ["eq", ["missing"], null, false],
  ["eq", ["customer", "name"], "Ada", true],
  ["eq", ["lines", "1", "sku"], "b", true],
  ["eq", ["lines", "2", "sku"], "b", false],
  ["eq", ["lines", "length"], 2, false],
  ["eq", ["constructor"], null, false],
  ["exists", ["__proto__"], true, false],
  ["exists", ["constructor", "name"], true, false],
  ["ne", ["country"], "FR", true],
  ["ne", ["country"], "DE", false],
  ["ne", ["missing"], "DE", true],
  ["lt", ["amount"], 121, true],
  ["lt", ["amount"], 120, false],
  ["lte", ["amount"], 120, true],
  ["gt", ["amount"], 119.5, true],
  ["gt", ["missing"], 0, false],
  ["gte", ["amount"], "100", false],
  ["gte", ["country"], "DE", true],
  ["gt", ["country"], "D", true],
  ["eq", ["at"], { time: "2026-05-01T06:00:00Z" }, true],
  ["gt", ["at"], { time: "2026-05-01T05:59:59.999Z" }, true],
  ["gt", ["country"], { time: "2026-05-01T05:59:59Z" }, false],
  ["gt", ["amount"], { time: "1970-01-01T00:00:00Z" }, false],
  ["prefix", ["country"], "D", true],
  ["prefix", ["amount"], "1", false],
  ["suffix", ["path"], ".csv", true],
  ["contains", ["path"], "2026", true],
  ["glob", ["path"], "in/*/*.csv", true],
  ["glob", ["path"], "in/*.csv", false],
  ["glob", ["path"], "**.csv", true],
  ["glob", ["path"], "in/????/orders.csv", true],
  ["glob", ["path"], "*", false],
  ["glob", ["country"], "[D]E", false],
  ["glob", ["country"], "D\\E", true],
  ["matches", ["path"], "orders\\.(csv|json)$", true],
  ["matches", ["path"], "^orders", false],
  ["in", ["country"], ["FR", "DE"], true],
  ["in", ["country"], ["FR", 1, null], false],
  ["in", ["missing"], [null], false],
  ["exists", ["note"], true, true],
  ["exists", ["note"], false, false],
  ["exists", ["missing"], false, true],
  ["has", ["tags"], "vip", true],
  ["has", ["tags"], 7, true],
  ["has", ["tags"], "7", false],
  ["has", ["country"], "D", false],
];

test.each(cases)("`%s` of %j and %j is %j", (op, steps, value, holds) => {
  const leaf = { op, path: ["data", ...steps], value };
  expect(matches(leaf)).toBe(holds);
  expect(matches({ op: "not", of: leaf })).toBe(!holds);
});

test("the event's attributes are filtered as its data is", () => {
  const event = eventOf(null, { subject: "orders/17", attributes: { traceparent: "00-1" } });
  expect(matches({ op: "prefix", path: ["subject"], value: "orders/" }, event)).toBe(true);
  expect(matches({ op: "eq", path: ["type"], value: "order.paid" }, event)).toBe(true);
  expect(matches({ op: "glob", path: ["source"], value: "shop/*" }, event)).toBe(true);
  expect(matches({ op: "eq", path: ["id"], value: "e2" }, event)).toBe(false);
  expect(matches({ op: "eq", path: ["attributes", "traceparent"], value: "00-1" }, event)).toBe(true);
  expect(matches({ op: "exists", path: ["attributes", "traceparent"], value: false }, eventOf(null))).toBe(
    true,
  );
  expect(matches({ op: "exists", path: ["subject"], value: false }, eventOf(null))).toBe(true);
  expect(matches({ op: "gte", path: ["time"], value: { time: "2026-05-01T08:00:00+02:00" } }, event)).toBe(
    true,
  );
  expect(matches({ op: "gt", path: ["time"], value: { time: "2026-05-01T08:00:00+02:00" } }, event)).toBe(
    false,
  );
});

test("`and` of nothing holds for every event", () => {
  expect(matches({ op: "and", of: [] })).toBe(true);
});

test("texts are ordered by code point, not by code unit", () => {
  expect(compareText("\uffff", "\u{10000}")).toBeLessThan(0);
  expect(compareText("a", "ab")).toBeLessThan(0);
  expect(compareText("b", "ab")).toBeGreaterThan(0);
  expect(compareText("\u{1f600}", "\u{1f600}")).toBe(0);
});

test.each([
  ["2026-05-01T06:00:00Z", "2026-05-01T06:00:00.000Z"],
  ["2026-05-01t08:00:00.123456+02:00", "2026-05-01T06:00:00.123Z"],
  ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
])("the time %s is %s", (text, iso) => {
  expect(new Date(parseTime(text) ?? 0).toISOString()).toBe(iso);
});

test.each([
  "2026-05-01",
  "2026-02-30T00:00:00Z",
  "2026-05-01T24:00:00Z",
  "2026-05-01T06:00:00",
  "tomorrow",
  "",
])("%j is no time", (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test("equalities are the conjuncts that an index can use", () => {
  const where: Where = {
    op: "and",
    of: [
      eq("country", "DE"),
      { op: "and", of: [eq("paid", true), { op: "in", path: dataPath("kind"), value: ["a", "b", "a"] }] },
      { op: "in", path: dataPath("only"), value: [3] },
      { op: "not", of: eq("amount", 1) },
      { op: "gt", path: dataPath("amount"), value: 1 },
      { op: "or", of: [eq("state", "open"), { op: "and", of: [eq("state", "held"), eq("age", 3)] }] },
      { op: "or", of: [eq("x", 1), eq("y", 1)] },
      { op: "eq", path: dataPath("at"), value: { time: "2026-05-01T06:00:00Z" } },
      { op: "cel", text: "data.region == 'EU' && data.size in [1, 2.5] && (data.a == 1 || data.b == 2)" },
    ],
  };
  const { equalities, alternatives } = compileWhere(parseWhere(where));
  expect(equalities).toEqual([
    { path: ["data", "country"], value: "DE" },
    { path: ["data", "paid"], value: true },
    { path: ["data", "only"], value: 3 },
    { path: ["data", "region"], value: "EU" },
  ]);
  expect(alternatives).toEqual([
    { path: ["data", "kind"], oneOf: ["a", "b"] },
    { path: ["data", "state"], oneOf: ["open", "held"] },
    { path: ["data", "size"], oneOf: [1, 2.5] },
  ]);
});

test("an explanation names each part that did not hold, with what was found", () => {
  const where: Where = {
    op: "and",
    of: [
      eq("country", "FR"),
      { op: "gte", path: dataPath("amount"), value: 100 },
      { op: "exists", path: dataPath("note"), value: false },
      { op: "has", path: dataPath("tags"), value: "old" },
      { op: "or", of: [eq("paid", false), eq("missing", 1)] },
      { op: "not", of: { op: "prefix", path: ["source"], value: "shop" } },
    ],
  };
  expect(compileWhere(parseWhere(where)).explain(eventOf(order)).map(formatFault)).toEqual([
    'data.country is "DE", expected "FR"',
    "data.note is null, expected nothing",
    'data.tags is a list of 3, expected a list that has "old"',
    "data.paid is true, expected false; data.missing is nothing, expected 1: none of 2 alternatives holds",
    '`not (source starts with "shop")` is that it holds, expected it not to hold',
  ]);
  expect(describeWhere(where)).toBe(
    'data.country == "FR" and data.amount >= 100 and data.note is absent and data.tags has "old"' +
      ' and (data.paid == false or data.missing == 1) and not (source starts with "shop")',
  );
});

test("an explanation shows the beginning of a long value only", () => {
  const [fault] = compileWhere(eq("x", "y")).explain(eventOf({ x: "z".repeat(1_000_000) }));
  expect(fault?.found.length).toBeLessThan(200);
});

type Refusal = readonly [what: string, json: unknown, says: string];
const refusals: readonly Refusal[] = [
  ["no object", "x", "$: expected an object"],
  ["a list", [], "$: expected an object"],
  ["an unknown operator", { op: "equals", path: ["data"], value: 1 }, "$.op"],
  ["an operator that only a prototype has", { op: "constructor", path: ["data"], value: 1 }, "$.op"],
  ["a misspelt operator", { op: "prefx", path: ["data"], value: "1" }, 'Did you mean "prefix"?'],
  ["no value", { op: "eq", path: ["data"] }, "$.value: is missing"],
  ["an unknown member", { op: "eq", path: ["data"], value: 1, case: false }, "$.case: unknown here"],
  ["a hidden member", JSON.parse('{"op":"and","of":[],"__proto__":1}'), "$.__proto__: unknown here"],
  ["no path", { op: "eq", path: [], value: 1 }, "$.path"],
  ["a number in a path", { op: "eq", path: ["data", 1], value: 1 }, "$.path[1]: expected a text"],
  ["an unknown root", { op: "eq", path: ["date", "x"], value: 1 }, 'Did you mean "data"?'],
  ["a part of a text", { op: "eq", path: ["source", "x"], value: "1" }, "$.path[1]"],
  ["all attributes", { op: "exists", path: ["attributes"], value: true }, "$.path"],
  ["a number for a text", { op: "eq", path: ["subject"], value: 1 }, "$.value"],
  ["a text for the event's time", { op: "gt", path: ["time"], value: "2026" }, "$.value"],
  ["a wrong time", { op: "gt", path: ["time"], value: { time: "2026" } }, "$.value.time"],
  ["an infinite number", { op: "eq", path: ["data"], value: Number.POSITIVE_INFINITY }, "$.value"],
  ["an object to compare with", { op: "eq", path: ["data"], value: { a: 1 } }, "$.value.a"],
  ["an order of booleans", { op: "lt", path: ["data"], value: true }, "$.value"],
  ["a prefix that is no text", { op: "prefix", path: ["data"], value: 1 }, "$.value"],
  ["an empty `in`", { op: "in", path: ["data"], value: [] }, "$.value"],
  ["a list within `in`", { op: "in", path: ["data"], value: [1, [2]] }, "$.value[1]"],
  ["a question that is no boolean", { op: "exists", path: ["data"], value: 1 }, "$.value"],
  ["an empty `or`", { op: "or", of: [] }, "$.of"],
  ["a fault deep inside", { op: "and", of: [{ op: "not", of: { op: "x" } }] }, "$.of[0].of.op"],
  ["a look-ahead", { op: "matches", path: ["data"], value: "(?=a)" }, "$.value"],
  ["a back-reference", { op: "matches", path: ["data"], value: "(a)\\1" }, "$.value"],
  ["a pattern that explodes", { op: "matches", path: ["data"], value: "((a{99}){99}){9}" }, "$.value"],
  ["a glob that ends too early", { op: "glob", path: ["data"], value: "a\\" }, "backslash"],
];

test.each(refusals)("%s is refused with its place", (_, json, says) => {
  const error = errorOf(() => parseWhere(json));
  expect(error.code).toBe("MILLRACE_WHERE_INVALID");
  expect(error.message).toContain(says);
});

test("messages begin at the place that the caller names", () => {
  const error = errorOf(() => parseWhere({ op: "x" }, ["on", 0, "where"]));
  expect(error.message).toContain("$.on[0].where.op");
});

test("depth, parts, values, texts and paths are bounded", () => {
  let deep: unknown = eq("x", 1);
  for (let level = 0; level < 100_000; level += 1) deep = { op: "not", of: deep };
  const tooLarge: readonly unknown[] = [
    deep,
    { op: "and", of: Array.from({ length: 501 }, () => eq("x", 1)) },
    { op: "in", path: ["data"], value: Array.from({ length: 1_001 }, (_, at) => at) },
    eq("x", "y".repeat(5_000)),
    { op: "glob", path: ["data"], value: "a".repeat(501) },
    { op: "matches", path: ["data"], value: "a".repeat(501) },
    { op: "exists", path: ["data", ...Array.from({ length: 32 }, () => "x")], value: true },
    { op: "exists", path: ["data", "x".repeat(257)], value: true },
  ];
  for (const json of tooLarge) expect(errorOf(() => parseWhere(json)).code).toBe("MILLRACE_WHERE_INVALID");
});

test("an evil pattern takes time linear to the text", () => {
  const compiled = compileWhere(parseWhere({ op: "matches", path: dataPath("x"), value: "^(a+)+$" }));
  expect(compiled.matches(eventOf({ x: `${"a".repeat(20_000)}b` }))).toBe(false);
  const glob = compileWhere(parseWhere({ op: "glob", path: dataPath("x"), value: `${"*a".repeat(50)}b` }));
  expect(glob.matches(eventOf({ x: "a".repeat(2_000) }))).toBe(false);
});

test("the canonical text has one form for each filter", () => {
  const one = parseWhere({ op: "lt", value: { time: "2026-05-01T08:00:00+02:00" }, path: ["data", "at"] });
  const other = parseWhere({ path: ["data", "at"], op: "lt", value: { time: "2026-05-01T06:00:00.000Z" } });
  expect(canonicalWhere(one)).toBe(canonicalWhere(other));
  expect(canonicalWhere(parseWhere(eq("x", -0)))).toBe(canonicalWhere(parseWhere(eq("x", 0))));
  expect(canonicalWhere(eq("x", "1"))).not.toBe(canonicalWhere(eq("x", 1)));
});

test("the hash is FNV-1a of 64 bits", () => {
  expect(fnv1a64("")).toBe("cbf29ce484222325");
  expect(fnv1a64("a")).toBe("af63dc4c8601ec8c");
  expect(fnv1a64("foobar")).toBe("85944171f73967e8");
  expect(fnv1a64("ä€😀")).toBe(referenceHash("ä€😀"));
});

function referenceHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text, "utf8")) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}

test("keys are equal for equal JSON scalars, and tell types and paths apart", () => {
  expect(whereKey(["data", "x"], 1)).toBe(whereKey(["data", "x"], JSON.parse("1.0") as number));
  expect(whereKey(["data", "x"], -0)).toBe(whereKey(["data", "x"], 0));
  const different = [
    whereKey(["data", "x"], 1),
    whereKey(["data", "x"], "1"),
    whereKey(["data", "x"], true),
    whereKey(["data", "x"], "true"),
    whereKey(["data", "x"], null),
    whereKey(["data", "y"], 1),
    whereKey(["data", "x", "1"], 1),
  ];
  expect(new Set(different).size).toBe(different.length);
});
