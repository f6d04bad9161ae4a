import { array, assert, constantFrom, property } from "fast-check";
import { expect, test } from "vitest";
import { compileWhere } from "../../src/condition/where/compile.ts";
import { canonicalEventKey, compileEventKey, parseEventKey } from "../../src/condition/where/event-key.ts";
import { compileMapping } from "../../src/condition/where/mapping.ts";
import { parseWhere } from "../../src/condition/where/parse.ts";
import { errorCodeOf } from "../../src/error/millrace-error.ts";
import { formatFault } from "../../src/condition/where/words.ts";
import type { Json } from "../../src/json.ts";
import { errorOf, eventOf } from "./event.ts";

const order: Json = {
  country: "DE",
  amount: 120,
  name: "ada.lovelace",
  tags: ["new", "vip"],
  lines: [
    { sku: "a", count: 1, parts: [{ id: 1 }] },
    { sku: "b", count: 3, parts: [{ id: 2 }, { id: 3 }] },
  ],
};
const event = eventOf(order, { subject: "orders/17", attributes: { region: "eu" } });

function cel(text: string) {
  return compileWhere(parseWhere({ op: "cel", text }));
}

const holding: readonly string[] = [
  "data.country == 'DE' && data.amount >= 100",
  "data.country in ['DE', 'AT']",
  "type == 'order.paid' && source.startsWith('shop/') && id == 'e1'",
  "subject.endsWith('17')",
  "time >= timestamp('2026-05-01T00:00:00Z') && time.getHours() == 6",
  "attributes.region == 'eu'",
  "has(data.country) && !has(data.missing)",
  "data.?missing.orValue('none') == 'none'",
  "data[?'missing'].orValue(3) == 3",
  "data.tags.exists(t, t == 'vip')",
  "data.lines.all(l, l.count > 0) && data.lines.exists_one(l, l.sku == 'b')",
  "data.lines.exists(l, l.parts.exists(p, p.id == 3))",
  "data.lines.filter(l, l.count > 2).size() == 1",
  "data.lines.exists(type, type.sku == 'a') && type == 'order.paid'",
  "data.?missing.orValue([]).all(t, t == 'x') && !data.?missing.orValue(['a']).exists(t, t == 'x')",
  "data.?tags.orValue([]).filter(t, t != 'new').exists(t, t == 'vip')",
  "['lovelace', 'byron'].exists(n, data.name.contains(n))",
  "data.name.matches('^ada\\\\.[a-z]+$')",
  "int(data.amount) % 2 == 0",
  "data.amount / 7.0 > 17.0",
  "type(data.country) == string",
  "'vip' in data.tags",
  "size(data.tags) == 2",
  "data.name.lowerAscii() == 'ada.lovelace' ? true : false",
  "false || data.missing == 1 || true",
];

test.each(holding)("%s holds", (text) => {
  const compiled = cel(text);
  expect(compiled.explain(event)).toEqual([]);
  expect(compiled.matches(event)).toBe(true);
});

const failing: readonly (readonly [text: string, faults: readonly string[]])[] = [
  ["data.country == 'FR' && data.amount >= 100", ['data.country is "DE", expected "FR"']],
  [
    "data.amount > 200 && data.tags.size() > 5",
    ["`data.amount > 200` is false, expected true", "`data.tags.size() > 5` is false, expected true"],
  ],
  ["data.missing == 'x'", ['data.missing is nothing, expected "x"']],
  ["data.missing > 3", ["`data.missing > 3` is an error (No such key: missing), expected true"]],
  ["data.country", ['`data.country` is "DE", expected true']],
  [
    "data.amount < '10'",
    ["`data.amount < '10'` is an error (no such overload: dyn<double> < string), expected true"],
  ],
  [
    "data.amount % 2 == 0",
    ["`data.amount % 2 == 0` is an error (no such overload: dyn<double> % int), expected true"],
  ],
  [
    "data.__proto__ == 1 || data.constructor == 1",
    ["`data.__proto__ == 1 || data.constructor == 1` is an error (No such key: constructor), expected true"],
  ],
  [
    "(data.amount + 1.0) * 2.0 == 4.0 && data.country == 'DE'",
    ["`(data.amount + 1.0) * 2.0 == 4.0 && data.country == 'DE'` is false, expected true"],
  ],
];

test.each(failing)("%s does not hold, and says why", (text, faults) => {
  const compiled = cel(text);
  expect(compiled.matches(event)).toBe(false);
  expect(compiled.explain(event).map(formatFault)).toEqual(faults);
});

