import { readFileSync } from "node:fs";
import type { AssetDefinition } from "@millrace/core";
import { expect, test } from "vitest";
import {
  asset,
  daily,
  dynamicPartitions,
  hourly,
  monthly,
  pipeline,
  staticPartitions,
  task,
  tuplePartitions,
  weekly,
  windows,
  type AssetOptions,
  type Partitions,
  type TaskOptions,
} from "../src/index.ts";
import { definitionOf, lineOf, load, nodeOf, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");

function describeAsset(options: AssetOptions = {}): AssetDefinition | undefined {
  const { definition, errors } = load({ made: asset("made", options as object) });
  if (errors[0]) throw errors[0];
  return definition.assets?.[0];
}

test("an asset is described with all that it says, and where it stands", () => {
  const raw = asset("lake/raw");
  const full = asset("mart/report", {
    partitions: daily("2026-01-01", { tz: "Europe/Berlin" }),
    description: "Orders by day",
    owner: "data",
    tags: ["mart"],
    upstream: [raw, "prices", { asset: raw.name + "2", mapping: { kind: "last", n: 3 } }],
    freshness: "25h",
    progressAhead: "30d",
  });
  const { definition } = load({ full });
  expect(definition.assets).toEqual([
    {
      name: "mart/report",
      description: "Orders by day",
      owner: "data",
      tags: ["mart"],
      partitions: {
        kind: "time",
        every: { kind: "every", every: { n: 1, unit: "days" }, tz: "Europe/Berlin" },
        start: "2025-12-31T23:00:00Z",
      },
      upstream: [
        { asset: "lake/raw" },
        { asset: "prices" },
        { asset: "lake/raw2", mapping: { kind: "last", n: 3 } },
      ],
      freshness: { maxAgeMs: 25 * 3_600_000 },
      progressAheadMs: 30 * 86_400_000,
      source: { file: "asset.test.ts", line: lineOf(source, 'const full = asset("mart/report"'), column: 16 },
    },
  ]);
});

test.each<[Partitions, object]>([
  [hourly("2026-01-01"), { every: { kind: "cron", expression: "0 * * * *", tz: "UTC" } }],
  [weekly("2026-01-01"), { every: { kind: "every", every: { n: 1, unit: "weeks" }, tz: "UTC" } }],
  [monthly("2026-01-01", { end: "2027-01-01" }), { end: "2027-01-01T00:00:00Z" }],
  [windows("15m", "2026-01-01"), { every: { kind: "every", every: { n: 15, unit: "minutes" }, tz: "UTC" } }],
  [
    windows("0 6,14,22 * * *", "2026-01-01"),
    { every: { kind: "cron", expression: "0 6,14,22 * * *", tz: "UTC" } },
  ],
  [staticPartitions(["eu", "us"]), { kind: "static", keys: ["eu", "us"] }],
  [dynamicPartitions(), { kind: "dynamic" }],
  [
    tuplePartitions({ region: staticPartitions(["eu"]), day: daily("2026-01-01") }),
    { kind: "tuple", of: { region: { kind: "static", keys: ["eu"] }, day: { kind: "time" } } },
  ],
])("partitions are data: case %#", (partitions, expected) => {
  expect(describeAsset({ partitions })?.partitions).toMatchObject(expected);
});

test("an asset without anything is one piece, and a project without assets has none", () => {
  expect(describeAsset()).toEqual({ name: "made", tags: [], source: expect.anything() as unknown });
  expect(load({ p: pipeline("p", () => undefined) }).definition).not.toHaveProperty("assets");
});

test.each<[object, string, RegExp]>([
  [{ partitions: "daily" }, "MILLRACE_OPTION_INVALID", /option "partitions" must be what daily, hourly/],
  [{ partitions: daily("tomorrow") }, "MILLRACE_PARTITIONS_INVALID", /partitions\.start.*expected a date/],
  [{ partitions: daily("2026-01-01", { tz: "Berlin" }) }, "MILLRACE_TIME_ZONE_UNKNOWN", /Berlin/],
  [{ partitions: staticPartitions([]) }, "MILLRACE_PARTITIONS_INVALID", /keys/],
  [{ freshness: "soon" }, "MILLRACE_OPTION_INVALID", /option "freshness" must be a duration/],
  [{ upstream: "raw" }, "MILLRACE_OPTION_INVALID", /option "upstream" must be a list of assets/],
  [{ upstream: [{ asset: 7 }] }, "MILLRACE_OPTION_INVALID", /option "upstream\[0\]\.asset"/],
  [{ upstream: [{ asset: "a", maping: 1 }] }, "MILLRACE_OPTION_INVALID", /Did you mean "mapping"/],
  [{ upstream: ["made"] }, "MILLRACE_ASSET_INVALID", /none is made of itself/],
  [{ partition: 1 }, "MILLRACE_OPTION_INVALID", /no option "partition".*Did you mean "partitions"/],
])("a wrong option %# is told with its place", (options, code, message) => {
  const error = onlyError({ made: asset("made", options) });
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
  expect(error.message).toContain("asset.test.ts:");
});

test("a name is one of letters, digits and what paths are made of", () => {
  expect(onlyError({ made: asset("a b") }).message).toMatch(/expected a name.*found "a b"/);
});

test("a project owns what it exports and what its tasks write, each once, and not what they read", () => {
  const [exported, written, read] = ["exported", "written", "read"].map((name) => asset(name));
  const build = task("build", { writes: [written!, exported!], reads: read! }, () => 1);
  const made = pipeline("made", () => build());
  const loaded = load({ made, exported, again: exported });
  expect(loaded.errors).toEqual([]);
  expect(loaded.definition.assets?.map(({ name }) => name)).toEqual(["exported", "written"]);
  expect(loaded.asset("written")?.name).toBe("written");
  expect(nodeOf(loaded.definition.pipelines[0]!, "build")).toMatchObject({
    writes: ["written", "exported"],
    reads: ["read"],
  });
});

test("two assets of one name are an error that names both places", () => {
  const [first, second] = [asset("x"), asset("x", { owner: "data" })];
  const build = task("build", { writes: second }, () => 1);
  const { errors } = load({ first, made: pipeline("made", () => build()) });
  expect(errors.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^Two assets have the name "x": asset\.test\.ts:\d+ and asset\.test\.ts:\d+\.$/),
  ]);
});

