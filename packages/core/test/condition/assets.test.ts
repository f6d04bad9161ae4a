/** The atoms over assets: `updated` and `reached`. */
import { expect, test } from "vitest";
import { parseCondition } from "../../src/condition/parse.ts";
import type { Json } from "../../src/json.ts";
import { compileCondition } from "../../src/condition/compile.ts";
import { beginInstance, explainInstance, inheritInstance, tellEvent } from "../../src/condition/instance.ts";
import { eventsOf, feed, textOf, type Entry } from "./feed.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1);

const hours: Json = {
  kind: "time",
  every: { kind: "cron", expression: "0 * * * *", tz: "UTC" },
  start: "2026-01-01",
};
const days: Json = { kind: "time", every: { kind: "every", every: "1d", tz: "UTC" }, start: "2026-01-01" };
const regions: Json = { kind: "static", keys: ["eu", "us"] };

function hourKey(n: number): string {
  return `${new Date(start + n * hour).toISOString().slice(0, 16)}Z`;
}

function update(at: number, asset: string, partition: string | null): Entry {
  return [at, "millrace.asset.updated", { asset, partition }, undefined, asset];
}

function progress(at: number, asset: string, until: number): Entry {
  return [at, "millrace.asset.progress", { asset, until: new Date(until).toISOString() }, undefined, asset];
}

function fired(
  json: Json,
  entries: readonly Entry[],
  { until = start + 30 * day, from = start } = {},
): string[] {
  return feed(parseCondition(json), entries, { until, from });
}

const late: Json = { debounceMs: 10 * minute, revisionsMax: 3, closeAfterMs: 7 * day };

test("updated fires with each update of its asset, and knows the partition", () => {
  const json = { kind: "updated", assets: [{ asset: "orders", partitions: hours }] };
  const entries = [
    update(start + 1, "orders", hourKey(3)),
    update(start + 2, "others", hourKey(3)),
    update(start + 3, "orders", "2026-01-01T04:00+00:00"),
    update(start + 4, "orders", "nonsense"),
    progress(start + 5, "orders", start + day),
  ];
  expect(fired(json, entries)).toEqual([
    `${start + 1} <2026-01-01T03:00Z> orders=1`,
    `${start + 3} <2026-01-01T04:00Z> orders=3`,
  ]);
});

test("updated of an asset without partitions is about the whole of it", () => {
  const json = { kind: "updated", assets: [{ asset: "model" }] };
  expect(fired(json, [update(start + 1, "model", null), update(start + 2, "model", "x")])).toEqual([
    `${start + 1} model=1`,
  ]);
});

test("updated counts the listed partitions alone, whatever their spelling", () => {
  const json = {
    kind: "updated",
    assets: [{ asset: "orders", partitions: hours }],
    only: { kind: "keys", keys: ["2026-01-01T03:00+00:00"] },
  };
  expect(fired(json, [update(start, "orders", hourKey(3)), update(start, "orders", hourKey(4))])).toEqual([
    `${start} <2026-01-01T03:00Z> orders=1`,
  ]);
});

test("updated counts the latest windows that have begun by log time", () => {
  const json = {
    kind: "updated",
    assets: [{ asset: "orders", partitions: hours }],
    only: { kind: "latest", n: 2 },
  };
  const at = start + 10 * hour + minute;
  const entries = [8, 9, 10, 11].map((n) => update(at, "orders", hourKey(n)));
  expect(fired(json, entries)).toEqual([
    `${at} <2026-01-01T09:00Z> orders=2`,
    `${at} <2026-01-01T10:00Z> orders=3`,
  ]);
});

test("updated counts tuples by dimension", () => {
  const tuple = { kind: "tuple", of: { day: days, region: regions } };
  const json = {
    kind: "updated",
    assets: [{ asset: "orders", partitions: tuple }],
    only: { kind: "dimensions", of: { region: ["us"] } },
  };
  const entries = [
    update(start, "orders", "day=2026-01-02/region=eu"),
    update(start, "orders", "region=us/day=2026-01-02"),
  ];
  expect(fired(json, entries)).toEqual([`${start} <day=2026-01-02/region=us> orders=2`]);
});

