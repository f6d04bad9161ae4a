/** Runs for partitions on a real server: of firings, of people, and of runs that call others. */
import { parseCondition, type Condition, type Json, type PipelineDefinition } from "@millrace/core";
import { expect, test } from "vitest";
import { node, pipeline } from "./server-fixture.ts";
import { stageOf, triggered, type Seen, type Stage } from "./trigger-stage.ts";

interface SeenPartition extends Seen {
  readonly isFired: boolean;
  readonly partition: { readonly key: string; readonly window: Json } | null;
  readonly previousRun: string | null;
  readonly incomplete: boolean;
}

const days: Json = { kind: "time", every: { kind: "every", every: "1d" }, start: "2026-01-01" };

const reached: Condition = parseCondition({
  kind: "reached",
  assets: [{ asset: "orders", partitions: days }],
  target: days,
  from: "2026-03-01T00:00:00Z",
  // The next entry tells it.
  late: { debounceMs: 0 },
});

const assets = [
  { name: "orders", tags: [], partitions: days },
  { name: "r", tags: [], partitions: { kind: "static", keys: ["eu"] } },
];

async function stageWith(...pipelines: readonly PipelineDefinition[]): Promise<Stage> {
  return stageOf(pipelines, { assets });
}

async function tell(stage: Stage, events: readonly (readonly [what: "updated" | "progress", of: string])[]) {
  const batch = events.map(([what, of]) => ({
    specversion: "1.0",
    id: crypto.randomUUID(),
    source: "/test",
    type: `millrace.asset.${what}`,
    subject: "orders",
    data: what === "updated" ? { partition: of } : { until: of },
  }));
  const answer = await stage.fixture.call("POST", "/events", batch, {
    "content-type": "application/cloudevents-batch+json",
  });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
}

async function firedRuns(stage: Stage): Promise<Record<string, unknown>[]> {
  return stage.rows(
    "select occurrence, revision, run_id from firing where pipeline = 'days' order by occurrence, revision",
  );
}

test("a revision knows the run before it, be that of the same page or of an earlier one", async () => {
  const stage = await stageWith(triggered("days", reached));
  await tell(stage, [
    ["progress", "2026-03-03T00:00:00Z"],
    ["updated", "2026-03-01"],
  ]);
  await stage.given(3);
  // Log time goes on with the next entry.
  await tell(stage, [["updated", "2026-03-01"]]);
  const seen = (await stage.given(4)) as readonly SeenPartition[];
  const runs = await firedRuns(stage);
  expect(runs.map(({ occurrence, revision }) => [Number(occurrence), revision])).toEqual([
    [Date.UTC(2026, 2, 1), 1],
    [Date.UTC(2026, 2, 1), 2],
    [Date.UTC(2026, 2, 1), 3],
    [Date.UTC(2026, 2, 2), 1],
  ]);
  const first = seen.filter(({ partition }) => partition?.key === "2026-03-01");
  expect(first.map(({ revision, previousRun }) => [revision, previousRun])).toEqual([
    [1, null],
    [2, runs[0]?.["run_id"]],
    [3, runs[1]?.["run_id"]],
  ]);
  const window = { from: "2026-03-01T00:00:00.000Z", to: "2026-03-02T00:00:00.000Z" };
  expect(first[2]).toMatchObject({
    isFired: true,
    partition: { key: "2026-03-01", window },
    interval: window,
    incomplete: false,
  });
});

