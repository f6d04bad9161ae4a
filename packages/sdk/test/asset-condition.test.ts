/** `on.updated`, `on.reached` and the run's partition, as data. */
import { readFileSync } from "node:fs";
import { errorCodeOf, type Condition, type MillraceError } from "@millrace/core";
import { expect, test } from "vitest";
import { asset, daily, hourly, on, pipeline, staticPartitions, task, tuplePartitions } from "../src/index.ts";
import { conditionOf } from "../src/condition/made.ts";
import { definitionOf, lineOf, nodeOf, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const file = "asset-condition.test.ts";
const berlin = { tz: "Europe/Berlin" };
const hours = asset("hours", { partitions: hourly("2026-01-01", berlin) });
const days = asset("days", {
  partitions: daily("2026-01-01", berlin),
  upstream: [{ asset: hours, mapping: { kind: "last", n: 24 } }],
});
const model = asset("model");
const look = task("look", (input: unknown) => input);

function triggerOf(of: Parameters<typeof pipeline>[1] extends infer _ ? unknown : never): Condition {
  const definition = definitionOf(pipeline("p", { on: of as never }, () => undefined));
  return definition.trigger!.condition;
}

test("an asset's partitions travel with the condition", () => {
  expect(triggerOf(on.updated(hours))).toEqual({
    kind: "updated",
    when: "each",
    assets: [
      {
        asset: "hours",
        partitions: {
          kind: "time",
          every: { kind: "cron", expression: "0 * * * *", tz: "Europe/Berlin" },
          start: "2025-12-31T23:00:00Z",
        },
      },
    ],
  });
  expect(triggerOf(on.updated([model, "elsewhere"]))).toEqual({
    kind: "updated",
    when: "each",
    assets: [{ asset: "model" }, { asset: "elsewhere" }],
  });
});

test("all is a target, with the mapping that the target's asset declares", () => {
  const condition = triggerOf(on.updated(hours, { all: days, late: { debounce: "1m", max: 1 } }));
  expect(condition).toMatchObject({
    kind: "updated",
    when: "complete",
    assets: [{ asset: "hours", mapping: { kind: "last", n: 24 } }],
    target: { kind: "time", every: { kind: "every", every: { n: 1, unit: "days" } } },
    late: { debounceMs: 60_000, revisionsMax: 1, closeAfterMs: 7 * 86_400_000 },
  });
  expect(triggerOf(on.updated(hours, { all: daily("2026-01-01", berlin) }))).not.toHaveProperty("late");
});

test("reached revises unless told otherwise, and takes the asset's windows unless given others", () => {
  expect(triggerOf(on.reached(hours))).toMatchObject({
    kind: "reached",
    target: { every: { kind: "cron", expression: "0 * * * *" } },
    delayMs: 0,
    late: { debounceMs: 600_000, revisionsMax: 3, closeAfterMs: 7 * 86_400_000 },
  });
  expect(
    triggerOf(
      on.reached([hours, "flink"], { every: "1d", ...berlin, delay: "10m", late: "ignore", orAfter: "3h" }),
    ),
  ).toEqual({
    kind: "reached",
    assets: [expect.objectContaining({ asset: "hours" }), { asset: "flink" }],
    target: {
      kind: "time",
      every: { kind: "every", every: { n: 1, unit: "days" }, tz: "Europe/Berlin" },
      start: "1969-12-31T23:00:00Z",
    },
    delayMs: 600_000,
    orAfterMs: 10_800_000,
  });
});

test("filters are keys, the latest, or dimensions", () => {
  const tuple = asset("tuple", {
    partitions: tuplePartitions({ day: daily("2026-01-01"), region: staticPartitions(["eu", "us"]) }),
  });
  expect(triggerOf(on.updated(hours, { partitions: ["2026-01-01T00:00Z"] }))).toMatchObject({
    only: { kind: "keys", keys: ["2026-01-01T01:00+01:00"] },
  });
  expect(triggerOf(on.updated(hours, { partitions: { latest: 2 } }))).toMatchObject({
    only: { kind: "latest", n: 2 },
  });
  expect(triggerOf(on.updated(tuple, { partitions: { region: "eu" } }))).toMatchObject({
    only: { kind: "dimensions", of: { region: ["eu"] } },
  });
});

test("the body's partition is a part of its firing", () => {
  const definition = definitionOf(
    pipeline("p", { on: on.updated(hours) }, ({ partition }) =>
      look({ day: partition.key, from: partition.window.from }),
    ),
  );
  expect(nodeOf(definition, "look").input).toEqual({
    kind: "object",
    entries: {
      day: { kind: "firing", path: ["partition", "key"] },
      from: { kind: "firing", path: ["partition", "window", "from"] },
    },
  });
});

function errorOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (error) {
    if (errorCodeOf(error) !== undefined) return error as MillraceError;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test.each<[string, () => unknown, RegExp]>([
  [
    "something else than an asset",
    () => on.updated(7 as never),
    /it takes an asset, its name, \{ asset, mapping \}, or a list/,
  ],
  [
    "each and all",
    () => on.updated(hours, { each: days, all: days } as never),
    /it takes "each" or "all", not both/,
  ],
  [
    "a target without partitions",
    () => on.updated(hours, { all: model }),
    /the asset "model" has no partitions/,
  ],
  ["a target that is none", () => on.updated(hours, { all: "daily" as never }), /must be partitions such as/],
  ["every and partitions", () => on.reached(hours, { every: "1d", partitions: days }), /not both/],
  ["a zone alone", () => on.reached(hours, { tz: "UTC" }), /"tz" is the zone of "every"/],
  ["windows of nothing", () => on.reached(model), /no asset here has windows of time/],
  ["a late that is none", () => on.reached(hours, { late: "never" as never }), /"revise", "ignore" or/],
  [
    "a delay that is no span",
    () => on.reached(hours, { delay: "soon" as never }),
    /option "delay" must be a duration/,
  ],
])("%s is refused where it stands", (_name, act, message) => {
  const error = errorOf(act);
  expect(error.code).toBe("MILLRACE_CONDITION_INVALID");
  expect(error.message).toMatch(message);
  expect(error.message).toContain(file);
  expect(conditionOf(error)).toBeUndefined();
});

test("what only shows with the whole is told with the line of the condition", () => {
  const wrong = onlyError({
    p: pipeline("p", { on: on.updated(hours, { partitions: ["2026-01-01"] }) }, () => undefined),
  });
  expect(wrong.message).toMatch(/has no partition "2026-01-01".*a key looks like 2026-01-01T00:00\+01:00/);
  expect(wrong.message).toContain(`${file}:${lineOf(source, 'partitions: ["2026-01-01"] }) }')}`);
});
