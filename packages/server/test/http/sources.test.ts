/** Sources on real servers, with a reader whose findings the test gives. */
import {
  fileArrivedType,
  MillraceError,
  type FileSource,
  type Finding,
  type LogEvent,
  type SourceConnector,
  type SourceTask,
} from "@millrace/core";
import { expect, test } from "vitest";
import { node, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { triggered } from "./trigger-stage.ts";

/** A connector that does what the test says, and knows who reads. */
class HandConnector implements SourceConnector {
  readonly kind = "files";
  /** Readers under way, the newest last. */
  readonly reading: SourceTask[] = [];
  begun = 0;
  begin: (task: SourceTask) => Promise<void> | void = (task) => task.report({ settling: 0, waiting: 0 });

  readonly placeOf: SourceConnector["placeOf"] = ({ folder }) => folder;

  readonly read: SourceConnector["read"] = async (task) => {
    this.begun += 1;
    this.reading.push(task);
    try {
      await this.begin(task);
      await new Promise<void>((resolve) => {
        if (task.signal.aborted) resolve();
        task.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      this.reading.splice(this.reading.indexOf(task), 1);
    }
  };

  async reader(): Promise<SourceTask> {
    await expect.poll(() => this.reading.length).toBeGreaterThan(0);
    return this.reading.at(-1)!;
  }
}

function landing(parts: Partial<FileSource> = {}): FileSource {
  return {
    kind: "files",
    name: "landing",
    folder: "in",
    glob: "**",
    ignore: [],
    protocol: "rename",
    type: fileArrivedType,
    rescanMs: 60_000,
    ...parts,
  };
}

function found(key: string, version = 1): Finding {
  const event = { type: fileArrivedType, subject: key, data: { relative: key, version } };
  return { key, remember: { fingerprint: `f${version}`, version }, event };
}

async function start(
  connector: HandConnector,
  sources: readonly FileSource[] = [landing()],
): Promise<ServerFixture> {
  const fixture = await startFixture({ sources: { connectors: [connector], root: "/" } });
  expect((await fixture.deploy([], { sources })).body).toMatchObject({
    sources: { added: sources.map(({ name }) => name) },
  });
  return fixture;
}

type View = { readonly [name: string]: unknown } & { readonly state: string };

async function view(fixture: Pick<ServerFixture, "call">, name = "landing"): Promise<View> {
  const { body } = await fixture.call("GET", "/sources");
  return (body.items as View[]).find((source) => source["name"] === name)!;
}

async function eventsOf(fixture: Pick<ServerFixture, "call">, query: string): Promise<LogEvent[]> {
  const { body } = await fixture.call("GET", `/events?${query}&limit=1000`);
  return (body.items as { readonly event: LogEvent }[]).map(({ event }) => event).toReversed();
}

test("what a reader finds is in the log, numbered, and remembered with it (R1, R2)", async () => {
  const connector = new HandConnector();
  await using fixture = await start(connector);
  const reader = await connector.reader();
  expect(reader.definition).toEqual(landing());
  await reader.record([found("a"), found("b")]);
  await reader.record([found("a", 2), { key: "b" }]);
  const events = await eventsOf(fixture, "source=/sources/landing");
  expect(events.map(({ id, subject, type }) => [id, subject, type])).toEqual([
    ["1", "a", fileArrivedType],
    ["2", "b", fileArrivedType],
    ["3", "a", fileArrivedType],
  ]);
  expect(await reader.recall(["a", "b"])).toEqual(new Map([["a", { fingerprint: "f2", version: 2 }]]));
  expect(await reader.countRemembered()).toBe(1);
  expect(await view(fixture)).toMatchObject({
    state: "running",
    events: 3,
    remembered: 1,
    reads: "in/**",
    lastEventAt: expect.any(String),
  });
});

test("many findings at once are told in order, in flushes of a bounded size (R4)", async () => {
  const connector = new HandConnector();
  await using fixture = await start(connector);
  const reader = await connector.reader();
  await reader.record(Array.from({ length: 25_000 }, (_, at) => found(`f${at}`)));
  expect(await view(fixture)).toMatchObject({ events: 25_000, remembered: 25_000 });
});

test("a reader that throws fails visibly, is called again, and goes on when it can (R3)", async () => {
  const connector = new HandConnector();
  let isBroken = true;
  connector.begin = (task) => {
    if (isBroken)
      throw new MillraceError("MILLRACE_FOLDER_MISSING", { message: "The folder /in does not exist." });
    task.report({ settling: 0, waiting: 0 });
  };
  await using fixture = await start(connector);
  await expect
    .poll(() => view(fixture))
    .toMatchObject({
      state: "failing",
      error: { code: "MILLRACE_FOLDER_MISSING", message: "The folder /in does not exist." },
    });
  const { begun } = connector;
  await expect.poll(() => connector.begun).toBeGreaterThan(begun + 1);
  isBroken = false;
  await expect.poll(() => view(fixture)).toMatchObject({ state: "running" });
  expect(await view(fixture)).not.toHaveProperty("error");
  const changes = await eventsOf(fixture, "type=millrace.source.changed");
  expect(changes.map(({ subject, data }) => [subject, (data as unknown as View).state])).toEqual([
    ["landing", "failing"],
    ["landing", "running"],
  ]);
});

test("a source that can be read again is not told to fail while it is looked through", async () => {
  const connector = new HandConnector();
  let isBroken = true;
  connector.begin = (task) => {
    if (isBroken) throw new MillraceError("MILLRACE_FOLDER_MISSING", { message: "It does not exist." });
    task.begun();
  };
  await using fixture = await start(connector);
  await expect.poll(() => view(fixture)).toMatchObject({ state: "failing" });
  isBroken = false;
  await expect.poll(() => view(fixture)).toMatchObject({ state: "starting" });
  expect(await view(fixture)).not.toHaveProperty("error");
  (await connector.reader()).report({ settling: 0, waiting: 0 });
  await expect.poll(() => view(fixture)).toMatchObject({ state: "running" });
  const changes = await eventsOf(fixture, "type=millrace.source.changed");
  expect(changes.map(({ data }) => (data as unknown as View).state)).toEqual(["failing", "running"]);
});

test("what nobody expected is told, too, and a reader that ends by itself", async () => {
  const connector = new HandConnector();
  connector.begin = () => {
    throw new TypeError("it is undefined");
  };
  await using fixture = await start(connector);
  await expect
    .poll(() => view(fixture))
    .toMatchObject({
      state: "failing",
      error: { code: "MILLRACE_SOURCE_FAILED", message: "it is undefined" },
    });
});

test("a paused source is not read, over deploys, and what its reader finds late is not taken (R5)", async () => {
  const connector = new HandConnector();
  await using fixture = await start(connector);
  const reader = await connector.reader();
  await reader.record([found("a")]);
  const paused = await fixture.call("POST", "/sources/landing/pause");
  expect([paused.status, paused.body.state]).toEqual([200, "paused"]);
  expect(connector.reading).toEqual([]);
  await expect(reader.record([found("late")])).rejects.toMatchObject({ code: "MILLRACE_LEASE_LOST" });
  await fixture.deploy([], { sources: [landing({ glob: "*.csv" })] });
  expect(await view(fixture)).toMatchObject({ state: "paused", paused: true, events: 1 });
  const resumed = await fixture.call("POST", "/sources/landing/resume");
  expect(resumed.body.paused).toBe(false);
  const next = await connector.reader();
  expect(next.definition).toMatchObject({ glob: "*.csv" });
  await next.record([found("b")]);
  const ids = (await eventsOf(fixture, "source=/sources/landing")).map(({ id }) => id);
  expect(ids).toEqual(["1", "2"]);
});

test("a source that is deployed no more stops; when it comes back its memory and its numbers go on", async () => {
  const connector = new HandConnector();
  await using fixture = await start(connector);
  await (await connector.reader()).record([found("a")]);
  expect((await fixture.deploy([], {})).body).toMatchObject({ sources: { retired: ["landing"] } });
  await expect.poll(() => connector.reading).toEqual([]);
  expect((await fixture.call("GET", "/sources")).body.items).toEqual([]);
  await fixture.deploy([], { sources: [landing()] });
  const reader = await connector.reader();
  expect(await reader.countRemembered()).toBe(1);
  await reader.record([found("b")]);
  expect(await view(fixture)).toMatchObject({ events: 2, remembered: 2 });
});

test("in another folder everything is new", async () => {
  const connector = new HandConnector();
  await using fixture = await start(connector);
  await (await connector.reader()).record([found("a")]);
  await fixture.deploy([], { sources: [landing({ folder: "elsewhere" })] });
  await expect.poll(() => connector.reading.at(-1)?.definition.folder).toBe("elsewhere");
  const reader = await connector.reader();
  expect(await reader.countRemembered()).toBe(0);
  await reader.record([found("a")]);
  expect(await view(fixture)).toMatchObject({ events: 2, remembered: 1 });
});

test("a trigger that is as new as the source misses none of its events (U2)", async () => {
  const connector = new HandConnector();
  connector.begin = (task) => task.record([found("first")]);
  await using fixture = await startFixture({ sources: { connectors: [connector], root: "/" } });
  await fixture.worker({ answer: () => succeeded(1) });
  const condition = { kind: "event", type: fileArrivedType } as const;
  await fixture.deploy([triggered("load", condition, { nodes: [node("only")] })], { sources: [landing()] });
  await expect
    .poll(async () => (await fixture.call("GET", "/runs?pipeline=load")).body.items)
    .toHaveLength(1);
});

test("one server reads a source, and another takes over where it ended (U1)", async () => {
  const connectors = [new HandConnector(), new HandConnector()];
  const reading = (): SourceTask[] => connectors.flatMap((connector) => connector.reading);
  const sources = Array.from({ length: 12 }, (_, at) => landing({ name: `s${at}` }));
  await using fixture = await start(connectors[0]!, sources);
  await expect.poll(() => reading().length).toBe(12);
  await connectors[0]!.reading.find(({ definition }) => definition.name === "s1")!.record([found("a")]);
  {
    await using other = await fixture.anotherServer({ sources: { connectors: [connectors[1]!], root: "/" } });
    await expect.poll(() => connectors[1]!.reading.length).toBeGreaterThan(0);
    await expect.poll(() => reading().length).toBe(12);
    const names = reading().map(({ definition }) => definition.name);
    expect(new Set(names).size).toBe(12);
    // Each finds its own, also where the log's owner is the other one.
    await Promise.all(reading().map((task) => task.record([found("b")])));
    await expect.poll(async () => (await eventsOf(other, `type=${fileArrivedType}`)).length).toBe(13);
    expect(await view(other, "s1")).toMatchObject({ events: 2, remembered: 2 });
    // A pause that is asked for anywhere ends the reader wherever it is.
    for (const { name } of sources) await other.call("POST", `/sources/${name}/pause`);
    await expect.poll(() => reading().length).toBe(0);
    for (const { name } of sources) await fixture.call("POST", `/sources/${name}/resume`);
    await expect.poll(() => reading().length).toBe(12);
  }
  await expect.poll(() => connectors[0]!.reading.length).toBe(12);
  expect(await (await connectors[0]!.reader()).countRemembered()).toBeGreaterThan(0);
});

test("a server that has no connector of the kind says so, and one that hosts no sources leaves them", async () => {
  await using fixture = await startFixture({ sources: { connectors: [], root: "/" } });
  await fixture.deploy([], { sources: [landing()] });
  await expect.poll(() => view(fixture)).toMatchObject({ error: { code: "MILLRACE_SOURCE_KIND" } });
  await using other = await startFixture();
  await other.deploy([], { sources: [landing()] });
  expect(await view(other)).toMatchObject({ state: "waiting", events: 0 });
});

const faults: readonly (readonly [what: string, parts: object, path: string])[] = [
  ["a name that is none", { name: "a b" }, "name"],
  ["a glob that leads out", { glob: "../*" }, "glob"],
  ["a glob with too many stars", { glob: "*a*b*c*d*" }, "glob"],
  ["an absolute glob", { glob: "/in/*" }, "glob"],
  ["an unknown protocol", { protocol: "guess" }, "protocol"],
  ["a time to settle where nothing settles", { quietMs: 5 }, "quietMs"],
  ["no time to settle where it does", { protocol: "settle" }, "quietMs"],
  ["a marker with a folder", { protocol: "marker", marker: "x/*" }, "marker"],
  ["a type of Millrace's own", { type: "millrace.file" }, "type"],
  ["a rescan that never ends", { rescanMs: 10 }, "rescanMs"],
  ["an unknown option", { watch: true }, "watch"],
  ["an unknown kind", { kind: "ftp" }, "kind"],
];

test("a deploy with a source that can't be read is refused, and says where", async () => {
  await using fixture = await startFixture();
  for (const [what, parts, path] of faults) {
    const { status, body } = await fixture.deploy([], { sources: [{ ...landing(), ...parts }] });
    expect([status, body.code, body.fields.path], what).toEqual([422, "MILLRACE_SOURCE_INVALID", path]);
  }
});

test("a name is one source's of one project", async () => {
  await using fixture = await startFixture();
  const twice = await fixture.deploy([], { sources: [landing(), landing({ glob: "*" })] });
  expect([twice.status, twice.body.code]).toEqual([422, "MILLRACE_SOURCE_INVALID"]);
  await fixture.deploy([], { sources: [landing()] });
  const other = await fixture.deploy([], { project: "other", sources: [landing()] });
  expect([other.status, other.body.code]).toEqual([409, "MILLRACE_PROJECT_CONFLICT"]);
  const unknown = await fixture.call("POST", "/sources/landin/pause");
  expect([unknown.status, unknown.body.code]).toEqual([404, "MILLRACE_SOURCE_UNKNOWN"]);
  expect(unknown.body.detail).toContain('Did you mean "landing"');
});
