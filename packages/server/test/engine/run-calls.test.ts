/** How a caller hears that the run which it called has ended: in the flush that ends it. */
import type { RunMessage, StoredValue } from "@millrace/core";
import { expect, test } from "vitest";
import { RunCalls } from "../../src/engine/run-calls.ts";

const parent = { runId: "r1", shard: 3, node: "call", item: "", generation: 1, dispatch: 1 };

function ended(output: StoredValue): RunMessage {
  const token = { node: "call", item: "", generation: 1, dispatch: 1 };
  return {
    kind: "child_ended",
    token,
    childRunId: "r2",
    state: "succeeded",
    output,
    reason: undefined,
    random: 0,
  };
}

/** What was told in the turn of `tellParent`. */
function told(output: StoredValue, isHere: boolean): string[] {
  const found: string[] = [];
  const runs = { get: () => (isHere ? {} : undefined), step: () => found.push("stepped") };
  const calls = new RunCalls({
    parts: { runs },
    send: (shard: number) => found.push(`sent to ${shard}`),
  } as never);
  calls.tellParent(parent, ended(output));
  return found;
}

test("a caller that is in memory takes the end at once, a blob whose content is at hand included", () => {
  expect(told({ value: 1 }, true)).toEqual(["stepped"]);
  expect(told({ blob: "b", bytes: 20_000, value: "large" }, true)).toEqual(["stepped"]);
});

test("the end waits in the inbox for a caller that is elsewhere, and for a blob that has to be read", () => {
  expect(told({ value: 1 }, false)).toEqual(["sent to 3"]);
  expect(told({ blob: "b", bytes: 20_000 }, true)).toEqual(["sent to 3"]);
});
