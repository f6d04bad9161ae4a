import { readFileSync } from "node:fs";
import { probePipeline } from "@millrace/core";
import { expect, test } from "vitest";
import { on, pipeline, probe, task, wait, type ProbeOptions } from "../src/index.ts";
import { lineOf, load, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const ctx = { signal: new AbortController().signal, connection: () => ({}) };

function definitionOf(options: ProbeOptions): unknown {
  const { definition, errors } = load({ made: probe("made", options, () => null) });
  if (errors[0]) throw errors[0];
  return definition.probes?.[0];
}

test("an exported probe is deployed, with its function under the hidden pipeline of probes", async () => {
  const found = probe("found", { every: "1m" }, (args: { day: string }) => ({ of: args.day })); // found
  const project = load({ found, again: found, other: 5 });
  expect(project.errors).toEqual([]);
  expect(project.definition.probes).toEqual([
    {
      name: "found",
      everyMs: 60_000,
      jitterMs: 0,
      backoff: { factor: 2, maxMs: 3_600_000 },
      timeoutMs: 30_000,
      queue: "default",
      env: [],
      connections: [],
      source: {
        file: "probe.test.ts",
        line: lineOf(source, "; // found"),
        column: expect.any(Number) as number,
      },
    },
  ]);
  const look = project.taskFunction(probePipeline, "found")!;
  expect(await look({ day: "mon" }, ctx)).toEqual({ value: { of: "mon" } });
});

test.each([null, undefined, false])("%s says that nothing is there", async (value) => {
  const project = load({ one: probe("one", { every: "1s" }, () => value) });
  expect(await project.taskFunction(probePipeline, "one")!(null, ctx)).toEqual({ value: null });
});

test("a fingerprint is text, and zero and an empty text are there", async () => {
  const zero = probe("zero", { every: "1s" }, () => 0);
  const empty = probe("empty", { every: "1s" }, () => "");
  const named = probe("named", { every: "1s", fingerprint: ({ tag }) => tag }, () => ({ tag: 7, at: 1 }));
  const project = load({ zero, empty, named });
  expect(await project.taskFunction(probePipeline, "zero")!(null, ctx)).toEqual({ value: 0 });
  expect(await project.taskFunction(probePipeline, "empty")!(null, ctx)).toEqual({ value: "" });
  expect(await project.taskFunction(probePipeline, "named")!(null, ctx)).toEqual({
    value: { tag: 7, at: 1 },
    fingerprint: "7",
  });
});

test("durations and bounds are read", () => {
  expect(
    definitionOf({
      every: "10s",
      jitter: "2s",
      backoff: { factor: 3, max: "5m" },
      timeout: "1s",
      env: ["A"],
    }),
  ).toMatchObject({
    everyMs: 10_000,
    jitterMs: 2_000,
    backoff: { factor: 3, maxMs: 300_000 },
    timeoutMs: 1_000,
    env: ["A"],
  });
});

test.each([
  [{ every: "often" }, "every"],
  [{ every: "1ms" }, "everyMs"],
  [{ every: "1s", jitter: "2s" }, "jitterMs"],
  [{ every: "1s", backoff: { factor: 0 } }, "backoff.factor"],
  [{ every: "1s", backoff: { max: "10ms" } }, "backoff.maxMs"],
  [{ every: "1s", backoff: { most: 1 } }, "most"],
  [{ every: "1s", fingerprint: 5 }, "fingerprint"],
])("options %j are refused", (options, what) => {
  expect(() => definitionOf(options as unknown as ProbeOptions)).toThrow(what);
});

test("two probes of one name are an error that names both places", () => {
  const one = probe("twice", { every: "1s" }, () => null);
  const two = probe("twice", { every: "1s" }, () => 1);
  const error = onlyError({ one, two });
  expect(error.code).toBe("MILLRACE_PROBE_INVALID");
  expect(error.message).toMatch(/probe\.test\.ts:\d+ and probe\.test\.ts:\d+/);
});

test("a condition on a probe that is not exported is an error", () => {
  const report = probe("report", { every: "1s" }, () => null);
  const reports = probe("reports", { every: "1s" }, () => null);
  const a = task("a", () => 1);
  const listens = pipeline("listens", { on: on.probe(report) }, () => a());
  const error = onlyError({ listens, reports });
  expect(error.code).toBe("MILLRACE_PROBE_UNKNOWN");
  expect(error.message).toContain('Did you mean "reports"');
});

test("arguments of a wait may hold references, which its run fills in", () => {
  const report = probe("report", { every: "1s" }, (args: { day: string; n: number }) => args.n);
  const day = task("day", () => "mon");
  const waits = pipeline("waits", () => {
    wait(on.probe(report, { day: day(), n: 1 }));
  });
  const { definition, errors } = load({ report, waits });
  expect(errors).toEqual([]);
  const node = definition.pipelines[0]!.nodes.find(({ kind }) => kind === "wait")!;
  expect(JSON.stringify(node.input)).toContain('"kind":"output","node":"day"');
});