test("updated for each target fires for every partition that an update is a part of", () => {
  const json = {
    kind: "updated",
    assets: [{ asset: "orders", partitions: days, mapping: { kind: "last", n: 2 } }],
    target: days,
  };
  expect(fired(json, [update(start, "orders", "2026-01-03")])).toEqual([
    `${start} <2026-01-03> orders=1`,
    `${start} <2026-01-04> orders=1`,
  ]);
});

const wholeDay: Json = {
  kind: "updated",
  assets: [{ asset: "orders", partitions: hours }],
  target: days,
  when: "complete",
};

function dayOf(n: number, at: number): Entry[] {
  return Array.from({ length: 24 }, (_, index) => update(at + index, "orders", hourKey(24 * n + index)));
}

test("a day is complete once all its 24 hours were updated, in any order, and fires once", () => {
  const entries = [...dayOf(1, start).toReversed(), ...dayOf(0, start + 100), ...dayOf(0, start + 200)].map(
    (entry, at): Entry => [start + at, entry[1], entry[2], entry[3], entry[4]],
  );
  const all = (from: number): string => Array.from({ length: 24 }, (_, index) => from + index).join(",");
  expect(fired(wholeDay, entries)).toEqual([
    `${start + 23} <2026-01-02> [${start + day},${start + 2 * day}) orders=${all(1)}`,
    `${start + 47} <2026-01-01> [${start},${start + day}) orders=${all(25)}`,
  ]);
});

test("a day over a change of the clocks has 23 hours, or 25", () => {
  const berlin = "Europe/Berlin";
  const json = {
    ...(wholeDay as object),
    assets: [
      {
        asset: "orders",
        partitions: {
          kind: "time",
          every: { kind: "cron", expression: "0 * * * *", tz: berlin },
          start: "2026-01-01",
        },
      },
    ],
    target: { kind: "time", every: { kind: "every", every: "1d", tz: berlin }, start: "2026-01-01" },
  };
  const midnight = Date.UTC(2026, 9, 24, 22);
  const entries = Array.from({ length: 25 }, (_, index) =>
    update(start + index, "orders", new Date(midnight + index * hour).toISOString().replace(":00.000", "")),
  );
  expect(fired(json, entries.slice(0, 24))).toEqual([]);
  expect(fired(json, entries)).toHaveLength(1);
  const spring = Date.UTC(2026, 2, 28, 23);
  const short = Array.from({ length: 23 }, (_, index) =>
    update(start + index, "orders", new Date(spring + index * hour).toISOString().replace(":00.000", "")),
  );
  expect(fired(json, short)).toHaveLength(1);
  expect(fired(json, short.slice(1))).toEqual([]);
});

test("partitions without windows are complete again with each further round", () => {
  const json = {
    kind: "updated",
    assets: [{ asset: "orders", partitions: regions }],
    when: "complete",
  };
  const entries = ["eu", "eu", "us", "us", "eu"].map((key, at) => update(start + at, "orders", key));
  expect(fired(json, entries)).toEqual([`${start + 2} orders=1,2,3`, `${start + 4} orders=4,5`]);
});

test("a partition of two assets is complete when both have it", () => {
  const json = {
    kind: "updated",
    assets: [
      { asset: "a", partitions: days },
      { asset: "b", partitions: days },
    ],
    target: days,
    when: "complete",
  };
  const entries = [
    update(start, "a", "2026-01-01"),
    update(start + 1, "b", "2026-01-02"),
    update(start + 2, "a", "2026-01-02"),
    update(start + 3, "b", "2026-01-01"),
  ];
  expect(fired(json, entries)).toEqual([
    `${start + 2} <2026-01-02> [${start + day},${start + 2 * day}) b=2 a=3`,
    `${start + 3} <2026-01-01> [${start},${start + day}) a=1 b=4`,
  ]);
});

test("an update of a complete day makes a revision of that day alone, after the debounce", () => {
  const at = start + 2 * day;
  const entries = [
    ...dayOf(0, at),
    update(at + hour, "orders", hourKey(5)),
    update(at + hour + minute, "orders", hourKey(6)),
  ];
  expect(fired({ ...(wholeDay as object), late }, entries).slice(1)).toEqual([
    `${at + hour + 11 * minute} <2026-01-01> [${start},${start + day}) r2 orders=25,26`,
  ]);
});