test("an absent subject is null", () => {
  expect(cel("subject == null").matches(eventOf({}))).toBe(true);
  expect(cel("subject.startsWith('x')").matches(eventOf({}))).toBe(false);
});

test("equalities of an expression are for the index, unless CEL reads them in another way", () => {
  const { equalities, alternatives } = cel(
    "data.a == 'x' && (1 == data['b'] && data.c in [true, -2]) && attributes.region == 'eu' && type == 't'" +
      " && data.d != 1 && data.e == null && data.f == 9007199254740993 && data.g[0] == 1 && data.?h.orValue(1) == 1" +
      " && data.i == 1u && time == timestamp('2026-05-01T00:00:00Z')",
  );
  expect(equalities).toEqual([
    { path: ["data", "a"], value: "x" },
    { path: ["data", "b"], value: 1 },
    { path: ["attributes", "region"], value: "eu" },
    { path: ["type"], value: "t" },
  ]);
  expect(alternatives).toEqual([{ path: ["data", "c"], oneOf: [true, -2] }]);
});

const refused: readonly (readonly [text: string, says: string])[] = [
  ["data.country ==", "line 1, column 16"],
  ["data.a == 1 &&\n  date.b == 2", 'line 2, column 3: there is no "date" here; did you mean "data"?'],
  ["source + 1 == 's'", "line 1, column 1: no such overload: string + int"],
  ["1 + 1", "it gives an int, and true or false is needed"],
  ["data.x.foo()", 'there is no method "foo" here'],
  ["now() > time", 'there is no function "now" here'],
  ["cel.bind(a, data, a == a)", "bind"],
  ["google.protobuf.Timestamp == type(time)", 'there is no "google" here'],
  ["time.getHours('Europe/Berlin') == 8", "at most 0 arguments"],
  ["time.getDayOfYear() == 8", "getDayOfYear"],
  ["data.x.matches(data.y)", "written out"],
  ["data.x.matches('a' + 'b')", "written out"],
  ["data.x.matches('(?=a)')", "is no RE2 pattern"],
  ["data.x.matches('((a{99}){99}){9}')", "pattern"],
  ["data.x.matchesRe2('a')", "matchesRe2"],
  ["data.list.map(x, data.list).all(y, y.all(z, z == 1))", "not a computed one"],
  ["(data.a + data.b).exists(x, x == 1)", "not a computed one"],
  ["data.constructor.constructor('return process')()", "wrong"],
  ["data.list.exists(1, true)", "invalid predicate iteration variable"],
  ["__proto__ == 1", "__proto__"],
  ["`x`", "wrong"],
  ["", "wrong"],
];

test.each(refused)("%s is refused when it is read", (text, says) => {
  const error = errorOf(() => parseWhere({ op: "cel", text }, ["where"]));
  expect(error.code).toBe("MILLRACE_EXPRESSION_INVALID");
  expect(error.message).toContain("$.where.text");
  expect(error.message).toContain(says);
});

const hostile: readonly (readonly [what: string, text: string])[] = [
  ["a megabyte", `data.x == '${"a".repeat(1_000_000)}'`],
  ["deep parentheses", `${"(".repeat(3_000)}true${")".repeat(3_000)}`],
  ["many negations", `${"!".repeat(7_000)}true`],
  ["many minuses", `${"-".repeat(7_000)}1 == 1`],
  ["deep lists", `${"[".repeat(3_500)}${"]".repeat(3_500)} == []`],
  ["deep choices", `${"true ? ".repeat(700)}true${" : false".repeat(700)}`],
  ["many nodes", Array.from({ length: 700 }, () => "true").join(" && ")],
  ["long paths", `data${".a".repeat(2_000)} == 1`],
  ["a long list", `data.x in [${Array.from({ length: 201 }, (_, at) => at).join(",")}]`],
];

test.each(hostile)("%s are refused at once", (_, text) => {
  expect(errorOf(() => parseWhere({ op: "cel", text })).code).toBe("MILLRACE_EXPRESSION_INVALID");
});

test("what is no text is refused with its place", () => {
  expect(errorOf(() => parseWhere({ op: "cel", text: 5 })).message).toContain("$.text");
});

test("an evil pattern in CEL takes time linear to the text", () => {
  const evil = eventOf({ x: `${"a".repeat(20_000)}b` });
  expect(cel("data.x.matches('^(a+)+$')").matches(evil)).toBe(false);
});

