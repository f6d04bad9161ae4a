import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { branch, cross, group, pipeline, shortCircuit, task, when, zip } from "../src/index.ts";
import {
  definitionOf,
  describeBody,
  errorOf,
  lineOf,
  load,
  nodeOf,
  onlyError,
  parentsOf,
} from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
const a = task("a", (input?: unknown) => input ?? null);
const b = task("b", (input?: unknown) => input ?? null);
const c = task("c", (input?: unknown) => input ?? null);
const lists = task("lists", (): { files: string[] }[] => []);
const quality = branch("quality", { choices: ["good", "bad"], retries: 1 }, () => "good");

test("two nodes with one id name both lines", () => {
  const error = errorOf(() => {
    a(); // the first a
    group("g", () => a());
    a(); // the second a
  });
  expect(error.code).toBe("MILLRACE_GRAPH_DUPLICATE_ID");
  expect(error.message).toContain(`graph.test.ts:${lineOf(source, "; // the first a")}`);
  expect(error.message).toContain(`graph.test.ts:${lineOf(source, "; // the second a")}`);
  expect(error.source?.line).toBe(lineOf(source, "; // the second a"));
});

test("a node and a mapped group may not share an id", () => {
  expect(
    errorOf(() => {
      a.map([1]);
      group.map("a", [1], () => void b());
    }).code,
  ).toBe("MILLRACE_GRAPH_DUPLICATE_ID");
});

test("groups are part of the ids, also nested, and return what their bodies return", () => {
  const definition = describeBody(() => {
    const made = group("outer", () => group("inner", () => ({ result: a() })));
    b(made.result);
  });
  expect(definition.nodes.map((node) => node.id)).toEqual(["outer/inner/a", "b"]);
  expect(nodeOf(definition, "b").input).toEqual({ kind: "output", node: "outer/inner/a", path: [] });
});

test("a map is a region with the node's id", () => {
  const definition = describeBody(() =>
    group("g", () => a.map([1, 2], { id: "m", concurrency: 2, settled: true })),
  );
  expect(definition.regions).toMatchObject([
    { id: "g/m", over: [{ kind: "value", value: [1, 2] }], combine: "zip", concurrency: 2, settled: true },
  ]);
  expect(nodeOf(definition, "g/m")).toMatchObject({
    name: "a",
    region: "g/m",
    input: { kind: "item", region: "g/m", path: [] },
  });
});

test("zip and cross map over several lists", () => {
  const definition = describeBody(() => {
    const made = lists();
    a.map(zip([1, 2], made));
    b.map(cross(made, ["x"]), (both, index) => ({ file: both[0].files[0]!, letter: both[1], index }));
  });
  expect(definition.regions).toMatchObject([
    {
      id: "a",
      combine: "zip",
      over: [
        { kind: "value", value: [1, 2] },
        { kind: "output", node: "lists", path: [] },
      ],
    },
    { id: "b", combine: "cross", over: [{ kind: "output" }, { kind: "value", value: ["x"] }] },
  ]);
  expect(nodeOf(definition, "b").input).toEqual({
    kind: "object",
    entries: {
      file: { kind: "item", region: "b", path: [0, "files", 0] },
      letter: { kind: "item", region: "b", path: [1] },
      index: { kind: "index", region: "b" },
    },
  });
});

test("a concurrency of a map may also be a keyed limit of its task", () => {
  const definition = describeBody(() => a.map(["x"], { concurrency: { key: "all", limit: 3 } }));
  expect(definition.regions[0]).not.toHaveProperty("concurrency");
  expect(nodeOf(definition, "a").options.concurrency).toMatchObject({ limit: 3 });
});

test("the options of a map may follow an omitted function", () => {
  const definition = describeBody(() => a.map(["x"], undefined as never, { id: "m", settled: true }));
  expect(definition.regions).toMatchObject([{ id: "m", settled: true }]);
});

test("mapping over what is no list is an error", () => {
  expect(errorOf(() => a.map({ length: 2 } as never)).code).toBe("MILLRACE_MAP_NOT_A_LIST");
});

