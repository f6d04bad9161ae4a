import { readFileSync } from "node:fs";
import { array, assert, boolean, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { checkNames, newEdges, tell } from "./lockstep.ts";
import { makeDefinition, Tape } from "./random-run.ts";

const numRuns = process.env["MILLRACE_TEST_LONG"] === "1" ? 20_000 : 1_500;
const tape = (maxLength: number) => array(nat(9_999), { maxLength, size: "max" });
const edges = newEdges();

test(
  "the machine and the model agree on random messages to random pipelines, and every run ends",
  { timeout: 1_200_000 },
  () => {
    const story = property(tape(150), tape(250), boolean(), (shape, messages, reloads) => {
      checkNames(tell(makeDefinition(new Tape(shape)), messages, edges, reloads));
    });
    // Shrinking a long story takes minutes: without `endOnFailure` it is done.
    assert(story, { numRuns, seed: 20_261_123, endOnFailure: true });
  },
);

const page = readFileSync(new URL("../../../docs/design/run-life-cycle.md", import.meta.url), "utf8");

test.each([
  ["run", edges.run],
  ["task run", edges.taskRun],
  ["dispatch", edges.dispatch],
])("the page on the life cycle has the edges of a %s that were seen, and no others", (name, seen) => {
  const [, table = ""] = page.split(`<!-- edges: ${name} -->`);
  const [section = ""] = table.split("\n## ");
  const written = [...section.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gmu)].map(
    ([, from, to]) => `${from} → ${to}`,
  );
  expect(written.sort()).toEqual([...seen].sort((a, b) => (a < b ? -1 : 1)));
});
