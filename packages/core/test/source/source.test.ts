import { expect, test } from "vitest";
import { errorCodeOf, parseSource, sourceUri, type Json, type MillraceError } from "../../src/index.ts";

const settling = {
  kind: "files",
  name: "landing",
  folder: "data/in",
  glob: "**/*.{csv,json}",
  ignore: ["tmp/**"],
  protocol: "settle",
  quietMs: 2_000,
  type: "file.arrived",
  rescanMs: 60_000,
} as const satisfies Json;
const { quietMs: _quietMs, ...plain } = settling;
const marked = { ...plain, protocol: "marker", marker: "*.done" } as const satisfies Json;

test("a source of each protocol is read as it was written", () => {
  for (const source of [
    settling,
    { ...settling, quietMs: 0, goneType: "file.gone", source: { file: "a.ts", line: 3 } },
    { ...plain, protocol: "rename" },
    marked,
    { ...marked, marker: "_SUCCESS" },
  ])
    expect(parseSource(source)).toEqual(source);
});

test("the events of a source have its name in their source", () => {
  expect(sourceUri("landing")).toBe("/sources/landing");
});

const faults: readonly (readonly [what: string, source: Json, path: string])[] = [
  ["no object", [], ""],
  ["nothing", null, ""],
  ["an unknown kind", { ...settling, kind: "ftp" }, "kind"],
  ["an unknown protocol", { ...plain, protocol: "guess" }, "protocol"],
  ["a name with a space", { ...settling, name: "a b" }, "name"],
  ["an empty folder", { ...settling, folder: "" }, "folder"],
  ["a folder with U+0000", { ...settling, folder: "a\0" }, "folder"],
  ["an empty glob", { ...settling, glob: "" }, "glob"],
  ["a glob that is a number", { ...settling, glob: 5 }, "glob"],
  ["a glob that leads out", { ...settling, glob: "a/../../b" }, "glob"],
  ["a whole path as glob", { ...settling, glob: "/a/*" }, "glob"],
  ["a glob from here", { ...settling, glob: "./*" }, "glob"],
  ["a glob with four stars in a part", { ...settling, glob: "a/*b*c*d*" }, "glob"],
  ["a glob that is too long", { ...settling, glob: "x".repeat(501) }, "glob"],
  ["ignore that is no list", { ...settling, ignore: "a" }, "ignore"],
  ["a wrong glob to ignore", { ...settling, ignore: ["a", "../b"] }, "ignore.1"],
  ["too many globs to ignore", { ...settling, ignore: Array.from({ length: 101 }, () => "a") }, "ignore"],
  ["settle without its time", plain, "quietMs"],
  ["a time to settle where nothing settles", { ...marked, quietMs: 1 }, "quietMs"],
  ["a time to settle that is no whole number", { ...settling, quietMs: 0.5 }, "quietMs"],
  ["more than a day to settle", { ...settling, quietMs: 86_400_001 }, "quietMs"],
  ["no marker", { ...plain, protocol: "marker" }, "marker"],
  ["a marker that nothing asks for", { ...settling, marker: "*.done" }, "marker"],
  ["a marker that is every file", { ...marked, marker: "*" }, "marker"],
  ["a marker with two stars", { ...marked, marker: "*.*" }, "marker"],
  ["a marker elsewhere", { ...marked, marker: "done/*" }, "marker"],
  ["a type of Millrace's own", { ...settling, type: "millrace.file" }, "type"],
  ["a type with a space", { ...settling, type: "a b" }, "type"],
  ["a type that is too long", { ...settling, goneType: "x".repeat(256) }, "goneType"],
  ["a look each half second", { ...settling, rescanMs: 500 }, "rescanMs"],
  ["what nobody knows", { ...settling, watch: true }, "watch"],
];

test.each(faults)("%s is refused, with its place", (_what, source, path) => {
  try {
    parseSource(source);
  } catch (error) {
    expect([errorCodeOf(error), (error as MillraceError).fields["path"]]).toEqual([
      "MILLRACE_SOURCE_INVALID",
      path,
    ]);
    return;
  }
  expect.unreachable();
});
