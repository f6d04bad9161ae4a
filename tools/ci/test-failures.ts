/**
 * `node tools/ci/test-failures.ts RESULTS.json` prints what failed in the results of vitest's JSON reporter, a line for each
 * test; `--files` prints the files of these tests alone, each once.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { failedTests } from "./count-tests.ts";

const [file = "", option] = process.argv.slice(2);
const failed = failedTests(JSON.parse(readFileSync(file, "utf8")));
const lines =
  option === "--files"
    ? new Set(failed.map((one) => relative(".", one.file)))
    : failed.map((one) => `${relative(".", one.file)}: ${one.test}: ${one.message}`);
for (const line of lines) console.log(line);