test("revisions that a resume makes all at once know the runs before them", async () => {
  const stage = await stageWith(triggered("days", reached));
  expect((await stage.fixture.call("POST", "/pipelines/days/pause")).status).toBe(200);
  await tell(stage, [["progress", "2026-03-02T00:00:00Z"]]);
  await tell(stage, [["updated", "2026-03-01"]]);
  await tell(stage, [["updated", "2026-03-01"]]);
  expect((await stage.fixture.call("POST", "/pipelines/days/resume", {})).status).toBe(200);
  const seen = (await stage.given(3)) as readonly SeenPartition[];
  const runs = await firedRuns(stage);
  expect(
    seen
      .map(({ revision, previousRun }) => [revision, previousRun])
      .toSorted(([a], [b]) => Number(a) - Number(b)),
  ).toEqual([
    [1, null],
    [2, runs[0]?.["run_id"]],
    [3, runs[1]?.["run_id"]],
  ]);
});

test("a run by hand is for the partition that is named, and is found by it", async () => {
  const stage = await stageWith(
    triggered("days", reached),
    triggered("other", { kind: "event", type: "a" }),
    pipeline("reads", [node("see", { input: { kind: "firing", path: ["partition", "key"] } })], {
      trigger: { condition: reached, onResume: "all", catchUp: "latest" },
    }),
  );
  const start = (body: object) => stage.fixture.call("POST", "/runs", body);
  expect((await start({ pipeline: "days", partition: "2026-03-05" })).status).toBe(200);
  const [seen] = (await stage.given(1)) as readonly SeenPartition[];
  expect(seen).toMatchObject({
    isFired: false,
    partition: {
      key: "2026-03-05",
      window: { from: "2026-03-05T00:00:00.000Z", to: "2026-03-06T00:00:00.000Z" },
    },
    revision: 1,
    previousRun: null,
  });
  const found = await stage.fixture.call("GET", "/runs?label=millrace.partition:2026-03-05");
  expect(found.body.items).toMatchObject([{ pipeline: "days" }]);

  const refused = async (body: object) => {
    const { status, body: problem } = await start(body);
    return [status, problem.code, problem.detail];
  };
  expect(await refused({ pipeline: "days", partition: "2025-03-05" })).toEqual([
    422,
    "MILLRACE_PARTITION_UNKNOWN",
    'The pipeline "days" has no partition "2025-03-05": it is before the first, 2026-01-01. Did you mean "2026-01-01"?',
  ]);
  expect(await refused({ pipeline: "other", partition: "2026-03-05" })).toEqual([
    422,
    "MILLRACE_PARTITION_UNKNOWN",
    'The pipeline "other" has no partitions: its trigger is about none.',
  ]);
  expect(await refused({ pipeline: "reads" })).toEqual([
    422,
    "MILLRACE_PARTITION_REQUIRED",
    expect.stringContaining("is for one partition"),
  ]);
  expect(await refused({ pipeline: "days", labels: { "millrace.partition": "2026-03-05" } })).toEqual([
    400,
    "MILLRACE_REQUEST_INVALID",
    'The label "millrace.partition" is Millrace\'s own.',
  ]);
  // What reads no partition needs none.
  expect((await start({ pipeline: "days" })).status).toBe(200);
  expect(((await stage.given(2)) as readonly SeenPartition[])[1]?.partition).toBeNull();
});

test("a called pipeline's run is for its caller's partition, where it has one like it", async () => {
  const regions = parseCondition({
    kind: "updated",
    assets: [{ asset: "r", partitions: { kind: "static", keys: ["eu"] } }],
  });
  const call = (id: string, calls: string) => node(id, { kind: "call", name: calls, calls });
  const stage = await stageWith(
    triggered("days", reached),
    triggered("regions", regions),
    pipeline("both", [call("a", "days"), call("b", "regions")], {
      trigger: { condition: reached, onResume: "all", catchUp: "latest" },
    }),
  );
  const answer = await stage.fixture.call("POST", "/runs", { pipeline: "both", partition: "2026-03-05" });
  expect(answer.status).toBe(200);
  const seen = (await stage.given(2)) as readonly SeenPartition[];
  const keys = seen.map(({ members, partition }) => [Object.keys(members)[0], partition?.key]);
  expect(Object.fromEntries(keys)).toEqual({ orders: "2026-03-05", r: undefined });
});
