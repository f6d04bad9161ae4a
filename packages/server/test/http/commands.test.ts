import { describe, expect, it } from "vitest";
import { failed, node, pipeline, reads, startFixture, succeeded } from "./server-fixture.ts";

describe("commands to runs", () => {
  it("cancels a run: its worker is told, what was not begun is cancelled", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), reads("b", "a")])]);
    const worker = await fixture.worker();
    const run = await fixture.start("p");
    const dispatch = await worker.dispatch("a");
    expect((await fixture.call("POST", `/runs/${run.id}/cancel`, {})).status).toBe(200);
    await worker.find((message) => message.kind === "cancel");
    worker.finish(dispatch, { kind: "cancelled" });
    const detail = await fixture.ended(run.id);
    expect(detail.run.state).toBe("cancelled");
    expect(detail.nodes.map((view) => view.state)).toEqual(["cancelled", "cancelled"]);
    expect(await fixture.call("POST", `/runs/${run.id}/cancel`, {})).toMatchObject({
      status: 409,
      body: { code: "MILLRACE_RUN_STATE_CONFLICT" },
    });
  });

  it("tells a worker of a cancel that it missed while its connection was away", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
    const before = await fixture.worker();
    const run = await fixture.start("p");
    const [a, b] = [await before.dispatch("a"), await before.dispatch("b")];
    before.socket.terminate();
    await expect
      .poll(async () => (await fixture.call("POST", `/runs/${run.id}/cancel`, { node: "a" })).status)
      .toBe(200);
    const worker = await fixture.worker({ hello: { running: [a.token, b.token] } });
    const cancel = await worker.find((message) => message.kind === "cancel");
    expect(cancel).toMatchObject({ token: a.token });
    worker.finish(a, { kind: "cancelled" });
    worker.finish(b);
    const detail = await fixture.ended(run.id);
    expect(detail.nodes.map(({ state }) => state)).toEqual(["cancelled", "succeeded"]);
    expect(worker.received.filter(({ kind }) => kind === "cancel")).toHaveLength(1);
  });

  it("cancels a run that is queued", async () => {
    await using fixture = await startFixture({ activeRunsMax: 1 });
    await fixture.deploy([pipeline("p", [node("a")])]);
    await fixture.start("p");
    const queued = await fixture.start("p");
    expect(queued.state).toBe("queued");
    await fixture.call("POST", `/runs/${queued.id}/cancel`);
    expect((await fixture.ended(queued.id)).run.state).toBe("cancelled");
  });

  it("reruns what failed as the next generation and keeps the earlier one readable", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), reads("b", "a"), reads("c", "b")])]);
    await fixture.worker({
      answer: ({ token, input }) =>
        token.node === "b" && token.generation === 1
          ? failed
          : succeeded([token.node, token.generation, "value" in input ? input.value : null]),
    });
    const run = await fixture.start("p");
    expect((await fixture.ended(run.id)).run.state).toBe("failed");
    const rerun = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "failed" });
    expect(rerun.body.run).toMatchObject({ id: run.id, generation: 2 });
    const detail = await fixture.ended(run.id);
    expect(detail.run).toMatchObject({ state: "succeeded", generation: 2 });
    expect(detail.nodes.map((view) => [view.id, view.generation, view.state])).toEqual([
      ["a", 1, "succeeded"],
      ["b", 2, "succeeded"],
      ["c", 2, "succeeded"],
    ]);
    expect(detail.nodes[2]?.output).toEqual(["c", 2, ["b", 2, ["a", 1, null]]]);
    expect(detail.nodes[1]?.attempts.map(({ generation, state }) => [generation, state])).toEqual([
      [1, "failed"],
      [2, "succeeded"],
    ]);
    const earlier = await fixture.call("GET", `/runs/${run.id}?generation=1`);
    expect(earlier.body.run.state).toBe("failed");
    expect(earlier.body.nodes.map((view: { state: string }) => view.state)).toEqual([
      "succeeded",
      "failed",
      "upstream_failed",
    ]);
    expect((await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "failed" })).status).toBe(409);
    expect(
      (await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "nodes", nodes: ["z"] })).body.code,
    ).toBe("MILLRACE_NODE_UNKNOWN");
    expect((await fixture.call("GET", "/runs")).body.items).toMatchObject([{ id: run.id, generation: 2 }]);
  });

  it("lets one of two servers rerun a run at the same moment", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const worker = await fixture.worker({ answer: () => failed });
    const runs = await Promise.all(Array.from({ length: 8 }, () => fixture.start("p")));
    for (const run of runs) await fixture.ended(run.id);
    worker.socket.terminate();
    await using other = await fixture.anotherServer();
    // It refuses runs until the first one has given it shards.
    const start = async (): Promise<number> => (await other.call("POST", "/runs", { pipeline: "p" })).status;
    await expect.poll(start, { timeout: 20_000 }).toBe(200);
    const answers = await Promise.all(
      runs.map(async ({ id }) => {
        const path = `/runs/${id}/rerun`;
        const body = { scope: "all" };
        return Promise.all([fixture.call("POST", path, body), other.call("POST", path, body)]);
      }),
    );
    for (const pair of answers)
      expect(pair.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    for (const { id } of runs)
      await expect
        .poll(async () => (await fixture.call("GET", `/runs/${id}`)).body.run)
        .toMatchObject({ generation: 2, state: "running" });
  });

  it("lets a rerun wait for its pipeline's maxActiveRuns", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")], { maxActiveRuns: 1 })]);
    const worker = await fixture.worker();
    const first = await fixture.start("p");
    worker.finish(await worker.dispatch("a"), failed);
    await fixture.ended(first.id);
    const second = await fixture.start("p");
    const dispatch = await worker.find(
      (message) =>
        message.kind === "dispatches" && message.dispatches.some(({ token }) => token.runId === second.id),
    );
    const rerun = await fixture.call("POST", `/runs/${first.id}/rerun`, { scope: "failed" });
    expect(rerun.body.run).toMatchObject({ generation: 2, state: "queued" });
    if (dispatch.kind === "dispatches") worker.finish(dispatch.dispatches[0]!, succeeded(1));
    expect((await fixture.ended(second.id)).run.state).toBe("succeeded");
    await expect
      .poll(async () => (await fixture.call("GET", `/runs/${first.id}`)).body.run.state)
      .toBe("running");
  });

  it("makes one run for a key that two servers are given at the same moment", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await using other = await fixture.anotherServer();
    const start = async (): Promise<number> => (await other.call("POST", "/runs", { pipeline: "p" })).status;
    await expect.poll(start, { timeout: 20_000 }).toBe(200);
    const keys = Array.from({ length: 10 }, (_, at) => `key ${at}`);
    const answers = await Promise.all(
      keys.map((idempotencyKey) => {
        const body = { pipeline: "p", idempotencyKey };
        return Promise.all([fixture, other].map((server) => server.call("POST", "/runs", body)));
      }),
    );
    for (const pair of answers) {
      expect(pair.map(({ status }) => status)).toEqual([200, 200]);
      expect(pair.filter(({ body }) => body.created)).toHaveLength(1);
      expect(new Set(pair.map(({ body }) => body.run.id)).size).toBe(1);
    }
  });

  it("refuses to rerun what goes on", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const run = await fixture.start("p");
    expect(await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" })).toMatchObject({
      status: 409,
      body: { code: "MILLRACE_RUN_STATE_CONFLICT" },
    });
  });

  it("reruns with the newest deployed bundle, or with the same one when asked", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await fixture.worker({ answer: () => succeeded(1) });
    const run = await fixture.start("p");
    await fixture.ended(run.id);
    await fixture.deploy([pipeline("p", [node("a"), node("b")])]);
    await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all", sameBundle: true });
    expect((await fixture.ended(run.id)).nodes.map((view) => view.id)).toEqual(["a"]);
    await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" });
    expect((await fixture.ended(run.id)).nodes.map((view) => view.id)).toEqual(["a", "b"]);
  });

  it("marks a node while its run goes on, and after its end", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), reads("b", "a")])]);
    const worker = await fixture.worker();
    const run = await fixture.start("p");
    await worker.dispatch("a");
    const noItem = await fixture.call("POST", `/runs/${run.id}/mark`, {
      node: "a",
      item: "7",
      state: "failed",
    });
    expect(noItem.body.detail).toBe('The node "a" has no item 7 in this run: it has no items.');
    await fixture.call("POST", `/runs/${run.id}/mark`, { node: "a", state: "succeeded", output: 5 });
    const dispatch = await worker.dispatch("b");
    expect(dispatch.input).toEqual({ value: 5 });
    worker.finish(dispatch, failed);
    expect((await fixture.ended(run.id)).run.state).toBe("failed");
    const marked = await fixture.call("POST", `/runs/${run.id}/mark`, {
      node: "b",
      state: "succeeded",
      output: 6,
    });
    expect(marked.status).toBe(200);
    const detail = await fixture.ended(run.id);
    expect(detail.run).toMatchObject({ state: "succeeded", generation: 2 });
    expect(detail.nodes[1]).toMatchObject({ state: "succeeded", output: 6, reason: { code: "marked" } });
    expect((await fixture.call("POST", `/runs/${run.id}/mark`, { node: "x", state: "failed" })).status).toBe(
      404,
    );
  });

  it("tells those who follow a run that it is set aside, and that nothing more comes", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const run = await fixture.start("p");
    const followed = fixture.ended(run.id);
    const error = { name: "X", code: "MILLRACE_ATTEMPT_CRASHED", message: "the child is gone" };
    await fixture.worker({ answer: () => ({ kind: "infrastructure", error }) });
    expect((await followed).run).toMatchObject({
      state: "quarantined",
      reason: { code: "MILLRACE_RUN_QUARANTINED" },
    });
    expect((await fixture.ended(run.id)).run.state).toBe("quarantined");
  });

  it("reruns a quarantined run from what history then has", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a"), reads("b", "a")])]);
    const run = await fixture.start("p");
    for (let loss = 1; loss <= 3; loss += 1) {
      const worker = await fixture.worker({ hello: { workerId: `w${loss}` } });
      const { token } = await worker.dispatch("a");
      const error = { name: "X", message: "gone" };
      worker.send({
        kind: "results",
        results: [{ token, outcome: { kind: "failed", error }, times: { startedAt: 1, endedAt: 2 } }],
      });
      break;
    }
    await fixture.ended(run.id);
    await fixture.database.database.api.query(
      `insert into run (workspace, id, shard, pipeline, project, bundle, generation, state, reason, created_at)
      select workspace, id, shard, pipeline, project, bundle, 2, 'quarantined', '{"code":"x","message":"y"}', created_at
      from run_history where id = $1`,
      [run.id],
    );
    expect(await fixture.call("POST", `/runs/${run.id}/cancel`)).toMatchObject({
      body: { code: "MILLRACE_RUN_QUARANTINED" },
    });
    const rerun = await fixture.call("POST", `/runs/${run.id}/rerun`, { scope: "all" });
    expect(rerun.body.run).toMatchObject({ generation: 3 });
    await expect
      .poll(async () => (await fixture.call("GET", `/runs/${run.id}`)).body.run.state)
      .toBe("running");
    expect((await fixture.call("GET", `/runs/${run.id}?generation=2`)).body.run.state).toBe("failed");
  });
});
