import { describe, expect, test } from "vitest";
import { noRetry } from "../src/retry/policy.ts";
import {
  Bench,
  failure,
  node,
  output,
  pipeline,
  plainOptions,
  region,
  success,
  value,
  why,
} from "./build.ts";

const kinds = (effects: readonly { kind: string }[]): string[] => effects.map((effect) => effect.kind);
const cancel = { kind: "cancel", by: "user", reason: why } as const;

describe("calls", () => {
  const calls = pipeline([node("c", { kind: "call", calls: "other" })]);

  test("a called run that is made after its caller was cancelled is cancelled at once", () => {
    const bench = new Bench(calls).start();
    bench.send(cancel);
    const effects = bench.send({ kind: "call_started", token: bench.token("c"), childRunId: "r2" });
    expect(effects).toContainEqual(
      expect.objectContaining({ kind: "cancel_child", childRunId: "r2", force: false }),
    );
  });

  test("a called run that is made after its call was marked is cancelled", () => {
    const bench = new Bench(pipeline([...calls.nodes, node("d")])).start();
    const token = bench.token("c");
    bench.send({ kind: "mark", node: "c", item: "", state: "succeeded", output: { value: 1 }, reason: why });
    const effects = bench.send({ kind: "call_started", token, childRunId: "r2" });
    expect(effects).toEqual([expect.objectContaining({ kind: "cancel_child", childRunId: "r2" })]);
    expect(bench.get("c").state).toBe("succeeded");
  });

  test("a child's end that overtakes the news of its start ends the call and names the child", () => {
    const bench = new Bench(calls).start();
    const ended = { kind: "child_ended", childRunId: "r2", state: "succeeded", random: 0 } as const;
    bench.send({ ...ended, token: bench.token("c"), output: { value: 7 }, reason: undefined });
    expect(bench.get("c")).toMatchObject({ state: "succeeded", childRunId: "r2", output: { value: 7 } });
    expect(bench.run.state).toBe("succeeded");
  });

  test("a call that is too deep fails its callers with the same reason, and no level tries again", () => {
    const options = { ...plainOptions, retry: { ...noRetry, retries: 2 } };
    const bench = new Bench(pipeline([node("c", { kind: "call", calls: "other", options })])).start();
    const reason = { code: "MILLRACE_CALL_DEPTH", message: "17 levels deep" };
    const ended = { kind: "child_ended", childRunId: "r2", state: "failed", random: 0, reason } as const;
    bench.send({ ...ended, token: bench.token("c"), output: { value: null } });
    expect(bench.get("c")).toMatchObject({ state: "failed", attempt: 1, reason });
    expect(bench.run).toMatchObject({ state: "failed", reason: { ...reason, fields: { nodes: ["c"] } } });
  });

  test("a parent's forced cancel cancels teardowns, too; its plain cancel said twice does not", () => {
    const bench = new Bench(pipeline([node("s"), node("t", { teardownOf: ["s"] })])).start();
    bench.finish("s");
    bench.dispatch("t");
    bench.send({ kind: "cancel", by: "parent", reason: why });
    bench.send({ kind: "cancel", by: "parent", reason: why });
    expect(bench.get("t").revoked).toBe(false);
    bench.send({ kind: "cancel", by: "parent", reason: why, force: true });
    expect(bench.get("t").revoked).toBe(true);
  });

  test("losing a dispatch says nothing about a call", () => {
    const bench = new Bench(calls).start();
    bench.send({
      kind: "lost",
      token: bench.token("c"),
      blame: true,
      error: { name: "Lost", message: "gone" },
    });
    expect(bench.get("c").state).toBe("waiting");
  });
});

describe("the reason of a node that can't run", () => {
  const parents = ["a", "b", "c", "d", "e", "f"];
  const joined = (rule: "all_success" | "all_done_min_one_success" | "all_skipped") =>
    pipeline([...parents.map((id) => node(id)), node("join", { after: parents, rule })]);

  test("names what decided, and nothing else", () => {
    const bench = new Bench(joined("all_success")).start();
    bench.finish("a");
    bench.finish("b", failure);
    expect(bench.get("join").reason).toEqual({
      code: "rule_upstream_failed",
      message: "Its rule all_success can't be met: b failed.",
      fields: { rule: "all_success", nodes: ["b"] },
    });
  });

  test("names three at most, each with its state, and counts the others", () => {
    const bench = new Bench(joined("all_done_min_one_success")).start();
    for (const id of parents) bench.finish(id, failure);
    expect(bench.get("join").reason?.message).toBe(
      "Its rule all_done_min_one_success can't be met: a failed, b failed, c failed and 3 more.",
    );
  });

  test("of a teardown names its setups alone", () => {
    const flow = pipeline([node("s"), node("w"), node("t", { teardownOf: ["s"], after: ["w"] })]);
    const bench = new Bench(flow).start();
    bench.finish("w", failure);
    bench.finish("s", failure);
    expect(bench.get("t").reason?.message).toBe("Its rule all_done_setup_success can't be met: s failed.");
  });
});

describe("a run that has not started", () => {
  test("begins nothing when one of its nodes is marked or cancelled", () => {
    const bench = new Bench(
      pipeline([
        node("a"),
        node("b", { after: ["a"] }),
        node("c"),
        node("d", { after: ["c"], rule: "all_done" }),
      ]),
    );
    bench.send({ kind: "mark", node: "a", item: "", state: "succeeded", output: { value: 1 }, reason: why });
    bench.send({ kind: "cancel_node", node: "c", reason: why });
    expect(bench.queued()).toEqual([]);
    bench.start();
    expect(bench.queued()).toEqual(["b", "d"]);
  });
});

