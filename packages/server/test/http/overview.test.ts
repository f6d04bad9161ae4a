/** Whether all is well, at a real server: what needs a person, what waits, how busy workers and pools are, the timeline. */
import type {
  ApprovalView,
  EventRatesView,
  LimitDetail,
  LimitView,
  Overview,
  Page,
  QueueView,
  RunDetail,
  SystemView,
  TimelineView,
} from "@millrace/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { firstRunId } from "../../src/engine/run-id.ts";
import { failed, node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { triggered } from "./trigger-stage.ts";

let fixture: ServerFixture;
const polling = { timeout: 20_000, interval: 20 };

beforeEach(async () => {
  fixture = await startFixture();
}, 60_000);

afterEach(async () => fixture[Symbol.asyncDispose]());

async function overview(): Promise<Overview> {
  const answer = await fixture.call("GET", "/overview");
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as Overview;
}

async function deployed(...pipelines: Parameters<ServerFixture["deploy"]>[0]): Promise<void> {
  const answer = await fixture.deploy(pipelines);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

async function ended(id: string): Promise<void> {
  await vi.waitFor(async () => {
    const { run } = (await fixture.call("GET", `/runs/${id}`)).body as RunDetail;
    expect(run.endedAt).toBeDefined();
  }, polling);
}

function waitFor(id: string, orderId: string) {
  const where = { op: "eq", path: ["data", "orderId"], value: orderId };
  return node(id, {
    kind: "wait",
    wait: { onTimeout: "fail" },
    input: { kind: "value", value: { kind: "event", type: "order.paid", where } },
  });
}

test("with nothing there, nothing needs a person", async () => {
  expect(await overview()).toMatchObject({
    attention: [],
    runs: { running: { count: 0 }, waiting: { count: 0 } },
    waits: { total: { count: 0 }, groups: [] },
    load: { workers: 0, slots: 0, queues: [], pools: [] },
  });
  expect((await overview()).lastFailure).toBeUndefined();
  expect((await fixture.call("GET", "/timeline")).body).toMatchObject({ runs: [], ticks: [], events: [] });
});

test("a run that failed needs a person until it is run again, and less once a newer one succeeded", async () => {
  let outcome = failed;
  await fixture.worker({ answer: () => outcome });
  await deployed(pipeline("orders", [node("a")]));
  const run = await fixture.start("orders");
  await ended(run.id);
  const { attention, lastFailure } = await overview();
  expect(attention).toMatchObject([
    {
      kind: "runs_failed",
      pipeline: "orders",
      runs: { count: 1 },
      last: { run: run.id, node: "a", message: "Error: it broke" },
      isRecovered: false,
    },
  ]);
  expect(lastFailure).toMatchObject({ run: run.id, pipeline: "orders" });
  outcome = succeeded(null);
  await ended((await fixture.start("orders")).id);
  expect((await overview()).attention).toMatchObject([{ kind: "runs_failed", isRecovered: true }]);
  const again = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "failed" });
  expect(again.status, JSON.stringify(again.body)).toBe(200);
  await vi.waitFor(async () => {
    const { attention: after, lastFailure: last } = await overview();
    expect(after).toEqual([]);
    expect(last).toMatchObject({ run: run.id });
  }, polling);
});

test("a queue that no worker serves is told with what waits in it, here and elsewhere", async () => {
  const options = { ...node("a").options, queue: "gpu" };
  const answer = await fixture.deploy([pipeline("train", [node("a", { options })])], { queues: ["gpu"] });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const run = await fixture.start("train");
  const wanted = {
    name: "gpu",
    workers: 0,
    waiting: { count: 1 },
    reason: { code: "no_worker" },
    tasks: [{ run: run.id, pipeline: "train", node: "a", item: "" }],
  };
  await vi.waitFor(async () => {
    const { attention, load } = await overview();
    expect(load.queues).toMatchObject([wanted]);
    expect(attention).toMatchObject([{ kind: "queue_without_worker", queue: "gpu", tasks: { count: 1 } }]);
  }, polling);
  await using another = await fixture.anotherServer();
  await vi.waitFor(async () => {
    const { items } = (await another.call("GET", "/queues")).body as Page<QueueView>;
    expect(items).toMatchObject([{ name: "gpu", waiting: { count: 1 }, reason: { code: "no_worker" } }]);
  }, polling);
});

