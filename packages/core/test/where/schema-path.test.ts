import { expect, test } from "vitest";
import { findSchemaLack } from "../../src/condition/where/schema-path.ts";
import type { JsonSchema } from "../../src/graph/definition.ts";

const schema: JsonSchema = {
  type: "object",
  properties: {
    country: { type: "string" },
    customer: { $ref: "#/$defs/customer" },
    lines: { type: "array", items: { type: "object", properties: { sku: { type: "string" } } } },
    pair: { type: "array", prefixItems: [{ type: "object", properties: { a: {} } }] },
    labels: {
      type: "object",
      additionalProperties: { type: "object", properties: { text: { type: "string" } } },
    },
    anything: {},
    open: { type: "object", properties: { known: {} }, additionalProperties: true },
    choice: {
      anyOf: [
        { type: "object", properties: { card: { type: "string" } } },
        { type: "object", properties: { iban: { type: "string" } } },
        { type: "null" },
      ],
    },
    tree: { $ref: "#/$defs/tree" },
    foreign: { $ref: "https://example.com/schema.json" },
    kind: { enum: ["a", "b"] },
  },
  $defs: {
    customer: { type: "object", properties: { id: { type: "string" } }, additionalProperties: false },
    tree: { type: "object", properties: { child: { $ref: "#/$defs/tree" } } },
  },
};

test.each([
  "country",
  "customer.id",
  "lines.0.sku",
  "pair.0.a",
  "labels.any.text",
  "anything.at.all",
  "open.more.than.known",
  "choice.card",
  "choice.iban",
  "tree.child.child.child",
  "foreign.part",
])("the schema knows %s, or leaves it open", (path) => {
  expect(findSchemaLack(schema, path.split("."))).toBeUndefined();
});

test.each([
  ["county", "county", "country"],
  ["customer.idd", "customer.idd", "id"],
  ["customer.address.city", "customer.address", undefined],
  ["country.code", "country.code", undefined],
  ["lines.sku", "lines.sku", undefined],
  ["lines.0.sk", "lines.0.sk", "sku"],
  ["labels.any.txt", "labels.any.txt", "text"],
  ["choice.bic", "choice.bic", undefined],
  ["tree.child.chld", "tree.child.chld", "child"],
  ["kind.a", "kind.a", undefined],
  ["constructor", "constructor", undefined],
])("the schema lacks %s from %s on", (path, lacking, nearest) => {
  expect(findSchemaLack(schema, path.split("."))).toEqual({
    path: lacking.split("."),
    ...(nearest === undefined ? {} : { nearest }),
  });
});

test("a schema of anything leaves everything open, and one that refers to itself ends", () => {
  expect(findSchemaLack(true, ["a"])).toBeUndefined();
  expect(findSchemaLack({}, ["a"])).toBeUndefined();
  expect(findSchemaLack(false, ["a"])).toEqual({ path: ["a"] });
  expect(findSchemaLack({ $ref: "#" }, ["a"])).toEqual({ path: ["a"] });
  expect(findSchemaLack({ $ref: "#/%E0%A4/~1%20" }, ["a"])).toBeUndefined();
});
