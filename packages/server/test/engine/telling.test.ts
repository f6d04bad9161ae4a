import {
  forgottenAt,
  keyIdleMs,
  parseCondition,
  tellKey,
  type Condition,
  type ConditionEvent,
  type Json,
} from "@millrace/core";
import { expect, test } from "vitest";
import {
  keyRow,
  loadTrigger,
  restoreKey,
  type LoadedTrigger,
} from "../../src/engine/trigger/loaded-trigger.ts";

const start = 1_800_000_000_000;

function triggerOn(condition: Json): LoadedTrigger {
  const parsed: Condition = parseCondition(condition);
  return loadTrigger({
    workspace: 1,
    pipeline: "p",
    shard: 0,
    version: 1,
    definition: { condition: parsed, onResume: "all", catchUp: "latest" },
    activated: { position: 0, recordedAt: start },
    paused: undefined,
  });
}

const three: Json = {
  kind: "count",
  n: 3,
  of: { kind: "event", type: "tick" },
  by: { kind: "path", path: ["data", "k"] },
};

function event(position: number, recordedAt: number): ConditionEvent {
  return {
    position,
    recordedAt,
    type: "tick",
    source: "/s",
    id: `${position}`,
    time: recordedAt,
    data: { k: "a" },
  };
}

/** How often it fires, told events at these times. `between`: what becomes of the states after each. */
function firings(trigger: LoadedTrigger, times: readonly number[], between: () => void = () => {}): number {
  let count = 0;
  for (const [at, time] of times.entries()) {
    const telling = tellKey(trigger, "a", event(at + 1, start + time));
    if (telling.isNew && telling.touched) trigger.keys.set("a", telling.state);
    count += telling.firings.length;
    between();
  }
  return count;
}

/** Out of memory and back, as after a crash. */
function reload(trigger: LoadedTrigger): void {
  const state = trigger.keys.get("a");
  if (state) trigger.keys.set("a", restoreKey(keyRow(trigger, state)));
}

test.each([
  ["in memory", () => {}],
  ["read from rows", reload],
])("a key that nothing touched for long begins anew: %s", (_how, between) => {
  const trigger = triggerOn(three);
  expect(firings(trigger, [0, 1, keyIdleMs + 2], () => between(trigger))).toBe(0);
  expect(firings(trigger, [keyIdleMs + 3, keyIdleMs + 4])).toBe(1);
  const touched = triggerOn(three);
  expect(firings(touched, [0, 1, keyIdleMs + 1], () => between(touched))).toBe(1);
});

test("what a sweep took away and what it left decide the same", () => {
  const left = triggerOn(three);
  const swept = triggerOn(three);
  const late = keyIdleMs + 100;
  expect(firings(left, [0, 1])).toBe(firings(swept, [0, 1]));
  swept.keys.clear();
  const after = [late, late + 1, late + 2];
  expect(firings(left, after)).toBe(1);
  expect(firings(swept, after)).toBe(1);
  expect(left.keys.get("a")?.firings).toBe(swept.keys.get("a")?.firings);
});

test("a state that time will touch is kept as long as that takes, and one without a key for good", () => {
  const due = triggerOn({
    kind: "batch",
    max: 3,
    maxWaitMs: 2 * keyIdleMs,
    of: { kind: "event", type: "tick" },
    by: { kind: "path", path: ["data", "k"] },
  });
  expect(firings(due, [0, keyIdleMs + 1, keyIdleMs + 2])).toBe(1);
  const keyless = loadTrigger({
    ...triggerOn({ kind: "count", n: 3, of: { kind: "event", type: "tick" } }).row,
  });
  const one = tellKey(keyless, "", event(1, start));
  keyless.keys.set("", one.state);
  expect(forgottenAt(keyless, one.state)).toBeUndefined();
  tellKey(keyless, "", event(2, start + 1));
  expect(tellKey(keyless, "", event(3, start + 2 * keyIdleMs)).firings).toHaveLength(1);
});
