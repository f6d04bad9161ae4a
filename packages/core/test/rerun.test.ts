import { array, assert, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { errorCodeOf } from "../src/error/millrace-error.ts";
import { compileGraph } from "../src/graph/compile.ts";
import type { TaskRunRecord } from "../src/run/hydrate.ts";
import { planMark, planRerun, type RerunScope } from "../src/run/rerun.ts";
import { isRunEnded } from "../src/run/state.ts";
import { nodeWait } from "../src/run/wait.ts";
import { Bench, failure, nameOf, node, output, pipeline, region, success, value, why } from "./build.ts";
import { newEdges, tell } from "./lockstep.ts";
import { makeDefinition, params, Tape } from "./random-run.ts";

const failed: RerunScope = { kind: "failed", nodes: [] };
const nodes = (...names: string[]): RerunScope => ({ kind: "nodes", nodes: names });

function ended(bench: Bench): TaskRunRecord[] {
  expect(isRunEnded(bench.run.state)).toBe(true);
  return [...bench.rows.values()];
}

const kept = (rows: readonly TaskRunRecord[]): string[] =>
  rows.map(({ node, item }) => (item === "" ? node : `${node}[${item}]`)).sort();

function rerun(bench: Bench, rows: readonly TaskRunRecord[]): Bench {
  return new Bench(bench.graph.definition, { rows, generation: 2 }).start();
}

const mapped = pipeline(
  [
    node("list"),
    node("a", { region: "m" }),
    node("b", { region: "m", after: ["a"] }),
    node("join", { input: output("b") }),
    node("beside"),
  ],
  [region("m", output("list"), { concurrency: 2 })],
);

function mappedRun(isBad: (name: string) => boolean): Bench {
  const bench = new Bench(mapped).start();
  const answer = (name: string) => (name === "list[]" ? success([1, 2, 3, 4]) : success(name));
  return bench.drain((taskRun) => (isBad(nameOf(taskRun)) ? failure : answer(nameOf(taskRun))));
}

describe("a rerun from what failed", () => {
  test("repeats only failed items and what is behind them", () => {
    const bench = mappedRun((name) => name === "a[1]" || name === "b[3]");
    const rows = planRerun(bench.graph, ended(bench), failed);
    expect(kept(rows)).toEqual(["a[0]", "a[2]", "a[3]", "b[0]", "b[2]", "beside", "list"]);
    expect(rows.every(({ carried, generation }) => carried && generation === 1)).toBe(true);
    const next = rerun(bench, rows);
    expect(next.queued()).toEqual(["a[1]", "b[3]"]);
    next.drain((taskRun) => success(nameOf(taskRun)));
    expect(next.run.state).toBe("succeeded");
    expect(next.get("a[1]")).toMatchObject({ generation: 2, attempt: 1, dispatch: 1 });
    expect(next.get("a[0]")).toMatchObject({ generation: 1, carried: true });
  });

  test("keeps the fan-out's concurrency, also after a reload", () => {
    const bench = mappedRun((name) => name.startsWith("b["));
    const next = rerun(bench, planRerun(bench.graph, ended(bench), failed));
    expect(next.queued()).toEqual(["b[0]", "b[1]"]);
    next.dispatch("b[1]");
    next.reload();
    expect(next.queued()).toEqual(["b[0]"]);
    next.send({ kind: "result", token: next.token("b[1]"), outcome: success(), random: 0 });
    expect(next.queued()).toEqual(["b[0]", "b[2]"]);
    next.drain();
    expect(next.run.state).toBe("succeeded");
  });

  test("repeats the setups of a teardown that runs again, and all teardowns of those", () => {
    const bench = new Bench(
      pipeline([
        node("s"),
        node("other", { after: ["s"] }),
        node("work", { after: ["s"] }),
        node("t", { teardownOf: ["s"], after: ["work"] }),
        node("t2", { teardownOf: ["s", "s2"] }),
        node("s2"),
      ]),
    ).start();
    bench.drain((taskRun) => (nameOf(taskRun) === "work[]" ? failure : success()));
    expect(kept(planRerun(bench.graph, ended(bench), failed))).toEqual(["other"]);
  });

  test("names the needed nodes that the new version does not have", () => {
    const bench = mappedRun((name) => name === "b[3]");
    const newer = compileGraph(pipeline([node("list")]));
    let thrown: unknown;
    try {
      planRerun(newer, ended(bench), failed);
    } catch (error) {
      thrown = error;
    }
    expect(errorCodeOf(thrown)).toBe("MILLRACE_NODE_UNKNOWN");
    expect((thrown as { fields: unknown }).fields).toEqual({ nodes: ["b", "join"] });
  });
});

describe("a rerun with a version in which a node is in other fan-outs", () => {
  const plain = pipeline([
    node("list"),
    node("a", { input: output("list") }),
    node("b", { after: ["a"] }),
    node("join", { input: output("b") }),
    node("beside"),
  ]);

  test("starts what is mapped now afresh, with all that hangs on it", () => {
    const bench = new Bench(plain).start();
    bench.drain((taskRun) => (nameOf(taskRun) === "beside[]" ? failure : success([1, 2])));
    const newer = compileGraph(mapped);
    const rows = planRerun(newer, ended(bench), failed);
    expect(kept(rows)).toEqual(["list"]);
    const next = new Bench(mapped, { rows, generation: 2 }).start();
    expect(next.queued()).toEqual(["beside", "a[0]", "a[1]"]);
  });

  test("starts what is mapped no longer afresh, with all that hangs on it", () => {
    const bench = mappedRun((name) => name === "beside[]");
    expect(kept(planRerun(compileGraph(plain), ended(bench), failed))).toEqual(["list"]);
  });

  test("keeps a fan-out that had no items as it was", () => {
    const bench = new Bench(mapped).start();
    bench.drain((taskRun) => (nameOf(taskRun) === "beside[]" ? failure : success([])));
    expect(kept(planRerun(bench.graph, ended(bench), failed))).toEqual(["a", "b", "join", "list"]);
  });
});

describe("a rerun of chosen nodes", () => {
  test("repeats those and all that hangs on them, and keeps the outputs of others", () => {
    const bench = mappedRun(() => false);
    const next = rerun(bench, planRerun(bench.graph, ended(bench), nodes("b")));
    expect(next.get("a[2]").output).toEqual({ value: "a[2]" });
    expect(next.queued()).toEqual(["b[0]", "b[1]"]);
  });

  test("repeats a fan-out when its list is made again", () => {
    const bench = mappedRun(() => false);
    expect(kept(planRerun(bench.graph, ended(bench), nodes("list")))).toEqual(["beside"]);
  });

  test("decides a fan-out without items as a whole", () => {
    const two = pipeline(
      [node("a", { region: "m" }), node("b", { region: "m" }), node("c", { after: ["b"] })],
      [region("m", value([]))],
    );
    const bench = new Bench(two).start().drain();
    const rows = planRerun(bench.graph, ended(bench), nodes("a"));
    expect(kept(rows)).toEqual([]);
    expect(rerun(bench, rows).drain().run.state).toBe("succeeded");
  });

  test("`all` keeps nothing", () => {
    const bench = mappedRun(() => false);
    expect(planRerun(bench.graph, ended(bench), { kind: "all", nodes: [] })).toEqual([]);
  });
});

describe("a late mark", () => {
  const mark = (name: string, state: "succeeded" | "failed" | "skipped", json: unknown = null) => ({
    node: name,
    item: "",
    state,
    output: { value: json as null },
    reason: why,
  });

  test("decides again what did not run behind it, and keeps what did", () => {
    const bench = new Bench(
      pipeline([node("a"), node("b", { after: ["a"] }), node("c", { after: ["a"], rule: "all_done" })]),
    ).start();
    bench.drain((taskRun) => (nameOf(taskRun) === "a[]" ? failure : success()));
    const rows = planMark(bench.graph, ended(bench), mark("a", "succeeded", 5), 2);
    const next = rerun(bench, rows);
    expect(next.states()).toEqual([
      ["a", "succeeded"],
      ["b", "queued"],
      ["c", "succeeded"],
    ]);
    expect(next.get("a")).toMatchObject({
      generation: 2,
      output: { value: 5 },
      reason: why,
      error: undefined,
    });
  });

  test("gives an empty fan-out the items of the new list", () => {
    const bench = new Bench(mapped).start().drain(() => success([]));
    const next = rerun(bench, planMark(bench.graph, ended(bench), mark("list", "succeeded", [1]), 2));
    expect(next.queued()).toEqual(["a[0]"]);
  });

  test("refuses an item that is not there, and says how many there are", () => {
    const rows = ended(mappedRun(() => false));
    const messageFor = (node: string, item: string): string => {
      try {
        planMark(mappedRun(() => false).graph, rows, { ...mark(node, "failed"), item }, 2);
      } catch (error) {
        expect(errorCodeOf(error)).toBe("MILLRACE_NODE_UNKNOWN");
        return (error as Error).message;
      }
      return "";
    };
    expect(messageFor("a", "7")).toBe(
      'The node "a" has no item 7 in this run: it has 4 items, counted from 0.',
    );
    expect(messageFor("a", "")).toBe('The node "a" has 4 items in this run: one must be named.');
    const empty = new Bench(mapped).start().drain(() => success([]));
    expect(() => planMark(empty.graph, ended(empty), mark("a", "succeeded"), 2)).toThrow(
      'The node "a" has no items in this run.',
    );
    expect(messageFor("list", "7")).toBe('The node "list" has no item 7 in this run: it has no items.');
  });

  test("takes a fan-out's items back with its list", () => {
    const bench = mappedRun(() => false);
    const rows = planMark(bench.graph, ended(bench), mark("list", "failed"), 2);
    expect(kept(rows)).toEqual(["beside", "join", "list"]);
    expect(rerun(bench, rows).get("a").state).toBe("upstream_failed");
  });
});

test(
  "whatever a run was, its rerun ends, keeps what it said, and equals its rows at the start",
  { timeout: 600_000 },
  () => {
    const tape = (maxLength: number) => array(nat(9_999), { maxLength, size: "max" });
    const numRuns = process.env["MILLRACE_TEST_LONG"] === "1" ? 10_000 : 300;
    const story = property(tape(150), tape(120), nat(3), (shape, messages, which) => {
      const definition = makeDefinition(new Tape(shape));
      const { bench } = tell(definition, messages, newEdges(), false);
      const chosen = nodes(definition.nodes[which % definition.nodes.length]!.id);
      const rows = planRerun(bench.graph, [...bench.rows.values()], which === 0 ? failed : chosen);
      const next = new Bench(definition, { rows, generation: 2, params: { value: params } });
      const before = next.states((taskRun) => taskRun.carried).map(([name]) => name!);
      expect(before.sort()).toEqual(kept(rows));
      next.start();
      for (let left = 500; !isRunEnded(next.run.state) && left > 0; left -= 1) {
        next.drain(() => success([1]));
        next.reload();
        for (const [name] of next.states(({ state }) => state === "waiting")) {
          const token = next.token(name!);
          const ended = { ...token, ...nodeWait, position: 1 };
          const outcome = { kind: "value", value: { value: [1] } } as const;
          next.send({ kind: "wait_ended", ...ended, outcome });
          const child = { childRunId: "c", state: "succeeded", random: 0, reason: undefined } as const;
          next.send({ kind: "child_ended", token, ...child, output: { value: [1] } });
        }
        next.now += 1_000;
        for (const { node, item, generation } of next.rows.values())
          next.send({ kind: "retry_due", node, item, generation });
      }
      expect(isRunEnded(next.run.state)).toBe(true);
      for (const name of before) expect(next.get(name)).toMatchObject({ generation: 1, carried: true });
    });
    assert(story, { numRuns, seed: 7, endOnFailure: true });
  },
);
