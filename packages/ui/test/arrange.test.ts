/** Partitions find their places in a calendar or matrix. */
import type { AssetCellsView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { arrange } from "../src/pages/asset/arrange.ts";

function view(kind: AssetCellsView["kind"], keys: readonly string[]): AssetCellsView {
  return {
    kind,
    cells: keys.map((key) => ({
      key,
      state: "present",
      updates: 1,
      ...(kind === "tuple"
        ? { parts: Object.fromEntries(key.split("/").map((part) => part.split("=") as [string, string])) }
        : {}),
    })),
  };
}

function shown(kind: AssetCellsView["kind"], ...keys: readonly string[]) {
  return arrange(view(kind, keys)).map(({ name, cells }) => [name, cells.map((cell) => cell?.key)]);
}

test("days stand at their place in the row of their month, the newest month first", () => {
  expect(shown("time", "2026-01-31", "2026-02-01", "2026-02-03")).toEqual([
    ["2026-02", ["2026-02-01", undefined, "2026-02-03"]],
    ["2026-01", [...Array<undefined>(30).fill(undefined), "2026-01-31"]],
  ]);
});

test("months stand in the row of their year, hours in that of their day", () => {
  expect(shown("time", "2025-12", "2026-02")).toEqual([
    ["2026", [undefined, "2026-02"]],
    ["2025", [...Array<undefined>(11).fill(undefined), "2025-12"]],
  ]);
  const hours = ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-26T00:00+01:00"];
  expect(shown("time", ...hours)).toEqual([
    ["2026-10-26", [hours[2]]],
    ["2026-10-25", [hours[0], hours[1]]],
  ]);
});

test("combinations with days are a calendar for each of the others; without days they are a matrix", () => {
  const keys = [
    "day=2026-01-01/region=eu",
    "day=2026-01-01/region=us",
    "day=2026-01-02/region=eu",
    "day=2026-01-03/region=eu",
  ];
  expect(shown("tuple", ...keys)).toEqual([
    ["eu 2026-01", [keys[0], keys[2], keys[3]]],
    ["us 2026-01", [keys[1]]],
  ]);
  expect(shown("tuple", "a=x/b=1", "a=x/b=2", "a=y/b=2", "a=x/b=3")).toEqual([
    ["x", ["a=x/b=1", "a=x/b=2", "a=x/b=3"]],
    ["y", [undefined, "a=y/b=2", undefined]],
  ]);
});
