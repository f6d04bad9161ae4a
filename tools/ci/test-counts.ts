/**
 * `node tools/ci/test-counts.ts RESULTS.json` prints `N passed, N failed` from the results of vitest's JSON reporter. A
 * file that could not even be collected counts as one failure.
 */
import { readFileSync } from "node:fs";
import { countTests } from "./count-tests.ts";

const { passed, failed } = countTests(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
console.log(`${passed} passed, ${failed} failed`);
