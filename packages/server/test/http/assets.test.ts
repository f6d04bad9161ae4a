/** What runs and others tell of assets is in the log and in what the API shows, in one commit with what it belongs to. */
import {
  assetReportId,
  assetReportName,
  assetUnchangedType,
  assetUpdatedType,
  type AssetDefinition,
  type CloudEvent,
  type Condition,
  type Json,
} from "@millrace/core";
import type {
  AssetCellsView,
  AssetDetail,
  AssetSummary,
  AssetUseView,
  AttemptOutcome,
  Dispatch,
  EventView,
} from "@millrace/protocol";
import { expect, test } from "vitest";
import { failed, node, pipeline, startFixture, type Answer, type ServerFixture } from "./server-fixture.ts";

const days: AssetDefinition = {
  name: "mart/days",
  tags: [],
  partitions: {
    kind: "time",
    every: { kind: "every", every: { n: 1, unit: "days" }, tz: "UTC" },
    start: "2026-01-01T00:00:00Z",
  },
};
const report: AssetDefinition = {
  name: "mart/report",
  tags: ["mart"],
  owner: "data",
  freshness: { maxAgeMs: 60_000 },
};
const raw: AssetDefinition = { name: "lake/raw", tags: [] };
const regions: AssetDefinition = { name: "regions", tags: [], partitions: { kind: "dynamic" } };
const assets = [raw, days, regions, report];

/** As the worker makes it. */
function told(
  { token, pipeline: name }: Dispatch,
  asset: string,
  data: { [name: string]: Json } = {},
  type = assetUpdatedType,
) {
  const partition = typeof data["partition"] === "string" ? data["partition"] : undefined;
  return {
    specversion: "1.0" as const,
    id: assetReportId(token, assetReportName({ type, asset, partition })),
    source: `/pipelines/${name}/${token.node}`,
    type,
    subject: asset,
    data,
  };
}

function success(...events: CloudEvent[]): AttemptOutcome {
  return { kind: "succeeded", output: { value: 1 }, ...(events.length > 0 ? { events } : {}) };
}

async function entries(fixture: ServerFixture, asset: string): Promise<EventView[]> {
  const { body } = await fixture.call("GET", `/events?subject=${encodeURIComponent(asset)}`);
  return body.items.toReversed();
}

