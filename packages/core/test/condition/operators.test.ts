import { expect, test } from "vitest";
import { parseCondition } from "../../src/condition/parse.ts";
import type { Condition } from "../../src/condition/condition.ts";
import type { Json } from "../../src/json.ts";
import { feed, type Entry, type FeedOptions } from "./feed.ts";

const a = { kind: "event", type: "a" };
const b = { kind: "event", type: "b" };
const c = { kind: "event", type: "c" };
const path = (name: string): Json => ({ kind: "path", path: ["data", name] });

interface Case {
  readonly condition: Json;
  readonly log: readonly Entry[];
  readonly fires: readonly string[];
  readonly options?: Partial<FeedOptions>;
}

const cases: { readonly [name: string]: Case } = {
  "an event fires each time": {
    condition: a,
    log: [
      [1, "a"],
      [2, "b"],
      [3, "a"],
    ],
    fires: ["1 a=1", "3 a=3"],
  },
  "an event with a filter fires on what fits": {
    condition: { ...a, where: { op: "gt", path: ["data", "n"], value: 5 } },
    log: [
      [1, "a", { n: 5 }],
      [2, "a", { n: 6 }],
    ],
    fires: ["2 a=2"],
  },
  "a type with a star stands for all that begin so": {
    condition: { kind: "event", type: "order.*" },
    log: [
      [1, "order.placed"],
      [2, "orders"],
    ],
    fires: ["1 order.*=1"],
  },
  "all keeps everything that came until it fires": {
    condition: { kind: "all", of: [a, b] },
    log: [
      [1, "a"],
      [2, "a"],
      [3, "b"],
      [4, "b"],
      [5, "a"],
    ],
    fires: ["3 a=1,2 b=3", "5 a=5 b=4"],
  },
  "all within a span gives up what is older": {
    condition: { kind: "all", of: [a, b], withinMs: 10 },
    log: [
      [0, "a"],
      [11, "b"],
      [21, "a"],
    ],
    fires: ["21 a=3 b=2"],
  },
  "a span ends after what comes at its last instant": {
    condition: { kind: "all", of: [a, b], withinMs: 10 },
    log: [
      [0, "a"],
      [10, "b"],
    ],
    fires: ["10 a=1 b=2"],
  },
  "any fires on each": {
    condition: { kind: "any", of: [a, b] },
    log: [
      [1, "a"],
      [2, "b"],
    ],
    fires: ["1 a=1", "2 b=2"],
  },
  "at least two of three": {
    condition: { kind: "at_least", n: 2, of: [a, b, c] },
    log: [
      [1, "a"],
      [2, "a"],
      [3, "c"],
      [4, "b"],
    ],
    fires: ["3 a=1,2 c=3"],
  },
  "a sequence wants its order": {
    condition: { kind: "sequence", of: [a, b] },
    log: [
      [1, "b"],
      [2, "a"],
      [3, "b"],
      [4, "b"],
    ],
    fires: ["3 a=2 b=3"],
  },
  "a sequence goes on from the latest beginning": {
    condition: { kind: "sequence", of: [a, b], withinMs: 10 },
    log: [
      [0, "a"],
      [8, "a"],
      [15, "b"],
    ],
    fires: ["15 a=2 b=3"],
  },
  "a sequence of one type wants different events": {
    condition: {
      kind: "sequence",
      of: [
        { ...a, name: "first" },
        { ...a, name: "second" },
      ],
    },
    log: [
      [1, "a"],
      [2, "a"],
      [3, "a"],
      [4, "a"],
    ],
    fires: ["2 first=1 second=2", "4 first=3 second=4"],
  },
  "unless blocks for good": {
    condition: { kind: "unless", of: a, until: b },
    log: [
      [1, "a"],
      [2, "b"],
      [3, "a"],
    ],
    fires: ["1 a=1"],
  },
  "unless within a span blocks for that long": {
    condition: { kind: "unless", of: a, until: b, withinMs: 10 },
    log: [
      [1, "b"],
      [11, "a"],
      [12, "a"],
    ],
    fires: ["12 a=3"],
  },
  "unless gives up what was gathered": {
    condition: { kind: "unless", of: { kind: "all", of: [a, c] }, until: b, withinMs: 1 },
    log: [
      [1, "a"],
      [2, "b"],
      [5, "c"],
      [6, "a"],
    ],
    fires: ["6 a=4 c=3"],
  },
  "absent tells what did not follow": {
    condition: { kind: "absent", of: b, after: a, withinMs: 10 },
    log: [
      [0, "a"],
      [5, "b"],
      [20, "a"],
      [31, "b"],
    ],
    fires: ["30 a=3 absent=silent 20-30"],
  },
  "absent takes what comes at the last instant": {
    condition: { kind: "absent", of: b, after: a, withinMs: 10 },
    log: [
      [0, "a"],
      [10, "b"],
    ],
    fires: [],
  },
  "absent without a beginning tells each silence once": {
    condition: { kind: "absent", of: a, withinMs: 10, name: "silence" },
    log: [
      [15, "a"],
      [18, "a"],
    ],
    fires: ["10 silence=silent 0-10", "28 silence=silent 18-28"],
    options: { until: 100 },
  },
  "count fires on every third": {
    condition: { kind: "count", of: a, n: 3 },
    log: [
      [1, "a"],
      [2, "a"],
      [3, "a"],
      [4, "a"],
    ],
    fires: ["3 a=1,2,3"],
  },
  "count within a span slides": {
    condition: { kind: "count", of: a, n: 3, withinMs: 10 },
    log: [
      [0, "a"],
      [8, "a"],
      [16, "a"],
      [17, "a"],
    ],
    fires: ["17 a=2,3,4"],
  },
  "a batch is full, or has waited": {
    condition: { kind: "batch", of: a, max: 2, maxWaitMs: 10 },
    log: [
      [1, "a"],
      [2, "a"],
      [3, "a"],
    ],
    fires: ["2 a=1,2", "13 a=3"],
  },
  "a session ends after a gap": {
    condition: { kind: "session", of: a, gapMs: 10 },
    log: [
      [1, "a"],
      [11, "a"],
      [22, "a"],
    ],
    fires: ["21 a=1,2", "32 a=3"],
  },
  "a session is cut at its longest": {
    condition: { kind: "session", of: a, gapMs: 10, maxMs: 15 },
    log: [
      [0, "a"],
      [8, "a"],
      [16, "a"],
    ],
    fires: ["15 a=1,2", "26 a=3"],
  },
  "debounce waits for quiet": {
    condition: { kind: "debounce", of: a, quietMs: 5, maxWaitMs: 8 },
    log: [
      [0, "a"],
      [4, "a"],
      [7, "a"],
      [20, "a"],
    ],
    fires: ["8 a=1,2,3", "25 a=4"],
  },
  "throttle holds what is beyond, and loses nothing": {
    condition: { kind: "throttle", of: a, limit: 2, perMs: 10 },
    log: [
      [0, "a"],
      [1, "a"],
      [2, "a"],
      [3, "a"],
      [11, "a"],
      [12, "a"],
    ],
    fires: ["0 a=1", "1 a=2", "10 a=3,4", "11 a=5", "20 a=6"],
  },
  "a key has its own state": {
    condition: { kind: "all", of: [a, b], by: path("k") },
    log: [
      [1, "a", { k: "x" }],
      [2, "b", { k: "y" }],
      [3, "b", { k: "x" }],
      [4, "a", { k: 7 }],
      [5, "b"],
    ],
    fires: ["3 x a=1 b=3"],
  },
  "a key has a path for each operand": {
    condition: { kind: "all", of: [a, b], by: { kind: "operands", of: { a: path("id"), b: path("order") } } },
    log: [
      [1, "a", { id: "x", order: "y" }],
      [2, "b", { id: "x", order: "z" }],
      [3, "b", { order: "x" }],
    ],
    fires: ["3 x a=1 b=3"],
  },
  "a key below the root": {
    condition: { kind: "count", of: { kind: "all", of: [a, b], by: path("k") }, n: 2 },
    log: [
      [1, "a", { k: 1 }],
      [2, "a", { k: 2 }],
      [3, "b", { k: 2 }],
      [4, "b", { k: 1 }],
    ],
    fires: ["4 a=2,1 b=3,4"],
  },
  "a schedule ticks with its data interval": {
    condition: { kind: "schedule", schedule: { kind: "cron", expression: "*/5 * * * *" } },
    log: [],
    fires: ["300000 schedule=0-300000", "600000 schedule=300000-600000"],
    options: { until: 600_000 },
  },
  "a window gathers by the events' own time": {
    condition: { kind: "window", of: a, every: { kind: "every", every: "1m" }, latenessMs: 10_000 },
    log: [
      [1, "a", null, 5_000],
      [2, "a", null, 61_000],
      [3, "a", null, 59_000],
      [4, "a", null, 70_000],
      [5, "a", null, 30_000],
      [6, "a", null, 131_000],
    ],
    fires: ["4 [0,60000) a=1,3", "6 [60000,120000) a=2,4"],
  },
  "an event from far ahead of its recording closes no window but stands in its own": {
    condition: { kind: "window", of: a, every: { kind: "every", every: "1m" }, idleMs: 1_000 },
    log: [
      [1, "a", null, 5_000],
      [2, "a", null, 253_402_300_000_000],
      [3, "a", null, 10_000],
      [4, "a", null, 4_102_444_800_000],
      [5, "a", null, 61_000],
    ],
    fires: ["5 [0,60000) a=1,3", "121000 [60000,120000) a=5"],
    options: { until: 200_000 },
  },
  "windows before 1970 close in their order, too": {
    condition: { kind: "window", of: a, every: { kind: "every", every: "1m" } },
    log: [
      [1, "a", null, -600_000],
      [2, "a", null, -540_000],
      [3, "a", null, -480_000],
    ],
    fires: ["2 [-600000,-540000) a=1", "3 [-540000,-480000) a=2"],
  },
  "a late event re-opens its window": {
    condition: { kind: "window", of: a, every: { kind: "every", every: "1m" }, late: "revise" },
    log: [
      [1, "a", null, 5_000],
      [2, "a", null, 61_000],
      [3, "a", null, 30_000],
      [4, "a", null, 31_000],
    ],
    fires: ["2 [0,60000) a=1", "3 [0,60000) r2 a=3", "4 [0,60000) r3 a=4"],
  },
  "a window closes when nothing comes": {
    condition: { kind: "window", of: a, every: { kind: "every", every: "1m" }, idleMs: 1_000 },
    log: [[10_000, "a", null, 5_000]],
    fires: ["61000 [0,60000) a=1"],
    options: { until: 100_000 },
  },
};

