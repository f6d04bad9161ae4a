/** What an outage and a pause leave of a schedule. */
import { expect, test } from "vitest";
import { compileCondition } from "../../src/condition/compile.ts";
import type { Json } from "../../src/json.ts";
import type { LogEvent } from "../../src/event/event.ts";
import { missedTicksMax } from "../../src/limits.ts";
import type { HeldTrigger } from "../../src/trigger/held-trigger.ts";
import { decideMissed } from "../../src/trigger/missed-ticks.ts";
import { decideResume } from "../../src/trigger/resume.ts";
import { firstStates, tellKeyDue } from "../../src/trigger/telling.ts";
import { parseTrigger } from "../../src/trigger/trigger.ts";

const second = 1_000;
const noon = Date.UTC(2026, 0, 1, 12);

function held(schedule: Json, policies: { readonly [name: string]: Json } = {}): HeldTrigger {
  return heldOf({ kind: "schedule", schedule }, policies);
}

/** A trigger whose state begins at noon. */
function heldOf(condition: Json, policies: { readonly [name: string]: Json } = {}): HeldTrigger {
  const definition = parseTrigger({ condition, ...policies });
  const program = compileCondition(definition.condition, "report");
  const trigger: HeldTrigger = {
    row: { pipeline: "report", version: 1, definition },
    program,
    keys: new Map(),
  };
  trigger.keys.set("", firstStates(trigger, { recordedAt: noon, position: 1 })[0]!);
  return trigger;
}

const everyTen = { kind: "every", every: "10s", tz: "UTC" };

/** The intervals of what fires, in seconds after noon. */
function intervals(
  firings: readonly { readonly firing: { readonly interval: unknown } }[] | undefined,
): string[] {
  return (firings ?? []).map(({ firing }) => {
    const { from, to } = firing.interval as { readonly from: number; readonly to: number };
    return `${(from - noon) / second}-${(to - noon) / second}`;
  });
}

function outage(trigger: HeldTrigger, at: number): string[] {
  const entry = { recordedAt: at, position: 2 } as LogEvent;
  return intervals(decideMissed(trigger, trigger.keys.get("")!, entry));
}

async function resume(trigger: HeldTrigger, at: number, how: Parameters<typeof decideResume>[1]["how"]) {
  return decideResume(
    trigger,
    { from: 1, to: 2, at, position: 1, how },
    {
      // oxlint-disable-next-line require-yield -- nothing was recorded
      async *entries() {},
      asEvent: () => Promise.reject(new Error("nothing was recorded")),
      load: () => Promise.resolve(),
      loadOverdue: () => Promise.resolve(),
      keep: () => undefined,
      touched: () => undefined,
    },
  );
}

/** What is told up to an instant, as ever. */
function told(trigger: HeldTrigger, clock: number): string[] {
  return intervals(tellKeyDue(trigger, trigger.keys.get("")!, { clock, position: 3 }).firings);
}

test.each([
  ["all", ["0-10", "10-20", "20-30", "30-40"]],
  ["latest", ["0-40"]],
  [{ limit: 2 }, ["0-30", "30-40"]],
  ["none", []],
] as const)("a pause and an outage leave the same of a schedule: %j", async (how, expected) => {
  const at = noon + 45 * second;
  const paused = held(everyTen);
  const resumed = await resume(paused, at, how);
  expect(intervals(resumed)).toEqual(expected);
  const down = held(everyTen, { catchUp: how });
  expect(outage(down, at)).toEqual(expected);
  for (const trigger of [paused, down]) expect(told(trigger, at + 10 * second)).toEqual(["40-50"]);
});

test("a resume fires ticks at the instants at which they were due", async () => {
  const firings = await resume(held(everyTen), noon + 25 * second, "all");
  expect(firings.map(({ firing }) => firing.at)).toEqual([noon + 10 * second, noon + 20 * second]);
});

test("a tick at the very instant of a resume comes after it", async () => {
  const trigger = held(everyTen);
  expect(intervals(await resume(trigger, noon + 20 * second, "latest"))).toEqual(["0-10"]);
  expect(told(trigger, noon + 20 * second + 1)).toEqual(["10-20"]);
});

