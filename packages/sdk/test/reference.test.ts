import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { group, pipeline, task, type Ref } from "../src/index.ts";
import { describeBody, errorOf, lineOf, load, nodeOf, onlyError } from "./project.ts";

const source = readFileSync(import.meta.filename, "utf8");
interface Row {
  name: string;
  tags: string[];
}
const rows = task("rows", (): { list: Row[]; then2: string } => ({ list: [], then2: "" }));
const use = task("use", (input: unknown) => input);

test("property and index access make references with that path", () => {
  const definition = describeBody(() => {
    const made = rows();
    use({ deep: [made.list[3]!.tags[0]!, { length: made.list.length }], plain: 1 });
  });
  expect(nodeOf(definition, "use").input).toEqual({
    kind: "object",
    entries: {
      deep: {
        kind: "array",
        items: [
          { kind: "output", node: "rows", path: ["list", 3, "tags", 0] },
          { kind: "object", entries: { length: { kind: "output", node: "rows", path: ["list", "length"] } } },
        ],
      },
      plain: { kind: "value", value: 1 },
    },
  });
});

type Misuse = readonly [what: string, misuse: (ref: Ref<Row>) => unknown];
const misuses: readonly Misuse[] = [
  ["iterated", (ref) => [...(ref as never as string[])]],
  ["iterated", (ref) => Math.max(...(ref as never as number[]))],
  ["iterated", (ref) => new Map(ref as never)],
  ["spread or listed", (ref) => ({ ...ref })],
  ["spread or listed", (ref) => Object.keys(ref)],
  ["into a string", (ref) => `name: ${ref.name as never as string}`],
  ["into a string", (ref) => (ref.name as never as number) + 1],
  ["into a string", (ref) => Number(ref.name)],
  ["into a string", (ref) => (ref.name as never as number) > 3],
  ["into a string", (ref) => (ref.name as never as bigint).toString()],
  ["into a plain value", (ref) => (ref.name as never as string).valueOf()],
  ["serialised to JSON", (ref) => JSON.stringify({ ref })],
  ["called as a function", (ref) => (ref.tags as never as string[]).map((tag) => tag)],
  ["searched with `in`", (ref) => "name" in ref],
  ["written to", (ref) => ((ref as { name: unknown }).name = "x")],
  ["written to", (ref) => delete (ref as { name?: unknown }).name],
];

test.each(misuses.map((misuse, index) => [...misuse, index] as const))(
  "a reference that is %s names the place of the misuse: %s",
  (what, misuse, index) => {
    const error = errorOf(() => void misuse(rows().list[0]!));
    expect(error.code).toBe("MILLRACE_REFERENCE_MISUSED");
    expect(error.message).toContain(what);
    expect(error.message).toContain('output of "rows"');
    const first = lineOf(source, "const misuses: readonly Misuse[]") + 1;
    expect(error.source).toMatchObject({ file: "reference.test.ts", line: first + index });
  },
);

test("a reference that is awaited is told as such, although awaiting needs an asynchronous body", () => {
  let caught: unknown;
  errorOf(() => {
    try {
      void (rows() as never as Promise<unknown>).then(() => 1); // the awaited line
    } catch (error) {
      caught = error;
      throw error;
    }
  });
  expect(caught).toMatchObject({
    code: "MILLRACE_REFERENCE_MISUSED",
    message: expect.stringContaining("was awaited") as string,
    source: { file: "reference.test.ts", line: lineOf(source, "; // the awaited line") },
  });
});

test("an asynchronous body that awaits a reference is told where", () => {
  const error = errorOf(async () => {
    const ref = rows();
    // oxlint-disable-next-line typescript/await-thenable -- the mistake under test
    await ref; // the line of await
  });
  expect(error).toMatchObject({
    code: "MILLRACE_REFERENCE_MISUSED",
    message: expect.stringContaining('output of "rows" was awaited') as string,
    advice: expect.stringContaining("remove `async` and `await`") as string,
    source: { file: "reference.test.ts", line: lineOf(source, "; // the line of await") },
  });
});

test("awaiting a reference rejects", async () => {
  let awaited: Promise<unknown> | undefined;
  errorOf(() => {
    const ref = rows();
    // oxlint-disable-next-line typescript/await-thenable -- the mistake under test
    awaited = (async () => await ref)();
    awaited.catch(() => undefined);
    throw new Error("enough");
  });
  await expect(awaited).rejects.toMatchObject({ code: "MILLRACE_REFERENCE_MISUSED" });
});

test("a reference can be printed while debugging", () => {
  let printed = "";
  describeBody(() => {
    printed = inspect(rows().list[0]!.name);
  });
  expect(printed).toBe('Ref<output of "rows" at $.list[0].name>');
});

