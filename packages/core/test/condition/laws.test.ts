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

/** The assets of this log have windows of one minute, and of two. */
const minute = 60_000;
const windows = (minutes: number): Json => ({
  kind: "time",
  every: { kind: "cron", expression: `*/${minutes} * * * *` },
  start: "1970-01-01",
});
const assetSpan = fc.integer({ min: 1, max: 8 }).map((n) => n * 30_000);
const late = fc.option(
  fc.record({ debounceMs: assetSpan, revisionsMax: fc.integer({ min: 1, max: 3 }), closeAfterMs: assetSpan }),
  { nil: undefined },
);
const watched = fc.constantFrom<Json>(
  [{ asset: "p", partitions: windows(1) }],
  [{ asset: "q", partitions: windows(2) }],
  [
    { asset: "p", partitions: windows(1) },
    { asset: "q", partitions: windows(2) },
  ],
);
const assetAtom = fc
  .oneof(
    fc.record({ kind: fc.constant("updated"), assets: watched }),
    fc.record({
      kind: fc.constant("updated"),
      assets: watched,
      target: fc.constantFrom(windows(1), windows(2), windows(4)),
      when: fc.constantFrom("each"),
    }),
    fc.record({
      kind: fc.constant("updated"),
      assets: watched,
      target: fc.constantFrom(windows(1), windows(2), windows(4)),
      when: fc.constant("complete"),
      late,
    }),
    fc.record({
      kind: fc.constant("reached"),
      assets: watched,
      target: fc.constantFrom(windows(1), windows(2), windows(4)),
      delayMs: fc.constantFrom(0, 30_000),
      late,
      orAfterMs: fc.option(assetSpan, { nil: undefined }),
    }),
  )
  .map(withoutUndefined);

const assetLog: fc.Arbitrary<Entry[]> = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 }).map((n) => n * 20_000),
      fc.constantFrom("p", "q"),
      fc.constantFrom("updated", "updated", "progress"),
      fc.integer({ min: 0, max: 8 }),
    ),
    { maxLength: 40 },
  )
  .map((steps) => {
    let at = 0;
    return steps.map(([wait, asset, what, n]): Entry => {
      at += wait;
      const iso = new Date(n * minute).toISOString();
      const data =
        what === "updated" ? { asset, partition: iso.replace(":00.000", "") } : { asset, until: iso };
      return [at, `millrace.asset.${what}`, data, undefined, asset];
    });
  });

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

test("the same updates and progress of assets give the same firings, however they are cut", () => {
  let fired = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        assetAtom,
        assetAtom.map((of): Json => ({ kind: "debounce", of, quietMs: 30_000 })),
        fc.array(assetAtom, { minLength: 2, maxLength: 2 }).map((of): Json => ({ kind: "all", of })),
        assetAtom.map((of): Json => ({ kind: "absent", of, withinMs: minute })),
      ),
      assetLog,
      fc.array(
        fc.integer({ min: 0, max: 80 }).map((n) => n * 10_000),
        { maxLength: 20 },
      ),
      // In the middle of a window, too.
      fc.constantFrom(0, 90_000),
      (json, entries, cuts, from) => {
        const parsed = parseCondition(json);
        expect(parseCondition(parsed as unknown as Json)).toEqual(parsed);
        const shifted = entries.map(([at, ...rest]): Entry => [at + from, ...rest]);
        const whole = feed(parsed, shifted, { until: 20 * minute, from });
        fired += whole.length;
        expect(feed(parsed, shifted, { until: 20 * minute, from, cuts })).toEqual(whole);
      },
    ),
    { numRuns },
  );
  expect(fired).toBeGreaterThan(numRuns / 2);
});

test("windows fire once each and in their order, and revisions count without gaps", () => {
  fc.assert(
    fc.property(
      assetAtom.filter((json) => (json as { kind: string }).kind === "reached"),
      assetLog,
      (json, entries) => {
        const seen = new Map<number, number>();
        let last = -1;
        for (const text of feed(parseCondition(json), entries, { until: 20 * minute })) {
          const [, from, revision = "1"] = /\[(\d+),\d+\)(?: r(\d+))?/.exec(text)!;
          const start = Number(from);
          expect(Number(revision)).toBe((seen.get(start) ?? 0) + 1);
          if (revision === "1") expect(start).toBeGreaterThan(last);
          if (revision === "1") last = start;
          seen.set(start, Number(revision));
        }
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
