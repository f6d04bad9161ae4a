import { expect, test } from "vitest";
import type { JsonSchema } from "@millrace/core";
import { readParams } from "../../src/run-view/params.ts";

const schema: JsonSchema = {
  type: "object",
  properties: {
    day: { type: "string" },
    rows: { type: "integer" },
    dry: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    limit: { anyOf: [{ type: "number" }, { type: "null" }] },
    size: { $ref: "#/$defs/size" },
    kind: { enum: ["a", "b"] },
  },
  $defs: { size: { type: "number" } },
  additionalProperties: false,
};

function read(param: { readonly [name: string]: string }, params?: string): unknown {
  return readParams({ param, ...(params === undefined ? {} : { params }) }, schema, (path) => path);
}

test("values are converted as the schema says", () => {
  expect(
    read({ day: "2026", rows: "12", dry: "true", tags: '["a"]', limit: "null", size: "1.5", kind: "a" }),
  ).toEqual({ day: "2026", rows: 12, dry: true, tags: ["a"], limit: null, size: 1.5, kind: "a" });
});

test("a value that does not fit is refused with the parameter's name", () => {
  expect(() => read({ rows: "many" })).toThrow(/`rows` must be a whole number, found "many"\.$/);
  expect(() => read({ dry: "yes" })).toThrow(/`dry` must be a boolean/);
});

test("an unknown name gets a suggestion", () => {
  expect(() => read({ dayy: "x" })).toThrow(
    expect.objectContaining({ advice: expect.stringContaining("`day`") }),
  );
});

test("single values win over the JSON, and what is no JSON is told", () => {
  expect(read({ rows: "2" }, '{"rows": 1, "day": "x"}')).toEqual({ rows: 2, day: "x" });
  expect(() => read({}, "{rows: 1}")).toThrow(/not JSON/);
});

test("without a schema numbers and booleans are recognised, the rest is text", () => {
  const given = { a: "1", b: "true", c: "x y", d: "[1]" };
  expect(readParams({ param: given }, undefined, (path) => path)).toEqual({
    a: 1,
    b: true,
    c: "x y",
    d: [1],
  });
});

test("the parameters of a union are those of all its cases", () => {
  const union: JsonSchema = {
    oneOf: [
      {
        type: "object",
        properties: { kind: { const: "a" }, x: { type: "number" } },
        additionalProperties: false,
      },
      { type: "object", properties: { kind: { const: "b" }, x: { type: "boolean" } } },
      { $ref: "#/$defs/c" },
    ],
    $defs: { c: { allOf: [{ type: "object", properties: { y: { type: "integer" } } }] } },
  };
  const of = (param: { readonly [name: string]: string }): unknown =>
    readParams({ param }, union, (path) => path);
  expect(of({ kind: "a", x: "4", y: "5" })).toEqual({ kind: "a", x: 4, y: 5 });
  expect(of({ kind: "b", x: "true" })).toEqual({ kind: "b", x: true });
  expect(() => of({ kindd: "a" })).toThrow(
    expect.objectContaining({ advice: "Did you mean `kind`? It takes: kind, x, y." }),
  );
});