test("a call's assets win over the task's, and these over the defaults", () => {
  const build = task("build", { writes: "task" }, () => 1);
  const plain = task("plain", () => 1);
  const made = pipeline("made", { defaults: { reads: ["default"] } }, () => {
    build(undefined, { writes: ["call"], reads: [] });
    plain();
  });
  const definition = definitionOf(made);
  expect(nodeOf(definition, "build").writes).toEqual(["call"]);
  expect(nodeOf(definition, "build")).not.toHaveProperty("reads");
  expect(nodeOf(definition, "plain").reads).toEqual(["default"]);
});

test.each<[TaskOptions, RegExp]>([
  [{ writes: 7 as never }, /option "writes" must be an asset or the name of one, found 7/],
  [{ writes: ["a", daily("2026-01-01") as never] }, /option "writes\[1\]" must be an asset/],
  [{ reads: ["a", asset("a")] }, /option "reads" names the asset "a" twice/],
  [{ writes: Array.from({ length: 101 }, (_, at) => `a${at}`) }, /holds 101 assets; 100 are allowed/],
])("wrong assets of a task are told: %#", (options, message) => {
  const build = task("build", options, () => 1);
  expect(onlyError({ made: pipeline("made", () => build()) }).message).toMatch(message);
});

test("the call of a pipeline writes nothing itself", () => {
  const inner = pipeline("inner", () => undefined);
  const outer = pipeline("outer", () => inner.call(undefined, { writes: "x" }));
  expect(onlyError({ inner, outer }).message).toMatch(/"writes" can't be set on the call of a pipeline/);
});