const reached: Json = {
  kind: "reached",
  assets: [{ asset: "orders", partitions: hours }],
  target: days,
};

test("reached fires windows in their order when declared progress passes their ends", () => {
  const entries = [
    progress(start + 1, "orders", start + day - 1),
    progress(start + 2, "orders", start + day),
    progress(start + 3, "orders", start + 3 * day + 1),
    progress(start + 4, "orders", start + 2 * day),
  ];
  expect(fired(reached, entries)).toEqual([
    `${start + 2} <2026-01-01> [${start},${start + day}) orders=2`,
    `${start + 3} <2026-01-02> [${start + day},${start + 2 * day}) orders=3`,
    `${start + 3} <2026-01-03> [${start + 2 * day},${start + 3 * day}) orders=3`,
  ]);
});

test("reached waits for progress to pass the end by the delay", () => {
  const entries = [
    progress(start + 1, "orders", start + day + 9 * minute),
    progress(start + 2, "orders", start + day + 10 * minute),
  ];
  expect(fired({ ...(reached as object), delayMs: 10 * minute }, entries)).toEqual([
    `${start + 2} <2026-01-01> [${start},${start + day}) orders=2`,
  ]);
});

test("reached takes the end of the contiguous written partitions where nothing was declared", () => {
  const entries = [...dayOf(1, start), ...dayOf(0, start + 100)];
  const fires = fired(reached, entries);
  expect(fires.map((text) => text.slice(0, 40))).toEqual(
    [`${start + 123} <2026-01-01> [${start}`, `${start + 123} <2026-01-02> [${start + day}`].map((text) =>
      text.slice(0, 40),
    ),
  );
});

test("once progress was declared, written partitions alone complete nothing", () => {
  const entries = [progress(start, "orders", start + hour), ...dayOf(0, start + 1)];
  expect(fired(reached, entries)).toEqual([]);
});

test("reached of two assets waits for the slower one", () => {
  const json = { ...(reached as object), assets: [{ asset: "a" }, { asset: "b" }] };
  const entries = [progress(start + 1, "a", start + 2 * day), progress(start + 2, "b", start + day)];
  expect(fired(json, entries)).toEqual([`${start + 2} <2026-01-01> [${start},${start + day}) a=1 b=2`]);
});

test("the first window holds the moment at which it began, or `from`", () => {
  const entries = [progress(start + 5 * day, "orders", start + 5 * day)];
  const begin = start + 3 * day + hour;
  expect(fired(reached, entries, { from: begin }).map((text) => text.split(" ")[1])).toEqual([
    "<2026-01-04>",
    "<2026-01-05>",
  ]);
  const json = { ...(reached as object), from: "2026-01-03T12:00:00Z" };
  expect(fired(json, entries, { from: begin }).map((text) => text.split(" ")[1])).toEqual([
    "<2026-01-03>",
    "<2026-01-04>",
    "<2026-01-05>",
  ]);
});

test("of the window in which it began, what was not over is enough, and the window is flagged", () => {
  const begin = start + 22 * hour + 30 * minute;
  const rest = [...dayOf(0, begin).slice(22), ...dayOf(1, begin + minute)].map(
    (entry, at): Entry => [begin + at, ...entry.slice(1)] as unknown as Entry,
  );
  expect(fired(reached, rest, { from: begin })).toEqual([
    `${begin + 1} <2026-01-01> [${start},${start + day}) incomplete orders=1,2`,
    expect.stringMatching(/^\d+ <2026-01-02> \[\d+,\d+\) orders=3,/),
  ]);
  expect(fired(wholeDay, rest, { from: begin })).toEqual([
    `${begin + 1} <2026-01-01> [${start},${start + day}) incomplete orders=1,2`,
    expect.stringMatching(/^\d+ <2026-01-02> \[\d+,\d+\) orders=3,/),
  ]);
  // Of a window that was over, all must come.
  expect(fired(wholeDay, dayOf(0, begin + day).slice(1), { from: begin + day })).toEqual([]);
  // An hour that was not over then is missed.
  expect(fired(reached, rest.slice(1), { from: begin })).toEqual([]);
  expect(fired(wholeDay, rest.slice(1), { from: begin })).toHaveLength(1);
  // What one says that the whole is complete is believed.
  expect(fired(reached, [progress(begin + 1, "orders", start + day)], { from: begin })).toEqual([
    `${begin + 1} <2026-01-01> [${start},${start + day}) orders=1`,
  ]);
});