async function shown(fixture: ServerFixture, asset: string): Promise<AssetDetail> {
  const answer = await fixture.call("GET", `/assets/${encodeURIComponent(asset)}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

const eventType = { "content-type": "application/cloudevents+json" };
function post(
  fixture: ServerFixture,
  type: string,
  asset: string,
  data: Json,
  id: string = crypto.randomUUID(),
): Promise<Answer> {
  const event = { specversion: "1.0", id, source: "/spark", type, subject: asset, data };
  return fixture.call("POST", "/events", event, eventType);
}

test("a success updates what its node declares to write, once, with the run that wrote it", async () => {
  await using fixture = await startFixture();
  const writing = pipeline("p", [node("load", { writes: ["mart/report"], reads: ["lake/raw"] })]);
  expect((await fixture.deploy([writing], { assets })).body.assets.added).toEqual(
    assets.map(({ name }) => name),
  );
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const dispatch = await worker.dispatch("load");
  worker.finish(dispatch);
  worker.finish(dispatch);
  await fixture.ended(run.id);
  const [entry, ...others] = await entries(fixture, "mart/report");
  expect(others).toEqual([]);
  const id = `${run.id}/g1/updated/mart/report/1`;
  expect(entry).toMatchObject({
    retention: "long",
    event: {
      source: "millrace",
      id: `asset /pipelines/p/load ${id}`,
      type: "millrace.asset.updated",
      data: {
        asset: "mart/report",
        partition: null,
        version: id,
        kind: "materialized",
        metadata: {},
        run: { id: run.id, pipeline: "p", node: "load", item: "", generation: 1 },
      },
    },
  });
  expect(await shown(fixture, "mart/report")).toMatchObject({
    project: "test",
    owner: "data",
    tags: ["mart"],
    updates: 1,
    freshness: { maxAgeMs: 60_000, state: "fresh" },
    lastUpdate: { position: entry!.position, runId: run.id },
    upstream: ["lake/raw"],
    downstream: [],
    writers: [{ pipeline: "p", node: "load" }],
    readers: [],
    triggers: [],
    lastUpdates: [
      { position: entry!.position, version: id, producer: { runId: run.id, pipeline: "p", node: "load" } },
    ],
  });
  expect((await shown(fixture, "lake/raw")).downstream).toEqual(["mart/report"]);
  const uses: AssetUseView[] = (await fixture.call("GET", `/runs/${run.id}/assets`)).body.items;
  expect(uses).toMatchObject([
    { direction: "read", asset: "lake/raw", node: "load", generation: 1 },
    { direction: "write", asset: "mart/report", node: "load", version: id, position: entry!.position },
  ]);
  expect(uses[0]).not.toHaveProperty("position");
});

test("what a task told of an asset itself is all that is told of it; a rerun tells again", async () => {
  await using fixture = await startFixture();
  const writing = pipeline("p", [
    node("a", { writes: ["mart/days", "mart/report", "lake/raw"] }),
    node("b", { writes: ["mart/report"], after: [{ node: "a" }] }),
  ]);
  await fixture.deploy([writing], { assets });
  await fixture.worker({
    answer: (dispatch) =>
      dispatch.token.node === "a"
        ? success(
            told(dispatch, "mart/days", {
              partition: "2026-01-02",
              version: "snapshot-7",
              metadata: { rows: 3 },
            }),
            told(dispatch, "mart/days", { partition: "2026-01-03" }),
            told(dispatch, "lake/raw", {}, assetUnchangedType),
          )
        : success(),
  });
  const run = await fixture.start("p");
  await fixture.ended(run.id);
  expect((await entries(fixture, "lake/raw")).length).toBe(0);
  expect((await entries(fixture, "mart/report")).length).toBe(2);
  expect((await entries(fixture, "mart/days")).map(({ event }) => event.data)).toMatchObject([
    { partition: "2026-01-02", version: "snapshot-7", metadata: { rows: 3 } },
    { partition: "2026-01-03", metadata: {} },
  ]);
  const { body } = await fixture.call("GET", "/assets/mart%2Fdays/partitions");
  expect(body.items).toMatchObject([
    {
      partition: "2026-01-02",
      updates: 1,
      version: "snapshot-7",
      metadata: { rows: 3 },
      producer: { runId: run.id },
    },
    { partition: "2026-01-03", updates: 1 },
  ]);
  await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" });
  await fixture.ended(run.id);
  const { body: one } = await fixture.call("GET", "/assets/mart%2Fdays/partitions/2026-01-02");
  expect(one).toMatchObject({ updates: 2, producer: { generation: 2 } });
});

test("an attempt that fails, or whose answer is late, tells nothing", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a", { writes: ["mart/report"] })])], { assets });
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const a = await worker.dispatch("a");
  worker.finish({ ...a, token: { ...a.token, dispatch: 2 } }, success(told(a, "mart/report")));
  worker.finish(a, failed);
  await fixture.ended(run.id);
  expect(await entries(fixture, "mart/report")).toEqual([]);
  expect(await shown(fixture, "mart/report")).toMatchObject({ updates: 0, freshness: { state: "never" } });
});

test("what a step tells is there at once, and its task's success does not tell it again", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([pipeline("p", [node("a", { writes: ["mart/report", "lake/raw"] })])], { assets });
  const worker = await fixture.worker();
  const run = await fixture.start("p");
  const dispatch = await worker.dispatch("a");
  const { token } = dispatch;
  const outcome = { kind: "value", value: { value: null } } as const;
  const step = { name: "s", occurrence: 1, outcome, events: [told(dispatch, "mart/report")] };
  for (let sent = 0; sent < 2; sent += 1) worker.send({ kind: "steps", token, steps: [step] });
  await worker.find((message) => message.kind === "recorded");
  expect((await shown(fixture, "mart/report")).updates).toBe(1);
  worker.finish(dispatch);
  await fixture.ended(run.id);
  expect((await shown(fixture, "mart/report")).updates).toBe(1);
  expect((await shown(fixture, "lake/raw")).updates).toBe(1);
});

test("a task that reports at once names its run, and its partition where the asset has any", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([], { assets });
  const run = { id: "r1", pipeline: "p", node: "n", item: "", generation: 1 };
  for (const asset of ["mart/report", "mart/days"])
    await post(fixture, "millrace.asset.updated", asset, { run, runPartition: "2026-01-04" });
  const partitions = await Promise.all(
    ["mart/report", "mart/days"].map(async (asset) => (await shown(fixture, asset)).lastUpdates[0]),
  );
  expect(partitions.map((update) => [update?.partition, update?.producer?.runId, update?.invalid])).toEqual([
    [undefined, "r1", undefined],
    ["2026-01-04", "r1", undefined],
  ]);
});

test("an output that was recorded earlier writes nothing again", async () => {
  await using fixture = await startFixture();
  const options = { ...node("a").options, cache: { version: "1" } };
  await fixture.deploy([pipeline("p", [node("a", { writes: ["mart/report"], options })])], { assets });
  await fixture.worker({ answer: () => success() });
  await fixture.ended((await fixture.start("p")).id);
  const second = await fixture.ended((await fixture.start("p")).id);
  expect(second.nodes[0]?.reason?.code).toBe("cached");
  expect((await shown(fixture, "mart/report")).updates).toBe(1);
});

test("others report by the door of events: repeats are repeats, what does not fit is kept and shown, and fires nothing", async () => {
  await using fixture = await startFixture();
  const condition: Condition = { kind: "updated", assets: [{ asset: "mart/report" }], when: "each" };
  const trigger = { condition, onResume: "all", catchUp: "latest" } as const;
  await fixture.deploy([pipeline("listens", [node("see")], { trigger })], { assets });
  await fixture.worker({ answer: () => success() });
  const first = await post(
    fixture,
    "millrace.asset.updated",
    "mart/report",
    { version: "v1", metadata: { by: "spark" } },
    "1",
  );
  const again = await post(
    fixture,
    "millrace.asset.updated",
    "mart/report",
    { version: "v1", metadata: { by: "spark" } },
    "1",
  );
  expect([first.status, again.body]).toEqual([200, { position: first.body.position, duplicate: true }]);
  const other = await post(fixture, "millrace.asset.updated", "mart/report", { version: "v2" }, "1");
  expect([other.status, other.body.code]).toEqual([409, "MILLRACE_EVENT_CONFLICT"]);
  await post(fixture, "millrace.asset.updated", "mart/nobody", { partition: "x" });
  await post(fixture, "millrace.asset.updated", "mart/report", { partition: "2026-01-01" });
  await post(fixture, "millrace.asset.updated", "mart/days", { partition: "2026-13-01" });
  await post(fixture, "millrace.asset.partition", "regions", { partition: "eu" });
  await post(fixture, "millrace.asset.progress", "mart/days", { until: "2026-01-03T00:00:00+00:00" });
  const list: AssetSummary[] = (await fixture.call("GET", "/assets")).body.items;
  expect(
    list.map(({ name, project, updates, rejected }) => [name, project, updates, rejected?.reason]),
  ).toEqual([
    ["lake/raw", "test", 0, undefined],
    ["mart/days", "test", 0, expect.stringMatching(/it has no partition "2026-13-01"/)],
    ["mart/nobody", undefined, 0, 'no deployed project has an asset of the name "mart/nobody"'],
    ["mart/report", "test", 1, expect.stringMatching(/it has no partitions/)],
    ["regions", "test", 0, undefined],
  ]);
  expect(list[1]?.progress).toBe("2026-01-03T00:00:00.000Z");
  expect(list[4]?.partitions).toEqual({ kind: "keys as they come", present: 0, missing: 1 });
  const detail = await shown(fixture, "mart/report");
  expect(detail.triggers).toEqual(["listens"]);
  expect(detail.lastUpdates.map(({ version, invalid }) => [version, invalid === undefined])).toEqual([
    [expect.stringMatching(/^\/spark /), false],
    ["v1", true],
  ]);
  const firings = async (): Promise<number> =>
    (await fixture.call("GET", "/triggers/listens/firings")).body.items.length;
  await expect.poll(firings, { timeout: 10_000 }).toBe(1);
});

test("of an asset with hundreds of thousands of windows the newest are looked at for what is missing, and that is told", async () => {
  await using fixture = await startFixture();
  const partitions = {
    kind: "time",
    every: { kind: "every", every: { n: 1, unit: "hours" }, tz: "UTC" },
    start: "1990-01-01T00:00:00Z",
  } as const;
  await fixture.deploy([], { assets: [{ name: "lake/hours", tags: [], partitions }] });
  const lastHour = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 13)}:00Z`;
  for (const partition of [lastHour, "1990-01-01T00:00Z"])
    await post(fixture, "millrace.asset.updated", "lake/hours", { partition });
  const asset = await shown(fixture, "lake/hours");
  expect(asset.partitions).toMatchObject({ newestOnly: true, present: 2 });
  expect(asset.partitions!.missing).toBeGreaterThan(15_000);
  expect(asset.partitions!.missing).toBeLessThan(20_000);
  expect(asset.ranges.map(({ state }) => state).filter((state) => state === "present")).toHaveLength(2);
  const [listed]: AssetSummary[] = (await fixture.call("GET", "/assets")).body.items;
  // A list looks at fewer: it has many assets.
  expect(listed!.partitions).toMatchObject({ present: 2, newestOnly: true });
  expect(listed!.partitions!.missing).toBeLessThan(1_000);
});

