/** Rules of `EngineStore` about the event log (E5, E6). */
import { strict as assert } from "node:assert";
import type { LogEvent } from "@millrace/core";
import { emptyBatch, type EngineStore, type LogChange } from "@millrace/store";
import { eventRow, flusher, key, liveRun, logFlusher, rowTime } from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

async function wholeLog(store: EngineStore, pageSize = 3): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for (let after = 0; ;) {
    const page = await store.readLog(1, after, pageSize);
    events.push(...page.events);
    assert.ok(page.until >= after);
    if (page.until >= page.head.position) return events;
    after = page.until;
  }
}

const named = (events: readonly LogEvent[]): string[] =>
  events.map(({ position, source, id }) => `${position} ${source} ${id}`);

export const engineStoreLogRules: { readonly [name: string]: EngineStoreRule } = {
  "a log that has nothing has no entries and no clock": async ({ store }) => {
    assert.deepEqual(await store.logHead(1), { position: 0, clock: 0 });
    assert.deepEqual(await store.readLog(1, 0, 10), {
      events: [],
      until: 0,
      head: { position: 0, clock: 0 },
    });
  },

  "an event is read as it was flushed, with its position and its time": async ({ store, other }) => {
    const { append } = await logFlusher(store);
    const full = eventRow("e1", {
      subject: "order/7",
      time: rowTime - 5_000.25,
      data: { value: { list: [1, "Grüße", null], odd: 'nul \u0000, half \ud800, quote " \\' } },
      contentType: "application/json",
      dataSchema: "https://example.com/order.json",
      extensions: { hops: 3, test: true, trace: "00-ab" },
      lane: "backfill:7",
      invalid: "data.total is missing",
    });
    const bytes = eventRow("e2", { data: { value: "AAE=" }, isBinary: true });
    const blob = eventRow("e3", { data: { blob: "abc", bytes: 20_000 }, type: "millrace.worker.lost" });
    const change = await append([full, bytes, blob], rowTime + 0.123);
    assert.deepEqual(change, { first: 1, count: 3, clock: rowTime + 0.123, others: [] });
    const { events } = await other.readLog(1, 0, 10);
    const recordedAt = rowTime + 0.123;
    const entry = ({ dataText: _text, ...draft }: typeof full, position: number): LogEvent => ({
      ...draft,
      position,
      recordedAt,
      time: draft.time ?? recordedAt,
    });
    assert.deepEqual(events, [entry(full, 1), entry(bytes, 2), entry(blob, 3)]);
  },

  "a run knows where the log ended when it, or its live generation, was made": async ({ store, other }) => {
    const { flush } = await flusher(store);
    const positions = async (): Promise<string[]> =>
      (await other.loadRunPositions(1, ["r1", "r2", "r3", "gone"]))
        .map(({ id, position }) => `${id} ${position}`)
        .toSorted();
    await flush({ runsCreated: [liveRun("r1")] });
    assert.deepEqual(await positions(), ["r1 0"]);
    const second = await logFlusher(other);
    await second.append([eventRow("e1"), eventRow("e2")]);
    // What its own flush tells comes after it.
    await second.append([eventRow("e3")], rowTime, { runsCreated: [liveRun("r2"), liveRun("r3")] });
    assert.deepEqual(await positions(), ["r1 0", "r2 2", "r3 2"]);
    const ended = { ...key("r1"), state: "succeeded", reason: undefined, output: undefined } as const;
    await second.append([eventRow("e4")], rowTime, {
      runsEnded: [{ ...ended, endedAt: rowTime + 5, hasMoreRows: false }],
    });
    assert.deepEqual(await positions(), ["r2 2", "r3 2"]);
    await second.append([eventRow("e5")], rowTime, { runsCreated: [liveRun("r1", { generation: 2 })] });
    assert.deepEqual(await positions(), ["r1 4", "r2 2", "r3 2"]);
  },

  "the position of an event is found by its name, one that is told once and for all has none": async ({
    store,
    other,
  }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("e1"), eventRow("e2"), eventRow("e3", { once: true })]);
    const positionOf = (id: string, source = "/shop"): Promise<number | undefined> =>
      other.positionOfEvent({ workspace: 1, source, id });
    assert.equal(await positionOf("e2"), 2);
    assert.equal(await positionOf("e2", "/other"), undefined);
    assert.equal(await positionOf("e3"), undefined);
  },

  "text of data that is given is what is stored": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("e1", { data: { value: { a: 1 } }, dataText: '{"a":1}' })]);
    assert.deepEqual((await store.readLog(1, 0, 1)).events[0]?.data, { value: { a: 1 } });
  },

  "positions go on from flush to flush, each log has its own": async ({ store, other }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a"), eventRow("b")]);
    await append([eventRow("a", { workspace: 2 })]);
    const again = await logFlusher(other);
    assert.equal((await again.append([eventRow("c"), eventRow("d")])).first, 3);
    assert.deepEqual(named(await wholeLog(store)), ["1 /shop a", "2 /shop b", "3 /shop c", "4 /shop d"]);
    assert.equal((await store.logHead(2)).position, 1);
    assert.deepEqual(named((await store.readLog(1, 1, 2)).events), ["2 /shop b", "3 /shop c"]);
  },

  "recordedAt never falls, whatever a node's clock says": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a")], rowTime);
    assert.equal((await append([eventRow("b")], rowTime - 60_000)).clock, rowTime);
    await append([eventRow("c")], rowTime + 5);
    const times = (await wholeLog(store)).map(({ recordedAt }) => recordedAt - rowTime);
    assert.deepEqual(times, [0, 0, 5]);
  },

  "the clock goes on without an entry, and later entries keep to it": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a")], rowTime);
    assert.deepEqual(await append([], rowTime + 60_000), {
      first: 2,
      count: 0,
      clock: rowTime + 60_000,
      others: [],
    });
    assert.deepEqual(await store.logHead(1), { position: 1, clock: rowTime + 60_000 });
    await append([], rowTime + 10);
    assert.equal((await append([eventRow("b")], rowTime + 1)).clock, rowTime + 60_000);
  },

  "a repeat is told as the first one's and leaves no gap": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a", { data: { value: { n: 1 } } })]);
    const change = await append([
      eventRow("b"),
      eventRow("a", { data: { value: { n: 1 } } }),
      eventRow("c"),
      eventRow("b"),
      eventRow("a", { source: "/other" }),
      eventRow("c", { subject: "x" }),
    ]);
    assert.deepEqual(change, {
      first: 2,
      count: 3,
      clock: rowTime,
      others: [
        { at: 1, kind: "duplicate", position: 1 },
        { at: 3, kind: "duplicate", position: 2 },
        { at: 5, kind: "conflict", position: 3 },
      ],
    });
    const all = ["1 /shop a", "2 /shop b", "3 /shop c", "4 /other a"];
    assert.deepEqual(named(await wholeLog(store)), all);
    assert.equal((await append([eventRow("d")])).first, 5);
    assert.deepEqual((await append([eventRow("c"), eventRow("d")])).others, [
      { at: 0, kind: "duplicate", position: 3 },
      { at: 1, kind: "duplicate", position: 5 },
    ]);
    assert.equal((await wholeLog(store)).length, 5);
  },

  "an event that only its flush makes is always new, among others that are not": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a"), eventRow("once", { once: true })]);
    const change = await append([
      eventRow("a"),
      eventRow("once", { once: true }),
      eventRow("b"),
      eventRow("once"),
      eventRow("c", { once: true }),
      eventRow("b"),
    ]);
    assert.deepEqual(change, {
      first: 3,
      count: 4,
      clock: rowTime,
      others: [
        { at: 0, kind: "duplicate", position: 1 },
        { at: 5, kind: "duplicate", position: 4 },
      ],
    });
    assert.deepEqual((await append([eventRow("d", { once: true })])).first, 7);
    assert.deepEqual(
      (await wholeLog(store)).map(({ position, id }) => `${position} ${id}`),
      ["1 a", "2 once", "3 once", "4 b", "5 once", "6 c", "7 d"],
    );
    assert.deepEqual((await append([eventRow("once")])).others, [{ at: 0, kind: "duplicate", position: 5 }]);
  },

  "a repeat with other content is a conflict, whatever differs": async ({ store }) => {
    const { append } = await logFlusher(store);
    const first = eventRow("a", { data: { value: 1 }, subject: "s", time: rowTime, extensions: { x: "y" } });
    await append([first]);
    const differing = [
      { type: "order.changed" },
      { subject: undefined },
      { time: rowTime + 1 },
      { data: { value: 2 } },
      { data: { value: null } },
      { data: { blob: "b", bytes: 1 } },
      { extensions: {} },
      { contentType: "text/plain" },
      { lane: "replay:1" },
    ];
    for (const parts of differing) {
      const change = await append([{ ...first, ...parts }]);
      assert.deepEqual(change.others, [{ at: 0, kind: "conflict", position: 1 }], JSON.stringify(parts));
    }
    // Whether it fits its type's declaration of today is not what it says.
    const change = await append([{ ...first, invalid: "does not fit" }]);
    assert.equal(change.others[0]?.kind, "duplicate");
    assert.deepEqual(await store.logHead(1), { position: 1, clock: rowTime });
  },

  "events and what goes with them are one flush: both or none": async ({ store }) => {
    const { append } = await logFlusher(store);
    await append([eventRow("a")], rowTime, { runsCreated: [liveRun("r1")] });
    assert.equal((await store.loadRun(key("r1")))?.run.id, "r1");
    await assert.rejects(append([eventRow("b")], rowTime + 1, { runsCreated: [liveRun("r1")] }));
    assert.deepEqual(await store.logHead(1), { position: 1, clock: rowTime });
    assert.deepEqual(named(await wholeLog(store)), ["1 /shop a"]);
  },

  "a trial of a flush with events tells what it would do, and leaves nothing": async ({ store }) => {
    const { append, nodeId } = await logFlusher(store);
    await append([eventRow("a")]);
    const batch = { ...emptyBatch(), events: [eventRow("b")], clocks: [{ workspace: 1, at: rowTime }] };
    const change = { first: 2, count: 1, clock: rowTime, others: [] };
    assert.deepEqual(await store.tryFlush(nodeId, 2, batch), change);
    assert.equal((await store.logHead(1)).position, 1);
    assert.deepEqual(await store.flush(nodeId, 2, batch), change);
  },

  "what the last flush made of its events is told until the next one": async ({ store, other }) => {
    const { append, nodeId } = await logFlusher(store);
    const change: LogChange = await append([eventRow("a"), eventRow("a")]);
    assert.deepEqual(await other.lastFlush(nodeId), { number: 1, fenced: false, log: change });
    await store.flush(nodeId, 2, emptyBatch());
    assert.deepEqual(await other.lastFlush(nodeId), { number: 2, fenced: false });
  },

  "two nodes that append at once make one log": async ({ store, other }) => {
    const [a, b] = [await logFlusher(store), await logFlusher(other)];
    const tenOf = async ({ append }: typeof a, name: string): Promise<number> => {
      let count = 0;
      for (let at = 0; at < 10; at += 1)
        count += (await append([eventRow(`${name}${at}`), eventRow(`both${at}`)], rowTime + at)).count;
      return count;
    };
    const counts = await Promise.all([tenOf(a, "a"), tenOf(b, "b")]);
    assert.equal(counts[0] + counts[1], 30);
    const log = await wholeLog(store, 7);
    assert.deepEqual(
      log.map(({ position }) => position),
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
    for (const [at, event] of log.entries())
      assert.ok(at === 0 || event.recordedAt >= log[at - 1]!.recordedAt);
  },

  "thousands of entries are read in pages": async ({ store }) => {
    const { append } = await logFlusher(store);
    for (let flush = 0; flush < 5; flush += 1)
      await append(
        Array.from({ length: 2_000 }, (_, at) => eventRow(`e${flush}-${at}`)),
        rowTime + flush * 43_200_000,
      );
    const log = await wholeLog(store, 1_500);
    assert.equal(log.length, 10_000);
    assert.equal(log.at(-1)?.position, 10_000);
    assert.equal(log.at(-1)?.recordedAt, rowTime + 4 * 43_200_000);
    assert.deepEqual((await store.readLog(1, 20_000, 5)).until, 20_000);
  },

  "a message is left only while few wait": async ({ store }) => {
    assert.equal(await store.sendBounded({ shard: 3, message: 1 }, 2), true);
    assert.equal(await store.sendBounded({ shard: 3, message: 2 }, 2), true);
    assert.equal(await store.sendBounded({ shard: 3, message: 3 }, 2), false);
    assert.equal(await store.sendBounded({ shard: 4, message: 4 }, 2), true);
    assert.deepEqual(
      (await store.loadInbox([3, 4], 10)).map(({ message }) => message),
      [1, 2, 4],
    );
  },
};
