/** The event log on one node and on two, with a memory database and a clock moved by hand. */
import { liveLane, type EventDraft, type EventOutcome } from "@millrace/core";
import type { LogPage } from "@millrace/store";
import { memoryArchive, type MemoryLink } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { eventBacklogMax, eventsPendingMax } from "../../src/engine/limits.ts";
import { memory, settled } from "./bench.ts";

type World = ReturnType<typeof memory>;

function draft(id: string, parts: Partial<EventDraft> = {}): EventDraft {
  return {
    lane: liveLane,
    source: "/shop",
    id,
    type: "order.placed",
    subject: undefined,
    time: undefined,
    data: { value: { id } },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
    ...parts,
  };
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await settled();
}

class Node {
  readonly engine: Engine;
  readonly blobs = new Map<string, string>();
  readonly heard: LogPage[] = [];
  readonly warned: string[] = [];
  stopListening: () => void = () => {};

  constructor(world: World, name: string, link: MemoryLink = {}) {
    this.engine = new Engine({
      store: world.database.connect(link),
      archive: memoryArchive(world.database.tables),
      blobs: {
        put: async (content) => {
          const hash = `hash${this.blobs.size}`;
          this.blobs.set(hash, String(content));
          return hash;
        },
        get: async () => undefined,
      },
      definitions: {
        findActive: async () => undefined,
        definitionOf: async () => undefined,
        runAsks: async () => [],
      },
      clock: world.clock,
      random: Math.random,
      log: { info: () => {}, warn: (_fields, text) => this.warned.push(text), error: () => {} },
      name,
      url: undefined,
      version: "test",
    });
  }

  async append(...drafts: EventDraft[]): Promise<EventOutcome[]> {
    const { events } = this.engine;
    return events.append(await Promise.all(drafts.map(async (one) => events.prepare(one))));
  }

  listen(after = 0): void {
    this.stopListening = this.engine.events.onAppended(after, (page) => void this.heard.push(page));
  }

  get positions(): number[] {
    return this.heard.flatMap(({ events }) => events.map(({ position }) => position));
  }
}

async function oneNode(link: MemoryLink = {}): Promise<World & { node: Node }> {
  const world = memory();
  const node = new Node(world, "a", link);
  await node.engine.start();
  return { ...world, node };
}

/** `owner` has the log's shard. */
async function twoNodes(): Promise<
  World & { owner: Node; other: Node; pass: (ms: number) => Promise<void> }
> {
  const world = memory();
  const [owner, other] = [new Node(world, "a"), new Node(world, "b")];
  await owner.engine.start();
  await other.engine.start();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      world.manual.advance(500);
      await turns();
    }
  };
  await pass(5_000);
  expect([owner, other].map(({ engine }) => engine.info.shards)).toEqual([32, 32]);
  return { ...world, owner, other, pass };
}

