import { expect, test } from "vitest";
import { describeCondition, type Condition, type TimePartitions } from "../../src/index.ts";

const a: Condition = { kind: "event", type: "a" };
const b: Condition = { kind: "event", type: "b", where: { op: "gt", path: ["data", "n"], value: 1 } };
const of: readonly Condition[] = [a, b];
const minute = 60_000;
const days: TimePartitions = {
  kind: "time",
  every: { kind: "every", every: { n: 1, unit: "days" }, tz: "UTC" },
  start: "2026-01-01T00:00:00Z",
};

const cases: readonly (readonly [condition: Condition, text: string])[] = [
  [b, "an event b where data.n > 1"],
  [
    { kind: "event", type: "millrace.probe.changed", probe: { name: "there", args: { day: "2026-01-31" } } },
    'a change of the probe there {"day":"2026-01-31"}',
  ],
  [
    { kind: "event", type: "millrace.probe.changed", probe: { name: "open", args: null } },
    "a change of the probe open",
  ],
  [
    { kind: "all", of, withinMs: 90 * minute },
    "all of (an event a, an event b where data.n > 1) within 1 h 30 min",
  ],
  [
    { kind: "any", of, by: { kind: "path", path: ["data", "k"] } },
    "any of (an event a, an event b where data.n > 1), for each data.k",
  ],
  [{ kind: "at_least", n: 1, of }, "1 of (an event a, an event b where data.n > 1)"],
  [
    { kind: "sequence", of: [a, { kind: "count", of: a, n: 2 }] },
    "in this order (an event a, (every 2 of an event a))",
  ],
  [
    { kind: "unless", of: a, until: { kind: "event", type: "c" }, withinMs: minute },
    "an event a, unless an event c came in the 1 min before",
  ],
  [
    { kind: "absent", of: a, withinMs: minute, after: { kind: "event", type: "c" } },
    "no event a for 1 min after an event c",
  ],
  [
    { kind: "batch", of: a, max: 3, maxWaitMs: minute },
    "batches of up to 3 of an event a, gathered for 1 min",
  ],
  [
    { kind: "session", of: a, gapMs: minute, maxMs: 60 * minute },
    "sessions of an event a with gaps up to 1 min, 1 h at most",
  ],
  [{ kind: "updated", assets: [{ asset: "orders" }], when: "each" }, "an update of orders"],
  [
    {
      kind: "updated",
      assets: [{ asset: "a" }, { asset: "b", partitions: days }],
      when: "each",
      where: { op: "gt", path: ["data", "metadata", "rows"], value: 0 },
      only: { kind: "latest", n: 3 },
      target: days,
    },
    "an update of a, b of the latest 3 partitions where data.metadata.rows > 0, for each of the windows (every day at 00:00, UTC) that it is a part of",
  ],
  [
    {
      kind: "any",
      of: [
        {
          kind: "updated",
          assets: [{ asset: "a", partitions: days }],
          when: "complete",
          target: days,
          late: { debounceMs: minute, revisionsMax: 3, closeAfterMs: 7 * 24 * 60 * minute },
        },
        { kind: "updated", assets: [{ asset: "a" }], when: "complete" },
      ],
    },
    "any of (windows (every day at 00:00, UTC) of which all of a was updated, revised by late updates (3 at most, for 7 d), all partitions of a updated)",
  ],
  [
    { kind: "reached", assets: [{ asset: "a" }], target: days, delayMs: 10 * minute, orAfterMs: 60 * minute },
    "windows (every day at 00:00, UTC) that a is complete for, and 10 min more, or incomplete when it stands still for 1 h",
  ],
  [{ kind: "debounce", of: a, quietMs: minute }, "an event a, once it was quiet for 1 min"],
  [{ kind: "throttle", of: a, limit: 2, perMs: minute }, "an event a, 2 in 1 min at most"],
  [
    {
      kind: "all",
      of: [a, { ...b, where: undefined as never }],
      by: {
        kind: "operands",
        of: { a: { kind: "path", path: ["subject"] }, b: { kind: "cel", text: "data.x" } },
      },
    },
    "all of (an event a, an event b), for each subject of a, data.x of b",
  ],
];

test.each(cases)("%j in words", (condition, text) => {
  expect(describeCondition(condition)).toBe(text);
});
