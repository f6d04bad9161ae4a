import { on, pipeline, task, wait } from "@millrace/sdk";
import { describe, expect, test } from "vitest";
import { testbed, type TestFiring } from "../src/index.ts";

const load = task("load", async (orders: readonly { id: string }[]) => orders.map(({ id }) => id));
const loads = (policy: "each" | "coalesce" | "latest") =>
  pipeline("loads", { on: on.event("order.paid").as("orders"), policy, maxActiveRuns: 1 }, ({ firing }) =>
    load(firing.members.orders),
  );

const paid = (...ids: string[]): { type: string; id: string }[] =>
  ids.map((id) => ({ type: "order.paid", id }));
const seen = ({ state, run, members }: TestFiring): unknown[] => [
  state,
  run?.id,
  members["orders"]?.map((order) => (order as { readonly id: string }).id),
];

describe("a trigger whose pipeline has as many runs as it may", () => {
  test("coalesce merges what comes meanwhile into one firing that waits, with the members of all", async () => {
    const loading = loads("coalesce");
    const t = await testbed({ loading });
    t.task(load).takes("10m");
    await t.emit(paid("a", "b", "c", "d"));
    expect(t.firings.map(seen)).toEqual([
      ["started", "r1", ["a"]],
      ["waiting", undefined, ["b", "c", "d"]],
      ["merged", undefined, ["c"]],
      ["merged", undefined, ["d"]],
    ]);
    expect(t.firings[2]?.reason).toMatchObject({ code: "merged", fields: { run: "r2" } });
    const { event } = await t.explain(loading, { event: 4 });
    expect(event?.text).toBe("its firing was merged into the one that starts run r2");
    await t.advance("10m");
    expect(t.runs.map(({ id, state }) => [id, state])).toEqual([
      ["r1", "succeeded"],
      ["r2", "running"],
    ]);
    await t.advance("10m");
    expect(t.runs[1]?.output).toEqual(["b", "c", "d"]);
    expect(t.firings.map(({ state, run }) => [state, run?.id])).toEqual([
      ["started", "r1"],
      ["started", "r2"],
      ["merged", "r2"],
      ["merged", "r2"],
    ]);
  });

  test("latest lets a later firing take the place of the one that waits, which ends superseded", async () => {
    const loading = loads("latest");
    const t = await testbed({ loading });
    t.task(load).takes("10m");
    await t.emit(paid("a", "b", "c"));
    expect(t.runs.map(({ id, state, reason }) => [id, state, reason?.code])).toEqual([
      ["r1", "running", undefined],
      ["r2", "superseded", "superseded"],
    ]);
    expect(t.events.at(-1)).toMatchObject({ type: "millrace.run.superseded", subject: "loads" });
    const verdicts = [2, 3, 4].map(async (event) => (await t.explain(loading, { event })).event?.verdict);
    expect(await Promise.all(verdicts)).toEqual(["member", "superseded", "member"]);
    await t.advance("10m");
    await t.advance("10m");
    expect(t.runs.map(({ id, state }) => [id, state])).toEqual([
      ["r1", "succeeded"],
      ["r2", "superseded"],
      ["r3", "succeeded"],
    ]);
    expect(t.firings.map(seen)).toEqual([
      ["started", "r1", ["a"]],
      ["superseded", "r2", ["b"]],
      ["started", "r3", ["c"]],
    ]);
    t.expectFinished();
  });

  test("each gives every firing a run, which queues", async () => {
    const loading = loads("each");
    const t = await testbed({ loading });
    t.task(load).takes("10m");
    await t.emit(paid("a", "b"));
    expect(t.runs.map(({ state }) => state)).toEqual(["running", "queued"]);
    expect(t.firings.map(({ state }) => state)).toEqual(["started", "started"]);
  });

  test("a failed run gives its slot back as well, and a run by hand takes none of the gate's", async () => {
    const loading = loads("coalesce");
    const t = await testbed({ loading });
    t.task(load).takes("10m").fails("no", { times: 1 });
    await t.emit(paid("a", "b"));
    await t.advance("10m");
    expect(t.runs.map(({ state }) => state)).toEqual(["failed", "running"]);
  });

  test("a revision knows the run before it, also one that has yet to begin", async () => {
    const see = task("see", (firing: { revision: number; previousRun: string | null }) => [
      firing.revision,
      firing.previousRun,
    ]);
    const hours = pipeline(
      "hours",
      {
        on: on.window(on.event("reading"), { every: "1h", time: "time", lateness: "10m", late: "revise" }),
        policy: "latest",
        maxActiveRuns: 1,
      },
      ({ firing }) => see(firing, { after: wait(on.event("go"), { id: "held" }) }),
    );
    const t = await testbed({ hours }, { now: "2026-03-01T12:00:00Z" });
    for (const time of ["10:05", "11:15", "10:20", "10:30"])
      await t.emit({ type: "reading", time: `2026-03-01T${time}:00Z` });
    for (let round = 0; round < 2; round += 1) await t.emit({ type: "go" });
    expect(t.runs.map(({ state, output }) => [state, output])).toEqual([
      ["succeeded", [1, null]],
      ["superseded", undefined],
      ["succeeded", [3, "r2"]],
    ]);
  });

  test("beyond 10,000 members a list is none, and `ctx.firing` reads them", async () => {
    const count = task("count", async (_input: void, ctx) => {
      const ids = new Set<string>();
      for await (const { id } of ctx.firing.events("orders")) ids.add(id);
      return ids.size;
    });
    const counting = pipeline(
      "counting",
      { on: on.event("order.paid").as("orders"), policy: "coalesce", maxActiveRuns: 1 },
      () => count(),
    );
    const t = await testbed({ counting });
    t.task(count).takes("10m");
    await t.emit(Array.from({ length: 10_002 }, (_, at) => ({ type: "order.paid", id: `o${at}` })));
    await t.advance("10m");
    await t.advance("10m");
    expect(t.runs.map(({ output }) => output)).toEqual([1, 10_001]);
    expect(t.runs[1]?.firing).toMatchObject({ members: { orders: { streamed: 10_001 } } });
  });
});