test("log time has fractions of a millisecond, ticks have none", async () => {
  const resumed = await resume(held(everyTen), noon + 20 * second + 0.4, "latest");
  expect(intervals(resumed)).toEqual(["0-20"]);
  const trigger = held(everyTen, { catchUp: "latest" });
  expect(outage(trigger, noon + 20 * second - 0.4)).toEqual(["0-10"]);
  expect(told(trigger, noon + 20 * second + 1)).toEqual(["10-20"]);
});

test("a tick that jitter delays beyond an outage was not missed, and runs when it is due", () => {
  for (const how of ["all", "latest", "none"] as const) {
    const trigger = held({ ...everyTen, jitterMs: 9 * second }, { catchUp: how });
    // A millisecond after a tick, jitter has hardly let it run; the tick before it was missed.
    outage(trigger, noon + 50 * second + 1);
    const last = told(trigger, noon + 60 * second).at(-1);
    expect([how, last]).toEqual([how, "40-50"]);
  }
});

test("of more missed ticks than a bound the newest run, and the first of them stands for those before", () => {
  const trigger = held({ kind: "every", every: "1s", tz: "UTC" }, { catchUp: "all" });
  const missed = outage(trigger, noon + (missedTicksMax + 500) * second);
  expect(missed.length).toBe(missedTicksMax);
  expect([missed[0], missed.at(-1)]).toEqual(["0-501", `${missedTicksMax + 499}-${missedTicksMax + 500}`]);
});

test("a pause of a year costs no more than the ticks that count", async () => {
  const trigger = held({ kind: "every", every: "1s", tz: "UTC" });
  const begun = performance.now();
  const year = 365 * 86_400;
  expect(intervals(await resume(trigger, noon + year * second + 1, "latest"))).toEqual([`0-${year}`]);
  expect(performance.now() - begun).toBeLessThan(1_000);
});

const event = { kind: "event", type: "order.paid" };
const ticks = { kind: "schedule", schedule: everyTen };
const minutes = { kind: "schedule", schedule: { kind: "every", every: "1m", tz: "UTC" }, name: "minutes" };

test.each([
  [undefined, ["0-40"]],
  ["all", ["0-10", "10-20", "20-30", "30-40"]],
  [{ limit: 2 }, ["0-30", "30-40"]],
  ["none", []],
] as const)("an outage leaves of a schedule within any what it leaves of one alone: %j", (how, expected) => {
  const policies = how === undefined ? {} : { catchUp: how };
  for (const condition of [
    { kind: "any", of: [ticks, event] },
    { kind: "any", of: [event, { kind: "any", of: [ticks, { ...event, type: "b" }] }] },
  ]) {
    const trigger = heldOf(condition, policies);
    expect(outage(trigger, noon + 45 * second)).toEqual(expected);
    expect(told(trigger, noon + 55 * second)).toEqual(["40-50"]);
  }
});

test("of several schedules within any each leaves its own, in the order of their ticks", () => {
  const trigger = heldOf({ kind: "any", of: [minutes, ticks] });
  const firings = decideMissed(trigger, trigger.keys.get("")!, {
    recordedAt: noon + 75 * second,
    position: 2,
  } as LogEvent)!;
  expect(intervals(firings)).toEqual(["0-60", "0-70"]);
  expect(firings.map(({ firing }) => [firing.members[0]!.operand, firing.occurrence, firing.at])).toEqual([
    ["minutes", 1, noon + 75 * second],
    ["schedule", 2, noon + 75 * second],
  ]);
  expect(told(trigger, noon + 125 * second)).toEqual([
    "70-80",
    "80-90",
    "90-100",
    "100-110",
    "60-120",
    "110-120",
  ]);
});

test("to a condition that counts or gathers ticks an outage tells each", () => {
  const entry = { recordedAt: noon + 45 * second, position: 2 } as LogEvent;
  for (const condition of [
    { kind: "count", of: ticks, n: 2 },
    { kind: "all", of: [ticks, event] },
    { kind: "any", of: [{ kind: "count", of: ticks, n: 2 }, event] },
  ]) {
    const trigger = heldOf(condition);
    const state = trigger.keys.get("")!;
    expect(decideMissed(trigger, state, entry)).toBeUndefined();
  }
  const counting = heldOf({ kind: "count", of: ticks, n: 2 });
  const { firings } = tellKeyDue(counting, counting.keys.get("")!, {
    clock: noon + 45 * second,
    position: 3,
  });
  expect(firings.map(({ firing }) => firing.members.length)).toEqual([2, 2]);
});
