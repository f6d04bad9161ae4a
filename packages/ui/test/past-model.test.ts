/** Moments of a trigger's past. */
import type { ExplanationView, TriggerHistoryView, TriggerMomentView } from "@millrace/protocol";
import { expect, test } from "vitest";
import {
  changedIn,
  lanesOf,
  momentId,
  placeAt,
  placeOfMoment,
  spanOf,
} from "../src/pages/trigger/past-model.ts";

const at = (second: number) => new Date(Date.UTC(2026, 10, 27, 12, 0, second)).toISOString();
const leaf = (state: ExplanationView["state"]): ExplanationView => ({ kind: "event", state, text: state });
const tree = (...of: readonly ExplanationView["state"][]): ExplanationView => ({
  kind: "all",
  state: "gathering",
  text: "all",
  of: of.map(leaf),
});
const moments: readonly TriggerMomentView[] = [
  { at: at(1), position: 7, operands: ["a"], firings: [], state: tree("held", "waiting") },
  { at: at(2), operands: [], firings: [], state: tree("waiting", "waiting") },
  {
    at: at(4),
    position: 9,
    operands: ["b"],
    firings: [{ memberCount: 1, members: [], revision: 1 }],
    state: tree("waiting", "held"),
  },
];

test("an address names a moment by its entry or its instant, or what stood then", () => {
  expect(moments.map(momentId)).toEqual(["7", at(2), "9"]);
  expect(["7", at(2), "9"].map((id) => placeOfMoment(moments, id))).toEqual([0, 1, 2]);
  expect(placeOfMoment(moments, "8")).toBe(0);
  expect(placeOfMoment(moments, at(3))).toBe(1);
  expect(placeOfMoment(moments, "6")).toBeUndefined();
  expect([0, 1, 3, 9].map((second) => placeAt(moments, Date.parse(at(second))))).toEqual([-1, 0, 1, 2]);
});

test("what a moment changed is told by its place in the tree", () => {
  expect([...changedIn(moments[0]!.state, moments[1]!.state)]).toEqual(["0"]);
  expect([...changedIn(moments[1]!.state, moments[2]!.state)]).toEqual(["1"]);
  expect(changedIn(undefined, moments[0]!.state).size).toBe(0);
});

test("each operand has a lane, what time alone decided one more, and the firings the last", () => {
  const history = {
    operands: ["a", "b"],
    moments,
    until: { position: 9, at: at(30) },
  } as unknown as TriggerHistoryView;
  expect(lanesOf(history).map(({ name, at: places }) => [name, places])).toEqual([
    ["a", [0]],
    ["b", [2]],
    ["time", [1]],
    ["fired", [2]],
  ]);
  const { from, until } = spanOf(history);
  expect(from).toBeLessThan(Date.parse(at(1)));
  expect(until).toBeLessThan(Date.parse(at(10)));
});