test("walks within walks are evaluated for small events and refused for large ones", () => {
  const text = "data.a.exists(x, data.b.exists(y, x == y))";
  const small = eventOf({ a: [1, 2], b: [2, 3] });
  expect(cel(text).matches(small)).toBe(true);
  const list = Array.from({ length: 5_000 }, (_, at) => at);
  const large = eventOf({ a: list, b: list.map((one) => -1 - one) });
  const quadratic = [
    text,
    "data.a.all(x, x in data.b)",
    "data.a.all(x, data.?b.orValue([]).exists(y, x == y))",
    "data.a.all(x, [data.b][0] == [data.b][0])",
    "data.a.all(x, data.text.contains(string(x)))",
    "data.a.map(x, data.b) == data.b.map(x, data.a)",
    "data.a.all(x, data.a == data.b)",
    "data.a.filter(x, x in data.b).size() > 0",
    "data.a.all(x, x.b.all(y, x.b.all(z, z == y)))",
    "data.a.all(x, data.b.all(y, data.a.all(z, x + y + z > 0)))",
    "[1, 2].all(x, data.a.all(y, data.b.all(z, x + y + z > 0)))",
  ];
  for (const one of quadratic) {
    expect(cel(one).explain(large).map(formatFault).join()).toContain("costs too much");
  }
  const linear = [
    "data.a.all(x, x >= 0)",
    "data.a.all(x, data.b[0] < x)",
    "data.a.exists(x, x == data.a[4999])",
    "data.a.all(x, has(data.b) && data.a[x] == x)",
  ];
  for (const one of linear) expect(cel(one).explain(large)).toEqual([]);
});

test("a key is read from a path or an expression", () => {
  const byPath = compileEventKey(parseEventKey({ kind: "path", path: ["data", "country"] }));
  expect(byPath.keyOf(event)).toEqual({ key: "DE" });
  const byExpression = compileEventKey(
    parseEventKey({ kind: "cel", text: "data.country + '/' + data.lines[0].sku" }),
  );
  expect(byExpression.keyOf(event)).toEqual({ key: "DE/a" });
  expect(compileEventKey(parseEventKey({ kind: "cel", text: "size(data.tags)" })).keyOf(event)).toEqual({
    key: 2,
  });
  expect(
    compileEventKey(parseEventKey({ kind: "cel", text: "-data.zero" })).keyOf(eventOf({ zero: 0 })),
  ).toEqual({
    key: 0,
  });
});

test("an event without a key says what it has instead", () => {
  const key = compileEventKey(parseEventKey({ kind: "path", path: ["data", "id"] }));
  expect(key.keyOf(eventOf({}))).toEqual({ fault: "data.id is nothing" });
  expect(key.keyOf(eventOf({ id: null }))).toEqual({ fault: "data.id is null" });
  expect(key.keyOf(eventOf({ id: [1] }))).toEqual({ fault: "data.id is a list of 1" });
  expect(key.keyOf(eventOf({ id: "x".repeat(5_000) }))).toMatchObject({
    fault: expect.stringContaining("5000") as string,
  });
  const expression = compileEventKey(parseEventKey({ kind: "cel", text: "data.id" }));
  expect(expression.keyOf(eventOf({}))).toEqual({ fault: "No such key: id" });
  expect(expression.keyOf(eventOf({ id: {} }))).toMatchObject({
    fault: expect.stringContaining("gives no text") as string,
  });
});

test.each([
  [{ kind: "path", path: ["dta"] }, "MILLRACE_WHERE_INVALID", 'Did you mean "data"?'],
  [{ kind: "path", path: ["data"], text: "x" }, "MILLRACE_WHERE_INVALID", "$.by"],
  [{ kind: "other" }, "MILLRACE_WHERE_INVALID", "$.by"],
  [null, "MILLRACE_WHERE_INVALID", "$.by"],
  [{ kind: "cel", text: "[1]" }, "MILLRACE_EXPRESSION_INVALID", "it gives a list"],
  [{ kind: "cel", text: "data." }, "MILLRACE_EXPRESSION_INVALID", "of the key at $.by.text"],
] as const)("the key %j is refused", (json, code, says) => {
  const error = errorOf(() => parseEventKey(json, ["by"]));
  expect(error.code).toBe(code);
  expect(error.message).toContain(says);
});

test("a key reads back from its canonical text", () => {
  const key = parseEventKey({ path: ["data", "id"], kind: "path" });
  expect(parseEventKey(JSON.parse(canonicalEventKey(key)))).toEqual(key);
});

