import { readFileSync } from "node:fs";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { type } from "arktype";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import { pipeline, task } from "../src/index.ts";
import { loadProject } from "../src/internal.ts";
import { definitionOf, describeBody, lineOf, load, onlyError, root } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const work = task("work", (input?: unknown) => input ?? null);

test("a faulty pipeline is an error with file and line, and hides no other", () => {
  const good = pipeline("good", () => work());
  const bad = pipeline("bad", () => {
    throw new TypeError("oops"); // thrown here
  });
  const worse = pipeline("worse", () => void work({ when: new Date(0) }));
  const loaded = load({ bad, good, worse });
  expect(loaded.definition.pipelines.map((one) => one.name)).toEqual(["good"]);
  expect(loaded.errors.map((error) => [error.code, error.fields.pipeline])).toEqual([
    ["MILLRACE_LOAD_FAILED", "bad"],
    ["MILLRACE_VALUE_NOT_JSON", "worse"],
  ]);
  expect(loaded.errors[0]).toMatchObject({
    message: expect.stringContaining("TypeError: oops") as string,
    source: { file: "load.test.ts", line: lineOf(source, "; // thrown here") },
  });
});

test("every export that is a definition counts once, whatever its name and however often", () => {
  const made = pipeline("made", () => work());
  const modules = {
    "a.ts": { made, other: 5, nothing: null, list: [made] },
    "b.ts": { default: made, again: made },
  };
  const loaded = loadProject(modules, { project: "shop", pools: { db: 2 }, queues: ["big"], root });
  expect(loaded.errors).toEqual([]);
  expect(loaded.definition).toMatchObject({ project: "shop", pools: { db: 2 }, queues: ["default", "big"] });
  expect(loaded.definition.pipelines).toHaveLength(1);
});

test("exports that answer to every property, or to none, are no definitions", () => {
  const made = pipeline("made", () => work());
  const eager: object = new Proxy({}, { get: () => eager });
  const touchy = new Proxy(
    {},
    {
      get: () => {
        throw new Error("not connected");
      },
    },
  );
  const loaded = load({ eager, touchy, made });
  expect(loaded.errors).toEqual([]);
  expect(loaded.definition.pipelines.map((one) => one.name)).toEqual(["made"]);
});

test("a body that failed leaves nothing behind: calls outside a body are refused again", () => {
  load({
    bad: pipeline("bad", () => {
      throw new Error("oops");
    }),
  });
  expect(() => work()).toThrow(expect.objectContaining({ code: "MILLRACE_GRAPH_INVALID" }));
});

test("two pipelines with one name name both lines", () => {
  const one = pipeline("same", () => work()); // one
  const two = pipeline("same", () => work()); // two
  const error = onlyError({ one, two });
  expect(error.code).toBe("MILLRACE_GRAPH_DUPLICATE_ID");
  expect(error.message).toContain(
    `load.test.ts:${lineOf(source, "; // one")} and load.test.ts:${lineOf(source, "; // two")}`,
  );
});

test("an unknown queue is an error that names the nearest; an unknown pool only when all pools are known", () => {
  const queued = pipeline("queued", () => work(1, { queue: "bigg" }));
  const pooled = pipeline("pooled", () => work(1, { pool: "warehous" }));
  const queueError = onlyError({ queued }, { queues: ["big"] });
  expect(queueError.code).toBe("MILLRACE_QUEUE_UNKNOWN");
  expect(queueError.message).toContain('"bigg", which does not exist. Did you mean "big"?');
  expect(load({ pooled }).errors).toEqual([]);
  const poolError = onlyError({ pooled }, { knownPools: ["warehouse"] });
  expect(poolError.code).toBe("MILLRACE_POOL_UNKNOWN");
  expect(poolError.message).toContain('Did you mean "warehouse"?');
});

const schemas = {
  zod: z.object({ day: z.string(), limit: z.number().default(5) }),
  valibot: toStandardJsonSchema(v.object({ day: v.string(), limit: v.optional(v.number(), 5) })),
  arktype: type({ day: "string", limit: "number = 5" }),
};

test.each(Object.entries(schemas))(
  "parameters of %s become JSON Schema and are validated by it",
  async (_, params) => {
    const made = pipeline("made", { params }, ({ params: refs }) => work(refs));
    const definition = definitionOf(made);
    expect(definition.params).toMatchObject({
      validateOnWorker: true,
      schema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        required: ["day"],
        properties: { day: { type: "string" }, limit: { type: "number", default: 5 } },
      },
    });
    const loaded = load({ made });
    expect(await loaded.validateParams("made", { day: "x" })).toEqual({ value: { day: "x", limit: 5 } });
    expect(await loaded.validateParams("made", { day: 5 })).toMatchObject({ issues: [{ path: ["day"] }] });
  },
);

