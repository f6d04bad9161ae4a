/** Sources on engines with a memory database, a clock moved by hand, and a reader of a folder that is a map. */
import {
  fileArrivedType,
  liveLane,
  type EventDraft,
  type FileSource,
  type Finding,
  type SourceConnector,
  type SourceTask,
} from "@millrace/core";
import { memoryArchive, seededRandom, type MemoryLink } from "@millrace/testkit";
import { expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { eventBacklogMax } from "../../src/engine/limits.ts";
import type { HostedSource } from "../../src/engine/source/source-host.ts";
import { memory, settled } from "./bench.ts";

type World = ReturnType<typeof memory>;

const landing: FileSource = {
  kind: "files",
  name: "landing",
  folder: "in",
  glob: "**",
  ignore: [],
  protocol: "rename",
  type: fileArrivedType,
  rescanMs: 60_000,
};

/** Files by name, with their fingerprints: what is there. */
type Folder = Map<string, string>;

/** Tells what is new in the folder, again and again, one look at a time. */
function folderConnector(folder: Folder, lookMs: number): SourceConnector {
  const look = async (task: SourceTask): Promise<void> => {
    const seen = new Map(folder);
    const known = await task.recall([...seen.keys()]);
    const findings: Finding[] = [];
    for (const [key, fingerprint] of seen) {
      const before = known.get(key);
      if (before?.fingerprint === fingerprint) continue;
      const remember = { fingerprint, version: (before?.version ?? 0) + 1 };
      findings.push({ key, remember, event: { type: fileArrivedType, subject: key, data: remember } });
    }
    if (findings.length > 0) await task.record(findings);
    task.report({ settling: 0, waiting: 0 });
  };
  return {
    kind: "files",
    placeOf: (definition) => definition.folder,
    read: async (task) => {
      while (!task.signal.aborted) {
        await look(task);
        await new Promise<void>((resolve) => {
          const alarm = task.clock.after(lookMs, resolve);
          const end = (): void => {
            alarm.cancel();
            resolve();
          };
          if (task.signal.aborted) end();
          else task.signal.addEventListener("abort", end, { once: true });
        });
      }
    },
  };
}

function engineOf(
  world: World,
  name: string,
  parts: { connector: SourceConnector; link?: MemoryLink; sources?: readonly HostedSource[] },
): Engine {
  const { sources = [{ definition: landing, paused: false }] } = parts;
  return new Engine({
    store: world.database.connect(parts.link ?? {}),
    archive: memoryArchive(world.database.tables),
    blobs: { put: async () => "hash", get: async () => undefined },
    definitions: {
      findActive: async () => undefined,
      definitionOf: async () => undefined,
      runAsks: async () => [],
    },
    clock: world.clock,
    random: Math.random,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    name,
    url: undefined,
    version: "test",
    sources: { connectors: [parts.connector], root: "/", find: async () => sources },
  });
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await settled();
}

function draft(id: string): EventDraft {
  return {
    lane: liveLane,
    source: "/shop",
    id,
    type: "order.placed",
    subject: undefined,
    time: undefined,
    data: { value: null },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
  };
}

/** `name fingerprint` of all that the log tells of the folder, in its order. */
function toldIn({ database }: World): string[] {
  const entries = database.tables.logs.get(1)?.entries ?? [];
  return entries
    .filter(({ type }) => type === fileArrivedType)
    .map(({ subject, data }) => `${subject} ${(data.value as { fingerprint: string }).fingerprint}`);
}

test("while the log has no room a source takes nothing, and goes on when it has (R4)", async () => {
  const world = memory();
  let open: () => void = () => undefined;
  let gate: Promise<void> | undefined;
  const link: MemoryLink = { request: (statement) => (statement === "flush" ? gate : undefined) };
  const folder: Folder = new Map();
  const engine = engineOf(world, "a", { connector: folderConnector(folder, 100), link });
  await engine.start();
  await turns();
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const rows = await Promise.all(
    Array.from({ length: eventBacklogMax / 2 }, async (_, at) => engine.events.prepare(draft(`e${at}`))),
  );
  const appended = engine.events.append(rows);
  await turns();
  folder.set("a", "1");
  for (let at = 0; at < 10; at += 1) {
    world.manual.advance(100);
    await turns();
  }
  // Others still have room.
  const other = engine.events.append([await engine.events.prepare(draft("other"))]);
  expect(engine.events.backlog).toBe(eventBacklogMax / 2 + 1);
  open();
  await Promise.all([appended, other]);
  world.manual.advance(100);
  await turns();
  expect(toldIn(world)).toEqual(["a 1"]);
  engine.abandon();
});

test("a source that is replaced while a flush hangs goes on with the numbers of what that commits (R2, R5)", async () => {
  const world = memory();
  let open: () => void = () => undefined;
  let gate: Promise<void> | undefined;
  const link: MemoryLink = { request: (statement) => (statement === "flush" ? gate : undefined) };
  const sources: HostedSource[] = [{ definition: landing, paused: false }];
  const folder: Folder = new Map();
  const connector = folderConnector(folder, 100);
  const engine = engineOf(world, "a", { connector, link, sources });
  await engine.start();
  await turns();
  gate = new Promise((resolve) => {
    open = resolve;
  });
  folder.set("a", "1");
  world.manual.advance(100);
  await turns();
  // The reader waits for its flush; the one that takes its place begins without it.
  sources[0] = { definition: { ...landing, glob: "*" }, paused: false };
  const replaced = engine.sources.refresh();
  folder.set("a", "2");
  for (let at = 0; at < 50; at += 1) {
    world.manual.advance(100);
    await turns(5);
  }
  open();
  gate = undefined;
  await replaced;
  folder.set("b", "1");
  for (let at = 0; at < 20; at += 1) {
    world.manual.advance(100);
    await turns(5);
  }
  expect(toldIn(world)).toEqual(["a 1", "a 2", "b 1"]);
  expect(world.database.tables.sources.get("1\nlanding")?.events).toBe(3);
  engine.abandon();
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "engines that crash, answers that are lost and shards that move lose and double no version (R1, U1; seed %i)",
  async (seed) => {
    const random = seededRandom(seed);
    const world = memory();
    const folder: Folder = new Map();
    const written = new Set<string>();
    const engines = new Set<Engine>();
    let names = 0;
    const begin = async (): Promise<void> => {
      const link: MemoryLink = {
        answer: (statement) => {
          if (statement !== "flush" || random.below(6) > 0) return;
          throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
        },
      };
      const connector = folderConnector(folder, 200);
      const engine = engineOf(world, `n${(names += 1)}`, { connector, link });
      engines.add(engine);
      const starting = engine.start();
      for (let at = 0; at < 20; at += 1) {
        await turns(5);
        world.manual.advance(100);
      }
      await starting;
    };
    await begin();
    for (let step = 0; step < 150; step += 1) {
      const file = `f${random.below(12)}`;
      const version = `${step}`;
      folder.set(file, version);
      written.add(`${file} ${version}`);
      const chance = random.below(30);
      if (chance === 0 && engines.size < 3) await begin();
      if (chance === 1) {
        const engine = random.pick([...engines]);
        engines.delete(engine);
        engine.abandon();
        if (engines.size === 0) await begin();
      }
      world.manual.advance(random.below(1_500));
      await turns(random.below(20));
    }
    const last = [...folder].map(([file, version]) => `${file} ${version}`);
    // A dead engine's shards are free after its lease.
    for (let at = 0; at < 400 && !last.every((one) => toldIn(world).includes(one)); at += 1) {
      world.manual.advance(250);
      await turns(30);
    }
    const told = toldIn(world);
    expect(told).toEqual(expect.arrayContaining(last));
    expect(new Set(told).size).toBe(told.length);
    expect(told.filter((one) => !written.has(one))).toEqual([]);
    const memoryNow = [...world.database.tables.things.values()].map(
      ({ key, fingerprint }) => `${key} ${fingerprint}`,
    );
    expect(memoryNow.toSorted()).toEqual(last.toSorted());
    expect(world.database.tables.sources.get("1\nlanding")?.events).toBe(told.length);
    for (const engine of engines) engine.abandon();
  },
);
