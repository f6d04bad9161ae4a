/** The tests of the example `testing`, as its user runs them; and the page about testing, which shows them. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "testing");

test("the tests of the example pass", () => {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const args = ["--test", "--test-reporter", "tap"];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
  expect(stdout).toContain("# pass 9\n# fail 0");
});

test("the page about testing shows what was run", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/learning/testing.md"), "utf8");
  const run = ["shop.ts", "lake.ts", "hooks.ts"]
    .flatMap((file) => [`pipelines/${file}`, `test/${file}`])
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  const shown = [...page.matchAll(/^```ts(?: follows)?\n([\s\S]*?)^```$/gm)]
    .flatMap(([, code = ""]) => code.split("\n\n"))
    .map((part) => part.trim())
    .filter((part) => !part.startsWith("import "));
  expect(shown.length).toBeGreaterThan(8);
  expect(shown.filter((part) => !run.includes(part))).toEqual([]);
});