test("an item that is used by another task in a map's function is refused", () => {
  const error = errorOf(() => a.map([1, 2], (item) => b(item)));
  expect(error.code).toBe("MILLRACE_GRAPH_FOREIGN_REFERENCE");
  expect(error.advice).toContain("group.map");
});

test("a mapped group is a region whose inner nodes see the item, and others the list", () => {
  const definition = describeBody(() => {
    const made = group.map(
      "files",
      lists(),
      (item, index) => {
        const first = a({ name: item.files[0]!, index });
        const inner = b.map(item.files);
        return c([first, inner]);
      },
      { concurrency: 4 },
    );
    a(made);
  });
  expect(definition.regions).toMatchObject([
    { id: "files", concurrency: 4, over: [{ kind: "output", node: "lists", path: [] }] },
    { id: "files/b", parent: "files", over: [{ kind: "item", region: "files", path: ["files"] }] },
  ]);
  expect(definition.nodes.map((node) => [node.id, node.region])).toEqual([
    ["lists", undefined],
    ["files/a", "files"],
    ["files/b", "files/b"],
    ["files/c", "files"],
    ["a", undefined],
  ]);
  expect(nodeOf(definition, "a").input).toEqual({ kind: "output", node: "files/c", path: [] });
});

test("mapping a list of lists nests by a group", () => {
  const definition = describeBody(() => {
    const outer = lists();
    const inner = group.map("each", outer, (one) => a.map(one.files));
    b(inner[0]![1]!);
  });
  expect(nodeOf(definition, "each/a").region).toBe("each/a");
  expect(nodeOf(definition, "b").input).toEqual({ kind: "output", node: "each/a", path: [0, 1] });
});

test.each([
  ["has no task", () => group.map("g", [1], () => undefined)],
  ["no output of a task inside", () => group.map("g", [1], (item) => (a(), item))],
  ["returns a part", () => group.map("g", [1], () => lists()[0]!)],
  ["is settled and returns", () => group.map("g", [1], () => a.map([1]), { settled: true })],
])("a mapped group that %s is an error", (message, body) => {
  const error = errorOf(() => {
    body();
  });
  expect(error.code).toBe("MILLRACE_GRAPH_INVALID");
  expect(error.message).toContain(message);
});

test("when gives every node of its body the edge, also in groups, and nested ones both", () => {
  const definition = describeBody(() => {
    const verdict = quality();
    const again = quality(undefined, { id: "again" });
    when(verdict, "good", () => {
      a();
      group("g", () => when(again, ["good", "bad"], () => b()));
    });
    c(undefined, { after: [verdict, when(verdict, "bad")], rule: "none_failed_min_one_success" });
  });
  expect(nodeOf(definition, "quality")).toMatchObject({
    kind: "branch",
    choices: ["good", "bad"],
    options: { retry: { retries: 1 } },
  });
  expect(nodeOf(definition, "a").after).toEqual([{ node: "quality", choices: ["good"] }]);
  expect(nodeOf(definition, "g/b").after).toEqual([
    { node: "quality", choices: ["good"] },
    { node: "again", choices: ["good", "bad"] },
  ]);
  expect(nodeOf(definition, "c")).toMatchObject({
    rule: "none_failed_min_one_success",
    after: [{ node: "quality" }, { node: "quality", choices: ["bad"] }],
  });
});

test("a choice that the branch does not have names the nearest", () => {
  const error = errorOf(() => when(quality(), "god" as "good"));
  expect(error).toMatchObject({ code: "MILLRACE_OPTION_INVALID" });
  expect(error.message).toContain('there is no choice "god". Did you mean "good"?');
});

test("a branch inside a fan-out can't be followed from outside", () => {
  const error = errorOf(() => {
    let verdict: unknown;
    group.map("each", [1], () => {
      verdict = quality();
    });
    when(verdict as never, "good" as never, () => a());
  });
  expect(error.code).toBe("MILLRACE_GRAPH_FOREIGN_REFERENCE");
});

