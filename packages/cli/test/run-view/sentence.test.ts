import type { RunSummary } from "@millrace/protocol";
import { expect, test } from "vitest";
import { stateSentence } from "../../src/run-view/sentence.ts";

test("a reason that ends with a full stop gives the sentence one, not two", () => {
  const run: RunSummary = {
    id: "r1",
    pipeline: "orders",
    project: "shop",
    state: "cancelled",
    reason: { code: "cancelled", message: "Cancelled by a person." },
    generation: 1,
    bundle: "b",
    labels: {},
    createdAt: "2026-01-31T10:00:00.000Z",
    startedAt: "2026-01-31T10:00:00.000Z",
    endedAt: "2026-01-31T10:00:02.000Z",
  };
  expect(stateSentence(run, [], Date.parse("2026-01-31T11:00:00.000Z"))).toMatch(
    / after 2\.0 s: Cancelled by a person\.$/,
  );
});
