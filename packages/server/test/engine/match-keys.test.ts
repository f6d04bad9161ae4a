import { expect, test } from "vitest";
import { compileCondition, parseCondition, type ConditionEvent, type Json } from "@millrace/core";
import { firstKeyOf, lastKeyOf, matchKeysOf, oldKeysOf } from "../../src/engine/wait/match-keys.ts";
import { rangeOf, WaitShapes } from "../../src/engine/wait/wait-shapes.ts";

const shapes = new WaitShapes();

/** The keys of a wait for these events, which the shapes know from now on. */
function waitFor(type: string, id?: string): readonly string[] {
  const where = id === undefined ? {} : { where: { op: "eq", path: ["data", "id"], value: id } };
  const wait = matchKeysOf(compileCondition(parseCondition({ kind: "event", type, ...where })));
  for (const shape of wait.shapes) shapes.place(shape, 1);
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
    many.place({ workspace: 1, type: `order.${n}.`, isPrefix: true, path: "" }, 1);
  const before = process.cpuUsage();
  for (let n = 0; n < 2_000; n += 1) {
    const event = { source: "/s", id: "1", type: `order.${n}.paid`, time: 0, data: null } as never;
    expect([many.wants(`order.${n}.paid`), many.keysOf(event).length]).toEqual([true, 1]);
  }
  const { user } = process.cpuUsage(before);
  // One by one it takes seconds.
  expect(user / 1_000).toBeLessThan(500);
});

test("a shape that is forgotten is looked up no more, and others of its type or length are", () => {
  const known = new WaitShapes();
  const place = (type: string, isPrefix: boolean, path = ""): boolean =>
    known.place({ workspace: 1, type, isPrefix, path }, 1);
  const forget = (type: string, path = ""): void => {
    for (const one of known.nextToLookAt(10))
      if (one.shape.type === type && one.shape.path === path) known.forget(one);
  };
  const paid: ConditionEvent = {
    source: "/s",
    id: "1",
    type: "order.paid",
    time: 0,
    data: { id: 7 },
  } as never;
  const count = (): number => known.keysOf(paid).length;
  place("order.paid", false);
  place("order.paid", false, JSON.stringify(["data", "id"]));
  place("order.", true);
  place("other.", true);
  expect([count(), known.wants("order.placed")]).toEqual([3, true]);
  forget("order.paid", JSON.stringify(["data", "id"]));
  forget("other.");
  expect([count(), known.wants("order.placed"), known.wants("other.x")]).toEqual([2, true, false]);
  forget("order.");
  expect([count(), known.wants("order.placed"), known.wants("order.paid")]).toEqual([1, false, true]);
  forget("order.paid");
  expect([count(), known.wants("order.paid"), known.size]).toEqual([0, false, 0]);
  expect([place("order.paid", false), place("order.paid", false), count()]).toEqual([true, false, 1]);
});

test("all shapes are looked at in turn, also while others come and go", () => {
  const known = new WaitShapes();
  for (const name of ["a", "b", "c", "d", "e"])
    known.place({ workspace: 1, type: name, isPrefix: false, path: "" }, 1);
  const look = (): string[] => {
    const page = known.nextToLookAt(2);
    for (const one of page) if (one.name === "= b " || one.name === "= c ") known.forget(one);
    return page.map(({ shape }) => shape.type);
  };
  expect([look(), look(), look(), look(), look()]).toEqual([
    ["a", "b"],
    ["c", "d"],
    ["e"],
    ["a", "d"],
    ["e"],
  ]);
});

test("the keys of a shape are one range, of no other shape, and tell its values apart", () => {
  const ranges = new Set<bigint>();
  const names = Array.from({ length: 20_000 }, (_, n) => `* order.${n}. `);
  for (const name of names) ranges.add(firstKeyOf(name));
  // Of 2^24: 12 pairs are alike by chance.
  expect(ranges.size).toBeGreaterThan(names.length - 40);
  const keys = new Set<string>();
  const known = new WaitShapes();
  for (let id = 0; id < 50_000; id += 1) {
    const where = { op: "eq", path: ["data", "id"], value: id };
    const wait = matchKeysOf(compileCondition(parseCondition({ kind: "event", type: "order.paid", where })));
    for (const key of wait.keys) keys.add(key);
    for (const shape of wait.shapes) known.place(shape, 1);
  }
  expect([keys.size, known.size]).toEqual([50_000, 1]);
  const { first, last } = rangeOf(known.nextToLookAt(1)[0]!);
  expect([...keys].every((key) => BigInt(key) >= BigInt(first) && BigInt(key) <= BigInt(last))).toBe(true);
  // In the order of signed numbers, also at their ends.
  for (const start of ranges) {
    expect(BigInt.asIntN(64, lastKeyOf(start))).toBe(lastKeyOf(start));
    expect(lastKeyOf(start) > start).toBe(true);
  }
});

test("a wait from before keys were in ranges is found by its old key, as long as there may be one", () => {
  const known = new WaitShapes();
  const condition = {
    kind: "event",
    type: "order.paid",
    where: { op: "eq", path: ["data", "id"], value: "7" },
  };
  const program = compileCondition(parseCondition(condition));
  const [shape] = matchKeysOf(program).shapes;
  known.load({ ...shape!, shard: -1, isOld: true });
  const paid: ConditionEvent = {
    source: "/s",
    id: "1",
    type: "order.paid",
    time: 0,
    data: { id: "7" },
  } as never;
  const [old] = oldKeysOf(program);
  // Version 0.1.0 has written it so.
  expect(old).toBe("3807439040714258057");
  expect(known.keysOf(paid)).toEqual([...matchKeysOf(program).keys, old]);
  // One that begins now needs a row of its own.
  expect(known.place(shape!, 3)).toBe(true);
  known.nextToLookAt(1)[0]!.isOld = false;
  expect(known.keysOf(paid)).toEqual(matchKeysOf(program).keys);
});