test("progress that is too far ahead of the log's clock is refused, also in a batch, and the rest of the batch is taken", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([], { assets: [days] });
  const far = await post(fixture, "millrace.asset.progress", "mart/days", { until: "2999-01-01T00:00:00Z" });
  expect([far.status, far.body]).toEqual([
    422,
    expect.objectContaining({
      code: "MILLRACE_PROGRESS_AHEAD",
      detail: expect.stringMatching(/more than 1 d ahead of the clock: it may be 20/),
    }),
  ]);
  const event = (id: string, until: string): object => ({
    specversion: "1.0",
    source: "/spark",
    id,
    type: "millrace.asset.progress",
    subject: "mart/days",
    data: { until },
  });
  const batch = [event("1", "2026-01-02T00:00:00Z"), event("2", "2999-01-01T00:00:00Z")];
  const taken = await fixture.call("POST", "/events", batch, {
    "content-type": "application/cloudevents-batch+json",
  });
  expect(taken.body).toMatchObject({
    rejected: 1,
    items: [{ position: expect.any(Number) }, { error: { code: "MILLRACE_PROGRESS_AHEAD" } }],
  });
  expect((await shown(fixture, "mart/days")).progress).toBe("2026-01-02T00:00:00.000Z");
});

test("a report that can't be read is refused at its path", async () => {
  await using fixture = await startFixture();
  const wrong: readonly (readonly [data: Json, path: string])[] = [
    [{ partition: 7 }, "/data/partition"],
    [{ partition: "a\u0000" }, "/data/partition"],
    [{ version: "" }, "/data/version"],
    [{ metadata: [1] }, "/data/metadata"],
    [{ kind: "guessed" }, "/data/kind"],
    [{ partitions: ["a"] }, "/data/partitions"],
    [{ run: { id: "r" } }, "/data/run/generation"],
    ["text", "/data"],
  ];
  for (const [data, path] of wrong) {
    const answer = await post(fixture, "millrace.asset.updated", "mart/report", data);
    expect([answer.status, answer.body.code, answer.body.fields.path]).toEqual([
      422,
      "MILLRACE_EVENT_INVALID",
      path,
    ]);
  }
});

