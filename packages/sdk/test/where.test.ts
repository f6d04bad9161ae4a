import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { compileWhere, errorCodeOf, type Json, type MillraceError, type WhereEvent } from "@millrace/core";
import { expect, test } from "vitest";
import type { EventPath } from "../src/event-path.ts";
import { markCaller } from "../src/source.ts";
import { toEventKey, toWhere, type EventShape, type WherePlace } from "../src/where.ts";
import { lineOf } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");

function placeOf(): WherePlace {
  return { what: 'The filter of "paid"', mark: markCaller(placeOf), root: import.meta.dirname };
}

function eventOf(data: Json): WhereEvent {
  return { source: "shop/eu", id: "1", type: "order.paid", subject: "x", time: 0, data };
}

function errorOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (error) {
    if (errorCodeOf(error) !== undefined) return error as MillraceError;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("an object of tests becomes one conjunction", () => {
  const where = toWhere(
    {
      subject: "x",
      data: {
        country: "DE",
        amount: { gte: 100, lt: 500 },
        name: { prefix: "a" },
        tags: { has: "x" },
        kind: { in: ["a", "b"] },
        note: { exists: false },
        customer: { address: { city: "Bonn" } },
        absent: undefined,
      },
      time: { gte: { time: "1970-01-01T00:00:00Z" } },
      attributes: { region: { ne: "us" } },
    },
    placeOf(),
  );
  expect(where).toEqual({
    op: "and",
    of: [
      { op: "eq", path: ["subject"], value: "x" },
      { op: "eq", path: ["data", "country"], value: "DE" },
      { op: "gte", path: ["data", "amount"], value: 100 },
      { op: "lt", path: ["data", "amount"], value: 500 },
      { op: "prefix", path: ["data", "name"], value: "a" },
      { op: "has", path: ["data", "tags"], value: "x" },
      { op: "in", path: ["data", "kind"], value: ["a", "b"] },
      { op: "exists", path: ["data", "note"], value: false },
      { op: "eq", path: ["data", "customer", "address", "city"], value: "Bonn" },
      { op: "gte", path: ["time"], value: { time: "1970-01-01T00:00:00.000Z" } },
      { op: "ne", path: ["attributes", "region"], value: "us" },
    ],
  });
  const data = {
    country: "DE",
    amount: 100,
    name: "ada",
    tags: ["x"],
    kind: "b",
    customer: { address: { city: "Bonn" } },
  };
  expect(compileWhere(where).matches(eventOf(data))).toBe(true);
  expect(compileWhere(where).matches(eventOf({ ...data, note: null }))).toBe(false);
});

test("alternatives, conjunctions and negations hold filters and CEL", () => {
  const where = toWhere(
    {
      anyOf: [{ data: { a: 1 } }, "data.b > data.c"],
      allOf: [{ data: { d: true } }],
      not: { data: { e: null } },
    },
    placeOf(),
  );
  expect(where).toEqual({
    op: "and",
    of: [
      {
        op: "or",
        of: [
          { op: "eq", path: ["data", "a"], value: 1 },
          { op: "cel", text: "data.b > data.c" },
        ],
      },
      { op: "eq", path: ["data", "d"], value: true },
      { op: "not", of: { op: "eq", path: ["data", "e"], value: null } },
    ],
  });
});

test("one test stands for itself, and none holds for every event", () => {
  expect(toWhere("data.a == 1", placeOf())).toEqual({ op: "cel", text: "data.a == 1" });
  expect(toWhere({ data: { gte: 1 } }, placeOf())).toEqual({ op: "eq", path: ["data", "gte"], value: 1 });
  expect(toWhere({}, placeOf())).toEqual({ op: "and", of: [] });
});

const circular: { not?: unknown } = {};
circular.not = circular;
let deep: unknown = { subject: "x" };
for (let level = 0; level < 50; level += 1) deep = { not: deep };

type Refusal = readonly [what: string, input: unknown, code: string, says: string];
const refusals: readonly Refusal[] = [
  ["nothing", undefined, "MILLRACE_WHERE_INVALID", "expected an object"],
  ["an unknown attribute", { date: {} }, "MILLRACE_WHERE_INVALID", 'Did you mean "data"?'],
  ["an unknown operator", { subject: { prefx: "a" } }, "MILLRACE_WHERE_INVALID", 'Did you mean "prefix"?'],
  ["an operator beside a field", { data: { a: { gte: 1, b: 2 } } }, "MILLRACE_WHERE_INVALID", "data.a.b"],
  ["a wrong value", { data: { a: { gte: true } } }, "MILLRACE_WHERE_INVALID", "$.data.a.gte.value"],
  ["a function", { data: { a: () => 1 } }, "MILLRACE_WHERE_INVALID", "$.data.a"],
  ["a date", { data: { a: { gte: new Date(0) } } }, "MILLRACE_WHERE_INVALID", "$.data.a.gte"],
  ["a list as a value", { data: { a: [1] } }, "MILLRACE_WHERE_INVALID", "$.data.a"],
  ["an empty test", { data: { a: {} } }, "MILLRACE_WHERE_INVALID", "data.a"],
  ["data that is no object", { data: 5 }, "MILLRACE_WHERE_INVALID", "at data"],
  ["no alternative", { anyOf: [] }, "MILLRACE_WHERE_INVALID", "no event would match"],
  ["one alternative without a list", { anyOf: { subject: "x" } }, "MILLRACE_WHERE_INVALID", "anyOf"],
  ["a circle", circular, "MILLRACE_WHERE_INVALID", "contains itself"],
  ["a filter that is too deep", deep, "MILLRACE_WHERE_INVALID", "deep"],
  [
    "wrong CEL",
    { not: "data.a ==" },
    "MILLRACE_EXPRESSION_INVALID",
    "$.not.text is wrong at line 1, column 10",
  ],
];

test.each(refusals)("%s is refused with its place and line", (_, input, code, says) => {
  const error = errorOf(() => toWhere(input, placeOf())); // the place of refusals
  expect(error.code).toBe(code);
  expect(error.message).toContain('The filter of "paid"');
  expect(error.message).toContain(says);
  expect(error.source).toMatchObject({
    file: "where.test.ts",
    line: lineOf(source, "// the place of refusals"),
  });
});

test("a key is a path, a function that names one, or CEL", () => {
  const path = { kind: "path", path: ["data", "customer", "id"] };
  expect(toEventKey("data.customer.id", placeOf())).toEqual(path);
  expect(
    toEventKey((e: EventPath<EventShape<{ customer?: { id: string } }>>) => e.data.customer.id, placeOf()),
  ).toEqual(path);
  expect(toEventKey((e: { data: { lines: { sku: string }[] } }) => e.data.lines[0]!.sku, placeOf())).toEqual({
    kind: "path",
    path: ["data", "lines", "0", "sku"],
  });
  expect(toEventKey({ cel: "data.a + data.b" }, placeOf())).toEqual({ kind: "cel", text: "data.a + data.b" });
});

type Misuse = readonly [
  what: string,
  misuse: (e: EventPath<EventShape<{ id: string; n: number }>>) => unknown,
];
const misuses: readonly Misuse[] = [
  ["calculated with or turned into a text", (e) => `${e.data.id as never as string}!`],
  ["calculated with or turned into a text", (e) => (e.data.n as never as number) + 1],
  ["calculated with or turned into a text", (e) => (e.data.n as never as number) > 1],
  ["called as a function", (e) => (e.data.id as never as string).trim()],
  ["turned into a text", (e) => (e.data.id as never as { toString: string }).toString],
  ["iterated or spread", (e) => [...(e.data.id as never as string[])]],
  ["spread or listed by its keys", (e) => ({ ...e.data })],
  ["serialised to JSON", (e) => JSON.stringify({ id: e.data.id })],
  ["searched with `in`", (e) => "id" in e.data],
  ["written to", (e) => ((e.data as { id: unknown }).id = 1)],
];

test.each(misuses.map((misuse, index) => [...misuse, index] as const))(
  "a path that is %s names the place of the misuse",
  (what, misuse, index) => {
    const error = errorOf(() => toEventKey(misuse, { ...placeOf(), what: 'the key of "paid"' }));
    expect(error.code).toBe("MILLRACE_REFERENCE_MISUSED");
    expect(error.message).toContain(what);
    expect(error.message).toContain('the key of "paid"');
    expect(error.advice).toContain("(e) => e.data.orderId");
    const first = lineOf(source, "const misuses: readonly Misuse[]") + 1;
    expect(error.source).toMatchObject({ file: "where.test.ts", line: first + index });
  },
);

test("a function that returns no path, or throws, is refused at the line of the key", () => {
  let leaked: unknown;
  toEventKey((e: { data: { id: string } }) => (leaked = e.data.id), placeOf());
  const throwing = () => (undefined as never as { x: number }).x;
  for (const wrong of [() => "data.id", () => undefined, (e: unknown) => e, () => leaked, throwing]) {
    const error = errorOf(() => toEventKey(wrong, placeOf())); // the place of wrong keys
    expect(error.code).toBe("MILLRACE_REFERENCE_MISUSED");
    expect(error.source?.line).toBe(lineOf(source, "// the place of wrong keys"));
  }
});

test.each([
  ["dta.id", "MILLRACE_WHERE_INVALID", 'Did you mean "data"?'],
  ["", "MILLRACE_WHERE_INVALID", "an event has no"],
  [5, "MILLRACE_OPTION_INVALID", "is no key"],
  [{ cel: "data." }, "MILLRACE_EXPRESSION_INVALID", "line 1, column 6"],
  [{ cel: "x", more: 1 }, "MILLRACE_OPTION_INVALID", "is no key"],
])("the key %j is refused", (input, code, says) => {
  const error = errorOf(() => toEventKey(input, placeOf()));
  expect(error.code).toBe(code);
  expect(error.message).toContain(says);
});

test("a recorded path can be printed while debugging", () => {
  let printed = "";
  toEventKey((e: { data: { id: string } }) => {
    printed = inspect(e.data.id);
    return e.data.id;
  }, placeOf());
  expect(printed).toBe("EventPath<data.id>");
});