describe("queued task runs", () => {
  test("a refused one fails without a retry: what is faulty stays so", () => {
    const retry = { ...noRetry, retries: 3 };
    const bench = new Bench(pipeline([node("a", { options: { ...plainOptions, retry } })])).start();
    bench.send({ kind: "refuse", taskRun: bench.get("a"), error: { name: "Input", message: "is a list" } });
    expect(bench.states()).toEqual([["a", "failed"]]);
    expect(bench.run.state).toBe("failed");
  });

  test("a cached answer ends one without a dispatch", () => {
    const bench = new Bench(pipeline([node("a")])).start();
    const effects = bench.send({ kind: "cached", taskRun: bench.get("a"), output: { value: 3 } });
    expect(kinds(effects)).toEqual(["task_run", "ended", "run"]);
    expect(bench.get("a")).toMatchObject({ state: "succeeded", dispatch: 0, reason: { code: "cached" } });
  });
});

describe("fan-out", () => {
  const map = (over: Parameters<typeof region>[1], parts = {}): ReturnType<typeof region> =>
    region("m", over, parts);

  test("items are taken up in order after a reload, whatever of them has rows", () => {
    const bench = new Bench(
      pipeline([node("m", { region: "m" })], [map(value([0, 1, 2, 3]), { concurrency: 2 })]),
    ).start();
    bench.dispatch("m[1]");
    bench.reload();
    expect(bench.states()).toEqual([
      ["m[0]", "queued"],
      ["m[1]", "running"],
      ["m[2]", "pending"],
      ["m[3]", "pending"],
    ]);
  });

  test("cancelling begins no further item while it sweeps", () => {
    const bench = new Bench(
      pipeline(
        [node("s"), node("a", { region: "m", after: ["s"] }), node("t", { region: "m", teardownOf: ["s"] })],
        [map(value([0, 1, 2]), { concurrency: 1 })],
      ),
    ).start();
    bench.finish("s");
    bench.dispatch("a[0]");
    bench.send(cancel);
    expect(bench.states((taskRun) => taskRun.item === "2")).toEqual([
      ["a[2]", "cancelled"],
      ["t[2]", "cancelled"],
    ]);
    bench.drain();
    expect(bench.states((taskRun) => taskRun.item === "1")).toEqual([
      ["a[1]", "cancelled"],
      ["t[1]", "cancelled"],
    ]);
  });

  test("`settled` hides failed items, not a list that could not be read", () => {
    const bench = new Bench(
      pipeline(
        [node("list"), node("m", { region: "m" }), node("join", { input: output("m") })],
        [map(output("list"), { settled: true })],
      ),
    ).start();
    bench.finish("list", failure);
    expect(bench.states()).toEqual([
      ["list", "failed"],
      ["join", "upstream_failed"],
      ["m", "upstream_failed"],
    ]);
  });

  test("`settled` lets its readers run when items fail", () => {
    const bench = new Bench(
      pipeline(
        [node("m", { region: "m" }), node("join", { input: output("m") })],
        [map(value([0, 1]), { settled: true })],
      ),
    ).start();
    bench.finish("m[0]", failure);
    bench.finish("m[1]", success(5));
    expect(bench.queued()).toEqual(["join"]);
  });

  test("what a fan-out reads is no leaf: a join that copes with its failure saves the run", () => {
    const bench = new Bench(
      pipeline(
        [node("list"), node("m", { region: "m" }), node("join", { after: ["m"], rule: "all_done" })],
        [map(output("list"))],
      ),
    ).start();
    bench.finish("list", failure);
    bench.drain();
    expect(bench.run.state).toBe("succeeded");
  });
});

describe("short circuits", () => {
  test("skip what is behind a teardown, but not the teardown", () => {
    const bench = new Bench(
      pipeline([
        node("s"),
        node("gate", { kind: "short_circuit", after: ["s"] }),
        node("work", { after: ["gate"] }),
        node("t", { teardownOf: ["s"], after: ["work"] }),
        node("next", { after: ["t"], rule: "all_done" }),
      ]),
    ).start();
    bench.finish("s");
    bench.finish("gate", success(false));
    expect(bench.states()).toEqual([
      ["s", "succeeded"],
      ["gate", "succeeded"],
      ["work", "skipped"],
      ["t", "queued"],
      ["next", "skipped"],
    ]);
  });
});

describe("after a crash", () => {
  test("a stop that may not have reached its worker is sent again", () => {
    const bench = new Bench(pipeline([node("a"), node("c", { kind: "call", calls: "other" })])).start();
    bench.dispatch("a");
    bench.send({ kind: "call_started", token: bench.token("c"), childRunId: "r2" });
    bench.send(cancel);
    expect(kinds(bench.reload()).filter((kind) => kind === "revoke" || kind === "cancel_child")).toEqual([
      "revoke",
      "cancel_child",
    ]);
  });
});

test("what began before its branch answered is not taken back by a crash", () => {
  const gate = node("gate", { kind: "short_circuit", skips: "direct" });
  const bench = new Bench(pipeline([gate, node("b", { after: ["gate"], rule: "always" })])).start();
  bench.finish("gate", success(false));
  expect(bench.queued()).toEqual(["b"]);
  bench.reload();
  expect(bench.queued()).toEqual(["b"]);
});
