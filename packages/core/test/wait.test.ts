/** Waits of nodes and of functions in the run machine. */
import { describe, expect, test } from "vitest";
import {
  codeRecordOf,
  newCodeState,
  type OpenWait,
  type OperationName,
  type OperationOutcome,
  type WaitRequest,
} from "../src/run/wait.ts";
import { Bench, node, pipeline, plainOptions, success, why } from "./build.ts";

const kinds = (effects: readonly { kind: string }[]): string[] => effects.map((effect) => effect.kind);
const cancel = { kind: "cancel", by: "user", reason: why } as const;
const came: OperationOutcome = { kind: "value", value: { value: "it" } };

const waiting = (onTimeout: "fail" | "skip" | "continue", timeoutMs = 60_000) =>
  pipeline([node("w", { kind: "wait", wait: { onTimeout, timeoutMs } }), node("next", { after: ["w"] })]);

function end(
  bench: Bench,
  name: string,
  outcome: OperationOutcome,
  of: OperationName = { name: "", occurrence: 1 },
) {
  const { node: graphNode, item, generation } = bench.get(name);
  const target = { node: graphNode.definition.id, item, generation };
  return bench.send({ kind: "wait_ended", ...target, ...of, outcome, position: 5 });
}

test("what a row says of a function's waits stays as it was when the row was made", () => {
  const wait: OpenWait = {
    name: "bill",
    occurrence: 1,
    op: { kind: "call", pipeline: "bill", params: { value: {} } },
  };
  const code = { ...newCodeState(), open: new Map([["bill", wait]]) };
  const record = codeRecordOf(code);
  wait.childRunId = "r2";
  expect(record.open).toEqual([{ ...wait, childRunId: undefined }]);
});

describe("a wait in a graph", () => {
  test("it waits without a slot, ends with what came, and what follows runs", () => {
    const bench = new Bench(waiting("fail"));
    expect(kinds(bench.send({ kind: "start" }))).toContain("wait");
    expect(bench.run.state).toBe("waiting");
    const effects = end(bench, "w", came);
    expect(kinds(effects)).toEqual(expect.arrayContaining(["unwait", "ready"]));
    expect(bench.get("w")).toMatchObject({ state: "succeeded", output: { value: "it" } });
    expect(bench.queued()).toEqual(["next"]);
  });

  test("it ends once: whatever comes later changes nothing", () => {
    const bench = new Bench(waiting("fail")).start();
    end(bench, "w", { kind: "timeout" });
    expect(end(bench, "w", came)).toEqual([]);
    expect(bench.get("w")).toMatchObject({
      state: "failed",
      reason: { code: "MILLRACE_WAIT_TIMEOUT", message: '"w" waited for 1 min in vain.' },
    });
    expect(bench.run.state).toBe("failed");
  });

  test("its time over, it is skipped or goes on where it says so", () => {
    const skipping = new Bench(waiting("skip")).start();
    end(skipping, "w", { kind: "timeout" });
    expect(skipping.states()).toEqual([
      ["w", "skipped"],
      ["next", "skipped"],
    ]);
    const going = new Bench(waiting("continue")).start();
    end(going, "w", { kind: "timeout" });
    expect(going.get("w").output).toMatchObject({ value: { timedOut: true } });
    expect(going.queued()).toEqual(["next"]);
  });

  test("where it goes on without what it waited for, the lists of its members are there, and empty", () => {
    const of = [
      { kind: "event", type: "a", name: "first", where: { op: "eq", path: ["subject"], value: "x" } },
      { kind: "event", type: "b" },
    ];
    const input = { kind: "value", value: { kind: "all", of } } as const;
    const wait = { onTimeout: "continue", timeoutMs: 60_000 } as const;
    const bench = new Bench(pipeline([node("w", { kind: "wait", wait, input })])).start();
    end(bench, "w", { kind: "timeout" });
    expect(bench.get("w").output).toEqual({
      value: {
        timedOut: true,
        isFired: false,
        key: null,
        at: null,
        revision: 1,
        interval: null,
        partition: null,
        previousRun: null,
        incomplete: false,
        members: { first: [], b: [] },
      },
    });
  });

  test("a cancel and a mark end it at once, and let its row go", () => {
    const cancelled = new Bench(waiting("fail")).start();
    expect(kinds(cancelled.send(cancel))).toContain("unwait");
    expect(cancelled.run.state).toBe("cancelled");
    const marked = new Bench(waiting("fail")).start();
    const mark = { kind: "mark", node: "w", item: "", state: "succeeded", reason: why } as const;
    expect(kinds(marked.send({ ...mark, output: { value: 1 } }))).toContain("unwait");
    expect(marked.queued()).toEqual(["next"]);
  });

  test("after a reload it begins again, and says that it may have a row", () => {
    const bench = new Bench(waiting("fail")).start();
    expect(bench.reload()).toContainEqual(expect.objectContaining({ kind: "wait", isAgain: true }));
  });
});