test("waits are grouped by what is awaited, whatever values they ask for", async () => {
  await deployed(
    pipeline("ship", [waitFor("one", "1"), waitFor("two", "2")]),
    pipeline("ask", [
      node("sign", {
        kind: "wait",
        wait: { onTimeout: "fail", approval: { onReject: "fail", title: "Sign?" } },
      }),
    ]),
  );
  for (const name of ["ship", "ship", "ask"]) await fixture.start(name);
  await vi.waitFor(async () => {
    const { waits, attention, approvals } = await overview();
    expect(waits.total).toEqual({ count: 5 });
    expect(waits.groups).toMatchObject([
      { kind: "event", text: "an event order.paid", waits: 4, pipelines: [{ pipeline: "ship", waits: 4 }] },
      { kind: "approval", text: `a person's answer to "Sign?"`, waits: 1 },
    ]);
    expect(approvals).toEqual({ count: 1 });
    expect(attention).toMatchObject([
      { kind: "approvals_open", approvals: { count: 1 }, oldest: { title: "Sign?", pipeline: "ask" } },
    ]);
  }, polling);
});

test("a source that fails or is paused, a trigger that loops and a wait in vain are told", async () => {
  const files = {
    kind: "files",
    glob: "**",
    ignore: [],
    protocol: "rename",
    type: "file.arrived",
    rescanMs: 60_000,
  };
  const sources = ["broken", "resting", "sound"].map((name) => ({ ...files, name, folder: `/in/${name}` }));
  const where = { op: "eq", path: ["subject"], value: "gone" };
  const vain = node("vain", {
    kind: "wait",
    wait: { onTimeout: "fail" },
    input: { kind: "value", value: { kind: "event", type: "millrace.run.succeeded", where } },
  });
  const round = triggered("round", { kind: "event", type: "t" });
  await deployed(pipeline("hopes", [vain]), pipeline("gone", [node("a")]));
  const { id: run } = await fixture.start("hopes");
  await vi.waitFor(async () => expect((await overview()).waits.total.count).toBe(1), polling);
  const answer = await fixture.deploy([round], { sources });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  // Nobody reads sources at this server: what a reader would have left.
  await fixture.database.database.api.query(
    `insert into source (workspace, name, shard, place, events, state, changed_at, error)
      values (1, 'broken', 1, '/in/broken', 0, 'failing', now(), $1)`,
    [{ code: "MILLRACE_SOURCE_FAILED", message: "/in/broken is not there", advice: "make it" }],
  );
  await fixture.call("POST", "/sources/resting/pause");
  const event = {
    specversion: "1.0",
    id: "1",
    source: "/test",
    type: "t",
    millracecauses: "round*25,other*25",
  };
  await fixture.call("POST", "/events", event, { "content-type": "application/cloudevents+json" });
  await vi.waitFor(async () => {
    expect((await overview()).attention).toMatchObject([
      { kind: "source_failing", source: "broken", message: "/in/broken is not there" },
      { kind: "trigger_looped", pipeline: "round", path: ["round", "other", "round"], times: { count: 1 } },
      { kind: "waits_troubled", run, pipeline: "hopes", node: "vain", trouble: { code: "pipeline_unknown" } },
      { kind: "source_paused", source: "resting" },
    ]);
  }, polling);
});

