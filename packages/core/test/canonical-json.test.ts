import { assert, jsonValue, property } from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../src/canonical-json.ts";
import type { Json } from "../src/json.ts";
import { nearestName } from "../src/nearest-name.ts";

test("canonical JSON reads back as the same value", () => {
  assert(
    property(jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("canonical JSON does not depend on the order of keys", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: true })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  expect(canonicalJson({ a: true, b: [1, { c: "x", d: null }] })).toBe(
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
});

test("the nearest name forgives a slip and refuses a stranger", () => {
  expect(nearestName("warehose", ["default", "warehouse"])).toBe("warehouse");
  expect(nearestName("wraehouse", ["default", "warehouse"])).toBe("warehouse");
  expect(nearestName("gpu", ["default", "warehouse"])).toBeUndefined();
  expect(nearestName("pade", ["placed", "paid"])).toBe("paid");
  expect(nearestName("jobs", ["logs"])).toBeUndefined();
  expect(nearestName("x", [])).toBeUndefined();
});
