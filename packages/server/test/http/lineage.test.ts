/** What is tied to what, and what made each version of an asset, on a real server. */
import type { AssetDefinition, Condition } from "@millrace/core";
import type { AssetSummary, AssetVersionsPage, LineageView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { node, pipeline } from "./server-fixture.ts";
import { stageOf, type Stage } from "./trigger-stage.ts";

const days: AssetDefinition = {
  name: "mart/days",
  tags: [],
  partitions: {
    kind: "time",
    every: { kind: "every", every: { n: 1, unit: "days" }, tz: "UTC" },
    start: "2026-01-01T00:00:00Z",
  },
};
const assets: readonly AssetDefinition[] = [
  { name: "lake/raw", tags: [], freshness: { maxAgeMs: 3_600_000 } },
  { name: "mart/report", tags: [], upstream: [{ asset: "lake/raw" }, { asset: "ref/prices" }] },
  { name: "ref/prices", tags: [] },
  days,
];
const updated: Condition = { kind: "updated", assets: [{ asset: "lake/raw" }], when: "each" };
const bySource: Condition = {
  kind: "event",
  type: "file.arrived",
  where: { op: "eq", path: ["source"], value: "/sources/landing" },
};
const afterLoad: Condition = {
  kind: "event",
  type: "millrace.run.succeeded",
  where: { op: "eq", path: ["subject"], value: "load" },
};

function on(condition: Condition) {
  return { trigger: { condition, onResume: "all", catchUp: "latest" } as const };
}

async function stage(): Promise<Stage> {
  return stageOf(
    [
      pipeline("load", [node("get", { writes: ["lake/raw"] })], on({ kind: "event", type: "order.paid" })),
      pipeline("sum", [node("sum", { reads: ["lake/raw"], writes: ["mart/report"] })], on(updated)),
      pipeline("files", [node("see")], on(bySource)),
      pipeline("then", [node("see")], on(afterLoad)),
      pipeline("stock", [node("see")], on({ kind: "event", type: "stock.*" })),
      pipeline("alone", [node("see")]),
    ],
    { assets },
  );
}

async function lineage(of: Stage, query = ""): Promise<LineageView> {
  const answer = await of.fixture.call("GET", `/lineage${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

function ties({ edges }: LineageView): string[] {
  return edges.map(({ from, to, ties: own }) => `${from} > ${to}: ${own.join("+")}`).sort();
}

async function told(of: Stage, asset: string, data: object): Promise<number> {
  const event = {
    specversion: "1.0",
    id: crypto.randomUUID(),
    source: "/spark",
    type: "millrace.asset.updated",
    subject: asset,
    data,
  };
  const answer = await of.fixture.call("POST", "/events", event, {
    "content-type": "application/cloudevents+json",
  });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body.position;
}

test("events, files, assets and pipelines are tied as they are declared, and as the log says who told", async () => {
  await using own = await stage();
  await own.emit("order.paid", {});
  await own.emit("stock.low", {});
  await own.given(3);
  await told(own, "ref/prices", {});
  const found = await lineage(own);
  expect(ties(found)).toEqual([
    "asset lake/raw > pipeline sum: reads+starts",
    "asset ref/prices > asset mart/report: made of",
    "event order.paid > pipeline load: starts",
    "event stock.* > pipeline stock: starts",
    "outside /spark > asset ref/prices: tells",
    "outside /test > event order.paid: tells",
    "outside /test > event stock.*: tells",
    "pipeline load > asset lake/raw: writes",
    "pipeline load > pipeline then: starts",
    "pipeline sum > asset mart/report: writes",
    "source landing > pipeline files: starts",
  ]);
  expect(found.nodes.find(({ id }) => id === "asset lake/raw")).toMatchObject({ freshness: "fresh" });
  // What nothing is tied to is drawn only if it is an asset.
  expect(found.nodes.map(({ id }) => id)).toContain("asset mart/days");
  expect(found.nodes.map(({ id }) => id)).not.toContain("pipeline alone");
});

test("around one thing there is what leads to it and what comes of it, as far away as was asked", async () => {
  await using own = await stage();
  const near = await lineage(own, "?around=lake/raw&depth=1");
  expect(near.nodes.map(({ id }) => id)).toEqual(["asset lake/raw", "pipeline load", "pipeline sum"]);
  const far = await lineage(own, "?around=sum&kind=pipeline");
  expect(far.nodes.map(({ id }) => id).sort()).toEqual([
    "asset lake/raw",
    "asset mart/report",
    "event order.paid",
    "pipeline load",
    "pipeline sum",
  ]);
  const cut = await lineage(own, "?around=lake/raw&limit=2");
  expect([cut.nodes.length, cut.isCut]).toEqual([2, true]);
  expect((await lineage(own, "?limit=3")).isCut).toBe(true);
  const unknown = await own.fixture.call("GET", "/lineage?around=lake/rae");
  expect([unknown.status, unknown.body.code, unknown.body.fields.nearest]).toEqual([
    404,
    "MILLRACE_ASSET_UNKNOWN",
    "lake/raw",
  ]);
  expect((await own.fixture.call("GET", "/lineage?around=x&kind=webhook")).status).toBe(404);
  expect((await own.fixture.call("GET", "/lineage?around=x&kind=thing")).status).toBe(400);
  expect((await own.fixture.call("GET", "/lineage?depth=0")).status).toBe(400);
});

test("a version names the run that wrote it and the events that made this begin, the newest version first", async () => {
  await using own = await stage();
  const position = await own.emit("order.paid", {});
  await own.given(2);
  const { body }: { body: AssetVersionsPage } = await own.fixture.call("GET", "/assets/lake%2Fraw/versions");
  expect(body.items).toMatchObject([
    {
      producer: { pipeline: "load", node: "get" },
      because: {
        revision: 1,
        memberCount: 1,
        members: [{ position, event: { type: "order.paid", source: "/test" } }],
      },
    },
  ]);
  expect(body).not.toHaveProperty("nextCursor");
});

test("versions of one partition are found among those of others, and come in pages", async () => {
  await using own = await stage();
  const positions: number[] = [];
  for (const day of ["02", "03", "02", "04", "02"])
    positions.push(await told(own, "mart/days", { partition: `2026-01-${day}` }));
  const read = async (query: string): Promise<AssetVersionsPage> => {
    const answer = await own.fixture.call("GET", `/assets/mart%2Fdays/versions?${query}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  };
  const first = await read("partition=2026-01-02&limit=2");
  expect(first.items.map((one) => one.position)).toEqual([positions[4], positions[2]]);
  expect(first.current).toMatchObject({ partition: "2026-01-02", updates: 3, position: positions[4] });
  const rest = await read(`partition=2026-01-02&limit=2&cursor=${first.nextCursor}`);
  expect([rest.items.map((one) => one.position), rest.nextCursor]).toEqual([[positions[0]], undefined]);
  const all = await read("limit=3");
  expect(all.items.map((one) => one.position)).toEqual(positions.slice(2).toReversed());
  const others = await read(`limit=3&cursor=${all.nextCursor}`);
  expect([others.items.length, others.nextCursor]).toEqual([2, undefined]);
  // A day that nothing was written to is one; what is no day is none.
  expect(await read("partition=2026-01-09")).toEqual({ items: [] });
  const none = await own.fixture.call("GET", "/assets/mart%2Fdays/versions?partition=monday");
  expect([none.status, none.body.code]).toEqual([422, "MILLRACE_PARTITION_UNKNOWN"]);
});

