/** C1 for one instance: the firings do not depend on how the log was cut, nor on saving and loading in between. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition } from "../../src/condition/condition.ts";
import { parseCondition } from "../../src/condition/parse.ts";
import type { Json } from "../../src/json.ts";
import { feed, type Entry } from "./feed.ts";

const types = ["a", "b", "c"] as const;
const atom: fc.Arbitrary<Json> = fc.record({ kind: fc.constant("event"), type: fc.constantFrom(...types) });
const path = (name: string): Json => ({ kind: "path", path: ["data", name] });
const span = fc.integer({ min: 1, max: 30 });
const maybeWithin = fc.option(span, { nil: undefined });

function withoutUndefined(json: unknown): Json {
  return JSON.parse(JSON.stringify(json)) as Json;
}

const { condition } = fc.letrec<{ condition: Json; list: Json[] }>((tie) => ({
  list: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
  condition: fc
    .oneof(
      { depthSize: "small", withCrossShrink: true },
      atom,
      fc.record({ kind: fc.constantFrom("all", "sequence"), of: tie("list"), withinMs: maybeWithin }),
      fc.record({ kind: fc.constant("any"), of: tie("list") }),
      fc
        .tuple(tie("list"), fc.nat(), maybeWithin)
        .map(([of, n, withinMs]) => ({ kind: "at_least", of, n: 1 + (n % of.length), withinMs })),
      fc.record({
        kind: fc.constant("unless"),
        of: tie("condition"),
        until: tie("condition"),
        withinMs: maybeWithin,
      }),
      fc.record({
        kind: fc.constant("absent"),
        of: tie("condition"),
        withinMs: span,
        after: fc.option(tie("condition"), { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant("count"),
        of: tie("condition"),
        n: fc.integer({ min: 1, max: 3 }),
        withinMs: maybeWithin,
      }),
      fc.record({
        kind: fc.constant("batch"),
        of: tie("condition"),
        max: fc.integer({ min: 1, max: 3 }),
        maxWaitMs: span,
      }),
      fc.record({ kind: fc.constant("session"), of: tie("condition"), gapMs: span, maxMs: maybeWithin }),
      fc.record({
        kind: fc.constant("debounce"),
        of: tie("condition"),
        quietMs: span,
        maxWaitMs: maybeWithin,
      }),
      fc.record({
        kind: fc.constant("throttle"),
        of: tie("condition"),
        limit: fc.integer({ min: 1, max: 2 }),
        perMs: span,
      }),
    )
    .map(withoutUndefined),
}));

const log: fc.Arbitrary<Entry[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.constantFrom(...types), fc.constantFrom("x", "y")), {
    maxLength: 25,
  })
  .map((steps) => {
    let at = 0;
    return steps.map(([wait, type, k]): Entry => {
      at += wait;
      return [at, type, { k }];
    });
  });

const numRuns = process.env["MILLRACE_TEST_LONG"] === "1" ? 20_000 : 800;

test("the same log gives the same firings, however it is cut", () => {
  fc.assert(
    fc.property(
      condition,
      log,
      fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 20 }),
      fc.boolean(),
      (json, entries, cuts, isKeyed) => {
        const parsed: Condition = parseCondition(isKeyed ? { ...(json as object), by: path("k") } : json);
        const whole = feed(parsed, entries, { until: 300 });
        expect(feed(parsed, entries, { until: 300, cuts })).toEqual(whole);
      },
    ),
    { numRuns },
  );
});

test("keys do not see each other: each fires as its own log would", () => {
  fc.assert(
    fc.property(condition, log, (json, entries) => {
      const keyed = parseCondition({ ...(json as object), by: path("k") });
      const own = (key: string): string[] =>
        feed(
          keyed,
          // Positions stay: the others are of a type that nobody asks for.
          entries.map((entry): Entry =>
            (entry[2] as { k: string }).k === key ? entry : [entry[0], "elsewhere", entry[2] as Json],
          ),
          { until: 300 },
        );
      const together = feed(keyed, entries, { until: 300 });
      expect(together.toSorted()).toEqual([...own("x"), ...own("y")].toSorted());
    }),
    { numRuns },
  );
});