test("a mapping makes JSON of JSON", () => {
  const mapping = compileMapping(
    "{'type': 'github.' + headers['x-github-event'], 'subject': body.?repo.orValue('none'), 'n': size(body.list)," +
      " 'at': timestamp('2026-05-01T00:00:00Z'), 'opt': body.?nothing, 'list': body.list.map(x, x * 2.0), 'type2': type}",
    ["body", "headers", "type"],
  );
  const value = { body: { list: [1, 2] }, headers: { "x-github-event": "push" }, type: "json" };
  expect(mapping.valueOf(value)).toEqual({
    value: {
      type: "github.push",
      subject: "none",
      n: 2,
      at: "2026-05-01T00:00:00.000Z",
      opt: null,
      list: [2, 4],
      type2: "json",
    },
  });
});

test.each([
  ["body.missing", "No such key"],
  ["duration('1s')", "it gives"],
  ["dyn(duration('1s'))", "JSON does not have"],
  ["[1u]", "JSON does not have"],
  ["9007199254740993", "make it a `string(…)`"],
  ["1.0 / 0.0", "Infinity"],
])("the mapping %s says what is wrong", (text, says) => {
  let told: string;
  try {
    const outcome = compileMapping(text, ["body"]).valueOf({ body: {} });
    told = "fault" in outcome ? outcome.fault : "nothing";
  } catch (error) {
    told = (error as Error).message;
  }
  expect(told).toContain(says);
});

test("a mapping can't make a value much larger than what it is given", () => {
  const list = Array.from({ length: 1_000 }, (_, at) => at);
  const copies = compileMapping(`[${Array.from({ length: 150 }, () => "body").join(",")}]`, ["body"]);
  expect(copies.valueOf({ body: list })).toMatchObject({
    fault: expect.stringContaining("100000") as string,
  });
  const product = compileMapping("body.map(x, body)", ["body"]);
  expect(product.valueOf({ body: [...list, ...list, ...list, ...list] })).toMatchObject({
    fault: expect.stringContaining("costs too much") as string,
  });
});

test("members of a prototype are not reached by a mapping", () => {
  const hidden = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}') as Json;
  const copied = compileMapping("body", ["body"]).valueOf({ body: hidden });
  expect(JSON.stringify(copied)).toBe('{"value":{"__proto__":{"polluted":true},"a":1}}');
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("data with a member named `constructor` is read as any other", () => {
  const race = eventOf({ constructor: "Ferrari", year: 2020, cars: [{ constructor: { name: "x" }, n: 1 }] });
  for (const text of [
    "data.year == 2020 && data.constructor == 'Ferrari'",
    "data.?year.orValue(0) == 2020 && size(data) == 3",
    "has(data.constructor) && data.cars.exists(c, c.n == 1 && c.constructor.name == 'x')",
  ]) {
    expect(cel(text).explain(race)).toEqual([]);
  }
  const mapping = compileMapping("body.?a.orValue(body)", ["body"]);
  expect(mapping.valueOf({ body: race.data })).toEqual({ value: race.data });
});

test("the paths that a filter or key reads are known", () => {
  const text =
    "data.a.b == 1 && data['c'].exists(x, x.d == data.e[data.f].g) && has(attributes.h) && [data.?i, {'k': data[?'j']}] != []";
  const where = compileWhere(
    parseWhere({
      op: "and",
      of: [
        { op: "not", of: { op: "or", of: [{ op: "cel", text }] } },
        { op: "exists", path: ["subject"], value: true },
      ],
    }),
  );
  expect(where.paths.map((path) => path.join("."))).toEqual([
    "data.a.b",
    "data.c",
    "data.f",
    "data.e",
    "attributes.h",
    "data.i",
    "data.j",
    "subject",
  ]);
  expect(compileEventKey(parseEventKey({ kind: "cel", text: "data.a + data.b.c" })).paths).toEqual([
    ["data", "a"],
    ["data", "b", "c"],
  ]);
});

test("no text makes reading or evaluating fail in another way than told", () => {
  const words =
    "data . ( ) [ ] { } , : ? ! - + * / % == != < <= in && || true null 1 1.5 1u 'a' b'x' x y exists all map filter has size matches".split(
      " ",
    );
  const said = new Set<string>();
  assert(
    property(array(constantFrom(...words), { maxLength: 12 }), constantFrom(" ", ""), (some, gap) => {
      const json = { op: "cel", text: some.join(gap) };
      try {
        said.add(String(compileWhere(parseWhere(json)).explain(event).length === 0));
      } catch (error) {
        said.add(String(errorCodeOf(error)));
      }
    }),
    { numRuns: process.env["MILLRACE_TEST_LONG"] === "1" ? 50_000 : 5_000, seed: 8 },
  );
  expect([...said].sort()).toEqual(["MILLRACE_EXPRESSION_INVALID", "false", "true"]);
});