test("paused pipelines stand last", async () => {
  await deployed(pipeline("calm", [node("a")]), triggered("hourly", { kind: "event", type: "t" }));
  await fixture.call("POST", "/pipelines/hourly/pause");
  await fixture.call("POST", "/pipelines/calm/pause");
  expect((await overview()).attention).toMatchObject([
    { kind: "pipeline_paused", pipeline: "calm", byOperator: true },
    { kind: "pipeline_paused", pipeline: "hourly", byOperator: true },
  ]);
});

test("who holds a pool and who waits for it is told by name", async () => {
  const worker = await fixture.worker();
  const options = { ...node("a").options, pool: { name: "warehouse", slots: 1 } };
  const answer = await fixture.deploy(
    [pipeline("load", [node("a", { options })]), pipeline("one", [node("b")], { maxActiveRuns: 1 })],
    { pools: { warehouse: 1 } },
  );
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const first = await fixture.start("load");
  await worker.dispatch("a");
  const second = await fixture.start("load");
  await fixture.start("one");
  const third = await fixture.start("one");
  await vi.waitFor(async () => {
    const { items } = (await fixture.call("GET", "/limits")).body as Page<LimitView>;
    expect(items).toEqual([
      {
        kind: "pipeline",
        name: "one",
        slots: 1,
        used: 1,
        waiting: { count: 1 },
        holders: [{ run: expect.any(String), pipeline: "one", slots: 1 }],
      },
      {
        kind: "pool",
        name: "warehouse",
        slots: 1,
        used: 1,
        waiting: { count: 1 },
        holders: [{ run: first.id, pipeline: "load", node: "a", slots: 1 }],
      },
    ]);
  }, polling);
  const detail = (await fixture.call("GET", "/limits/pool/warehouse")).body as LimitDetail;
  expect(detail).toEqual({
    kind: "pool",
    name: "warehouse",
    held: [{ run: first.id, pipeline: "load", node: "a", slots: 1 }],
    waiting: [{ run: second.id, pipeline: "load", node: "a", slots: 1 }],
  });
  const active = (await fixture.call("GET", "/limits/pipeline/one")).body as LimitDetail;
  expect(active.waiting).toEqual([{ run: third.id, pipeline: "one", slots: 1 }]);
  expect(await fixture.call("GET", "/limits/lake/x")).toMatchObject({ status: 400 });
});

test("the timeline has what ran, what comes by a calendar, and events with their pace", async () => {
  await fixture.worker({ answer: () => succeeded(null) });
  await deployed(
    triggered("seen", { kind: "event", type: "order.paid" }),
    triggered("often", { kind: "schedule", schedule: { kind: "every", every: "10m", tz: "UTC" } as never }),
    pipeline("ship", [waitFor("one", "1")]),
  );
  const event = { specversion: "1.0", id: "1", source: "/shop", type: "order.paid", subject: "7", data: {} };
  await fixture.call("POST", "/events", event, { "content-type": "application/cloudevents+json" });
  await fixture.start("ship");
  await vi.waitFor(async () => {
    const { body } = await fixture.call("GET", "/timeline?hours=1");
    const seen = body as TimelineView;
    expect(seen.runs.map(({ pipeline: name, state }) => `${name} ${state}`).sort()).toEqual([
      "seen succeeded",
      "ship waiting",
    ]);
    expect(seen.events).toMatchObject([{ type: "order.paid", subject: "7" }]);
    expect(seen.pace.length).toBe(60);
    const head = (await fixture.call("GET", "/events?limit=1")).body.items[0].position as number;
    expect(seen.pace.reduce((sum, one) => sum + one, 0)).toBe(head);
    expect(seen.ticks.length).toBe(2);
    expect(seen.ticks.every(({ pipeline: name }) => name === "often")).toBe(true);
    expect(Date.parse(seen.ticks[0]!.at) % 600_000).toBe(0);
  }, polling);
  expect(await fixture.call("GET", "/timeline?hours=25")).toMatchObject({ status: 400 });
});

