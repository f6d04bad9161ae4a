/** Conditions as the code that declares them. */
import { parseCondition, parseTrigger, type Condition, type Json } from "@millrace/core";
import { expect, test } from "vitest";
import { conditionCode, spanText } from "../src/pages/trigger/condition-code.ts";
import {
  changedTrigger,
  fieldAt,
  FieldError,
  nameOf,
  parametersOf,
} from "../src/pages/trigger/parameters.ts";
import { celAnd, celEquals, celOf } from "../src/parts/filter/cel-text.ts";

const paid = { kind: "event", type: "order.paid" } as const;
const conditions: readonly Json[] = [
  { ...paid, where: { op: "gte", path: ["data", "amount"], value: 100 }, name: "large" },
  {
    ...paid,
    where: {
      op: "and",
      of: [
        { op: "gte", path: ["data", "amount"], value: 100 },
        { op: "lt", path: ["data", "amount"], value: 500 },
        { op: "eq", path: ["data", "customer", "name"], value: "Ada" },
        {
          op: "or",
          of: [
            { op: "eq", path: ["source"], value: "/shop" },
            { op: "cel", text: "data.a > 1" },
          ],
        },
        { op: "not", of: { op: "exists", path: ["data", "note"], value: true } },
      ],
    },
  },
  { kind: "schedule", schedule: { kind: "cron", expression: "0 6 * * *", tz: "Europe/Berlin" } },
  { kind: "schedule", schedule: { kind: "every", every: "15m", tz: "UTC" } },
  { kind: "count", n: 3, withinMs: 5_400_000, of: paid, by: { kind: "path", path: ["data", "k"] } },
  { kind: "at_least", n: 1, of: [paid, { kind: "event", type: "b" }] },
  { kind: "unless", of: paid, until: { kind: "event", type: "stop" }, withinMs: 1_000 },
  { kind: "absent", of: paid, withinMs: 1_000, after: { kind: "event", type: "sent" } },
  { kind: "batch", of: paid, max: 10, maxWaitMs: 250 },
  { kind: "session", of: paid, gapMs: 1_000, maxMs: 60_000 },
  { kind: "debounce", of: paid, quietMs: 2_000 },
  { kind: "throttle", of: paid, limit: 1, perMs: 86_400_000 },
  {
    kind: "all",
    withinMs: 7_200_000,
    of: [
      { ...paid, name: "paid" },
      { kind: "event", type: "order.picked.from.a.shelf.with.a.long.name", name: "picked" },
    ],
    by: {
      kind: "operands",
      of: { paid: { kind: "path", path: ["data", "order"] }, picked: { kind: "cel", text: "subject" } },
    },
  },
];

/** In the same order. */
const codes: readonly string[] = [
  `on.event("order.paid", { where: { data: { amount: { gte: 100 } } } }).as("large")`,
  `on.event(
  "order.paid",
  { where: { data: { amount: { gte: 100, lt: 500 }, customer: { name: "Ada" } }, allOf: [{ anyOf: [{ source: "/shop" }, "data.a > 1"] }, { not: { data: { note: { exists: true } } } }] } },
)`,
  `on.cron("0 6 * * *", { tz: "Europe/Berlin" })`,
  `on.every("15m")`,
  `on.count(on.event("order.paid"), 3, { within: "1h30m" }).by("data.k")`,
  `on.atLeast(1, [on.event("order.paid"), on.event("b")])`,
  `on.unless(on.event("order.paid"), on.event("stop"), { within: "1s" })`,
  `on.absent(on.event("order.paid"), { within: "1s", after: on.event("sent") })`,
  `on.batch(on.event("order.paid"), { max: 10, maxWait: "250ms" })`,
  `on.session(on.event("order.paid"), { gap: "1s", max: "1m" })`,
  `on.debounce(on.event("order.paid"), { quiet: "2s" })`,
  `on.throttle(on.event("order.paid"), { limit: 1, per: "1d" })`,
  `on.all(
  [
    on.event("order.paid").as("paid"),
    on.event("order.picked.from.a.shelf.with.a.long.name").as("picked"),
  ],
  { within: "2h" },
).by({ paid: "data.order", picked: { cel: "subject" } })`,
];

