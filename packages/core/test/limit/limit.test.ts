import { array, assert, constant, integer, nat, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { createLimit, decideLimit, type Limit, type LimitMessage } from "../../src/limit/limit.ts";

function asks(holder: string, slots: number, rank = 0): LimitMessage {
  return { kind: "request", request: { holder, runId: "r1", slots, rank, replyShard: 0 } };
}

function granted(limit: Limit, message: LimitMessage): string[] {
  return decideLimit(limit, message).flatMap((effect) =>
    effect.kind === "granted" ? [effect.request.holder] : [],
  );
}

test("nobody overtakes a large request that waits", () => {
  const limit = createLimit(3);
  expect(granted(limit, asks("a", 1, 1))).toEqual(["a"]);
  expect(granted(limit, asks("large", 3, 2))).toEqual([]);
  expect(granted(limit, asks("b", 1, 3))).toEqual([]);
  expect(granted(limit, { kind: "release", holder: "a" })).toEqual(["large"]);
});

test("a request of more than all the slots keeps nobody else waiting, and has its turn when there are enough", () => {
  const limit = createLimit(3);
  expect(granted(limit, asks("huge", 9, 1))).toEqual([]);
  expect(granted(limit, asks("a", 2, 2))).toEqual(["a"]);
  expect(granted(limit, asks("b", 2, 3))).toEqual([]);
  expect(granted(limit, { kind: "set_slots", slots: 9 })).toEqual([]);
  expect(granted(limit, { kind: "release", holder: "a" })).toEqual(["huge"]);
  expect(granted(limit, { kind: "set_slots", slots: 1 })).toEqual([]);
  expect(granted(limit, { kind: "release", holder: "huge" })).toEqual([]);
  expect(granted(limit, { kind: "set_slots", slots: 2 })).toEqual(["b"]);
});

test("what stands aside can be withdrawn", () => {
  const limit = createLimit(1);
  decideLimit(limit, asks("huge", 2));
  expect(decideLimit(limit, { kind: "release", holder: "huge" })).toEqual([
    { kind: "request_gone", holder: "huge" },
  ]);
  expect(granted(limit, { kind: "set_slots", slots: 5 })).toEqual([]);
});

test("whatever is asked and given back: no grant overshoots, and nobody waits for what is free", () => {
  const message = oneof(
    record({
      kind: constant("ask" as const),
      holder: nat(9),
      slots: integer({ min: 1, max: 5 }),
      rank: nat(5),
    }),
    record({ kind: constant("release" as const), holder: nat(9) }),
    record({ kind: constant("set_slots" as const), slots: nat(5) }),
  );
  assert(
    property(array(message, { maxLength: 60 }), (messages) => {
      const limit = createLimit(2);
      for (const one of messages) {
        const effects =
          one.kind === "ask"
            ? decideLimit(limit, asks(`h${one.holder}`, one.slots, one.rank))
            : decideLimit(
                limit,
                one.kind === "release" ? { kind: "release", holder: `h${one.holder}` } : one,
              );
        if (effects.some(({ kind }) => kind === "granted"))
          expect(limit.used).toBeLessThanOrEqual(limit.slots);
        const fitting = [...limit.waiting.values()].filter(({ slots }) => slots <= limit.slots);
        if (limit.used === 0) expect(fitting).toEqual([]);
      }
    }),
  );
});
