/** An approval's form as fields, and what was entered as what is sent. */
import type { JsonSchema } from "@millrace/core";
import { expect, test } from "vitest";
import { faultsOf, fieldsOf, initially, keyOf, read } from "../src/pages/approvals/form-fields.ts";

const schema: JsonSchema = {
  type: "object",
  properties: {
    copies: { type: "integer", minimum: 1, maximum: 500, description: "how many" },
    price: { type: "number" },
    colour: { type: "boolean", default: true },
    paper: { enum: ["A4", 5, null], default: "A4" },
    day: { type: "string", format: "date" },
    at: { type: "string", format: "date-time" },
    readers: { type: "array", items: { type: "string" } },
    name: { type: "string", title: "Your name" },
    more: { type: "object", properties: {} },
    any: true,
  },
  required: ["copies", "name", "readers"],
};

test("each property is the field that it can be entered in, and JSON where there is none", () => {
  const fields = fieldsOf(schema);
  expect(fields.map(({ name, kind, isRequired }) => `${name} ${kind}${isRequired ? "!" : ""}`)).toEqual([
    "copies integer!",
    "price number",
    "colour flag",
    "paper choice",
    "day date",
    "at time",
    "readers texts!",
    "name text!",
    "more json",
    "any json",
  ]);
  expect(fields[0]).toMatchObject({ help: "how many", least: 1, most: 500 });
  expect(fields[7]).toMatchObject({ label: "Your name" });
  expect(fieldsOf(true)).toMatchObject([{ name: undefined, kind: "json" }]);
  expect(fieldsOf({ anyOf: [{ type: "string" }, { type: "null" }] })).toMatchObject([{ kind: "json" }]);
});

test("what was entered is sent with its type; what is empty and may be left out is not sent", () => {
  const fields = fieldsOf(schema);
  const entered = {
    ...initially(fields),
    copies: "3",
    readers: "a@example.com\n\n b@example.com ",
    name: "Ann",
    more: '{"x": [1]}',
    paper: "1",
    day: "2026-11-27",
  };
  expect(read(fields, entered)).toEqual({
    value: {
      copies: 3,
      colour: true,
      paper: 5,
      day: "2026-11-27",
      readers: ["a@example.com", "b@example.com"],
      name: "Ann",
      more: { x: [1] },
    },
  });
});

test("what can't be read is told by its field, and nothing is sent", () => {
  const fields = fieldsOf(schema);
  const found = read(fields, { copies: "2.5", price: "much", more: "{", readers: "a", at: "soon" });
  expect(found).toEqual({
    faults: {
      copies: "This must be a whole number.",
      price: "This is no number.",
      more: expect.stringContaining("not JSON") as string,
      at: "This is no time.",
      name: "This is needed.",
    },
  });
});

test("a form that is no object is one value, and a field may have any name", () => {
  expect(read(fieldsOf({ type: "integer" }), { "": "7" })).toEqual({ value: 7 });
  const properties = JSON.parse('{"__proto__": {"type": "string"}}') as { [name: string]: JsonSchema };
  const sent = read(fieldsOf({ type: "object", properties }), Object.fromEntries([["__proto__", "x"]]));
  expect(JSON.stringify(sent)).toBe('{"value":{"__proto__":"x"}}');
});

test("what the server finds stands by its field", () => {
  const fields = fieldsOf(schema);
  const issues = [
    { path: "$.copies", message: "must be <= 500" },
    { path: "$.readers[1]", message: "must be a mail address" },
    { path: "$.readersAlso", message: "is not known" },
  ];
  expect(faultsOf(fields, issues)).toEqual({
    faults: { copies: "must be <= 500", readers: "must be a mail address" },
    others: ["is not known"],
  });
});

const nested: JsonSchema = {
  type: "object",
  $defs: { size: { type: "integer", exclusiveMinimum: 0 } },
  properties: {
    address: {
      type: "object",
      title: "Where to",
      properties: { street: { type: "string" }, zip: { type: "string", pattern: "^\\d{5}$" } },
      required: ["street"],
    },
    geo: {
      type: "object",
      properties: { lat: { type: "number" }, lon: { type: "number" } },
      required: ["lat", "lon"],
    },
    sizes: { type: "array", items: { type: "integer" }, minItems: 1, maxItems: 3 },
    kinds: { type: "array", items: { enum: ["x", "y", 3] }, default: ["y"] },
    width: { $ref: "#/$defs/size" },
    reason: { anyOf: [{ type: "string" }, { type: "null" }] },
    level: { anyOf: [{ const: "low" }, { const: "high" }] },
    lines: { type: "array", items: { type: "object", properties: { sku: { type: "string" } } } },
  },
  required: ["address", "reason"],
};

test("objects are fields of their own, lists of numbers lines, lists of choices are picked; bounds are in words", () => {
  const fields = fieldsOf(nested);
  expect(
    fields.map(({ path, kind, isRequired }) => `${path.join("/")} ${kind}${isRequired ? "!" : ""}`),
  ).toEqual([
    "address/street text!",
    "address/zip text",
    "geo/lat number!",
    "geo/lon number!",
    "sizes numbers",
    "kinds picks",
    "width integer",
    "reason text",
    "level choice",
    "lines json",
  ]);
  expect(fields.map(({ groups, optionalAt }) => [groups, optionalAt]).slice(0, 3)).toEqual([
    [["Where to"], []],
    [["Where to"], []],
    [["geo"], [1]],
  ]);
  expect(fields.map(({ limits }) => limits.join()).filter(Boolean)).toEqual([
    "like ^\\d{5}$",
    "1 to 3 of them",
    "more than 0",
  ]);
  expect(fields[5]).toMatchObject({ initial: "1", choices: ["x", "y", 3] });
  expect(fields[9]).toMatchObject({ example: '[{ "sku": … }]' });
});

test("of an object that may be left out nothing is asked for until something of it was entered", () => {
  const fields = fieldsOf(nested);
  const [street, , lat] = fields.map(keyOf);
  const begun = { ...initially(fields), [street!]: "Main" };
  expect(read(fields, begun)).toEqual({
    value: { address: { street: "Main" }, kinds: ["y"], reason: null },
  });
  const half = { ...begun, [lat!]: "1.5", sizes: "1\n 2 \n", kinds: "0,2", level: "1" };
  expect(read(fields, half)).toEqual({ faults: { [keyOf(fields[3]!)]: "This is needed." } });
  expect(read(fields, { ...half, [keyOf(fields[3]!)]: "2" })).toEqual({
    value: {
      address: { street: "Main" },
      geo: { lat: 1.5, lon: 2 },
      sizes: [1, 2],
      kinds: ["x", 3],
      reason: null,
      level: "high",
    },
  });
  expect(read(fields, { ...begun, sizes: "1\nmany" })).toEqual({
    faults: { sizes: "These are not numbers, one a line." },
  });
});

test("what the server finds within an object stands by its innermost field", () => {
  const fields = fieldsOf(nested);
  const issues = [
    { path: "$.address.zip", message: "must match" },
    { path: "$.lines[0].sku", message: "is needed" },
    { path: "$.address", message: "is odd" },
  ];
  expect(faultsOf(fields, issues)).toEqual({
    faults: { [keyOf(fields[1]!)]: "must match", lines: "is needed" },
    others: ["is odd"],
  });
});