test("when needs a branch", () => {
  expect(errorOf(() => when(a() as never, "good" as never)).message).toContain(
    "`when` needs what a branch's call returned",
  );
});

test.each([
  [[], "at least one choice"],
  [["x", "x"], "twice"],
  ["x", "must be a list of texts"],
])("a branch with the choices %j is an error of the pipeline that uses it", (choices, message) => {
  const wrong = branch("wrong", { choices: choices as string[] }, () => "x");
  expect(errorOf(() => wrong()).message).toContain(message);
});

test("a short circuit skips everything or what hangs on it directly", () => {
  const all = shortCircuit("all", () => true);
  const direct = shortCircuit("direct", { skips: "direct" }, () => true);
  const wrong = shortCircuit("wrong", { skips: "some" as "all" }, () => true);
  const definition = describeBody(() => {
    all();
    direct();
  });
  expect(definition.nodes).toMatchObject([
    { kind: "short_circuit", skips: "all" },
    { kind: "short_circuit", skips: "direct" },
  ]);
  expect(errorOf(() => wrong()).message).toContain('"skips" must be one of all, direct, found "some"');
});

test("a teardown waits for all that came of its setups, but not for what follows it", () => {
  const definition = describeBody(() => {
    const setup = a(undefined, { id: "setup" });
    const work = b(setup);
    group.map("each", [1, 2], () => void c(work));
    a(undefined, { id: "ordered", after: work });
    const unrelated = a(undefined, { id: "unrelated" });
    const end = a(undefined, { id: "end", teardown: setup, after: unrelated });
    a(undefined, { id: "later", after: [end, work] });
  });
  const end = nodeOf(definition, "end");
  expect(end).toMatchObject({ rule: "all_done_setup_success", teardownOf: ["setup"] });
  expect(parentsOf(definition, "end")).toEqual(["b", "each/c", "ordered", "unrelated"]);
});

test("an inner teardown comes before the outer one, and teardowns of one setup don't wait for each other", () => {
  const definition = describeBody(() => {
    const outer = a(undefined, { id: "outer" });
    const inner = a(undefined, { id: "inner", after: outer });
    b(undefined, { after: inner });
    c(undefined, { id: "outer-end", teardown: outer });
    c(undefined, { id: "inner-end", teardown: inner });
    c(undefined, { id: "inner-end-too", teardown: inner });
  });
  expect(parentsOf(definition, "outer-end")).toEqual(["b", "inner", "inner-end", "inner-end-too"]);
  expect(parentsOf(definition, "inner-end")).toEqual(["b"]);
  expect(parentsOf(definition, "inner-end-too")).toEqual(["b"]);
});

test("a teardown inside a fan-out waits within it", () => {
  const definition = describeBody(() => {
    const made = group.map("each", [1, 2], () => {
      const setup = a();
      const work = b(setup);
      c(undefined, { teardown: setup });
      return work;
    });
    a(made, { id: "outside" });
  });
  expect(parentsOf(definition, "each/c")).toEqual(["each/b"]);
});

test.each([
  ['"rule" can\'t be set on a teardown', () => a(undefined, { teardown: b(), rule: "all_done" })],
  ['"teardown" must name at least one setup', () => a(undefined, { teardown: [] })],
  ["ordered after something that is no reference", () => a(undefined, { after: "b" as never })],
  ["which is no node", () => group.map("g", [1], (item) => a(undefined, { after: item }))],
])("wrong order is an error: %s", (message, body) => {
  expect(errorOf(() => void body()).message).toContain(message);
});

test("a setup outside can be torn down per item only inside", () => {
  const error = errorOf(() => {
    let setup: unknown;
    group.map("each", [1], () => {
      setup = a();
    });
    b(undefined, { teardown: setup as never });
  });
  expect(error.message).toContain("stands in a fan-out around it");
});