test("an update in a fired window revises exactly the windows that it maps to, three times at most", () => {
  const at = start + 2 * day;
  const writes = (n: number): Entry => update(at + n * hour, "orders", hourKey(1));
  const entries = [progress(at, "orders", at), ...[1, 2, 3, 4, 5].map(writes)];
  expect(fired({ ...(reached as object), late }, entries).slice(2)).toEqual(
    [1, 2, 3].map(
      (n) =>
        `${at + n * hour + 10 * minute} <2026-01-01> [${start},${start + day}) r${n + 1} orders=${n + 1}`,
    ),
  );
});

test("a window is closed seven days after it fired", () => {
  const at = start + day;
  const entries = [
    progress(at, "orders", at),
    update(at + 7 * day - 1, "orders", hourKey(1)),
    update(at + 7 * day + hour, "orders", hourKey(1)),
  ];
  expect(fired({ ...(reached as object), late }, entries).slice(1)).toEqual([
    `${at + 7 * day - 1 + 10 * minute} <2026-01-01> [${start},${start + day}) r2 orders=2`,
  ]);
});

test("a debounce that is renewed for ever ends after six of its spans", () => {
  const at = start + day;
  const entries = [
    progress(at, "orders", at),
    ...Array.from({ length: 12 }, (_, n) => update(at + hour + n * 9 * minute, "orders", hourKey(1))),
  ];
  expect(fired({ ...(reached as object), late }, entries)[1]).toMatch(
    new RegExp(`^${at + 2 * hour} <2026-01-01> .* r2 orders=2,3,4,5,6,7,8$`),
  );
});

test("without a policy for late updates they change nothing", () => {
  const at = start + day;
  expect(fired(reached, [progress(at, "orders", at), update(at + hour, "orders", hourKey(1))])).toHaveLength(
    1,
  );
});

test("orAfter fires a window incomplete when progress stands still, and revises it when it is passed", () => {
  const json = { ...(reached as object), orAfterMs: hour, late };
  const at = start + day;
  const entries = [
    progress(at - minute, "orders", at - hour),
    progress(at + 30 * minute, "orders", at - minute),
    progress(at + 2 * hour, "orders", at),
  ];
  expect(fired(json, entries, { until: at + 3 * hour })).toEqual([
    `${at + 30 * minute + hour} <2026-01-01> [${start},${at}) incomplete `,
    `${at + 2 * hour} <2026-01-01> [${start},${at}) r2 orders=3`,
  ]);
});

test("a window that is not over never fires incomplete", () => {
  const json = { ...(reached as object), orAfterMs: hour };
  expect(fired(json, [], { until: start + day + hour - 1 })).toEqual([]);
  expect(fired(json, [], { until: start + day + hour })).toHaveLength(1);
});

test("thousands of windows that are due at once fire a thousand at a time", () => {
  const json = {
    kind: "reached",
    assets: [{ asset: "orders" }],
    target: hours,
  };
  const fires = fired(json, [progress(start + 1, "orders", start + 2_500 * hour)]);
  const counts = new Map<string, number>();
  for (const text of fires) counts.set(text.split(" ")[0]!, (counts.get(text.split(" ")[0]!) ?? 0) + 1);
  expect([...counts]).toEqual([
    [String(start + 1), 1_000],
    [String(start + 2), 1_000],
    [String(start + 3), 500],
  ]);
});

