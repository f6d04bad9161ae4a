/** How a firing gets its partition, its name and its revision, and what a run by hand may be for. */
import { expect, test } from "vitest";
import {
  beginInstance,
  compileCondition,
  findPartition,
  firingOf,
  firingValue,
  manualFiringValue,
  needsPartition,
  parseCondition,
  partitionForTrigger,
  partitionsOfCondition,
  tellEvent,
  type Condition,
  type Firing,
  type Json,
  type PipelineDefinition,
} from "../src/index.ts";

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const days: Json = { kind: "time", every: { kind: "every", every: "1d" }, start: "2026-01-01" };
const regions: Json = { kind: "static", keys: ["eu", "us"] };
const tuple: Json = { kind: "tuple", of: { day: days, region: regions } };
const orders: Json = { asset: "orders", partitions: days };

function condition(json: Json): Condition {
  return parseCondition(json);
}

/** The firings of updates of these partitions, and of progress where it is a number. */
function firingsOf(of: Condition, what: readonly (string | number | null)[]): Firing[] {
  const program = compileCondition(of);
  const instance = beginInstance(program, undefined, start);
  let count = 0;
  return what.flatMap((one, at) =>
    tellEvent(program, instance, {
      position: at + 11,
      recordedAt: start + at,
      type: `millrace.asset.${typeof one === "number" ? "progress" : "updated"}`,
      source: "millrace",
      id: String(at),
      subject: "orders",
      time: start,
      data:
        typeof one === "number"
          ? { asset: "orders", until: new Date(one).toISOString() }
          : { asset: "orders", partition: one },
    }).decided.map((decided) => firingOf(program, { pipeline: "p", version: 1 }, "", decided, count++)),
  );
}

const names = (firings: readonly Firing[]) =>
  firings.map(({ occurrence, revision, partition }) => [occurrence, revision, partition?.key]);

test("each update is named by its position", () => {
  const of = condition({ kind: "updated", assets: [orders] });
  expect(names(firingsOf(of, ["2026-01-02", "2026-01-02"]))).toEqual([
    [11, 1, "2026-01-02"],
    [12, 1, "2026-01-02"],
  ]);
});

test("what one update makes several of is counted", () => {
  const of = condition({
    kind: "updated",
    assets: [{ ...(orders as object), mapping: { kind: "last", n: 2 } }] as Json,
    target: days,
  });
  expect(names(firingsOf(of, ["2026-01-02"]))).toEqual([
    [1, 1, "2026-01-02"],
    [2, 1, "2026-01-03"],
  ]);
});

test("windows are named by their start, tuples are counted, and have an interval all the same", () => {
  const reached = condition({ kind: "reached", assets: [orders], target: days });
  expect(names(firingsOf(reached, [start + 2 * day]))).toEqual([
    [start, 1, "2026-01-01"],
    [start + day, 1, "2026-01-02"],
  ]);
  const complete = condition({
    kind: "updated",
    assets: [{ asset: "orders", partitions: tuple }],
    target: tuple,
    when: "complete",
  });
  const fired = firingsOf(complete, ["day=2026-01-02/region=eu", "day=2026-01-02/region=us"]);
  expect(names(fired)).toEqual([
    [1, 1, "day=2026-01-02/region=eu"],
    [2, 1, "day=2026-01-02/region=us"],
  ]);
  expect(fired[0]?.interval).toEqual({ from: start + day, to: start + 2 * day });
});

test("two operands with one window have two names", () => {
  const of = condition({
    kind: "any",
    of: [
      { kind: "reached", assets: [orders], target: days },
      { kind: "reached", assets: [{ asset: "orders" }], target: days },
    ],
  });
  expect(names(firingsOf(of, [start + day]))).toEqual([
    [1, 1, "2026-01-01"],
    [2, 1, "2026-01-01"],
  ]);
});

test("a merged match is about a partition where all agree on it", () => {
  const twice = condition({ kind: "count", n: 2, of: { kind: "updated", assets: [orders] } });
  expect(names(firingsOf(twice, ["2026-01-02", "2026-01-02", "2026-01-02", "2026-01-03"]))).toEqual([
    [1, 1, "2026-01-02"],
    [2, 1, undefined],
  ]);
});

test("tasks see partition, window, previous run, and whether all was there", () => {
  const of = condition({ kind: "reached", assets: [orders], target: days });
  const [firing] = firingsOf(of, [start + day]);
  const window = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" };
  const program = compileCondition(of);
  expect(
    firingValue(program, { ...firing!, isIncomplete: true, revision: 2 }, () => "event" as never, "r1"),
  ).toEqual({
    isFired: true,
    key: null,
    at: "2026-01-01T00:00:00.000Z",
    revision: 2,
    interval: window,
    partition: { key: "2026-01-01", window },
    previousRun: "r1",
    incomplete: true,
    members: { orders: ["event"] },
  });
  expect(manualFiringValue(program, null, findPartition(of, "2026-01-01"))).toMatchObject({
    isFired: false,
    partition: { key: "2026-01-01", window },
    interval: window,
    previousRun: null,
    incomplete: false,
  });
});

test("a run by hand is for a partition that firings are about", () => {
  const of = condition({
    kind: "any",
    of: [
      { kind: "updated", assets: [{ asset: "r", partitions: regions }] },
      {
        kind: "unless",
        of: { kind: "updated", assets: [orders] },
        until: { kind: "updated", assets: [{ asset: "x", partitions: { kind: "dynamic" } }] },
      },
    ],
  });
  expect(partitionsOfCondition(of).map(({ kind }) => kind)).toEqual(["static", "time"]);
  expect(partitionForTrigger(of, "eu", "p")).toEqual({ key: "eu" });
  expect(partitionForTrigger(of, "2026-01-02", "p")).toMatchObject({ key: "2026-01-02" });
  expect(findPartition(of, "elsewhere")).toBeUndefined();
  expect(() => partitionForTrigger(of, "ue", "p")).toThrow('The pipeline "p" has no partition "ue"');
  const none = condition({ kind: "event", type: "a" });
  expect(() => partitionForTrigger(none, "eu", "p")).toThrow("its trigger is about none");
  expect(() => partitionForTrigger(undefined, "eu", "p")).toThrow("its trigger is about none");
});

test("a run needs a partition where all firings have one and a template reads it", () => {
  const definition = (of: Condition | undefined, path: readonly string[]): PipelineDefinition =>
    ({
      name: "p",
      tags: [],
      paused: false,
      regions: [],
      nodes: [{ id: "a", input: { kind: "object", entries: { key: { kind: "firing", path } } } }],
      ...(of ? { trigger: { condition: of, onResume: "all", catchUp: "latest" } } : {}),
    }) as unknown as PipelineDefinition;
  const updated = condition({ kind: "updated", assets: [orders] });
  const whole = condition({ kind: "updated", assets: [{ asset: "model" }] });
  expect(needsPartition(definition(updated, ["partition", "key"]))).toBe(true);
  expect(needsPartition(definition(updated, ["members"]))).toBe(false);
  expect(needsPartition(definition(whole, ["partition", "key"]))).toBe(false);
  expect(needsPartition(definition(undefined, ["partition", "key"]))).toBe(false);
  const either = condition({ kind: "any", of: [updated, { kind: "event", type: "a" }] as unknown as Json });
  expect(needsPartition(definition(either, ["partition", "key"]))).toBe(false);
});
