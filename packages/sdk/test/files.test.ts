import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { files, on, pipeline, task, type FilesOptions } from "../src/index.ts";
import { lineOf, load, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");

function definitionOf(options: FilesOptions): unknown {
  const { definition, errors } = load({ made: files("made", options) });
  if (errors[0]) throw errors[0];
  return definition.sources?.[0];
}

test("an exported source is deployed, with all that it did not say", () => {
  const landing = files("landing", { folder: "data/in" }); // landing
  const { definition, errors } = load({ landing, again: landing, other: 5 });
  expect(errors).toEqual([]);
  expect(definition.sources).toEqual([
    {
      kind: "files",
      name: "landing",
      folder: "data/in",
      glob: "**",
      ignore: [],
      protocol: "settle",
      quietMs: 2_000,
      type: "file.arrived",
      rescanMs: 60_000,
      source: {
        file: "files.test.ts",
        line: lineOf(source, "; // landing"),
        column: expect.any(Number) as number,
      },
    },
  ]);
});

test("a project without any has no list of them", () => {
  expect(load({}).definition).not.toHaveProperty("sources");
});

test("what is written becomes data: durations, one glob or several, types, markers", () => {
  expect(
    definitionOf({
      folder: "/in",
      glob: "*.csv",
      ignore: "tmp/**",
      settle: { quiet: "1m" },
      type: "csv.arrived",
      gone: "csv.gone",
      rescan: "10m",
    }),
  ).toMatchObject({
    ignore: ["tmp/**"],
    quietMs: 60_000,
    type: "csv.arrived",
    goneType: "csv.gone",
    rescanMs: 600_000,
  });
  expect(definitionOf({ folder: "/in", gone: true, protocol: "marker" })).toMatchObject({
    goneType: "file.gone",
    marker: "*.done",
    protocol: "marker",
  });
  expect(definitionOf({ folder: "/in", protocol: "rename", gone: false })).not.toHaveProperty("goneType");
});

test("a condition on a source's event is on that source alone, and its data have types", () => {
  const landing = files("landing", { folder: "in", type: "csv.arrived" });
  const see = task("see", (input: { name: string; size: number }) => input.size);
  const any = pipeline("any", { on: on.event(landing.arrived).as("file") }, ({ firing }) => {
    const { name, size } = firing.members.file[0]!.data;
    return see({ name, size });
  });
  const large = pipeline(
    "large",
    { on: on.event(landing.arrived, { where: { data: { size: { gte: 10 } } } }) },
    ({ firing }) => see({ name: firing.members["csv.arrived"][0]!.data.name, size: 1 }),
  );
  const { definition, errors } = load({ landing, any, large });
  expect(errors).toEqual([]);
  const ofSource = { op: "eq", path: ["source"], value: "/sources/landing" };
  expect(definition.pipelines.map(({ trigger }) => trigger?.condition)).toEqual([
    { kind: "event", name: "file", type: "csv.arrived", where: ofSource },
    {
      kind: "event",
      type: "csv.arrived",
      where: { op: "and", of: [ofSource, { op: "gte", path: ["data", "size"], value: 10 }] },
    },
  ]);
});

test.each([
  ["an unknown option", { folder: "in", pattern: "*" }, /Did you mean|pattern/],
  ["no folder", {}, /"folder"/],
  ["an unknown protocol", { folder: "in", protocol: "guess" }, /"protocol".*settle, rename/],
  ["a time to settle for names", { folder: "in", protocol: "rename", settle: {} }, /belongs to the protocol/],
  ["a marker that nothing asks for", { folder: "in", marker: "*.done" }, /belongs to the protocol/],
  ["a quiet time that is none", { folder: "in", settle: { quiet: "soon" } }, /settle\.quiet/],
  ["a glob that leads out", { folder: "in", glob: "../*" }, /at `glob`: expected a glob below the folder/],
  ["a rescan each 10 ms", { folder: "in", rescan: 10 }, /at `rescanMs`/],
  ["gone as a number", { folder: "in", gone: 1 }, /"gone"/],
])("a source with %s is refused where it stands", (_what, options, message) => {
  const attempt = (): unknown => definitionOf(options as unknown as FilesOptions);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(/Source "made" \(.*files\.test\.ts:\d+\)/);
});

test("two sources of one name are refused, with both places", () => {
  const error = onlyError({ a: files("a", { folder: "x" }), b: files("a", { folder: "y" }) });
  expect([error.code, error.message]).toEqual([
    "MILLRACE_SOURCE_INVALID",
    expect.stringMatching(/Two sources have the name "a": files\.test\.ts:\d+ and files\.test\.ts:\d+\./),
  ]);
});