test("nobody else tells what is a task's to say, or Millrace's", async () => {
  await using fixture = await startFixture();
  for (const type of ["millrace.asset.unchanged", "millrace.asset.other", "millrace.run.failed"]) {
    const answer = await post(fixture, type, "mart/report", {});
    expect([answer.status, answer.body.code]).toEqual([422, "MILLRACE_EVENT_INVALID"]);
  }
});

test("a deploy is refused for what it says wrongly of assets, with the nearest name", async () => {
  await using fixture = await startFixture();
  const refusal = async (
    parts: object,
    pipelines = [pipeline("p", [node("a")])],
  ): Promise<[string, string]> => {
    const { body } = await fixture.deploy(pipelines, parts);
    return [body.code, body.detail];
  };
  const writing = [pipeline("p", [node("a", { writes: ["mart/reprot"] })])];
  expect(await refusal({ assets }, writing)).toEqual([
    "MILLRACE_ASSET_UNKNOWN",
    'The node "a" of "p" writes the asset "mart/reprot", which no project declares. Did you mean "mart/report"?',
  ]);
  const reading = [pipeline("p", [node("a", { reads: ["else"] })])];
  expect((await refusal({ assets }, reading))[1]).toMatch(
    /reads the asset "else", which no project declares/,
  );
  expect((await refusal({ assets: [raw, raw] }))[1]).toMatch(/two assets with the name "lake\/raw"/);
  expect((await refusal({ assets: [{ name: "a b", tags: [] }] }))[0]).toBe("MILLRACE_ASSET_INVALID");
  expect((await refusal({ assets: [{ ...report, upstream: [{ asset: "gone" }] }] }))[1]).toMatch(
    /made of the asset "gone"/,
  );
  const badMapping = { ...days, upstream: [{ asset: "regions", mapping: { kind: "windows" } }] };
  expect(await refusal({ assets: [regions, badMapping] })).toEqual([
    "MILLRACE_PARTITIONS_INVALID",
    expect.stringMatching(/"mart\/days" is made of "regions"/),
  ]);
  await fixture.deploy([], { assets });
  const foreign = await fixture.deploy([], { project: "other", assets: [raw] });
  expect([foreign.body.code, foreign.body.detail]).toEqual([
    "MILLRACE_PROJECT_CONFLICT",
    'The asset "lake/raw" belongs to the project "test", not to "other".',
  ]);
  const reader = await fixture.deploy([pipeline("q", [node("a", { reads: ["lake/raw"] })])], {
    project: "other",
  });
  expect(reader.status).toBe(200);
});