test.each(codes.map((code, at) => [code, parseCondition(conditions[at]!)] as const))(
  "its code is %s",
  (code, condition) => {
    expect(conditionCode(condition)).toBe(code);
  },
);

test("what names a project's assets has no code of its own", () => {
  const condition = { kind: "any", of: [paid, { kind: "updated", assets: [], when: "each" }] };
  expect(conditionCode(condition as unknown as Condition)).toBeUndefined();
});

test("spans are written as authors write them", () => {
  expect([0, 250, 90_000, 5_400_000, 90_061_000].map(spanText)).toEqual([
    "0s",
    "250ms",
    "1m30s",
    "1h30m",
    "1d1h1m1s",
  ]);
});

const trigger = parseTrigger({
  condition: {
    kind: "count",
    n: 2,
    withinMs: 60_000,
    of: { ...paid, where: { op: "gte", path: ["data", "amount"], value: 100 } },
    by: { kind: "path", path: ["data", "country"] },
  },
});

test("what can be changed of a trigger is told with how it is, and takes what is entered", () => {
  const parameters = parametersOf(trigger);
  expect(parameters.map(({ label, text }) => `${label}: ${text}`)).toEqual([
    "count · how many: 2",
    "count · within: 1m",
    "key: data.country",
    "order.paid · type: order.paid",
    "order.paid · where: data.amount >= 100",
  ]);
  const entered = {
    "condition/n": "3",
    "condition/withinMs": "",
    "condition/by": "data.a + data.b",
    "condition/of/where": "data.amount > 5.0",
  };
  const changed = parseTrigger(changedTrigger(trigger, parameters, entered));
  expect(changed.condition).toMatchObject({
    n: 3,
    by: { kind: "cel", text: "data.a + data.b" },
    of: { where: { op: "cel", text: "data.amount > 5.0" } },
  });
  expect(changed.condition).not.toHaveProperty("withinMs");
  expect(changedTrigger(trigger, parameters, {})).toBe(trigger);
});

test.each([
  ["condition/n", "two", "a whole number"],
  ["condition/withinMs", "soon", "a span is written"],
  ["condition/n", "", "can't be left out"],
])("a wrong %s is refused at its field", (field, text, message) => {
  const change = (): Json => changedTrigger(trigger, parametersOf(trigger), { [field]: text });
  expect(change).toThrow(FieldError);
  expect(change).toThrow(message);
});

test("what the server refuses is found at its field", () => {
  const parameters = parametersOf(trigger);
  expect(fieldAt(parameters, "$.trigger.condition.of.where.text")).toBe("condition/of/where");
  expect(fieldAt(parameters, "$.trigger.policy")).toBeUndefined();
  expect(parameters.map(({ path }) => nameOf(path))).toContain("condition/by");
});

test("filters are written as CEL, and grow by clicks", () => {
  expect(
    celOf({
      op: "and",
      of: [
        { op: "in", path: ["data", "state"], value: ["a", "b"] },
        {
          op: "or",
          of: [
            { op: "prefix", path: ["subject"], value: "x" },
            { op: "has", path: ["data", "l"], value: 1 },
          ],
        },
        { op: "exists", path: ["data", "a b", "0"], value: false },
      ],
    }),
  ).toBe('data.state in ["a", "b"] && (subject.startsWith("x") || 1 in data.l) && !has(data["a b"][0])');
  expect(celOf({ op: "glob", path: ["subject"], value: "*" })).toBeUndefined();
  const first = celAnd(undefined, celEquals(["data", "country"], "DE"));
  expect(first).toBe('data.country == "DE"');
  expect(celAnd(first, celEquals(["data", "lines", 0, "n"], 2))).toBe(
    'data.country == "DE" && data.lines[0].n == 2',
  );
  expect(celAnd(first, 'data.country == "DE"')).toBe(first);
  expect(celAnd("a || b", "c")).toBe("(a || b) && c");
});