test("what is answered is committed, with its position", async () => {
  const { node, database } = await oneNode();
  expect(await node.append(draft("a"), draft("b"))).toEqual([
    { kind: "recorded", position: 1 },
    { kind: "recorded", position: 2 },
  ]);
  expect(database.tables.logs.get(1)?.entries.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("repeats and conflicts are told one by one", async () => {
  const { node } = await oneNode();
  await node.append(draft("a"));
  expect(await node.append(draft("b"), draft("a"), draft("b", { subject: "x" }), draft("c"))).toEqual([
    { kind: "recorded", position: 2 },
    { kind: "duplicate", position: 1 },
    { kind: "conflict", position: 2 },
    { kind: "recorded", position: 3 },
  ]);
});

test("what several ask for at once is one flush, and each gets its own answer", async () => {
  const { node, database } = await oneNode();
  const before = database.tables.nodes.get(1)!.lastFlush;
  const answers = await Promise.all(["a", "b", "c"].map((id) => node.append(draft(id))));
  expect(answers.flat().map((outcome) => ("position" in outcome ? outcome.position : 0))).toEqual([1, 2, 3]);
  expect(database.tables.nodes.get(1)!.lastFlush).toBe(before + 1);
});

test("large data rests in the blob store, too large data is refused", async () => {
  const { node, database } = await oneNode();
  await node.append(draft("a", { data: { value: "x".repeat(20_000) } }));
  expect(database.tables.logs.get(1)?.entries[0]?.data).toMatchObject({ blob: "hash0" });
  await expect(node.append(draft("b", { data: { value: "x".repeat(1_100_000) } }))).rejects.toMatchObject({
    code: "MILLRACE_EVENT_TOO_LARGE",
  });
});

test("beyond the bound nothing of a request is taken", async () => {
  const { node, database } = await oneNode();
  const many = Array.from({ length: eventBacklogMax }, (_, at) => draft(`e${at}`));
  const rows = await Promise.all(many.map(async (one) => node.engine.events.prepare(one)));
  const appended = node.engine.events.append(rows);
  await expect(node.append(draft("late"))).rejects.toMatchObject({ code: "MILLRACE_EVENTS_OVERLOADED" });
  expect((await appended).length).toBe(eventBacklogMax);
  expect(database.tables.logs.get(1)?.entries.length).toBe(eventBacklogMax);
  expect(node.engine.events.backlog).toBe(0);
  expect(await node.append(draft("late"))).toEqual([{ kind: "recorded", position: eventBacklogMax + 1 }]);
});

test("a listener hears committed entries once and in order, from where it wants", async () => {
  const { node } = await oneNode();
  await node.append(draft("a"), draft("b"));
  node.listen(1);
  await turns();
  await node.append(draft("c"), draft("b"));
  await node.append(draft("d"));
  expect(node.positions).toEqual([2, 3, 4]);
  expect(node.heard.at(-1)?.head.position).toBe(4);
  expect(node.heard.flatMap(({ events }) => events)[1]).toMatchObject({
    id: "c",
    data: { value: { id: "c" } },
    workspace: 1,
  });
  node.stopListening();
  await node.append(draft("e"));
  expect(node.positions).toEqual([2, 3, 4]);
});

test("a slow listener holds its own pages back and misses nothing", async () => {
  const { node } = await oneNode();
  const heard: number[] = [];
  const waiting: (() => void)[] = [];
  node.engine.events.onAppended(0, ({ events }) => {
    heard.push(...events.map(({ position }) => position));
    return new Promise((resolve) => waiting.push(resolve));
  });
  node.listen();
  await turns();
  // A first page may tell where the log stands.
  waiting.shift()?.();
  await turns();
  for (const id of ["a", "b", "c"]) await node.append(draft(id));
  await turns();
  expect(heard).toEqual([1]);
  expect(node.positions).toEqual([1, 2, 3]);
  while (waiting.length > 0) {
    waiting.shift()!();
    await turns();
  }
  expect(heard).toEqual([1, 2, 3]);
});

test("a listener that is added later hears what the others do", async () => {
  const { node } = await oneNode();
  node.listen();
  for (let at = 0; at < 5; at += 1) await node.append(draft(`e${at}`));
  const late: number[] = [];
  node.engine.events.onAppended(2, ({ events }) => void late.push(...events.map(({ position }) => position)));
  await node.append(draft("last"));
  await turns();
  expect(late).toEqual([3, 4, 5, 6]);
  expect(node.positions).toEqual([1, 2, 3, 4, 5, 6]);
});

test("the clock goes on without an event, and the listener is told", async () => {
  const { node, manual } = await oneNode();
  await node.append(draft("a"));
  node.listen();
  await turns();
  const to = manual.now() + 60_000;
  await node.engine.events.advanceClock(to);
  expect(node.heard.at(-1)).toEqual({ events: [], until: 1, head: { position: 1, clock: to } });
  await node.append(draft("b"));
  expect(node.heard.at(-1)?.events[0]?.recordedAt).toBe(to);
});

test("a lost answer of a flush loses no outcome and no entry", async () => {
  let losses = 0;
  const { node, manual } = await oneNode({
    answer: (statement) => {
      if (statement === "flush" && losses-- > 0)
        throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
    },
  });
  node.listen();
  await node.append(draft("a"));
  losses = 1;
  const answer = node.append(draft("b"), draft("a"));
  await turns();
  manual.advance(60);
  expect(await answer).toEqual([
    { kind: "recorded", position: 2 },
    { kind: "duplicate", position: 1 },
  ]);
  expect(node.positions).toEqual([1, 2]);
});

test("on another node events are accepted, recorded by the owner, and heard on both", async () => {
  const { owner, other, database } = await twoNodes();
  owner.listen();
  other.listen();
  expect(await other.append(draft("a"), draft("b"))).toEqual([{ kind: "accepted" }, { kind: "accepted" }]);
  await turns();
  await owner.append(draft("c"), draft("a"));
  await turns();
  expect(database.tables.logs.get(1)?.entries.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(database.tables.inbox.size).toBe(0);
  for (const node of [owner, other]) expect(node.positions).toEqual([1, 2, 3]);
});

test("an event that was accepted elsewhere and is a conflict is left out, and the owner's log says so", async () => {
  const { owner, other, database } = await twoNodes();
  await owner.append(draft("a"));
  await other.append(draft("a"));
  await turns();
  expect(owner.warned).toEqual([]);
  expect(await other.append(draft("a", { subject: "x" }), draft("b"))).toEqual([
    { kind: "accepted" },
    { kind: "accepted" },
  ]);
  await turns();
  expect(owner.warned).toEqual([expect.stringContaining("with other content")]);
  expect(database.tables.logs.get(1)?.entries.map(({ id }) => id)).toEqual(["a", "b"]);
});

test("on another node the clock is advanced by the owner", async () => {
  const { owner, other, manual } = await twoNodes();
  owner.listen();
  other.listen();
  const to = manual.now() + 60_000;
  await other.engine.events.advanceClock(to);
  await turns();
  for (const node of [owner, other]) expect(node.heard.at(-1)?.head.clock).toBe(to);
});

test("while the owner is away other nodes accept up to a bound, then refuse; nothing accepted is lost", async () => {
  const { owner, other, database, pass } = await twoNodes();
  owner.engine.abandon();
  for (let at = 0; at < eventsPendingMax; at += 1)
    expect(await other.append(draft(`e${at}`))).toEqual([{ kind: "accepted" }]);
  await expect(other.append(draft("late"))).rejects.toMatchObject({ code: "MILLRACE_EVENTS_OVERLOADED" });
  other.listen();
  await pass(15_000);
  expect(other.engine.info.shards).toBe(64);
  expect(database.tables.logs.get(1)?.entries.length).toBe(eventsPendingMax);
  expect(other.positions.length).toBe(eventsPendingMax);
  expect(await other.append(draft("late"))).toEqual([{ kind: "recorded", position: eventsPendingMax + 1 }]);
});

test("who waits for a node that ends is told that it is not known", async () => {
  const { node } = await oneNode();
  const answer = node.append(draft("a"));
  const refused = expect(answer).rejects.toMatchObject({ code: "MILLRACE_LEASE_LOST" });
  await Promise.resolve();
  node.engine.abandon();
  await refused;
});
