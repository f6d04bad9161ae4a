import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/project/configuration.ts";
import { formatProjectError } from "../../src/project/project-error.ts";
import { projectFolder } from "./project-folder.ts";

const plain = {
  bold: (t: string) => t,
  dim: (t: string) => t,
  red: (t: string) => t,
  cyan: (t: string) => t,
};

async function refusal(text: string): Promise<MillraceError> {
  const root = projectFolder({ "millrace.config.ts": text });
  const outcome = await loadConfiguration(root, { timeoutMs: 4_000 }).catch((error: unknown) => error);
  if (!(outcome instanceof MillraceError)) throw new Error("it was not refused");
  return outcome;
}

test("the configuration is found upward and gets its defaults", async () => {
  const text = `import { defineConfig } from "millrace";
import { name } from "./name.ts";
export default defineConfig({ project: name, include: ["flows/*.ts"], pools: { warehouse: 4 }, queues: ["gpu"] });
`;
  const root = projectFolder({
    "millrace.config.ts": text,
    "name.ts": `export const name = "shop";`,
    "a/b/c.txt": "",
  });
  const loaded = await loadConfiguration(join(root, "a", "b"));
  expect(loaded.root).toBe(root);
  expect(loaded.file).toBe("millrace.config.ts");
  expect(loaded.configuration).toEqual({
    project: "shop",
    include: ["flows/*.ts"],
    pools: { warehouse: 4 },
    queues: ["gpu"],
    external: [],
    newTriggers: "active",
  });
  expect(loaded.inputs).toContain(join(root, "name.ts"));
});

test("`include` has a default", async () => {
  const root = projectFolder({ "millrace.config.mjs": `export default { project: "shop" };` });
  expect((await loadConfiguration(root)).configuration.include).toEqual(["pipelines/**/*.ts"]);
});

test("a folder without a configuration is told about `millrace init`", async () => {
  const root = projectFolder({ "x.txt": "" });
  const error = await loadConfiguration(root).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "MILLRACE_CONFIG_INVALID" });
  expect((error as MillraceError).advice).toContain("millrace init");
});

test.for([
  [`export default { project: "shop", pool: {} };`, "unknown option `pool`", "`pools`"],
  [`export default { include: [] };`, "`project` is missing", "project:"],
  [`export default { project: "two words" };`, '"two words" is no name', "Names begin"],
  [`export default { project: "shop", pools: { a: 1.5 } };`, "`pools.a` is 1.5", "whole number"],
  [`export default { project: "shop", include: "x" };`, '`include` is "x", not a list', "millrace.config.ts"],
  [`export default { project: "shop", queues: [1] };`, "`queues[0]` is 1", "millrace.config.ts"],
  [`export default { project: "shop", newTriggers: "off" };`, '`newTriggers` is "off"', '"paused"'],
  [`export const project = "shop";`, "no default export", "export default"],
  [`export default () => 1;`, "no default export", "export default"],
] as const)("%s is refused", async ([text, says, advises]) => {
  const error = await refusal(text);
  expect(error.code).toBe("MILLRACE_CONFIG_INVALID");
  expect(error.message).toContain(says);
  expect(error.advice).toContain(advises);
});

test("a configuration that throws or loops is a fault of the configuration, with its place", async () => {
  const thrown = await refusal(`\nthrow new Error("no");\n`);
  expect(thrown).toMatchObject({
    code: "MILLRACE_CONFIG_INVALID",
    source: { file: "millrace.config.ts", line: 2 },
  });
  const looping = await refusal(`while (true);\n`);
  expect(looping).toMatchObject({
    code: "MILLRACE_CONFIG_INVALID",
    fields: { reason: "MILLRACE_LOAD_TIMEOUT" },
  });
});

test("an error is printed with place, lines of code and advice", async () => {
  const error = await refusal(`const a = 1;\nthrow new Error("no");\n`);
  expect(formatProjectError(error, plain)).toBe(
    [
      "MILLRACE_CONFIG_INVALID millrace.config.ts:2 could not be loaded: Error: no",
      "  at millrace.config.ts:2:7",
      "    1 | const a = 1;",
      '  > 2 | throw new Error("no");',
      "      |       ^",
      "    3 |",
      "  Correct the file and line that the message names.",
    ].join("\n"),
  );
});