test("windows fire once each in whatever order they are written, however many there are", () => {
  const long = { ...(days as object), start: "2020-01-01" };
  const json = {
    kind: "updated",
    when: "complete",
    assets: [{ asset: "orders", partitions: long }],
    target: long,
  };
  const first = Date.UTC(2020, 0, 1);
  const keyOf = (n: number): string => new Date(first + n * day).toISOString().slice(0, 10);
  // The newest first; then every second one of years before, and the others; then all of it once more.
  const down = Array.from({ length: 1_500 }, (_, n) => 4_000 - n);
  const even = Array.from({ length: 400 }, (_, n) => 2 * n);
  const order = [...down, ...even, ...even.map((n) => n + 1)];
  const entries = [...order, ...order].map((n, at) => update(start + at, "orders", keyOf(n)));
  const keys = fired(json, entries).map((text) => /<(.*?)>/.exec(text)?.[1]);
  expect(keys).toEqual(order.map(keyOf));
});

test("of too many stretches of closed windows the earliest become one, and no window fires twice", () => {
  const long = { ...(days as object), start: "2000-01-01" };
  const json = {
    kind: "updated",
    when: "complete",
    assets: [{ asset: "orders", partitions: long }],
    target: long,
  };
  const keyOf = (n: number): string => new Date(Date.UTC(2000, 0, 1) + n * day).toISOString().slice(0, 10);
  const odd = Array.from({ length: 1_600 }, (_, n) => 2 * n + 1);
  const entries = [...odd, ...odd, 2].map((n, at) => update(start + at, "orders", keyOf(n)));
  // The day between the first two stretches counts as fired, too.
  expect(fired(json, entries)).toHaveLength(1_600);
});

/** Two versions of a trigger, the second from an entry on. */
function changed(before: Json, after: Json, entries: readonly Entry[], from: number): string[] {
  const events = eventsOf(entries);
  const first = compileCondition(parseCondition(before));
  const instance = beginInstance(first, undefined, start);
  const fires = events.slice(0, from).flatMap((event) => tellEvent(first, instance, event).decided);
  const second = compileCondition(parseCondition(after));
  const next = beginInstance(second, undefined, events[from]!.recordedAt);
  inheritInstance({ program: second, instance: next }, { program: first, instance });
  fires.push(...events.slice(from).flatMap((event) => tellEvent(second, next, event).decided));
  return fires.map((one) => textOf("", one).split(" ").slice(1, 3).join(" "));
}

test("another version fires no window again that the one before has fired (C3)", () => {
  const again = { ...(reached as object), from: "2026-01-01T00:00:00Z" };
  const twice = [1, 2].map((n) => progress(start + n, "orders", start + n * day));
  const windows = ["<2026-01-01>", "<2026-01-02>"].map(
    (key, n) => `${key} [${start + n * day},${start + (n + 1) * day})`,
  );
  expect(changed(again, { ...again, delayMs: 0, orAfterMs: day }, twice, 1)).toEqual(windows);
  // Also where it looks at another asset.
  const other = { ...again, assets: [{ asset: "orders" }] };
  expect(changed(again, other, twice, 1)).toEqual(windows);
  // It asks for another first window.
  const from = { ...again, from: "2025-12-31T23:00:00Z" };
  expect(changed(again, from, twice, 1)).toEqual([windows[0], ...windows]);
  expect(
    changed(wholeDay, { ...(wholeDay as object), late }, [...dayOf(0, start), ...dayOf(0, start + 99)], 24),
  ).toEqual([windows[0]]);
});

test("another version goes on with what the one before has seen", () => {
  const hoursOfDay = dayOf(0, start);
  for (const of of [reached, wholeDay])
    expect(changed(of, { ...(of as object), late }, hoursOfDay, 12)).toEqual([
      `<2026-01-01> [${start},${start + day})`,
    ]);
  // Of other updates it has seen nothing.
  const where = { op: "exists", path: ["data"], value: true };
  expect(changed(wholeDay, { ...(wholeDay as object), where }, hoursOfDay, 12)).toEqual([]);
});

test("an explanation names what is missing", () => {
  const program = compileCondition(parseCondition(wholeDay));
  const instance = beginInstance(program, undefined, start);
  for (const event of eventsOf(dayOf(0, start).slice(0, 22))) tellEvent(program, instance, event);
  expect(explainInstance(program, instance)).toMatchObject({
    kind: "updated",
    state: "gathering",
    text: expect.stringContaining("2026-01-01 lacks orders 2026-01-01T22:00Z, orders 2026-01-01T23:00Z"),
    memberCount: 22,
  });
});

