import { expect, test } from "vitest";
import type { Template } from "../src/graph/definition.ts";
import { valueAt } from "../src/json.ts";
import { resolveTemplate, wholeOutput } from "../src/run/input.ts";
import { Bench, failure, nameOf, node, output, pipeline, region, success, value } from "./build.ts";

const read = (bench: Bench, template: Template) => resolveTemplate(bench.run, bench.run.root, template);
const is = (json: unknown) => ({ kind: "value", value: json });

/** Items of items: outer 0 has inner 0 and 1, outer 1 has none, the list of outer 2 is skipped. */
function nested(settled: boolean): Bench {
  const definition = pipeline(
    [node("list", { region: "o" }), node("n", { region: "i" })],
    [region("o", value(["x", "y", "z"])), region("i", output("list"), { parent: "o", settled })],
  );
  const bench = new Bench(definition).start();
  bench.finish("list[0]", success([10, 20]));
  bench.finish("list[1]", success([]));
  bench.finish("list[2]", { kind: "skipped", reason: "none" });
  return bench;
}

test("outputs of items are gathered in order, list by list, without skipped ones", () => {
  const bench = nested(false);
  bench.finish("n[0.1]", success({ v: 2 }));
  bench.finish("n[0.0]", success({ v: 1 }));
  expect(read(bench, output("n"))).toEqual(is([[{ v: 1 }, { v: 2 }], []]));
  expect(read(bench, output("n", [0, 1, "v"]))).toEqual(is(2));
  expect(read(bench, output("list"))).toEqual(is([[10, 20], []]));
});

test("a skipped item is omitted and a failed one yields no list", () => {
  const bench = nested(false);
  bench.finish("n[0.0]", { kind: "skipped", reason: "none" });
  bench.finish("n[0.1]", success(2));
  expect(read(bench, output("n"))).toEqual(is([[2], []]));
  const broken = nested(false);
  broken.finish("n[0.0]", failure);
  broken.finish("n[0.1]", success(2));
  expect(read(broken, output("n"))).toEqual(is(null));
});

test("`settled` gives each item's state with its value or error", () => {
  const bench = nested(true);
  bench.finish("n[0.0]", failure);
  bench.finish("n[0.1]", success(2));
  const error = { name: "Error", message: "it broke" };
  expect(read(bench, output("n"))).toEqual(
    is([
      [
        { status: "failed", error },
        { status: "succeeded", value: 2 },
      ],
      [],
    ]),
  );
});

test("inside a fan-out, an item, its index and the item's own outputs are read", () => {
  const bench = nested(false);
  bench.drain((taskRun) => success(nameOf(taskRun)));
  const { scope } = bench.get("n[0.1]");
  const template: Template = {
    kind: "object",
    entries: {
      outer: { kind: "item", region: "o", path: [] },
      inner: { kind: "item", region: "i", path: [] },
      at: {
        kind: "array",
        items: [
          { kind: "index", region: "o" },
          { kind: "index", region: "i" },
        ],
      },
      own: output("n"),
      list: output("list", [0]),
    },
  };
  expect(resolveTemplate(bench.run, scope, template)).toEqual(
    is({ outer: "x", inner: 20, at: [0, 1], own: "n[0.1]", list: 10 }),
  );
});

test("items of zipped and crossed lists are tuples", () => {
  const lists = { over: [value([1, 2]), value(["a", "b"])] };
  for (const [combine, expected] of [
    [
      "zip",
      [
        [1, "a"],
        [2, "b"],
      ],
    ],
    [
      "cross",
      [
        [1, "a"],
        [1, "b"],
        [2, "a"],
        [2, "b"],
      ],
    ],
  ] as const) {
    const definition = pipeline(
      [node("n", { region: "m" })],
      [region("m", value([]), { ...lists, combine })],
    );
    const bench = new Bench(definition).start();
    bench.drain(({ scope }) => success(scope.item));
    expect(read(bench, output("n"))).toEqual(is(expected));
  }
});

test("parameters are read by path, and what is not there is null", () => {
  const bench = new Bench(pipeline([node("a")]), { params: { value: { day: { n: 3 } } } });
  expect(read(bench, { kind: "params", path: ["day", "n"] })).toEqual(is(3));
  expect(read(bench, { kind: "params", path: ["day", "m", "k"] })).toEqual(is(null));
  expect(read(bench, output("a"))).toEqual(is(null));
});

test("blobs that are not at hand are named together, and are used when given", () => {
  const blob = (hash: string) => ({ kind: "succeeded", output: { blob: hash, bytes: 9 } }) as const;
  const bench = new Bench(pipeline([node("a"), node("b")])).start();
  bench.finish("a", blob("h1"));
  bench.finish("b", blob("h2"));
  const both: Template = { kind: "array", items: [output("a", ["x"]), output("b"), output("a")] };
  expect(read(bench, both)).toEqual({ kind: "missing", blobs: ["h1", "h2"] });
  const blobs = new Map([
    ["h1", { x: 1 }],
    ["h2", null],
  ] as const);
  expect(resolveTemplate(bench.run, bench.run.root, both, blobs)).toEqual(is([1, null, { x: 1 }]));
  expect(wholeOutput(bench.run, bench.run.root, output("a"))).toEqual({ blob: "h1", bytes: 9 });
  expect(wholeOutput(bench.run, bench.run.root, output("a", ["x"]))).toBeUndefined();
});

test("paths and names reach own properties only, and make nothing but those", () => {
  for (const path of [["__proto__"], ["constructor", "name"], ["toString"]]) {
    expect(valueAt({ a: 1 }, path)).toBeUndefined();
    expect(valueAt([1], path)).toBeUndefined();
  }
  const bench = new Bench(pipeline([node("a")]));
  const entries = JSON.parse('{"__proto__":{"kind":"value","value":{"admin":true}}}') as Record<
    string,
    Template
  >;
  const resolved = read(bench, { kind: "object", entries });
  expect(resolved.kind === "value" && Object.keys(resolved.value as object)).toEqual(["__proto__"]);
  expect((resolved as { value: { admin?: boolean } }).value.admin).toBeUndefined();
});
