/** Pages of a grid come in any order, and again. */
import { gridStates, type GridPage } from "@millrace/protocol";
import { expect, test } from "vitest";
import { GridModel, stateAt } from "../src/pages/pipeline/grid-model.ts";

const at = "2026-11-27T12:00:00.000Z";

/** `{ r2: "19" }`: runs with the digits of their nodes, newest first. */
function page(
  nodes: readonly string[],
  runs: { readonly [id: string]: string },
  nextCursor?: string,
): GridPage {
  const list = Object.entries(runs).map(([id, states]) => ({
    id,
    state: "succeeded" as const,
    generation: 1,
    createdAt: at,
    states,
  }));
  return { nodes, runs: list, ...(nextCursor === undefined ? {} : { nextCursor }) };
}

function shown(model: GridModel): { [id: string]: (string | undefined)[] } {
  const { columns, rows } = model.view();
  return Object.fromEntries(
    columns.map((column) => [column.run.id, rows.map((row) => stateAt(column, row))]),
  );
}

test("older pages stand before newer ones, each run with its own nodes", () => {
  const model = new GridModel();
  model.merge(page(["a", "b"], { r3: "19" }, "r3"), true);
  model.merge(page(["b", "old"], { r2: "16", r1: "1." }), false);
  const { names, rows } = model.view();
  expect(rows.map((row) => names[row])).toEqual(["a", "b", "old"]);
  expect(shown(model)).toEqual({
    r1: [undefined, "succeeded", undefined],
    r2: [undefined, "succeeded", "waiting"],
    r3: ["succeeded", "failed", undefined],
  });
});

test("a newer page changes what is known, and a new definition gives its order", () => {
  const model = new GridModel();
  model.merge(page(["a", "b"], { r1: "18" }), true);
  model.merge(page(["new", "b", "a"], { r2: "111", r1: ".91" }), true);
  const { names, rows } = model.view();
  expect(rows.map((row) => names[row])).toEqual(["new", "b", "a"]);
  expect(shown(model)["r1"]).toEqual([undefined, "failed", "succeeded"]);
});

test("what lies before a gap is forgotten, so that no run seems to follow another that it does not", () => {
  const model = new GridModel();
  model.merge(page(["a"], { r2: "1", r1: "1" }, "r1"), true);
  expect(model.merge(page(["a"], { r4: "1", r3: "1", r2: "1" }, "r2"), true)).toBe(false);
  expect(Object.keys(shown(model))).toEqual(["r1", "r2", "r3", "r4"]);
  expect(model.merge(page(["a"], { r9: "1", r8: "1" }, "r8"), true)).toBe(true);
  expect(Object.keys(shown(model))).toEqual(["r8", "r9"]);
});

test("each state has one digit", () => {
  expect(gridStates).toHaveLength(10);
});
