import { expect, test } from "vitest";
import { compileCondition } from "../../src/condition/compile.ts";
import { parseCondition } from "../../src/condition/parse.ts";
import { firingValue, type FiredEvent, type Firing } from "../../src/trigger/firing.ts";
import {
  countedValue,
  listedValue,
  mergeCounted,
  streamedMembersOf,
} from "../../src/trigger/merged-firing.ts";

const program = compileCondition(
  parseCondition({
    kind: "all",
    of: [
      { kind: "event", type: "a", name: "first" },
      { kind: "event", type: "b", name: "second" },
    ],
  }),
  "p",
);

function firingOf(at: number, positions: readonly (readonly [operand: string, position: number])[]): Firing {
  return {
    pipeline: "p",
    version: 1,
    key: "",
    occurrence: at,
    revision: 1,
    at,
    interval: { from: at - 10, to: at },
    members: positions.map(([operand, position]) => ({ kind: "event", operand, position, recordedAt: at })),
  };
}

const eventAt = (position: number): FiredEvent => ({
  position,
  type: "t",
  source: "s",
  id: `e${position}`,
  subject: null,
  time: "",
  recordedAt: "",
  data: null,
});

test("a firing that waited has the value that it would have had", () => {
  const firing = firingOf(100, [
    ["second", 3],
    ["first", 4],
  ]);
  expect(listedValue(countedValue(program, firing), firing.members, eventAt)).toEqual(
    firingValue(program, firing, eventAt),
  );
});

test("merged firings have the members of all in their order, and the union of their intervals", () => {
  const firings = [
    firingOf(100, [
      ["first", 1],
      ["second", 2],
    ]),
    firingOf(200, [["first", 5]]),
    firingOf(300, [["first", 3]]),
  ];
  const counted = firings.map((one) => countedValue(program, one)).reduce(mergeCounted);
  expect(streamedMembersOf(counted)).toBe(4);
  expect(counted).toMatchObject({ members: { first: { streamed: 3 }, second: { streamed: 1 } } });
  const listed = listedValue(
    counted,
    firings.flatMap(({ members }) => members),
    eventAt,
  ) as unknown as { readonly members: Record<string, FiredEvent[]> };
  expect(listed.members["first"]!.map(({ position }) => position)).toEqual([1, 5, 3]);
  expect(listed).toMatchObject({
    at: new Date(300).toISOString(),
    interval: { from: new Date(90).toISOString(), to: new Date(300).toISOString() },
  });
  expect(streamedMembersOf(listed as never)).toBeUndefined();
});
