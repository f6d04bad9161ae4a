import {
  assert,
  boolean,
  constant,
  constantFrom,
  letrec,
  oneof,
  option,
  property,
  record,
  array,
  uniqueArray,
  type Arbitrary,
} from "fast-check";
import { expect, test } from "vitest";
import { compileWhere } from "../../src/condition/where/compile.ts";
import { whereKey } from "../../src/condition/where/key-hash.ts";
import { canonicalWhere, parseWhere } from "../../src/condition/where/parse.ts";
import { compilePath } from "../../src/condition/where/read.ts";
import type { Where, WhereEvent, WhereScalar } from "../../src/condition/where/where.ts";
import type { Json } from "../../src/json.ts";

const long = process.env["MILLRACE_TEST_LONG"] === "1";
const numRuns = long ? 20_000 : 3_000;

/** Few names and values, so that filters and events meet. */
const steps = constantFrom("a", "b", "c", "0", "length", "constructor", "__proto__");
const scalar: Arbitrary<WhereScalar> = constantFrom<WhereScalar[]>(
  "x",
  "y",
  "xy",
  "1",
  0,
  1,
  1.5,
  true,
  false,
  null,
);
const text = constantFrom("x", "y", "xy", "");
const time = constantFrom("2026-05-01T06:00:00Z", "2026-05-01T08:00:00.000+02:00", "2027-01-01T00:00:00Z");
const path = array(steps, { minLength: 0, maxLength: 2 }).map((rest) => ["data", ...rest]);

const leaf: Arbitrary<Where> = oneof(
  record({ op: constantFrom("eq", "ne", "has"), path, value: scalar }),
  record({ op: constantFrom("lt", "lte", "gt", "gte"), path, value: oneof(text, constantFrom(0, 1, 2)) }),
  record({
    op: constantFrom("eq", "ne", "lt", "lte", "gt", "gte"),
    path: oneof(path, constant(["time"])),
    value: record({ time }),
  }),
  record({ op: constantFrom("prefix", "suffix", "contains", "glob", "matches"), path, value: text }),
  record({ op: constant("in"), path, value: uniqueArray(scalar, { minLength: 1, maxLength: 3 }) }),
  record({ op: constant("exists"), path, value: boolean() }),
  record({ op: constantFrom("eq", "prefix"), path: constantFrom(["subject"], ["type"]), value: text }),
  constantFrom(
    { op: "cel", text: "data.a == 'x'" },
    { op: "cel", text: "data.a == 1 && data.b in ['x', 1, true] && has(data.c)" },
    { op: "cel", text: "'xy' == data['b'] || data.a == 1" },
    { op: "cel", text: "subject == 'x' && (data.a == 'y' || data.b < 1)" },
    { op: "cel", text: "(data.a == 1 || data.b == 'x') == true && -1.5 == data.c" },
    { op: "cel", text: "data.a.exists(e, e == 'x') && type == 'x'" },
  ),
);

const { where } = letrec<{ where: Where }>((tie) => ({
  where: oneof(
    { maxDepth: 4, depthSize: "small" },
    { arbitrary: leaf, weight: 3 },
    record({ op: constant("and" as const), of: array(tie("where"), { maxLength: 3 }) }),
    record({ op: constant("or" as const), of: array(tie("where"), { minLength: 1, maxLength: 3 }) }),
    record({ op: constant("not" as const), of: tie("where") }),
  ),
}));

const value: Arbitrary<Json> = oneof(
  scalar,
  time,
  array(scalar, { maxLength: 2 }),
  record({ a: scalar, b: scalar }, { requiredKeys: [] }),
);
const event: Arbitrary<WhereEvent> = record(
  {
    source: text,
    id: text,
    type: text,
    subject: option(text, { nil: "" }),
    time: constantFrom(0, Date.parse("2026-05-01T06:00:00Z")),
    data: oneof(value, record({ a: value, b: value, c: value, constructor: value }, { requiredKeys: [] })),
  },
  { requiredKeys: ["source", "id", "type", "time", "data"] },
);

test("a filter that was read from its canonical text is the same filter", () => {
  assert(
    property(where, (json) => {
      const parsed = parseWhere(json);
      expect(parseWhere(JSON.parse(canonicalWhere(parsed)))).toEqual(parsed);
    }),
    { numRuns, seed: 4 },
  );
});

test("in each event that matches, every equality holds, and an alternative of each choice", () => {
  let matched = 0;
  assert(
    property(where, event, (json, one) => {
      const compiled = compileWhere(parseWhere(json));
      if (!compiled.matches(one)) return;
      matched += 1;
      for (const equality of compiled.equalities) {
        const found = compilePath(equality.path)(one);
        expect(found).toBe(equality.value);
        expect(whereKey(equality.path, found as WhereScalar)).toBe(whereKey(equality.path, equality.value));
      }
      for (const { path: at, oneOf } of compiled.alternatives) expect(oneOf).toContain(compilePath(at)(one));
    }),
    { numRuns, seed: 5 },
  );
  expect(matched).toBeGreaterThan(numRuns / 10);
});

test("an explanation is empty exactly when the event matches", () => {
  assert(
    property(where, event, (json, one) => {
      const compiled = compileWhere(parseWhere(json));
      expect(compiled.explain(one).length === 0).toBe(compiled.matches(one));
    }),
    { numRuns, seed: 6 },
  );
});

test("`not`, `and` and `or` are those of two truth values", () => {
  assert(
    property(where, where, event, (a, b, one) => {
      const holds = (filter: Where) => compileWhere(parseWhere(filter)).matches(one);
      expect(holds({ op: "not", of: a })).toBe(!holds(a));
      expect(holds({ op: "and", of: [a, b] })).toBe(holds(a) && holds(b));
      expect(holds({ op: "or", of: [a, b] })).toBe(holds(a) || holds(b));
    }),
    { numRuns, seed: 7 },
  );
});
