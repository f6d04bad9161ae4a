/** Which assets a success updates by itself (R7). */
import { describe, expect, test } from "vitest";
import { assetUnchangedType, assetUpdatedType, readAssetReport, type AssetReport } from "../../src/index.ts";
import { noRetry } from "../../src/retry/policy.ts";
import type { AttemptOutcome, NamedReport, RunEffect } from "../../src/run/state.ts";
import { Bench, failure, node, pipeline, plainOptions, success } from "../build.ts";

function report(asset: string, type = assetUpdatedType): NamedReport {
  const event = { type, subject: asset, data: { value: {} }, isBinary: false };
  return { id: `${type} ${asset}`, report: readAssetReport(event) };
}

const told = (...assets: readonly NamedReport[]): AttemptOutcome => ({
  kind: "succeeded",
  output: { value: 1 },
  assets,
});

type Told = readonly [told: readonly AssetReport["kind"][], writes: readonly string[]];

function toldBy(effects: readonly RunEffect[]): Told[] {
  return effects.flatMap((effect) =>
    effect.kind === "emitted" ? [[effect.assets.map((one) => one.report.kind), effect.writes]] : [],
  );
}

const writer = (parts: object = {}): Bench =>
  new Bench(pipeline([node("a", { writes: ["x", "y"], ...parts })])).start();

test("a success updates all that its node declares, and a node that declares nothing tells nothing", () => {
  expect(toldBy(writer().finish("a"))).toEqual([[[], ["x", "y"]]]);
  expect(toldBy(new Bench(pipeline([node("a")])).start().finish("a"))).toEqual([]);
});

test("what the function told, or left unchanged, its success does not tell; a new key tells nothing of the data", () => {
  expect(toldBy(writer().finish("a", told(report("x"))))).toEqual([[["updated"], ["y"]]]);
  const all = told(report("x", assetUnchangedType), report("y"), report("z"));
  expect(toldBy(writer().finish("a", all))).toEqual([[["unchanged", "updated", "updated"], []]]);
  const key = { id: "k", report: { kind: "partition", asset: "x", partition: "eu" } } as const;
  expect(toldBy(writer().finish("a", told(key)))).toEqual([[["partition"], ["x", "y"]]]);
});

test("a failed attempt tells nothing, and the one after it all", () => {
  const bench = writer({ options: { ...plainOptions, retry: { ...noRetry, retries: 1 } } });
  expect(toldBy(bench.finish("a", failure))).toEqual([]);
  expect(toldBy(bench.finish("a"))).toEqual([[[], ["x", "y"]]]);
});

test("an output that was recorded earlier, a mark and an answer that is none of a branch's choices write nothing", () => {
  const cached = writer();
  const effects = cached.send({ kind: "cached", taskRun: cached.get("a"), output: { value: 1 } });
  expect(toldBy(effects)).toEqual([]);
  const marked = writer();
  const mark = { kind: "mark", node: "a", item: "", state: "succeeded", output: { value: 1 } } as const;
  expect(toldBy(marked.send({ ...mark, reason: { code: "x", message: "y" } }))).toEqual([]);
  const branch = writer({ kind: "branch", choices: ["b"] });
  expect(toldBy(branch.finish("a", success("other")))).toEqual([]);
});

describe("a step", () => {
  const step = (bench: Bench, ...assets: readonly NamedReport[]): RunEffect[] =>
    bench.send({
      kind: "step",
      token: bench.token("a"),
      step: { name: "s", occurrence: 1, outcome: { kind: "value", value: { value: 1 } } },
      events: [],
      assets,
    });

  test("tells at once, and the success tells the rest, also after the run was loaded again", () => {
    for (const isReloaded of [false, true]) {
      const bench = writer();
      bench.dispatch("a");
      expect(toldBy(step(bench, report("x")))).toEqual([[["updated"], []]]);
      if (isReloaded) bench.reload();
      const token = bench.token("a");
      const result = { kind: "result", token, outcome: success(), random: 0 } as const;
      expect(toldBy(bench.send(result))).toEqual([[[], ["y"]]]);
    }
  });

  test("tells it once, whatever becomes of its attempt", () => {
    const bench = writer({ options: { ...plainOptions, retry: { ...noRetry, retries: 1 } } });
    bench.dispatch("a");
    step(bench, report("x"), report("y"));
    const token = bench.token("a");
    bench.send({ kind: "result", token, outcome: failure, random: 0 });
    expect(toldBy(bench.finish("a"))).toEqual([]);
  });
});
