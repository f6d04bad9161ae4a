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
  return arrange(view(kind, keys)).rows.map(({ name, places }) => [
    name,
    places.map(({ cells }) => (cells.length > 1 ? cells.map(({ key }) => key) : cells[0]?.key)),
  ]);
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
});

test("an hour stands below itself: one that comes twice has two cells in its place, one that is skipped none", () => {
  const hours = [
    "2026-10-24T01:00+02:00",
    "2026-10-24T02:00+02:00",
    "2026-10-24T03:00+02:00",
    "2026-10-25T01:00+02:00",
    "2026-10-25T02:00+02:00",
    "2026-10-25T02:00+01:00",
    "2026-10-25T03:00+01:00",
  ] as const;
  expect(arrange(view("time", hours)).heads).toEqual(["01", "02", "03"]);
  expect(shown("time", ...hours)).toEqual([
    ["2026-10-25", [hours[3], [hours[4], hours[5]], hours[6]]],
    ["2026-10-24", [hours[0], hours[1], hours[2]]],
  ]);
  const spring = ["2026-03-28T02:00+01:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"];
  const [changed, before] = arrange(view("time", spring)).rows;
  expect(changed).toMatchObject({ change: "forward", places: [{}, { cells: [], isSkipped: true }, {}] });
  expect(before).not.toHaveProperty("change");
  expect(arrange(view("time", hours)).rows[0]).toMatchObject({ change: "back" });
});

test("windows that are too many for columns name nothing by their place", () => {
  const minutes = Array.from({ length: 60 }, (_, at) => `2026-01-01T00:${String(at).padStart(2, "0")}+00:00`);
  const { heads, rows } = arrange(view("time", minutes));
  expect(heads).toBeUndefined();
  expect(rows[0]?.places).toHaveLength(60);
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