test.each(Object.entries(cases))("%s", (_name, { condition, log, fires, options }) => {
  const parsed = parseCondition(condition);
  const fed = { until: 1_000, ...options };
  expect(feed(parsed, log, fed)).toEqual(fires);
  expect(parseCondition(JSON.parse(JSON.stringify(parsed)) as Json)).toEqual(parsed);
});

test.each<[Json, RegExp]>([
  [null, /expected a condition/],
  [{ kind: "evnt", type: "a" }, /did you mean "event"/],
  [{ kind: "event" }, /\$\.type.*event type/],
  [{ kind: "event", type: "a*b" }, /event type/],
  [{ kind: "event", type: "a", whre: {} }, /did you mean "where"/],
  [{ kind: "all", of: [] }, /\$\.of.*1 to 50/],
  [{ kind: "at_least", n: 3, of: [a, b] }, /\$\.n.*from 1 to 2; found 3/],
  [{ kind: "all", of: [a, { kind: "count", of: b, n: 0 }] }, /\$\.of\[1\]\.n/],
  [{ kind: "schedule", schedule: { kind: "cron", expression: "* * * * *" }, by: path("k") }, /has no key/],
  [
    { kind: "all", of: [a, b], by: { kind: "operands", of: { a: path("k") } } },
    /no part for its operand "b"/,
  ],
  [{ kind: "any", of: [{ ...a, by: { kind: "operands", of: { a: path("k") } } }] }, /below the root/],
  [{ kind: "window", of: { kind: "any", of: [a] }, every: { kind: "every", every: "1h" } }, /gathers events/],
  [{ kind: "absent", of: a, withinMs: -1 }, /\$\.withinMs/],
])("refuses %j", (json, message) => {
  expect(() => parseCondition(json)).toThrow(message);
});

test("conditions that nest too deep, or have too many operators, are refused", () => {
  let deep: Json = a;
  for (let level = 0; level < 30; level += 1) deep = { kind: "any", of: [deep] };
  expect(() => parseCondition(deep)).toThrow(/nest at most/);
  const wide: Json = {
    kind: "any",
    of: Array.from({ length: 10 }, () => ({ kind: "any", of: Array.from({ length: 40 }, () => a) })),
  };
  expect(() => parseCondition(wide)).toThrow(/at most 200 operators/);
});

export type { Condition };