test("an unknown asset or partition is told with the nearest", async () => {
  await using fixture = await startFixture();
  await fixture.deploy([], { assets });
  const unknown = await fixture.call("GET", "/assets/mart%2Freports");
  expect([unknown.status, unknown.body.detail]).toEqual([
    404,
    'There is no asset "mart/reports". Did you mean "mart/report"?',
  ]);
  const partition = await fixture.call("GET", "/assets/mart%2Fdays/partitions/2026-1-1");
  expect([partition.status, partition.body.code]).toEqual([422, "MILLRACE_PARTITION_UNKNOWN"]);
});

test("what a run of another server's shard writes is told, too", async () => {
  await using fixture = await startFixture();
  await using second = await fixture.anotherServer();
  await fixture.deploy([pipeline("p", [node("a", { writes: ["mart/report"] })])], { assets });
  await fixture.worker({ answer: () => success() });
  const shards = async (): Promise<number> => (await second.call("GET", "/info")).body.shards;
  await expect.poll(shards, { timeout: 10_000 }).toBe(32);
  const runs = await Promise.all(
    Array.from({ length: 12 }, async (_, at) => {
      const start = at % 2 === 0 ? fixture.call.bind(fixture) : second.call;
      return (await start("POST", "/runs", { pipeline: "p" })).body.run.id as string;
    }),
  );
  await Promise.all(runs.map((id) => fixture.ended(id)));
  const updates = async (): Promise<number> => (await shown(fixture, "mart/report")).updates;
  await expect.poll(updates, { timeout: 10_000 }).toBe(12);
  const valid = (await entries(fixture, "mart/report")).filter(({ invalid }) => invalid === undefined);
  expect(valid.map(({ event }) => (event.data as { run: { id: string } }).run.id).toSorted()).toEqual(
    runs.toSorted(),
  );
});

