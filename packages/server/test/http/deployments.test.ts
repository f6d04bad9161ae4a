import type { Condition } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bundleOf, node, pipeline, sha256, startFixture } from "./server-fixture.ts";

describe("deployments", () => {
  it("tell the difference, retire what vanished, and bring it back", async () => {
    await using fixture = await startFixture();
    const [p, q] = [pipeline("p", [node("a")]), pipeline("q", [node("a")])];
    expect((await fixture.deploy([p, q])).body).toMatchObject({
      deployment: 1,
      added: ["p", "q"],
      retired: [],
    });
    const changed = pipeline("p", [node("a"), node("b")]);
    expect((await fixture.deploy([changed])).body).toMatchObject({
      deployment: 2,
      added: [],
      changed: ["p"],
      retired: ["q"],
    });
    const refused = await fixture.call("POST", "/runs", { pipeline: "q" });
    expect(refused.body).toMatchObject({ code: "MILLRACE_PIPELINE_UNKNOWN" });
    expect(refused.body.detail).toContain("retired");
    const back = await fixture.call("POST", "/deployments/rollback", { project: "test" });
    expect(back.body).toMatchObject({ deployment: 1, changed: ["p"], added: ["q"] });
    expect((await fixture.start("q")).pipeline).toBe("q");
    const list = await fixture.call("GET", "/deployments?project=test&limit=1");
    expect(list.body.items).toMatchObject([{ deployment: 2, active: false, pipelines: ["p"] }]);
    const rest = await fixture.call("GET", `/deployments?project=test&cursor=${list.body.nextCursor}`);
    expect(rest.body.items).toMatchObject([{ deployment: 1, active: true }]);
  });

  it("say which schedules have no instant left, and take them", async () => {
    await using fixture = await startFixture();
    const [past, later] = [Date.UTC(2020, 0, 1, 6), Date.UTC(2899, 0)];
    const at = (...instants: number[]) => ({
      kind: "schedule" as const,
      schedule: { kind: "at" as const, instants },
    });
    const made = (name: string, condition: Condition) =>
      pipeline(name, [node("a")], { trigger: { condition, onResume: "all", catchUp: "latest" } });
    const event = { kind: "event" as const, type: "order.paid" };
    const [spent, coming, within] = [
      made("spent", at(past - 1, past)),
      made("coming", at(past, later)),
      made("within", { kind: "any", of: [event, at(past)] }),
    ] as const;
    const last = "2020-01-01T06:00:00.000Z";
    const told = { pipeline: "spent", last };
    expect((await fixture.deploy([spent])).body).toMatchObject({ added: ["spent"], spentSchedules: [told] });
    const all = await fixture.deploy([spent, coming, within]);
    expect(all.body.spentSchedules).toEqual([told, { pipeline: "within", last }]);
    expect((await fixture.deploy([coming])).body).not.toHaveProperty("spentSchedules");
    const back = await fixture.call("POST", "/deployments/rollback", { project: "test", deployment: 1 });
    expect(back.body.spentSchedules).toEqual([told]);
  });

  it("keep what an operator paused, and write nothing in a dry run", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await fixture.call("POST", "/pipelines/p/pause");
    await fixture.deploy([pipeline("p", [node("b")])]);
    expect((await fixture.call("GET", "/pipelines/p")).body).toMatchObject({
      paused: true,
      pausedByOperator: true,
    });
    const definition = { project: "test", pipelines: [], pools: {}, queues: [] };
    const dry = await fixture.call("POST", "/deployments", {
      bundle: "0".repeat(64),
      definition,
      dryRun: true,
    });
    expect(dry.body).toMatchObject({ dryRun: true, retired: ["p"] });
    expect((await fixture.call("GET", "/pipelines/p")).body.retired).toBe(false);
  });

  it("refuse unknown pools, queues and callees, faulty graphs, and names of others", async () => {
    await using fixture = await startFixture();
    const withOptions = (options: object): ReturnType<typeof node> => {
      const plain = node("a");
      return { ...plain, options: { ...plain.options, ...options } };
    };
    const pool = await fixture.deploy(
      [pipeline("p", [withOptions({ pool: { name: "warehose", slots: 1 } })])],
      {
        pools: { warehouse: 2 },
      },
    );
    expect(pool.body).toMatchObject({ code: "MILLRACE_POOL_UNKNOWN" });
    expect(pool.body.detail).toContain('"warehouse"');
    const queue = await fixture.deploy([pipeline("p", [withOptions({ queue: "gpu" })])]);
    expect(queue.body.code).toBe("MILLRACE_QUEUE_UNKNOWN");
    const call = await fixture.deploy([pipeline("p", [node("a", { kind: "call", calls: "nobody" })])]);
    expect(call.body.code).toBe("MILLRACE_PIPELINE_UNKNOWN");
    const cycle = await fixture.deploy([
      pipeline("p", [node("a", { after: [{ node: "b" }] }), node("b", { after: [{ node: "a" }] })]),
    ]);
    expect(cycle.body.code).toBe("MILLRACE_GRAPH_CYCLE");
    const malformed = await fixture.deploy([{ ...pipeline("p", []), nodes: [{ id: "a" }] as never }]);
    expect(malformed.body).toMatchObject({ code: "MILLRACE_REQUEST_INVALID" });
    await fixture.deploy([pipeline("p", [node("a")])]);
    const taken = await fixture.deploy([pipeline("p", [node("a")])], { project: "other" });
    expect(taken.body).toMatchObject({ code: "MILLRACE_PROJECT_CONFLICT", fields: { owner: "test" } });
  });

  it("refuse numbers that no column holds", async () => {
    await using fixture = await startFixture();
    const large = 3_000_000_000;
    const options = { ...node("a").options, pool: { name: "p", slots: large } };
    for (const answer of [
      await fixture.deploy([pipeline("p", [node("a")])], { pools: { x: large } }),
      await fixture.deploy([pipeline("p", [node("a")], { maxActiveRuns: large })]),
      await fixture.deploy([pipeline("p", [node("a", { options })])], { pools: { p: 1 } }),
      await fixture.call("POST", "/deployments/rollback", { project: "test", deployment: large }),
      await fixture.call("POST", "/deployments/rollback", { project: "test", deployment: 1e300 }),
    ])
      expect(answer.body.code).toMatch(/^MILLRACE_(REQUEST|OPTION)_INVALID$/);
    const long = { ...node("a").options, timeoutMs: 1e300, priority: -1e300 };
    const answer = await fixture.deploy([
      pipeline("p", [node("a", { options: long })], { deadlineMs: 1e300 }),
    ]);
    expect(answer.status).toBeLessThan(500);
  });

  it("take a bundle only with the bytes that its hash names", async () => {
    await using fixture = await startFixture();
    const bundle = bundleOf("test", "code");
    const path = `/bundles/${bundle.manifest.hash}`;
    expect((await fixture.call("PUT", path, { ...bundle, code: "other" })).body.code).toBe(
      "MILLRACE_BUNDLE_CORRUPT",
    );
    expect((await fixture.call("HEAD", path)).status).toBe(404);
    expect((await fixture.call("PUT", path, bundle)).status).toBe(200);
    expect((await fixture.call("HEAD", path)).status).toBe(200);
    expect((await fixture.call("GET", path)).body).toEqual(bundle);
    const octets = { "content-type": "application/octet-stream" };
    expect((await fixture.call("PUT", `/blobs/${sha256("x")}`, "y", octets)).status).toBe(400);
    expect((await fixture.call("PUT", `/blobs/${sha256("x")}`, "x", octets)).status).toBe(200);
    expect((await fixture.call("GET", `/blobs/${sha256("x")}`)).body).toBe("x");
  });

  it("show pools by configuration until an operator sets one", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])], { pools: { warehouse: 2 } });
    expect((await fixture.call("GET", "/pools")).body.items).toEqual([
      { name: "warehouse", slots: 2, used: 0, waiting: 0, setByOperator: false },
    ]);
    const set = await fixture.call("PUT", "/pools/warehouse", { slots: 5 });
    expect(set.body).toMatchObject({ slots: 5, setByOperator: true });
    expect((await fixture.call("GET", "/pools")).body.items).toMatchObject([
      { slots: 5, setByOperator: true },
    ]);
    await fixture.worker({ hello: { labels: { zone: "a" } } });
    expect((await fixture.call("GET", "/workers")).body.items).toMatchObject([
      { id: "w1", name: "hand", slots: 10, busy: 0 },
    ]);
  });

  it("list workers of other servers, with what these say of them", async () => {
    await using fixture = await startFixture();
    await using other = await fixture.anotherServer();
    await fixture.worker({ hello: { labels: { zone: "a" } } });
    const [here] = (await fixture.call("GET", "/workers")).body.items;
    await expect.poll(async () => (await other.call("GET", "/workers")).body.items).toEqual([here]);
  });
});
