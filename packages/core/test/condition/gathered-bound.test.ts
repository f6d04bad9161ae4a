/** More events than a state keeps: what is cut loses nothing, and what falls out is told. */
import { expect, test } from "vitest";
import { compileCondition } from "../../src/condition/compile.ts";
import type { Condition } from "../../src/condition/condition.ts";
import {
  beginInstance,
  explainInstance,
  tellEvent,
  tellTime,
  type ConditionInstance,
  type Decided,
} from "../../src/condition/instance.ts";
import { armsMax, gatheredMax } from "../../src/limits.ts";
import { firingOf } from "../../src/trigger/firing.ts";

const a: Condition = { kind: "event", type: "a" };
const b: Condition = { kind: "event", type: "b" };

interface Told {
  readonly at: number;
  readonly members: number;
  readonly first: number | undefined;
  readonly isIncomplete: boolean;
}

/** One event each millisecond, with the state saved and loaded now and then. */
function tell(condition: Condition, types: readonly string[], until: number): Told[] {
  const program = compileCondition(condition);
  let instance = beginInstance(program, undefined, 0);
  const decided: Decided[] = [];
  for (const [at, type] of types.entries()) {
    const position = at + 1;
    const event = { position, recordedAt: at, type, source: "/s", id: String(at), time: at, data: null };
    decided.push(...tellEvent(program, instance, event).decided);
    if (at % 5_000 === 0) instance = JSON.parse(JSON.stringify(instance)) as ConditionInstance;
  }
  decided.push(...tellTime(program, instance, until).decided);
  return decided.map((one, count) => {
    const { at, members, isIncomplete } = firingOf(program, { pipeline: "p", version: 1 }, "", one, count);
    const [first] = members;
    return {
      at,
      members: members.length,
      first: first?.kind === "event" ? first.position : undefined,
      isIncomplete: isIncomplete === true,
    };
  });
}

const many = (count: number, type = "a"): string[] => Array.from({ length: count }, () => type);

test("a session is cut where no more can be kept, and what follows is the next one", () => {
  expect(tell({ kind: "session", of: a, gapMs: 10 }, many(gatheredMax + 5), 100_000)).toEqual([
    { at: gatheredMax - 1, members: gatheredMax, first: 1, isIncomplete: false },
    { at: gatheredMax + 14, members: 5, first: gatheredMax + 1, isIncomplete: false },
  ]);
});

test("a batch of large matches is cut there, too", () => {
  const pairs = many(2 * gatheredMax).map((_type, at) => (at % 2 === 0 ? "a" : "b"));
  const both: Condition = { kind: "all", of: [a, b] };
  expect(tell({ kind: "batch", of: both, max: gatheredMax, maxWaitMs: 60_000 }, pairs, 100_000)).toEqual([
    { at: gatheredMax - 1, members: gatheredMax, first: 1, isIncomplete: false },
    { at: 2 * gatheredMax - 1, members: gatheredMax, first: gatheredMax + 1, isIncomplete: false },
  ]);
});

test("a debounce keeps the newest, is flagged incomplete, and waits no longer than from its very first", () => {
  const count = gatheredMax + 5_000;
  expect(tell({ kind: "debounce", of: a, quietMs: 10, maxWaitMs: count - 1 }, many(count), 100_000)).toEqual([
    { at: count - 1, members: gatheredMax, first: 5_001, isIncomplete: true },
  ]);
});

test("an operand of a join keeps the newest, and the firing is flagged incomplete", () => {
  const types = [...many(gatheredMax + 3), "b"];
  expect(tell({ kind: "all", of: [a, b] }, types, 100_000)).toMatchObject([
    { at: gatheredMax + 3, members: gatheredMax, isIncomplete: true },
  ]);
  expect(tell({ kind: "all", of: [a, b] }, ["a", "b"], 100_000)).toMatchObject([{ isIncomplete: false }]);
});

test("an absence that could not be awaited any more is told", () => {
  const program = compileCondition({ kind: "absent", of: b, after: a, withinMs: 100_000 });
  const instance = beginInstance(program, undefined, 0);
  const textAfter = (count: number): string => {
    for (const [at, type] of many(count).entries())
      tellEvent(program, instance, {
        position: at + 1,
        recordedAt: at,
        type,
        source: "/s",
        id: String(at),
        time: at,
        data: null,
      });
    return explainInstance(program, instance).text;
  };
  expect(textAfter(1)).toBe("matches if its first operand does not come within 1 min 40 s");
  expect(textAfter(armsMax - 1)).toMatch(/; 1000 are open, as many as are kept$/);
  expect(textAfter(2)).toMatch(
    /, as many as are kept; 2 were left out as so many were open: a key of its own/,
  );
});

test("an open window keeps the newest, and its firing is flagged incomplete", () => {
  const window: Condition = {
    kind: "window",
    of: a,
    every: { kind: "every", every: { n: 1, unit: "hours" }, tz: "UTC" },
    latenessMs: 0,
    idleMs: 1_000,
    late: "ignore",
  };
  expect(tell(window, many(gatheredMax + 3), 10_000_000)).toMatchObject([
    { members: gatheredMax, first: 4, isIncomplete: true },
  ]);
});