test("cells are the windows that have begun, with what is missing and what is not over yet", async () => {
  await using fixture = await startFixture();
  const tuple: AssetDefinition = {
    name: "mart/sales",
    tags: [],
    partitions: {
      kind: "tuple",
      of: { day: days.partitions as never, region: { kind: "static", keys: ["eu", "us"] } },
    },
  };
  await fixture.deploy([], { assets: [...assets, tuple] });
  const cellsOf = async (asset: string, query = ""): Promise<AssetCellsView> => {
    const answer = await fixture.call("GET", `/assets/${encodeURIComponent(asset)}/cells${query}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  };
  for (const partition of ["2026-01-02", "2026-01-02", "2026-01-04"])
    await post(fixture, assetUpdatedType, "mart/days", { partition });
  await post(fixture, assetUpdatedType, "mart/sales", { partition: "day=2026-01-02/region=us" });
  await post(fixture, assetUpdatedType, "regions", { partition: "eu" });
  const until = "until=2026-01-05T12:00:00Z";
  const shownOf = ({ cells }: AssetCellsView) =>
    cells.map(({ key, state, updates }) => [key, state, updates]);
  expect(shownOf(await cellsOf("mart/days", `?${until}`))).toEqual([
    ["2026-01-01", "missing", 0],
    ["2026-01-02", "present", 2],
    ["2026-01-03", "missing", 0],
    ["2026-01-04", "present", 1],
    ["2026-01-05", "missing", 0],
  ]);
  const newest = await cellsOf("mart/days", `?${until}&limit=2`);
  expect(newest.cells.map(({ key }) => key)).toEqual(["2026-01-04", "2026-01-05"]);
  const before = await cellsOf("mart/days", `?until=${newest.earlier}&limit=2`);
  expect(before.cells.map(({ key }) => key)).toEqual(["2026-01-02", "2026-01-03"]);
  const first = await cellsOf("mart/days", `?until=${before.earlier}&limit=2`);
  expect([first.cells.map(({ key }) => key), first.earlier]).toEqual([["2026-01-01"], undefined]);
  expect((await cellsOf("mart/days")).cells.at(-1)?.state).toBe("open");
  const matrix = await cellsOf("mart/sales", `?${until}&limit=6`);
  expect(shownOf(matrix).filter(([key]) => String(key).includes("2026-01-02"))).toEqual([]);
  const wider = await cellsOf("mart/sales", `?${until}&limit=8`);
  expect(wider.cells.find(({ key }) => key === "day=2026-01-02/region=us")).toMatchObject({
    state: "present",
    parts: { day: "2026-01-02", region: "us" },
  });
  expect(wider.cells).toHaveLength(8);
  expect(shownOf(await cellsOf("regions"))).toEqual([["eu", "present", 1]]);
  expect(shownOf(await cellsOf("lake/raw"))).toEqual([]);
});