test("an arktype schema with a transform is exported without its defaults", () => {
  const params = type({ "limit?": "number", day: type("string").pipe((day) => day.length) });
  const made = pipeline("made", { params }, () => work());
  expect(definitionOf(made).params?.schema).toMatchObject({ properties: { limit: { type: "number" } } });
});

test("refinements and transforms are the validator's", async () => {
  const params = z.object({
    day: z
      .string()
      .refine((day) => day !== "", "is empty")
      .transform((day) => day.toUpperCase()),
  });
  const loaded = load({ made: pipeline("made", { params }, () => work()) });
  expect(await loaded.validateParams("made", { day: "x" })).toEqual({ value: { day: "X" } });
  expect(await loaded.validateParams("made", { day: "" })).toEqual({
    issues: [{ path: ["day"], message: "is empty" }],
  });
});

test("a pipeline without parameters has no schema and takes everything", async () => {
  const made = pipeline("made", () => work());
  expect(definitionOf(made)).not.toHaveProperty("params");
  expect(await load({ made }).validateParams("made", 5)).toEqual({ value: 5 });
});

test.each([
  ["valibot", v.object({ day: v.string() }), "toStandardJsonSchema"],
  ["zod", z.object({ day: z.date() }), "ISO 8601"],
  [
    "other",
    { "~standard": { version: 1, vendor: "other", validate: () => ({ value: 1 }) } } as const,
    "Standard JSON Schema",
  ],
])("a %s schema that can't be exported is an error that says what to do", (vendor, params, advice) => {
  const error = onlyError({ made: pipeline("made", { params }, () => work()) });
  expect(error.code).toBe("MILLRACE_LOAD_FAILED");
  expect(error.message).toContain(`the ${vendor} schema of its parameters can't be written as JSON Schema`);
  expect(error.advice).toContain(advice);
  expect(error.source?.file).toBe("load.test.ts");
});

test("a library with a method of its own is exported by that", () => {
  const params = {
    "~standard": { version: 1, vendor: "other", validate: (value: unknown) => ({ value }) },
    toJSONSchema: (options: object) => ({ type: "object", $comment: JSON.stringify(options) }),
  } as const;
  expect(definitionOf(pipeline("made", { params }, () => work())).params?.schema).toEqual({
    type: "object",
    $comment: '{"target":"draft-2020-12","io":"input"}',
  });
});

test("the functions of a project are found by pipeline and node", () => {
  const fn = (n: number): number => n;
  const made = pipeline("made", () => task("five", fn)(5, { id: "node" }));
  const loaded = load({ made }, { captureSource: false });
  expect(loaded.taskFunction("made", "node")).toBe(fn);
  expect(loaded.taskFunction("made", "five")).toBeUndefined();
  expect(loaded.taskFunction("other", "node")).toBeUndefined();
  expect(loaded.definition.pipelines[0]!.nodes[0]).not.toHaveProperty("source");
});

test("describing twice gives the same data, with and without source locations but for these", () => {
  const made = pipeline("made", { defaults: { retries: 2 } }, () => work.map([1, 2], (item) => ({ item })));
  expect(definitionOf(made)).toEqual(definitionOf(made));
  const bare = JSON.stringify(definitionOf(made, { captureSource: false }));
  const withSource = JSON.stringify(definitionOf(made), (key, value: unknown) =>
    key === "source" ? undefined : value,
  );
  expect(bare).toBe(withSource);
});

test("a definition survives JSON", () => {
  const made = describeBody(() => work.map([1, 2], { timeout: "5m" }));
  expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});

test("5,000 nodes and a list of 10,000 items are described in under a second of CPU time", () => {
  const made = pipeline("made", () => {
    let last = work(0, { id: "n0" });
    for (let index = 1; index < 5_000; index += 1)
      last = work({ last, index }, { id: `n${index}`, retries: 3 });
    work.map(Array.from({ length: 10_000 }, (_, index) => ({ index, name: `item ${index}` })));
    work(last, { id: "end", teardown: last });
  });
  const started = process.cpuUsage();
  // Without source locations, because the test runner's own stack mapping costs more than all the rest.
  const definition = definitionOf(made, { captureSource: false });
  const usedMicros = process.cpuUsage(started);
  expect((usedMicros.user + usedMicros.system) / 1_000).toBeLessThan(1_000);
  expect(definition.nodes).toHaveLength(5_002);
});
