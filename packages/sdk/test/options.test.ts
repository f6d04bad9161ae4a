import { readFileSync } from "node:fs";
import type { NodeOptions } from "@millrace/core";
import { expect, test } from "vitest";
import { pipeline, task, type TaskOptions } from "../src/index.ts";
import { definitionOf, describeBody, errorOf, lineOf, nodeOf, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const work = task("work", (input: { customer: { id: string } }) => input);

function optionsOf(options: TaskOptions): NodeOptions {
  const made = task("made", options, (input: { customer: { id: string } }) => input);
  return nodeOf(
    describeBody(() => made({ customer: { id: "c1" } })),
    "made",
  ).options;
}

test("a task without options has these", () => {
  expect(optionsOf({})).toEqual({
    retry: expect.objectContaining({ retries: 0 }) as unknown,
    priority: 0,
    queue: "default",
    env: [],
    connections: [],
  });
});

test("a bare number of retries is exponential from 1 s to 1 h with full jitter", () => {
  expect(optionsOf({ retries: 3 }).retry).toEqual({
    retries: 3,
    backoff: "exponential",
    delayMs: 1_000,
    factor: 2,
    maxDelayMs: 3_600_000,
    jitter: "full",
  });
});

test("a whole retry policy is taken over; fixed delays have no jitter unless asked for", () => {
  class Busy extends Error {}
  const options = {
    max: 2,
    backoff: "fixed",
    delay: "500ms",
    on: [Busy, "Slow"],
    except: [TypeError],
  } as const;
  expect(optionsOf({ retries: options }).retry).toMatchObject({
    retries: 2,
    backoff: "fixed",
    delayMs: 500,
    jitter: "none",
    on: ["Busy", "Slow"],
    except: ["TypeError"],
  });
});

test.each([
  [250, 250],
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1_500],
] as const)("the duration %s is %d ms", (written, ms) => {
  expect(optionsOf({ timeout: written }).timeoutMs).toBe(ms);
});

test("pool, cache, env and connections become data", () => {
  expect(
    optionsOf({
      pool: { name: "db", slots: 2 },
      cache: { expiry: "1d", version: 2 },
      env: ["HOME"],
      connections: ["lake"],
      priority: -5,
    }),
  ).toMatchObject({
    pool: { name: "db", slots: 2 },
    cache: { expiryMs: 86_400_000, version: "2" },
    env: ["HOME"],
    connections: ["lake"],
    priority: -5,
  });
  expect(optionsOf({ pool: "db", cache: true })).toMatchObject({
    pool: { name: "db", slots: 1 },
    cache: { version: "1" },
  });
  expect(optionsOf({ cache: false })).not.toHaveProperty("cache");
});

test("a concurrency key is a constant, or the part of the input that the callback reads", () => {
  expect(optionsOf({ concurrency: { key: "all", limit: 2 } }).concurrency).toEqual({
    key: { kind: "value", value: "all" },
    limit: 2,
  });
  const byCustomer = {
    concurrency: { key: (input: { customer: { id: string } }) => input.customer.id, limit: 1 },
  };
  expect(optionsOf(byCustomer).concurrency?.key).toEqual({ kind: "value", value: "c1" });
  const mapped = describeBody(() => work.map([{ customer: { id: "c1" } }], byCustomer));
  expect(nodeOf(mapped, "work").options.concurrency?.key).toEqual({
    kind: "item",
    region: "work",
    path: ["customer", "id"],
  });
});

test("a call's options win over the task's, these over the pipeline's defaults", () => {
  const made = task("made", { retries: 1, queue: "task" }, () => 1);
  const all = pipeline("test", { defaults: { queue: "defaults", retries: 9, timeout: "1m" } }, () => {
    made();
    made(undefined, { id: "called", queue: "call", description: "why" });
  });
  const definition = definitionOf(all, { queues: ["task", "call", "defaults"] });
  expect(nodeOf(definition, "made").options).toMatchObject({
    queue: "task",
    timeoutMs: 60_000,
    retry: { retries: 1 },
  });
  expect(nodeOf(definition, "called")).toMatchObject({
    description: "why",
    options: { queue: "call", timeoutMs: 60_000 },
  });
});