test("an object that imitates a reference is not taken for one", () => {
  const error = errorOf(() =>
    use({ ref: Object.assign(() => undefined, { kind: "output", node: "rows", path: [] }) }),
  );
  expect(error.code).toBe("MILLRACE_VALUE_NOT_JSON");
  expect(error.message).toContain("function at $.ref");
});

test("a reference of another pipeline names both", () => {
  let leaked: unknown;
  const first = pipeline("first", () => {
    leaked = rows();
  });
  const second = pipeline("second", () => void use(leaked));
  const error = onlyError({ first, second });
  expect(error.code).toBe("MILLRACE_GRAPH_FOREIGN_REFERENCE");
  expect(error.message).toContain('"second"');
  expect(error.message).toContain('"first"');
  expect(error.source?.line).toBe(lineOf(source, "void use(leaked)"));
});

test("an item that leaves its fan-out is refused", () => {
  let item: unknown;
  const error = errorOf(() => {
    group.map("each", [1, 2], (one) => {
      item = one;
      return use(one);
    });
    use(item, { id: "outside" });
  });
  expect(error.code).toBe("MILLRACE_GRAPH_FOREIGN_REFERENCE");
  expect(error.message).toContain('item of "each"');
});

test("a part of one item's output is refused outside the fan-out, the whole is a list", () => {
  let inner: Ref<{ list: Row[]; then2: string }> | undefined;
  const make = (): void => {
    group.map("each", [1, 2], () => {
      inner = rows();
    });
  };
  expect(
    errorOf(() => {
      make();
      use(inner!.list);
    }).code,
  ).toBe("MILLRACE_GRAPH_FOREIGN_REFERENCE");
  const definition = describeBody(() => {
    make();
    use(inner);
  });
  expect(nodeOf(definition, "use").input).toEqual({ kind: "output", node: "each/rows", path: [] });
});

test("a task that is called outside a body says so, with the place", () => {
  expect(() => use(1)).toThrow(
    expect.objectContaining({
      code: "MILLRACE_GRAPH_INVALID",
      message: expect.stringMatching(
        /Task "use" was called outside a pipeline's body \(.*reference\.test\.ts:\d+\)/,
      ) as string,
    }),
  );
});

const bad: readonly (readonly [found: string, path: string, value: () => unknown])[] = [
  ["an instance of Date", "$.a.b[1]", () => ({ a: { b: [1, new Date(0)] } })],
  ["a bigint", "$.x", () => ({ x: 5n })],
  ["NaN", "$[0]", () => [Number.NaN]],
  ["undefined", "$[0]", () => [undefined]],
  ["an instance of Map", "$", () => new Map()],
  ["a symbol", "$.s", () => ({ s: Symbol("x") })],
  ["a function", "$", () => use],
  [
    "a value nested more than 1000 deep",
    "$[0][0]",
    () => {
      let value: unknown[] = [];
      for (let depth = 0; depth < 100_000; depth += 1) value = [value];
      return value;
    },
  ],
  [
    "a value that contains itself",
    "$.self",
    () => {
      const value: Record<string, unknown> = {};
      value.self = value;
      return value;
    },
  ],
];

test.each(bad)("an input with %s is refused with its path", (found, path, value) => {
  const error = errorOf(() => use(value()));
  expect(error.code).toBe("MILLRACE_VALUE_NOT_JSON");
  expect(error.message).toContain(`${found} at ${path}`);
  expect(error.source?.file).toBe("reference.test.ts");
  if (found.includes("Date")) expect(error.advice).toContain("toISOString");
});

test("the same object may stand at two places of an input", () => {
  const shared = { x: 1 };
  const definition = describeBody(() => use([shared, shared]));
  expect(nodeOf(definition, "use").input).toEqual({ kind: "value", value: [{ x: 1 }, { x: 1 }] });
});

test("a key named __proto__ is data", () => {
  const definition = describeBody(() => use(JSON.parse('{ "__proto__": { "x": 1 } }')));
  expect(JSON.stringify(nodeOf(definition, "use").input)).toBe(
    '{"kind":"value","value":{"__proto__":{"x":1}}}',
  );
});

test("an input is copied when the call is made", () => {
  const input = { x: 1 };
  const definition = describeBody(() => {
    use(input);
    input.x = 2;
  });
  expect(nodeOf(definition, "use").input).toEqual({ kind: "value", value: { x: 1 } });
});

test("an asynchronous body is refused, and its later failure is nobody's", async () => {
  const made = pipeline("late", async () => {
    await Promise.resolve();
    rows();
  });
  const { errors } = load({ made });
  await Promise.resolve();
  expect(errors[0]).toMatchObject({ code: "MILLRACE_GRAPH_INVALID" });
  expect(errors[0]!.message).toContain("asynchronous");
});