test("where there are too many ended runs, some of each stretch are drawn, and those that failed", async () => {
  await fixture.worker({ answer: () => failed });
  await deployed(pipeline("busy", [node("a")]));
  const run = await fixture.start("busy");
  await ended(run.id);
  const { body } = await fixture.call("GET", "/timeline?hours=24");
  expect((body as TimelineView).endedOfStretch).toBeUndefined();
  const ids = Array.from({ length: 600 }, (_, at) => `${firstRunId(Date.parse(run.createdAt) + at)}zzzzzzz`);
  await fixture.database.database.api.query(
    `insert into run_history (
        workspace, id, lane, shard, pipeline, project, bundle, generation, state, depth, created_at, started_at, ended_at
      )
      select 1, id, 'live', 1, 'busy', 'test', 'b', 1, 'succeeded', 0, now(), now(), now() from unnest($1::text[]) as id`,
    [ids],
  );
  const seen = (await fixture.call("GET", "/timeline?hours=24")).body as TimelineView;
  expect(seen.endedOfStretch).toBe(8);
  // They lie in one stretch of 24 minutes, or in two.
  expect([9, 16, 17]).toContain(seen.runs.length);
  expect(seen.runs.find(({ id }) => id === run.id)).toMatchObject({ state: "failed" });
});

test("answered approvals are listed, the newest first, with who and what", async () => {
  const sign = (id: string) =>
    node(id, { kind: "wait", wait: { onTimeout: "fail", approval: { onReject: "skip", title: id } } });
  await deployed(pipeline("ask", [sign("first"), sign("second"), sign("open")]));
  const { id: run } = await fixture.start("ask");
  const list = async (state: string): Promise<Page<ApprovalView>> =>
    (await fixture.call("GET", `/approvals?state=${state}`)).body as Page<ApprovalView>;
  await vi.waitFor(async () => expect((await list("open")).items.length).toBe(3), polling);
  for (const [id, approved] of [
    ["first", true],
    ["second", false],
  ] as const) {
    const answer = { approved, by: "ann", note: `note of ${id}` };
    const path = `/approvals/${encodeURIComponent(`${run}/${id}:1`)}`;
    expect((await fixture.call("POST", path, answer)).status).toBe(200);
  }
  expect((await list("answered")).items).toMatchObject([
    { node: "second", state: "answered", answer: { approved: false, by: "ann", note: "note of second" } },
    { node: "first", state: "answered", answer: { approved: true, by: "ann" } },
  ]);
  const page = (await fixture.call("GET", "/approvals?state=answered&limit=1")).body as Page<ApprovalView>;
  expect(page.items).toMatchObject([{ node: "second" }]);
  const path = `/approvals?state=answered&limit=1&cursor=${page.nextCursor}`;
  expect((await fixture.call("GET", path)).body).toMatchObject({ items: [{ node: "first" }] });
  expect((await list("open")).items).toMatchObject([{ node: "open" }]);
});