describe("waits of a function", () => {
  const sleep = (name: string, occurrence = 1): WaitRequest => ({
    name,
    occurrence,
    op: { kind: "sleep", ms: 5 },
  });
  const call: WaitRequest = {
    name: "other",
    occurrence: 1,
    op: { kind: "call", pipeline: "other", params: { value: {} } },
  };
  const one = pipeline([node("t", { options: { ...plainOptions, timeoutMs: 1_000 } })]);

  function suspended(...waits: WaitRequest[]): Bench {
    const bench = new Bench(one).start();
    bench.send({ kind: "suspended", token: bench.dispatch("t"), waits });
    return bench;
  }

  test("it gives up its slot, and is dispatched again when one of them ends", () => {
    const bench = suspended(sleep("a"), sleep("b"));
    expect(bench.get("t")).toMatchObject({ state: "waiting", worker: undefined });
    expect(bench.run.state).toBe("waiting");
    expect(kinds(bench.effects)).toContain("released");
    const effects = end(bench, "t", came, sleep("b"));
    expect(effects).toContainEqual(
      expect.objectContaining({
        kind: "record",
        record: { seq: 1, kind: "wait", name: "b", occurrence: 1, outcome: came },
      }),
    );
    bench.finish("t");
    expect(bench.get("t")).toMatchObject({ state: "succeeded", attempt: 1, dispatch: 2 });
    expect(bench.run.state).toBe("succeeded");
  });

  test("a wait that ends while it runs again wakes it at its next suspension", () => {
    const bench = suspended(sleep("a"), sleep("b"));
    end(bench, "t", came, sleep("a"));
    const token = bench.dispatch("t");
    expect(bench.get("t").state).toBe("running");
    end(bench, "t", came, sleep("b"));
    const effects = bench.send({ kind: "suspended", token, waits: [sleep("b")] });
    expect(bench.get("t").state).toBe("queued");
    expect(kinds(effects)).not.toContain("wait");
  });

  test("what it asks for no more is let go, a called run is cancelled", () => {
    const bench = suspended(sleep("a"), call);
    const token = bench.token("t");
    bench.send({ kind: "call_started", token, childRunId: "r2", wait: call });
    end(bench, "t", came, sleep("a"));
    const effects = bench.send({ kind: "suspended", token: bench.dispatch("t"), waits: [sleep("c")] });
    expect(effects).toContainEqual(expect.objectContaining({ kind: "cancel_child", childRunId: "r2" }));
    expect(effects).toContainEqual(
      expect.objectContaining({ kind: "wait", wait: sleep("c"), isAgain: false }),
    );
    expect([...bench.get("t").code!.open.keys()]).toEqual(["1 c"]);
  });

  test("a called run's end is told by its name, at whatever dispatch", () => {
    const bench = suspended(call, sleep("a"));
    const token = bench.token("t");
    end(bench, "t", came, sleep("a"));
    bench.dispatch("t");
    bench.send({
      kind: "child_ended",
      token,
      wait: call,
      childRunId: "r2",
      state: "failed",
      output: { value: null },
      reason: why,
      random: 0,
    });
    expect(bench.effects).toContainEqual(
      expect.objectContaining({
        kind: "record",
        record: expect.objectContaining({
          name: "other",
          outcome: expect.objectContaining({ kind: "error" }),
        }),
      }),
    );
  });

  test("a late answer of the dispatch that was suspended changes nothing (R1)", () => {
    const bench = suspended(sleep("a"));
    const token = bench.token("t");
    expect(bench.send({ kind: "result", token, outcome: success(), random: 0 })).toEqual([]);
    expect(bench.send({ kind: "lost", token, blame: true, error: { name: "x", message: "" } })).toEqual([]);
    expect(bench.get("t").state).toBe("waiting");
  });

  test("running time counts over dispatches, waiting does not, and an attempt begins anew", () => {
    const options = { ...plainOptions, retry: { ...plainOptions.retry, retries: 1, delayMs: 0 } };
    const bench = new Bench(pipeline([node("t", { options })])).start();
    const token = bench.dispatch("t");
    bench.now += 300;
    bench.send({ kind: "suspended", token, waits: [sleep("a")] });
    bench.now += 10_000;
    end(bench, "t", came, sleep("a"));
    expect(bench.get("t").code?.ranMs).toBe(300);
    bench.finish("t", { kind: "failed", error: { name: "Error", message: "" } });
    expect(bench.get("t")).toMatchObject({ attempt: 2, state: "queued" });
    expect(bench.get("t").code?.ranMs).toBe(0);
  });

  test("steps are numbered, and only those of the dispatch that runs count", () => {
    const bench = new Bench(one).start();
    const token = bench.dispatch("t");
    const step = (name: string) => ({
      kind: "step" as const,
      token,
      events: [],
      step: { name, occurrence: 1, outcome: came },
    });
    bench.send(step("one"));
    bench.send(step("two"));
    expect(bench.get("t").code?.seq).toBe(2);
    bench.send({ kind: "suspended", token, waits: [sleep("a")] });
    expect(bench.send(step("three"))).toEqual([]);
  });

  test("a cancel ends it at once, with the runs that it called", () => {
    const bench = suspended(call);
    bench.send({ kind: "call_started", token: bench.token("t"), childRunId: "r2", wait: call });
    const effects = bench.send(cancel);
    expect(kinds(effects)).toEqual(expect.arrayContaining(["unwait", "cancel_child", "ended"]));
    expect(bench.run.state).toBe("cancelled");
  });
});