describe("a pause", () => {
  test("is previewed without an effect, with what the gate would make of its firings", async () => {
    const loading = loads("coalesce");
    const t = await testbed({ loading });
    t.task(load).takes("10m");
    expect(await t.previewResume(loading)).toEqual([]);
    await t.pause(loading);
    await t.emit(paid("a", "b", "c"));
    const foreseen = await t.previewResume(loading);
    expect(foreseen.map(({ outcome, members }) => [outcome, members["orders"]?.length])).toEqual([
      ["starts", 1],
      ["waits", 1],
      ["merged", 1],
    ]);
    expect(await t.previewResume(loading, { onResume: "latest" })).toHaveLength(1);
    expect(t.firings).toEqual([]);
    await t.resume(loading);
    expect(t.firings.map(({ state }) => state)).toEqual(["started", "waiting", "merged"]);
  });

  test("a preview leaves the state of keys as it was", async () => {
    const three = pipeline(
      "three",
      { on: on.count(on.event("order.paid").as("orders"), 3).by("subject") },
      ({ firing }) => load(firing.members.orders),
    );
    const t = await testbed({ three });
    await t.emit({ type: "order.paid", id: "1", subject: "ann" });
    await t.pause(three);
    await t.emit([2, 3].map((id) => ({ type: "order.paid", id: `${id}`, subject: "ann" })));
    for (let round = 0; round < 2; round += 1)
      expect(await t.previewResume(three)).toMatchObject([{ key: "ann", outcome: "starts" }]);
    await t.resume(three);
    expect(t.runs.map(({ output }) => output)).toEqual([["1", "2", "3"]]);
  });

  test("holds off who starts a run by hand, also of a pipeline without a trigger", async () => {
    const plain = pipeline("plain", () => load([]));
    const t = await testbed({ plain });
    await t.pause(plain);
    await expect(t.start(plain)).rejects.toMatchObject({ code: "MILLRACE_PIPELINE_PAUSED" });
    await t.resume(plain);
    expect((await t.start(plain)).state).toBe("succeeded");
    await expect(t.pause("plane")).rejects.toThrow('Did you mean "plain"?');
  });
});