const wrong: readonly (readonly [message: string, options: object])[] = [
  ['no option "retrys". Did you mean "retries"?', { retrys: 3 }],
  ['option "retries" must be a whole number from 0 to 1000, found -1', { retries: -1 }],
  ['option "retries" must be', { retries: "3" }],
  ['option "retries" has no "mx". Did you mean "max"?', { retries: { mx: 1 } }],
  [
    'option "retries.backoff" must be one of fixed, exponential, found "fixd". Did you mean "fixed"?',
    { retries: { max: 1, backoff: "fixd" } },
  ],
  ['option "retries.on[0]" must be a text, found 5', { retries: { max: 1, on: [5] } }],
  ['option "timeout" must be a duration', { timeout: "5 minutes" }],
  ['option "timeout" must be longer than nothing', { timeout: 0 }],
  ['found "1h-3m"', { timeout: "1h-3m" }],
  ['option "pool.slots" must be a whole number of at least 1, found 0', { pool: { name: "db", slots: 0 } }],
  ['option "priority" must be a whole number from -1000 to 1000, found 5000', { priority: 5000 }],
  ['option "concurrency.limit" must be', { concurrency: { key: "x", limit: 0 } }],
  [
    'option "concurrency.key" must read one path',
    { concurrency: { key: (input: { id: string }) => `${input.id}!`, limit: 1 } },
  ],
  ['option "concurrency.key" must read one path', { concurrency: { key: () => "constant", limit: 1 } }],
  [
    "reads $.order, which the input does not have",
    { concurrency: { key: (input: { order: string }) => input.order, limit: 1 } },
  ],
  ['option "env" must be a list of texts, found "HOME"', { env: "HOME" }],
  ['option "connections[1]" must be a text, found 5', { connections: ["a", 5] }],
  ['option "cache.expiry" must be a duration', { cache: { expiry: "never" } }],
];

test.each(wrong)("a wrong task option is an error: %s", (message, options) => {
  const made = task("made", options, (input: { customer: { id: string } }) => input); // declared here
  const error = errorOf(() => made({ customer: { id: "x" } }));
  expect(error.code).toBe("MILLRACE_OPTION_INVALID");
  expect(error.message).toContain(message);
  expect(error.message).toMatch(/[^.?][.?]$/);
  if (!message.includes("the input does not have")) {
    expect(error.message).toContain('Task "made" (options.test.ts:');
    expect(error.source).toMatchObject({
      file: "options.test.ts",
      line: lineOf(source, "; // declared here"),
    });
  }
});

test.each(wrong)("the same in a call: %s", (message, options) => {
  const error = errorOf(() => work({ customer: { id: "x" } }, options)); // called here
  expect(error.code).toBe("MILLRACE_OPTION_INVALID");
  expect(error.message).toContain(message);
  expect(error.source?.line).toBe(lineOf(source, "); // called here"));
});

const wrongCalls: readonly (readonly [message: string, options: object])[] = [
  ['no option "afer". Did you mean "after"?', { afer: [] }],
  ["a name has 1 to 100", { id: "a/b" }],
  ['option "rule" must be one of', { rule: "all_well" }],
  ['option "rule" must be one of', { rule: "all_done_setup_success" }],
];
test.each(wrongCalls)("a wrong call option is an error: %s", (message, options) => {
  const error = errorOf(() => work({ customer: { id: "x" } }, options));
  expect(error.code).toBe("MILLRACE_OPTION_INVALID");
  expect(error.message).toContain(message);
});

const wrongPipelines: readonly (readonly [message: string, options: object])[] = [
  ['no option "tag". Did you mean "tags"?', { tag: [] }],
  ['option "tags" must be a list', { tags: "x" }],
  ['option "paused" must be true or false', { paused: "yes" }],
  ['option "maxActiveRuns" must be a whole number of at least 1, found 0', { maxActiveRuns: 0 }],
  ['option "deadline" must be a duration', { deadline: "soon" }],
  ["defaults (options.test.ts:", { defaults: { pol: "x" } }],
  ['option "params" must be a schema', { params: { day: "string" } }],
];
test.each(wrongPipelines)("a wrong pipeline option is an error: %s", (message, options) => {
  const error = onlyError({ made: pipeline("made", options, () => undefined) });
  expect(error.code).toBe("MILLRACE_OPTION_INVALID");
  expect(error.message).toContain(message);
});

test("pipeline options become data", () => {
  const options = { description: "d", owner: "o", tags: ["t"], paused: true, maxActiveRuns: 2 };
  const definition = definitionOf(pipeline("made", { ...options, deadline: "1h" }, () => undefined));
  expect(definition).toMatchObject({ ...options, deadlineMs: 3_600_000 });
});
