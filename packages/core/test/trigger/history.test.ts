/** The moments of one key of a trigger. */
import { expect, test } from "vitest";
import { compileCondition } from "../../src/condition/compile.ts";
import type { ConditionEvent } from "../../src/condition/condition-event.ts";
import type { Json } from "../../src/json.ts";
import type { HeldTrigger } from "../../src/trigger/held-trigger.ts";
import { TriggerHistory } from "../../src/trigger/history.ts";
import { parseTrigger } from "../../src/trigger/trigger.ts";

const noon = Date.UTC(2026, 0, 1, 12);

function historyOf(condition: Json, options: { momentsMax?: number; since?: number; key?: string } = {}) {
  const definition = parseTrigger({ condition });
  const trigger: HeldTrigger = {
    row: { pipeline: "p", version: 1, definition },
    program: compileCondition(definition.condition, "p"),
    keys: new Map(),
  };
  const { momentsMax = 100, since = 0, key = "" } = options;
  return new TriggerHistory(trigger, { position: 1, recordedAt: noon }, { key, momentsMax, since });
}

function event(position: number, ms: number, data: Json = {}, type = "a"): ConditionEvent {
  const recordedAt = noon + ms;
  return {
    position,
    recordedAt,
    type,
    source: "/s",
    id: String(position),
    time: recordedAt,
    data,
    attributes: {},
  };
}

const told = (history: TriggerHistory) =>
  history.moments.map(({ at, position, firings }) => [at - noon, position, firings.length]);

test("entries and deadlines are moments in the order of time", () => {
  const history = historyOf({ kind: "debounce", quietMs: 100, of: { kind: "event", type: "a" } });
  history.tell(event(2, 0));
  history.tell(event(3, 50));
  history.tell(event(4, 400));
  history.tellTime(noon + 1_000);
  expect(told(history)).toEqual([
    [0, 2, 0],
    [50, 3, 0],
    [150, undefined, 1],
    [400, 4, 0],
    [500, undefined, 1],
  ]);
});

test("a deadline that is not over is no moment", () => {
  const history = historyOf({ kind: "debounce", quietMs: 100, of: { kind: "event", type: "a" } });
  history.tell(event(2, 0));
  history.tellTime(noon + 100);
  expect(told(history)).toEqual([[0, 2, 0]]);
  history.tellTime(noon + 100.001);
  expect(told(history)).toHaveLength(2);
});

test("other keys and entries that fit no operand are no moments", () => {
  const by = { kind: "path", path: ["data", "k"] };
  const history = historyOf({ kind: "count", n: 2, of: { kind: "event", type: "a" }, by }, { key: "x" });
  history.tell(event(2, 0, { k: "x" }));
  history.tell(event(3, 1, { k: "y" }));
  history.tell(event(4, 2, {}));
  history.tell(event(5, 3, { k: "x" }, "b"));
  history.tell(event(6, 4, { k: "x" }));
  expect(told(history)).toEqual([
    [0, 2, 0],
    [4, 6, 1],
  ]);
});

test("the newest moments are kept, and those before a time are told without being kept", () => {
  const count = { kind: "count", n: 2, of: { kind: "event", type: "a" } };
  const few = historyOf(count, { momentsMax: 2 });
  for (let at = 0; at < 5; at += 1) few.tell(event(at + 2, at));
  expect(told(few)).toEqual([
    [3, 5, 1],
    [4, 6, 0],
  ]);
  expect(few.left).toBe(3);
  const late = historyOf(count, { since: noon + 3 });
  for (let at = 0; at < 5; at += 1) late.tell(event(at + 2, at));
  expect(told(late)).toEqual([
    [3, 5, 1],
    [4, 6, 0],
  ]);
});

test("an event alone has no state, and each of its firings is a moment", () => {
  const history = historyOf({ kind: "event", type: "a", name: "orders" });
  history.tell(event(2, 0));
  expect(told(history)).toEqual([[0, 2, 1]]);
  expect(history.moments[0]!.operands).toEqual(["orders"]);
  expect(history.state().state).toBe("waiting");
});

test("ticks of years are told at once, and their moments are bounded", () => {
  const schedule = { kind: "every", every: "1s", tz: "UTC" };
  const history = historyOf({ kind: "schedule", schedule }, { momentsMax: 5 });
  history.tellTime(noon + 2 * 86_400_000);
  expect(history.moments.length).toBeLessThanOrEqual(5);
  expect(history.moments.at(-1)!.at).toBe(noon + 2 * 86_400_000);
});