test("those who follow what is live hear of workers that come and go", async () => {
  const response = await fetch(`${fixture.server.url}/api/v1/live?topics=activity`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const heard = async (count: number): Promise<void> => {
    while (text.split('"pipelines":[""]').length <= count) text += (await reader.read()).value ?? "";
  };
  const worker = await fixture.worker();
  await heard(1);
  expect((await fixture.call("GET", "/workers")).body.items.length).toBe(1);
  worker.socket.close();
  await heard(2);
  await reader.cancel();
});

test("the system tells of its servers, tables, log and retention", async () => {
  await deployed(pipeline("ask", [node("a")]));
  await using another = await fixture.anotherServer({ retentionDays: 7 });
  await vi.waitFor(async () => {
    const system = (await another.call("GET", "/system")).body as SystemView;
    const live = system.nodes.filter(({ state }) => state === "live");
    expect(live.length).toBe(2);
    expect(live.filter(({ isThis }) => isThis).length).toBe(1);
    expect(live.reduce((sum, { shards }) => sum + shards, 0)).toBe(64);
  }, polling);
  const system = (await another.call("GET", "/system")).body as SystemView;
  expect(system.log.behind).toBe(0);
  expect(system.retention.historyDays).toBe(7);
  expect(system.retention.events.map(({ name }) => name)).toEqual(["short", "normal", "long", "audit"]);
  const sizes = new Map(system.database.tables.map((table) => [table.name, table]));
  expect(sizes.get("run_history")).toMatchObject({ partitions: expect.any(Number) as number });
  expect(sizes.get("event_log")!.partitions).toBeGreaterThan(10);
  expect([...sizes.keys()].filter((name) => /\d{8}/.test(name))).toEqual([]);
  expect(system.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(system.checks.map(({ name }) => name)).toContain("Servers");
});

test("an asset that is older than it may be is late, and when the next one will be is told", async () => {
  const assets = [
    { name: "lake/old", freshness: { maxAgeMs: 1 } },
    { name: "lake/fresh", freshness: { maxAgeMs: 3_600_000 } },
    { name: "lake/never", freshness: { maxAgeMs: 1 } },
  ];
  const answer = await fixture.deploy([pipeline("a", [node("a")])], { assets });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect((await overview()).attention).toEqual([]);
  for (const subject of ["lake/old", "lake/fresh"]) {
    const event = {
      specversion: "1.0",
      id: subject,
      source: "/test",
      type: "millrace.asset.updated",
      subject,
      data: {},
    };
    const headers = { "content-type": "application/cloudevents+json" };
    const told = await fixture.call("POST", "/events", event, headers);
    expect(told.status, JSON.stringify(told.body)).toBeLessThan(300);
  }
  await vi.waitFor(async () => {
    const view = await overview();
    expect(view.attention).toEqual([
      {
        kind: "assets_stale",
        count: 1,
        assets: [{ asset: "lake/old", updatedAt: expect.any(String), maxAgeMs: 1 }],
      },
    ]);
    expect(Date.parse(view.lateAt!) - Date.parse(view.at)).toBeGreaterThan(3_000_000);
  }, polling);
});

test("a run that takes far longer than those before it is late", async () => {
  let isHeld = false;
  await fixture.worker({ answer: () => (isHeld ? undefined : succeeded(1)) });
  await deployed(pipeline("quick", [node("a")]));
  for (let count = 0; count < 3; count += 1) await ended((await fixture.start("quick")).id);
  isHeld = true;
  const late = await fixture.start("quick");
  await vi.waitFor(async () => expect((await overview()).lateAt).toBeDefined(), polling);
  const before = await overview();
  expect(before.attention).toEqual([]);
  expect(Date.parse(before.lateAt!) - Date.parse(before.at)).toBeLessThanOrEqual(60_000);
  await fixture.database.database.api.query({
    text: "update run set started_at = started_at - interval '10 minutes' where id = $1",
    values: [late.id],
  });
  expect((await overview()).attention).toMatchObject([
    { kind: "runs_late", pipeline: "quick", runs: { count: 1 }, oldest: { run: late.id } },
  ]);
});

test("events are counted by minute and source, and what the server tells itself beside them", async () => {
  await deployed(triggered("seen", { kind: "event", type: "order.paid" }));
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const batch = (source: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ specversion: "1.0", id: `${at}`, source, type: "tick" }));
  for (const [source, count] of [
    ["/shop", 3],
    ["/mill", 250],
  ] as const)
    expect((await fixture.call("POST", "/events", batch(source, count), headers)).status).toBeLessThan(300);
  await vi.waitFor(async () => {
    const { sources } = (await fixture.call("GET", "/event-rates")).body as EventRatesView;
    const totals = sources.map(({ source, counts }) => [source, counts.reduce((sum, one) => sum + one, 0)]);
    const byName = new Map(totals as [string, number][]);
    expect(byName.get("/shop")).toBe(3);
    // Beyond 200 in a minute the rest is estimated.
    expect(byName.get("/mill")).toBeGreaterThan(240);
    expect(byName.get("/mill")).toBeLessThan(262);
  }, polling);
});
