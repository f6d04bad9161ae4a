import { on, pipeline, task, wait } from "@millrace/sdk";
import { describe, expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const fetch = task("fetch", (_input: void, ctx) => {
  ctx.log.info("fetched");
  return 2;
});
const sum = task("sum", (input: { a: number }) => input.a + 1);
const items = task("items", (n: number) => n * 10);
const totals = pipeline("totals", () => sum({ a: fetch() }));
const spread = pipeline("spread", () => items.map([1, 2, 3]));

describe("a run that has ended", () => {
  test("is rerun from what failed: what succeeded keeps its output, attempts and log", async () => {
    const t = await testbed({ totals });
    t.task(sum).fails("no", { times: 1 });
    const run = await t.start(totals);
    expect(run).toMatchObject({ state: "failed", generation: 1 });
    await t.rerun(run);
    expect(run).toMatchObject({ state: "succeeded", generation: 2, output: 3 });
    expect(t.task(fetch).calls).toHaveLength(1);
    expect(run.node("fetch")).toMatchObject({ attempts: 1, log: [{ text: "fetched" }] });
    await expect(t.rerun(run)).rejects.toMatchObject({
      code: "MILLRACE_RUN_STATE_CONFLICT",
      message: "Nothing of the run r1 failed: there is nothing to run again.",
    });
  });

  test("is rerun from a node, with what hangs on it, or as a whole", async () => {
    const t = await testbed({ totals });
    const run = await t.start(totals);
    t.task(fetch).returns(7);
    await t.rerun(run, { nodes: ["sum"] });
    expect(run.output).toBe(3);
    await t.rerun(run, { all: true });
    expect(run.output).toBe(8);
    await expect(t.rerun(run, { nodes: ["sun"] })).rejects.toThrow('Did you mean "sum"?');
  });

  test("runs only those items again that failed", async () => {
    const t = await testbed({ spread });
    t.task(items).fails("no", { when: ({ input }) => input === 2 });
    const run = await t.start(spread);
    t.task(items).reset();
    await t.rerun(run);
    expect(run.output).toEqual([10, 20, 30]);
    expect(t.task(items).calls).toHaveLength(4);
  });

  test("is marked: what is downstream is decided again", async () => {
    const t = await testbed({ totals });
    t.task(fetch).fails("no", { times: 1 });
    const run = await t.start(totals);
    await t.mark(run, "fetch", { state: "succeeded", output: 40 });
    expect(run).toMatchObject({ state: "succeeded", output: 41, generation: 2 });
    await expect(t.mark(run, "fetch", { state: "failed", output: 1 })).rejects.toMatchObject({
      code: "MILLRACE_REQUEST_INVALID",
    });
    await expect(t.mark(run, "fetsh", { state: "failed" })).rejects.toThrow('Did you mean "fetch"?');
  });

  test("can't be cancelled, and one that goes on can't be rerun", async () => {
    const waiting = pipeline("waiting", () => {
      wait(on.event("never"), { id: "one" });
      wait(on.event("never"), { id: "other" });
    });
    const t = await testbed({ waiting });
    const run = await t.start(waiting);
    await expect(t.rerun(run)).rejects.toMatchObject({ code: "MILLRACE_RUN_STATE_CONFLICT" });
    await t.cancel(run, { node: "one" });
    expect(run.states).toEqual({ one: "cancelled", other: "waiting" });
    await t.mark(run, "other", { state: "succeeded" });
    expect(run.states).toEqual({ one: "cancelled", other: "succeeded" });
    await expect(t.cancel(run)).rejects.toMatchObject({
      code: "MILLRACE_RUN_STATE_CONFLICT",
      message: "The run r1 has ended (failed): it can't be cancelled.",
    });
  });

  test("tells its caller nothing when it is rerun", async () => {
    const caller = pipeline("caller", () => totals.call());
    const t = await testbed({ totals, caller });
    t.task(sum).fails("no", { times: 1 });
    const run = await t.start(caller);
    expect(run.state).toBe("failed");
    const [child] = t.runsOf(totals);
    await t.rerun(child!);
    expect(child?.state).toBe("succeeded");
    expect(run.state).toBe("failed");
  });
});
