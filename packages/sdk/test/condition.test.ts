import { readFileSync } from "node:fs";
import { compileCondition, errorCodeOf, type Condition, type MillraceError } from "@millrace/core";
import { expect, test } from "vitest";
import { z } from "zod";
import { eventType, on, pipeline, task } from "../src/index.ts";
import { conditionOf } from "../src/condition/on.ts";
import type { AnyOn } from "../src/condition/made.ts";
import { definitionOf, lineOf, nodeOf, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const file = "condition.test.ts";

function conditionIn(made: unknown): Condition {
  const found = conditionOf(made);
  if (!found) throw new Error("this is no condition");
  return found.condition;
}

function errorOf(act: () => unknown): MillraceError {
  try {
    act();
  } catch (error) {
    if (errorCodeOf(error) !== undefined) return error as MillraceError;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("what authors write is data, with spans in milliseconds", () => {
  const paid = on.event("order.paid", { where: { data: { amount: { gte: 10 } } } }).as("orders");
  expect(conditionIn(on.all([paid, on.event("order.shipped")], { within: "1h" }).by("data.orderId"))).toEqual(
    {
      kind: "all",
      of: [
        {
          kind: "event",
          type: "order.paid",
          where: { op: "gte", path: ["data", "amount"], value: 10 },
          name: "orders",
        },
        { kind: "event", type: "order.shipped" },
      ],
      withinMs: 3_600_000,
      by: { kind: "path", path: ["data", "orderId"] },
    },
  );
});

test("naming and keying make new conditions and leave the old one alone", () => {
  const plain = on.event("a");
  plain.as("b").by("data.k");
  expect(conditionIn(plain)).toEqual({ kind: "event", type: "a" });
});

test("a key for each operand, and one by CEL", () => {
  const both = on.all([on.event("a"), on.event("b")]);
  expect(conditionIn(both.by({ a: "data.x", b: { cel: "data.y" } })).by).toEqual({
    kind: "operands",
    of: { a: { kind: "path", path: ["data", "x"] }, b: { kind: "cel", text: "data.y" } },
  });
});

test("names under which a firing holds its members are those of the types", () => {
  const made = on
    .count(on.any([on.event("a"), on.event("b").as("second"), on.absent(on.event("c"), { within: "1h" })]), 2)
    .as("first");
  expect(compileCondition(conditionIn(made)).operands).toEqual(["first", "second", "absent"]);
});

test("a declared type is its name, and a firing's members are references", () => {
  const paid = eventType("order.paid", { schema: z.object({ amount: z.number() }) });
  const see = task("see", (amount: number) => amount);
  const definition = definitionOf(
    pipeline("report", { on: on.event(paid) }, ({ firing }) =>
      see(firing.members["order.paid"][0]!.data.amount),
    ),
  );
  expect(definition.trigger).toEqual({
    condition: { kind: "event", type: "order.paid" },
    onResume: "all",
    catchUp: "latest",
  });
  expect(nodeOf(definition, "see").input).toEqual({
    kind: "firing",
    path: ["members", "order.paid", 0, "data", "amount"],
  });
});

test("a span that is none is refused with its name, file and line", () => {
  // @ts-expect-error the type refuses it, too
  const error = errorOf(() => on.session(on.event("a"), { gap: "soon" }));
  expect(error.code).toBe("MILLRACE_CONDITION_INVALID");
  expect(error.message).toContain('option "gap" must be a duration');
  expect(error.message).toContain(`${file}:${lineOf(source, '{ gap: "soon" }')}`);
});

test("what is no condition is refused with file and line", () => {
  // @ts-expect-error the type refuses it, too
  const error = errorOf(() => on.any(["order.refunded"]));
  expect(error.message).toContain("it takes conditions, which the functions of `on` give");
  expect(error.message).toContain(`${file}:${lineOf(source, '["order.refunded"]')}`);
});

test("a wrong filter and a wrong key name their operand and line", () => {
  // @ts-expect-error the type refuses it, too
  const where = errorOf(() => on.event("bad.filter", { where: { dta: { x: 1 } } }));
  expect(where.message).toMatch(/The filter of "bad\.filter".*dta/);
  expect(where.message).toContain(`${file}:${lineOf(source, '"bad.filter", {')}`);
  // @ts-expect-error the type refuses it, too
  const key = errorOf(() => on.event("a").by("nowhere.k"));
  expect(key.message).toMatch(/The key of a condition/);
});

test("what only the whole condition shows is told with the pipeline and the line of the condition", () => {
  const each = on.all([on.event("tick.a"), on.cron("0 6 * * *")]).by("data.k");
  const error = onlyError({ made: pipeline("keyed-ticks", { on: each }, () => null) });
  expect(error).toMatchObject({ code: "MILLRACE_CONDITION_INVALID", source: { file } });
  expect(error.message).toMatch(/keyed-ticks.*a tick of time has no key/s);
  expect(error.source?.line).toBe(lineOf(source, '"tick.a"'));
  const part = on.all([on.event("x"), on.event("y")]).by({ x: "data.k" } as never);
  expect(onlyError({ made: pipeline("no-part", { on: part }, () => null) }).message).toContain('operand "y"');
});

test("a policy is part of the trigger, and each is what it is without one", () => {
  const options = { on: on.event("a"), maxActiveRuns: 1, loopLimit: 3 } as const;
  const latest = definitionOf(pipeline("with-policy", { ...options, policy: "latest" }, () => null));
  expect(latest.trigger).toMatchObject({ policy: "latest", loopLimit: 3 });
  const each = definitionOf(pipeline("with-each", { ...options, policy: "each" }, () => null));
  expect(each.trigger).not.toHaveProperty("policy");
});

test("a policy that nothing makes wait is refused, and one that is none", () => {
  const free = pipeline("no-limit", { on: on.event("a"), policy: "coalesce" }, () => null);
  expect(onlyError({ made: free }).message).toContain('option "policy": "coalesce" needs "maxActiveRuns"');
  // @ts-expect-error the type refuses it, too
  const wrong = pipeline("no-policy", { on: on.event("a"), policy: "newest", maxActiveRuns: 1 }, () => null);
  expect(onlyError({ made: wrong }).message).toContain("expected each, coalesce or latest");
  // @ts-expect-error what is none needs no limit either
  const neither = pipeline("neither", { on: on.event("a"), policy: "newest" }, () => null);
  expect(onlyError({ made: neither }).message).toContain("expected each, coalesce or latest");
});

test("what to catch up with is said of schedules alone, and of those that any condition has beside others", () => {
  const ticks = on.cron("0 6 * * *");
  const alone = definitionOf(pipeline("alone", { on: ticks, catchUp: "all" }, () => null));
  expect(alone.trigger).toMatchObject({ catchUp: "all" });
  const beside = pipeline("beside", { on: on.any([ticks, on.event("a")]), catchUp: "none" }, () => null);
  expect(definitionOf(beside).trigger).toMatchObject({ catchUp: "none" });
  for (const within of [
    pipeline("all", { on: on.all([ticks, on.event("a")]), catchUp: "none" }, () => null),
    pipeline("any", { on: on.any([on.event("a"), on.event("b")]), catchUp: "none" }, () => null),
  ])
    expect(onlyError({ made: within }).message).toContain(
      'option "catchUp" is for a schedule by itself or within `on.any`',
    );
});

test("policies without a condition are refused", () => {
  const made = pipeline("alone", { onResume: "latest" }, () => null);
  expect(onlyError({ made }).message).toContain(
    'option "onResume" says something about "on", which it lacks',
  );
});

test("the end of a run is an event of its pipeline; of several states, any of them", () => {
  const subject = { op: "eq", path: ["subject"], value: "load" };
  expect(conditionIn(on.finished("load"))).toEqual({
    kind: "event",
    name: "load",
    type: "millrace.run.succeeded",
    where: subject,
  });
  const load = pipeline("load", () => 1);
  expect(conditionIn(on.finished(load, { states: ["failed", "cancelled", "failed"] }).as("bad"))).toEqual({
    kind: "any",
    name: "bad",
    of: [
      { kind: "event", type: "millrace.run.failed", where: subject },
      { kind: "event", type: "millrace.run.cancelled", where: subject },
    ],
  });
  const labelled = on.finished("load", { node: "g/a", where: { data: { labels: { team: "x" } } } });
  expect(conditionIn(labelled)).toMatchObject({
    type: "millrace.node.succeeded",
    where: {
      op: "and",
      of: [
        { op: "eq", path: ["subject"], value: "load/g/a" },
        { op: "eq", path: ["data", "labels", "team"], value: "x" },
      ],
    },
  });
});

test.each([
  [
    () => on.finished("load", { states: ["done" as never] }),
    /"states".*must name some of succeeded.*found "done"/,
  ],
  [() => on.finished("load", { states: [] }), /"states"/],
  [() => on.finished("load", { states: "failed" as never }), /"states"/],
  [() => on.finished("load", { node: "a", states: ["cancelled"] }), /must name some of succeeded, failed/],
  [() => on.finished("" as never), /takes a pipeline/],
  [() => on.finished(undefined as never), /takes a pipeline/],
])("a wrong end is refused: %#", (make, why) => {
  expect(make).toThrow(why);
});

function scheduleOf(made: AnyOn): unknown {
  return definitionOf(pipeline("p", { on: made }, () => null)).trigger?.condition;
}

test("schedules have calendars, jitter and anchors", () => {
  const calendar = { businessDays: true, holidays: ["2026-12-24/2026-12-26"], include: ["2026-12-19"] };
  expect(scheduleOf(on.cron("0 6 * * *", { tz: "Europe/Berlin", jitter: "5m", calendar }))).toMatchObject({
    schedule: {
      kind: "cron",
      jitterMs: 300_000,
      calendar: {
        weekdays: [1, 2, 3, 4, 5],
        exclude: ["2026-12-24/2026-12-26"],
        include: ["2026-12-19"],
      },
    },
  });
  expect(
    scheduleOf(on.every("1mo", { anchor: "2026-01-31T06:00", calendar: { weekdays: ["MON", 2] } })),
  ).toMatchObject({
    schedule: { kind: "every", anchor: "2026-01-31T06:00:00", calendar: { weekdays: [1, 2] } },
  });
  expect(scheduleOf(on.at(["2026-01-31T06:00Z"], { jitter: "10s" }))).toMatchObject({
    schedule: { kind: "at", jitterMs: 10_000 },
  });
});

test.each<[what: string, make: () => unknown, why: RegExp]>([
  [
    "a filter that is misspelt",
    () => on.event("a", { wher: { data: { n: 1 } } } as never),
    /`on\.event`.*there is no option "wher"\. Did you mean "where"\?/,
  ],
  [
    "a filter in place of the options",
    () => on.event("a", "data.n > 1" as never),
    /`on\.event`.*options must be an object/,
  ],
  [
    "a span that is misspelt",
    () => on.all([on.event("a")], { whithin: "1h" } as never),
    /Did you mean "within"/,
  ],
  ["an option of another", () => on.cron("@daily", { anchor: "2026-01-31" } as never), /no option "anchor"/],
  [
    "an option of no update",
    () => on.updated("a", { partition: ["x"] } as never),
    /Did you mean "partitions"/,
  ],
  ["an option of no progress", () => on.reached("a", { evry: "1d" } as never), /Did you mean "every"/],
  [
    "a task for a pipeline",
    () => on.finished(task("see", () => 1) as never),
    /takes a pipeline, or its name/,
  ],
])("%s is refused, with what was meant", (_what, make, why) => {
  expect(make).toThrow(why);
});
