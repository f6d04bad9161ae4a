/**
 * `npm run check`: format, lint, types, and the repository's tests of itself. All of them run, whatever fails. The last line
 * is `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { checks, formatFinding } from "./tidy/checks.ts";
import { gitTree } from "./tidy/source-tree.ts";

const root = join(import.meta.dirname, "..");
const findingsShown = 40;

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

function runTool(name: string, command: string, args: readonly string[]): Outcome {
  const bin = join(root, "node_modules", ".bin", command);
  const result = spawnSync(bin, args, { cwd: root, encoding: "utf8" });
  const output = result.error ? result.error.message : `${result.stdout}${result.stderr}`;
  return { name, passed: result.status === 0, output };
}

function runTidy(): Outcome[] {
  const tree = gitTree(root);
  return checks.map(({ rule, run }) => {
    const findings = run(tree);
    const shown = findings.slice(0, findingsShown).map(formatFinding);
    if (findings.length > shown.length) shown.push(`… and ${findings.length - shown.length} more`);
    return { name: rule, passed: findings.length === 0, output: shown.join("\n") };
  });
}

const outcomes = [
  runTool("the format is oxfmt's", "oxfmt", ["--check", "."]),
  runTool("oxlint finds nothing", "oxlint", ["--type-aware", "--deny-warnings", "."]),
  runTool("the types hold", "tsc", ["--noEmit"]),
  ...runTidy(),
];
for (const { name, passed, output } of outcomes) {
  console.log(`${passed ? "ok  " : "FAIL"} ${name}`);
  if (!passed) console.log(output.trimEnd().replaceAll(/^/gm, "     "));
}
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
