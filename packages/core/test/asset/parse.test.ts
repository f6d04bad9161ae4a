import { expect, test } from "vitest";
import { parseAsset, type Json } from "../../src/index.ts";

test("a definition is read with all that it has, in its one spelling", () => {
  const given = {
    name: "s3://lake/orders-v2",
    description: "Orders",
    owner: "data",
    tags: ["lake"],
    partitions: { kind: "time", every: { kind: "every", every: "1d", tz: "UTC" }, start: "2026-01-01" },
    upstream: [{ asset: "raw" }, { asset: "prices", mapping: { kind: "last", n: 3 } }],
    freshness: { maxAgeMs: 1 },
    progressAheadMs: 1,
    source: { file: "a.ts", line: 1 },
  };
  expect(parseAsset(given as Json)).toEqual({
    ...given,
    partitions: {
      kind: "time",
      every: { kind: "every", every: { n: 1, unit: "days" }, tz: "UTC" },
      start: "2026-01-01T00:00:00Z",
    },
  });
  expect(parseAsset({ name: "x" })).toEqual({ name: "x", tags: [] });
});

test.each<[Json, string]>([
  [null, ""],
  [{}, "/name"],
  [{ name: "" }, "/name"],
  [{ name: "a b" }, "/name"],
  [{ name: "/a" }, "/name"],
  [{ name: "x".repeat(201) }, "/name"],
  [{ name: "x", tags: "mart" }, "/tags"],
  [{ name: "x", tags: [""] }, "/tags/0"],
  [{ name: "x", owner: 7 }, "/owner"],
  [{ name: "x", upstream: {} }, "/upstream"],
  [{ name: "x", upstream: [{ asset: "x" }] }, "/upstream/0"],
  [{ name: "x", upstream: [{ asset: "a" }, { asset: "a" }] }, "/upstream/1"],
  [{ name: "x", upstream: [{}] }, "/upstream/0/asset"],
  [{ name: "x", freshness: { maxAgeMs: 0 } }, "/freshness/maxAgeMs"],
  [{ name: "x", progressAheadMs: 0 }, "/progressAheadMs"],
  [{ name: "x", progressAheadMs: 3_661 * 86_400_000 }, "/progressAheadMs"],
  [{ name: "x", freshnes: 1 }, "/freshnes"],
])("%j is refused at %j", (given, path) => {
  expect(() => parseAsset(given)).toThrow(
    expect.objectContaining({ code: "MILLRACE_ASSET_INVALID", fields: expect.objectContaining({ path }) }),
  );
});

test("what is wrong with its partitions is told with their path", () => {
  expect(() => parseAsset({ name: "x", partitions: { kind: "static", keys: [] } })).toThrow(
    /partitions\.keys/,
  );
  expect(() =>
    parseAsset({ name: "x", upstream: [{ asset: "a", mapping: { kind: "last", n: 0 } }] }),
  ).toThrow(/upstream\[0\]\.mapping\.n/);
});