test("counts in the list follow each update, although what they were is kept", async () => {
  await using own = await stage();
  const counts = async (): Promise<[present: number, missing: number]> => {
    const { items }: { items: AssetSummary[] } = (await own.fixture.call("GET", "/assets")).body;
    const { partitions, writtenBy } = items.find(({ name }) => name === "mart/days")!;
    expect(writtenBy).toEqual([]);
    expect(items.find(({ name }) => name === "mart/report")?.writtenBy).toEqual(["sum"]);
    return [partitions!.present, partitions!.missing!];
  };
  const [present, missing] = await counts();
  expect(present).toBe(0);
  expect(await counts()).toEqual([0, missing]);
  await told(own, "mart/days", { partition: "2026-01-02" });
  expect(await counts()).toEqual([1, missing - 1]);
  await told(own, "mart/days", { partition: "2026-01-02" });
  expect(await counts()).toEqual([1, missing - 1]);
  // Another definition has other windows.
  await own.deploy([], {
    assets: [{ ...days, partitions: { ...days.partitions, start: "2026-01-02T00:00:00Z" } }],
  });
  const { items }: { items: AssetSummary[] } = (await own.fixture.call("GET", "/assets")).body;
  expect(items.find(({ name }) => name === "mart/days")?.partitions).toMatchObject({ missing: missing - 2 });
});