test("a reference that is used before its call is told that nodes can't need each other", () => {
  const error = errorOf(() => {
    const early = (): unknown => later;
    b(early());
    const later = a();
  });
  expect(error).toMatchObject({
    code: "MILLRACE_LOAD_FAILED",
    advice: expect.stringContaining("circle") as string,
  });
  expect(error.source?.line).toBe(lineOf(source, "=> later;"));
});

test("two nodes of one id in one line are told with their columns", () => {
  const { message } = errorOf(() => [a(), a()]);
  expect(message).toMatch(/graph\.test\.ts:(\d+):(\d+) and graph\.test\.ts:\1:(?!\2\b)\d+/);
});

test("teardowns that would wait for each other in a circle are an error that lists it", () => {
  const error = errorOf(() => {
    const setups = ["1", "2", "3"].map((id) => a(undefined, { id: `setup${id}` }));
    const works = setups.map((setup, index) => b(setup, { id: `work${index + 1}` }));
    for (const [index, setup] of setups.entries()) {
      c(undefined, { id: `end${index + 1}`, teardown: setup, after: works[(index + 2) % 3]! });
    }
  });
  expect(error.code).toBe("MILLRACE_GRAPH_CYCLE");
  expect(error.message).toMatch(/circle: "end(\d)" → "end\d" → "end\d" → "end\1"\./);
  expect(error.source?.line).toBe(lineOf(source, "teardown: setup, after: works"));
});

test("another pipeline is called by its value, also mapped, and its output is typed", () => {
  const child = pipeline("child", () => ({ total: a(), fixed: 3 }));
  const parent = pipeline("parent", () => {
    const made = child.call(undefined, { after: b() });
    child.call.map([1, 2], { id: "many" });
    c(made.fixed);
  });
  const loaded = load({ parent, child });
  expect(loaded.errors).toEqual([]);
  const definition = loaded.definition.pipelines.find((one) => one.name === "parent")!;
  expect(nodeOf(definition, "child")).toMatchObject({
    kind: "call",
    calls: "child",
    input: { kind: "value", value: null },
  });
  expect(nodeOf(definition, "many")).toMatchObject({ kind: "call", region: "many" });
  expect(nodeOf(definition, "c").input).toEqual({ kind: "output", node: "child", path: ["fixed"] });
  expect(loaded.taskFunction("parent", "child")).toBeUndefined();
  const called = loaded.definition.pipelines.find((one) => one.name === "child");
  expect(called?.output).toMatchObject({ kind: "object", entries: { total: { kind: "output", node: "a" } } });
});

test("a called pipeline that is not exported is an error at the call", () => {
  const child = pipeline("child", () => a());
  const error = onlyError({ parent: pipeline("parent", () => void child.call()) }); // the call
  expect(error.code).toBe("MILLRACE_GRAPH_INVALID");
  expect(error.message).toContain('"parent" calls "child", which no included file exports');
  expect(error.source?.line).toBe(lineOf(source, "; // the call"));
});

test("a pipeline whose body returns nothing has no output", () => {
  expect(definitionOf(pipeline("made", () => void a()))).not.toHaveProperty("output");
});

test.each([
  ["group", () => group("g", async () => void a())],
  ["mapped group", () => group.map("g", [1], (async () => void a()) as never)],
  ["when", () => when(quality(), "good", async () => void a())],
])("an asynchronous body of a %s is refused", (_, body) => {
  const error = errorOf(() => {
    void body();
  });
  expect(error.code).toBe("MILLRACE_GRAPH_INVALID");
  expect(error.message).toContain("is asynchronous");
});

test("a list with references is mapped element by element", () => {
  const definition = describeBody(() => b.map([a(), { x: a(undefined, { id: "a2" }) }, 3]));
  expect(definition.regions[0]?.over).toEqual([
    {
      kind: "array",
      items: [
        { kind: "output", node: "a", path: [] },
        { kind: "object", entries: { x: { kind: "output", node: "a2", path: [] } } },
        { kind: "value", value: 3 },
      ],
    },
  ]);
});
