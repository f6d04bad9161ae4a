import { expect, test } from "vitest";
import { compileGraph } from "../src/graph/compile.ts";
import type { PipelineDefinition } from "../src/graph/definition.ts";
import { createRun } from "../src/run/hydrate.ts";
import { decide } from "../src/run/machine.ts";
import type { RunEffect, TaskRun } from "../src/run/state.ts";
import { identity, node, output, pipeline, region, value } from "./build.ts";

/** Runs to the end in the order of readiness; returns the effects' number and prints the CPU time. */
function finish(definition: PipelineDefinition, title: string): number {
  const begun = process.cpuUsage();
  const run = createRun(compileGraph(definition), identity);
  const queue: TaskRun[] = [];
  let count = 0;
  const take = (effects: readonly RunEffect[]): void => {
    count += effects.length;
    for (const effect of effects) if (effect.kind === "ready") queue.push(effect.taskRun);
  };
  take(decide(run, { kind: "start" }, 0).effects);
  for (let at = 0; at < queue.length; at += 1) {
    const taskRun = queue[at]!;
    take(decide(run, { kind: "dispatch", taskRun, worker: "w" }, at).effects);
    const { node, item, generation, dispatch } = taskRun;
    const token = { node: node.definition.id, item, generation, dispatch };
    const outcome = { kind: "succeeded", output: { value: 1 } } as const;
    take(decide(run, { kind: "result", token, outcome, random: 0 }, at).effects);
  }
  expect(run.state).toBe("succeeded");
  const { user, system } = process.cpuUsage(begun);
  process.stdout.write(`${title}: ${Math.round((user + system) / 1_000)} ms of CPU\n`);
  return count;
}

/** Per task run: ready, send, released and two rows; per run: its rows and its end. */
const effectsMax = (taskRuns: number): number => 5 * taskRuns + 10;

const names = Array.from({ length: 5_000 }, (_, at) => `n${at}`);

test("10,000 items", () => {
  const items = Array.from({ length: 10_000 }, (_, at) => at);
  const definition = pipeline(
    [node("m", { region: "m" }), node("join", { input: output("m") })],
    [region("m", value(items))],
  );
  expect(finish(definition, "10,000 items")).toBeLessThan(effectsMax(10_001));
});

test("10,000 items, 16 at a time, of two nodes", () => {
  const items = Array.from({ length: 10_000 }, (_, at) => at);
  const definition = pipeline(
    [
      node("a", { region: "m" }),
      node("b", { region: "m", input: output("a") }),
      node("join", { after: ["b"] }),
    ],
    [region("m", value(items), { concurrency: 16 })],
  );
  expect(finish(definition, "10,000 items, 16 at a time, of two nodes")).toBeLessThan(effectsMax(20_001));
});

test("a join of 5,000 nodes", () => {
  const definition = pipeline([...names.map((name) => node(name)), node("join", { after: names })]);
  expect(finish(definition, "a join of 5,000 nodes")).toBeLessThan(effectsMax(5_001));
});

test("a chain of 5,000 nodes", () => {
  const chain = names.map((name, at) => node(name, at === 0 ? {} : { input: output(names[at - 1]!) }));
  expect(finish(pipeline(chain), "a chain of 5,000 nodes")).toBeLessThan(effectsMax(5_000));
});

test("5,000 nodes behind a short circuit that says no", () => {
  const behind = names.map((name) => node(name, { after: ["gate"] }));
  const gate = node("gate", { kind: "short_circuit", options: { ...node("x").options } });
  const run = createRun(compileGraph(pipeline([gate, ...behind])), identity);
  const { effects } = decide(run, { kind: "start" }, 0);
  const [ready] = effects.flatMap((effect) => (effect.kind === "ready" ? [effect.taskRun] : []));
  decide(run, { kind: "dispatch", taskRun: ready!, worker: "w" }, 0);
  const token = { node: "gate", item: "", generation: 1, dispatch: 1 };
  const no = { kind: "succeeded", output: { value: false } } as const;
  decide(run, { kind: "result", token, outcome: no, random: 0 }, 0);
  expect(run.state).toBe("succeeded");
  expect(run.root.taskRuns.filter(({ state }) => state === "skipped")).toHaveLength(5_000);
});
