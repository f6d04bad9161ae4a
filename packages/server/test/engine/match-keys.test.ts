import { expect, test } from "vitest";
import { compileCondition, parseCondition, type ConditionEvent, type Json } from "@millrace/core";
import { matchKeysOf, WaitShapes } from "../../src/engine/wait/match-keys.ts";

const shapes = new WaitShapes();

/** The keys of a wait for these events, which the shapes know from now on. */
function waitFor(type: string, id?: string): readonly string[] {
  const where = id === undefined ? {} : { where: { op: "eq", path: ["data", "id"], value: id } };
  const wait = matchKeysOf(compileCondition(parseCondition({ kind: "event", type, ...where })));
  for (const shape of wait.shapes) shapes.add(shape);
  return wait.keys;
}

function found(type: string, data: Json = null): ReadonlySet<string> {
  const event: ConditionEvent = { source: "/s", id: "1", type, time: 0, data } as never;
  return new Set(shapes.keysOf(event));
}

test("a wait is found by the events of its type, of a type that begins as it asks, and of its value", () => {
  const exact = waitFor("order.paid");
  const valued = waitFor("order.paid", "7");
  const prefix = waitFor("order.*");
  const longer = waitFor("order.p*", "7");
  const all = waitFor("*");
  const of = (keys: ReadonlySet<string>): boolean[] =>
    [exact, valued, prefix, longer, all].map((wait) => wait.some((key) => keys.has(key)));
  expect(of(found("order.paid", { id: "7" }))).toEqual([true, true, true, true, true]);
  expect(of(found("order.paid"))).toEqual([true, false, true, false, true]);
  expect(of(found("order.placed", { id: "7" }))).toEqual([false, false, true, true, true]);
  expect(of(found("order."))).toEqual([false, false, true, false, true]);
  expect(of(found("order"))).toEqual([false, false, false, false, true]);
  expect([shapes.wants("anything"), new WaitShapes().wants("anything")]).toEqual([true, false]);
});

test("that each of very many waits has a beginning of its own costs an event nothing", () => {
  const many = new WaitShapes();
  for (let n = 0; n < 100_000; n += 1)
    many.add({ workspace: 1, type: `order.${n}.`, isPrefix: true, path: "" });
  const before = process.cpuUsage();
  for (let n = 0; n < 2_000; n += 1) {
    const event = { source: "/s", id: "1", type: `order.${n}.paid`, time: 0, data: null } as never;
    expect([many.wants(`order.${n}.paid`), many.keysOf(event).length]).toEqual([true, 1]);
  }
  const { user } = process.cpuUsage(before);
  // One by one it takes seconds.
  expect(user / 1_000).toBeLessThan(500);
});
