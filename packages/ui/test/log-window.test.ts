/** What of a log is in hand: read on at either end, bounded, with what comes live at its end. */
import { expect, test } from "vitest";
import type { LogEntry, LogLinesView } from "@millrace/protocol";
import { LogWindow, type LinesQuery } from "../src/pages/run/log-window.ts";

function entry(position: number): LogEntry {
  return {
    at: position,
    stream: "log",
    level: "info",
    text: `line ${position}`,
    node: "a",
    item: "",
    generation: 1,
    attempt: 1,
    position,
  };
}

/** A log of `count` lines; places are numbers of lines. `looks`: how many lines one request looks at. */
class Log {
  count: number;
  asked = 0;
  readonly #looks: number;
  readonly #isWanted: (position: number) => boolean;

  constructor(count: number, looks = 1_000, isWanted: (position: number) => boolean = () => true) {
    this.count = count;
    this.#looks = looks;
    this.#isWanted = isWanted;
  }

  readonly read = async ({ order, cursor, limit }: LinesQuery): Promise<LogLinesView> => {
    this.asked += 1;
    const most = Math.min(limit, this.#looks);
    const from = order === "forward" ? Number(cursor ?? 0) : Math.max(0, Number(cursor ?? this.count) - most);
    const to = order === "forward" ? Math.min(this.count, from + most) : Number(cursor ?? this.count);
    const items = Array.from({ length: to - from }, (_, at) => from + at)
      .filter(this.#isWanted)
      .map(entry);
    const hasMore = order === "forward" ? to < this.count : from > 0;
    return { items, before: String(from), after: String(to), hasMore, lookedAt: "2026-01-01T00:00:00Z" };
  };
}

async function settled(window: LogWindow): Promise<void> {
  while (window.state.isReading) await new Promise((resolve) => setImmediate(resolve));
}

function open(log: Log): LogWindow {
  return new LogWindow({ read: log.read, isWanted: () => true, onChange: () => undefined });
}

function edges({ state }: LogWindow): [number | undefined, number | undefined, number] {
  return [state.lines[0]?.position, state.lines.at(-1)?.position, state.lines.length];
}

test("a long log is read from its end back, and what is in hand stays bounded", async () => {
  const window = open(new Log(1_000_000));
  await window.openEnd();
  expect(edges(window)).toEqual([999_000, 999_999, 1_000]);
  for (let page = 0; page < 30; page += 1) {
    window.readBefore();
    await settled(window);
  }
  expect(edges(window)).toEqual([969_000, 988_999, 20_000]);
  expect(window.state).toMatchObject({ first: -30_000, hasBefore: true, hasAfter: true });
  window.readAfter();
  await settled(window);
  // What was let go is read again; the far end goes.
  expect(edges(window)).toEqual([970_000, 989_999, 20_000]);
  expect(window.state.first).toBe(-29_000);
});

test("around a place both sides are in hand", async () => {
  const window = open(new Log(10_000));
  await window.openAt("5000");
  expect(edges(window)).toEqual([4_000, 5_999, 2_000]);
  expect(window.state).toMatchObject({ first: -1_000, hasBefore: true, hasAfter: true });
  await window.openBeginning();
  expect(window.state).toMatchObject({ first: 0, hasBefore: false, hasAfter: true });
});

test("a look for few lines goes on until there is enough, and tells how far it is", async () => {
  const log = new Log(50_000, 1_000, (position) => position % 1_000 === 7);
  const told: (string | undefined)[] = [];
  const window = new LogWindow({
    read: log.read,
    isWanted: () => true,
    onChange: () => told.push(window.state.lookedAt),
  });
  await window.openBeginning();
  expect(window.state.lines).toHaveLength(50);
  expect(log.asked).toBeGreaterThanOrEqual(50);
  expect(told).toContain("2026-01-01T00:00:00Z");
  expect(window.state.hasAfter).toBe(false);
});

test("live lines follow the end once each, and are counted while one is elsewhere", async () => {
  const log = new Log(2_000);
  const window = open(log);
  await window.openEnd();
  window.take([entry(1_999), entry(2_000), entry(2_001)]);
  expect(edges(window)).toEqual([1_000, 2_001, 1_002]);
  window.follow(false);
  window.take([entry(2_002)]);
  expect(window.state.fresh).toBe(1);
  window.follow(true);
  expect(window.state.fresh).toBe(0);
  // More than can be kept: the end is looked at anew.
  log.count = 20_000;
  window.take(Array.from({ length: 5_000 }, (_, at) => entry(15_000 + at)));
  await settled(window);
  expect(edges(window)).toEqual([19_000, 19_999, 1_000]);
  // Or it is let go, where one reads elsewhere.
  window.follow(false);
  window.take(Array.from({ length: 5_000 }, (_, at) => entry(20_000 + at)));
  expect(window.state).toMatchObject({ hasAfter: true, fresh: 5_000 });
  expect(window.state.lines).toHaveLength(1_000);
});