test("an explanation says how far progress is", () => {
  const program = compileCondition(parseCondition(reached));
  const instance = beginInstance(program, undefined, start);
  expect(explainInstance(program, instance).text).toBe(
    'waits until 2026-01-01 is complete: until progress passes 2026-01-02T00:00:00Z; nothing of "orders" is written from 2026-01-01T00:00:00Z on',
  );
  for (const event of eventsOf(dayOf(0, start).slice(0, 3))) tellEvent(program, instance, event);
  expect(explainInstance(program, instance).text).toBe(
    'waits until 2026-01-01 is complete: until progress passes 2026-01-02T00:00:00Z; "orders" is written up to 2026-01-01T03:00:00Z',
  );
});

test.each<[string, Json, RegExp]>([
  ["no assets", { kind: "updated", assets: [] }, /\$\.assets: expected 1 to 50 assets/],
  [
    "a key that is none",
    {
      kind: "updated",
      assets: [{ asset: "a", partitions: regions }],
      only: { kind: "keys", keys: ["ea"] },
    },
    /has no partition "ea".*did you mean "eu"\?/,
  ],
  [
    "the latest of what has no time",
    { kind: "updated", assets: [{ asset: "a", partitions: regions }], only: { kind: "latest", n: 1 } },
    /no windows of time/,
  ],
  [
    "an endless complete",
    { kind: "updated", assets: [{ asset: "a", partitions: days }], when: "complete" },
    /it can't be told beforehand/,
  ],
  [
    "dynamic complete",
    {
      kind: "updated",
      assets: [{ asset: "a", partitions: { kind: "dynamic" } }],
      target: { kind: "dynamic" },
      when: "complete",
    },
    /it can't be told beforehand/,
  ],
  [
    "a mapping that does not fit",
    {
      kind: "updated",
      assets: [{ asset: "a", partitions: regions, mapping: { kind: "windows" } }],
      target: days,
    },
    /"windows" needs windows of time on both sides/,
  ],
  [
    "two sides that have nothing in common",
    { kind: "updated", assets: [{ asset: "a", partitions: regions }], target: days },
    /partitions by static and by time need one/,
  ],
  [
    "reached by key",
    { ...(reached as object), by: { kind: "path", path: ["subject"] } },
    /a window of time has no key/,
  ],
  ["reached for regions", { ...(reached as object), target: regions }, /expected windows of time/],
  [
    "a misspelt field",
    { ...(reached as object), late: { debounceMS: 1 } },
    /\$\.late\.debounceMS: there is no such field; did you mean "debounceMs"\?/,
  ],
  ["an asset twice", { kind: "updated", assets: [{ asset: "a" }, { asset: "a" }] }, /"a" stands there twice/],
])("%s is refused", (_name, json, message) => {
  expect(() => parseCondition(json)).toThrow(message);
});

test("another version leaves windows of events closed that the one before has fired, and goes on with what is open (C3)", () => {
  const a = { kind: "event", type: "a" };
  const window = { kind: "window", of: a, every: { kind: "every", every: "1m" }, late: "revise" };
  const times = [5_000, 61_000, 30_000, 121_000];
  const log = times.map((time, n): Entry => [start + n, "a", null, start + time]);
  const [first, second] = [0, minute].map((from) => `[${start + from},${start + from + minute})`);
  // The second event closes the first window, then comes the deploy, then one that is late.
  expect(changed(window, { ...window, idleMs: hour }, log, 2)).toEqual([
    `${first} a=1`,
    `${first} r2`,
    `${second} a=2`,
  ]);
  // Of other events it has gathered none.
  const where = { op: "eq", path: ["source"], value: "test" };
  expect(changed(window, { ...window, of: { ...a, where } }, log, 2)).toEqual([
    `${first} a=1`,
    `${first} r2`,
  ]);
  // Other windows are others.
  const hourly = { ...window, every: { kind: "every", every: "30s" } };
  expect(changed(window, hourly, log, 2)).toEqual([
    `${first} a=1`,
    `[${start + 30_000},${start + minute}) a=3`,
  ]);
});
