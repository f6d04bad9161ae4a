import { describe, expect, it } from "vitest";
import { findJsonFault, isNestedWithin, jsonDepthMax, type Json } from "../src/index.ts";

function nested(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe("a value that is nested", () => {
  it("passes up to the bound", () => {
    expect(findJsonFault(nested(jsonDepthMax))).toBeUndefined();
  });

  it("is refused beyond it with the beginning of its path, however deep it is", () => {
    for (const depth of [jsonDepthMax + 1, 20 * jsonDepthMax]) {
      const fault = findJsonFault(nested(depth));
      expect(fault?.found).toBe(`a value nested more than ${jsonDepthMax} deep`);
      expect(fault?.path).toHaveLength(10);
    }
  });

  it("is counted by its lists and objects", () => {
    expect(isNestedWithin(nested(3), 3)).toBe(true);
    expect(isNestedWithin(nested(4), 3)).toBe(false);
    expect(isNestedWithin([{ a: 1 }, [], nested(9)], 9)).toBe(false);
    expect(isNestedWithin("text", 0)).toBe(true);
  });
});
