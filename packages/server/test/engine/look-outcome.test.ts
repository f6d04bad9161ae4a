import type { AttemptOutcome } from "@millrace/protocol";
import { expect, test } from "vitest";
import { outcomeOfLook } from "../../src/engine/probe/look-outcome.ts";

const error = { name: "Error", message: "no such host" };

test.each<[string, AttemptOutcome, object]>([
  [
    "what was found is seen",
    { kind: "succeeded", output: { value: { value: 1, fingerprint: "f" } } },
    { kind: "seen", value: 1, fingerprint: "f" },
  ],
  [
    "null is seen: nothing is there",
    { kind: "succeeded", output: { value: { value: null } } },
    { kind: "seen", value: null },
  ],
  [
    "an answer without a value is a failure",
    { kind: "succeeded", output: { value: {} } },
    { error: { code: "MILLRACE_PROBE_FAILED" } },
  ],
  [
    "what is too large to travel is a failure",
    { kind: "succeeded", output: { blob: "0".repeat(64), bytes: 20_000 } },
    { error: { code: "MILLRACE_OUTPUT_TOO_LARGE" } },
  ],
  [
    "what is thrown is a failure",
    { kind: "failed", error },
    { error: { code: "MILLRACE_PROBE_FAILED", message: "Error: no such host" } },
  ],
  [
    "a code of the worker is kept",
    { kind: "infrastructure", error: { ...error, code: "MILLRACE_LOAD_FAILED" } },
    { error: { code: "MILLRACE_LOAD_FAILED" } },
  ],
  [
    "what a worker says itself is not named twice",
    { kind: "failed", error: { name: "MILLRACE_X", code: "MILLRACE_X", message: "It ran too long." } },
    { error: { code: "MILLRACE_X", message: "It ran too long." } },
  ],
  ["a probe can't wait", { kind: "suspended", waits: [] }, { kind: "failed" }],
  ["a probe can't skip", { kind: "skipped", reason: "" }, { kind: "failed" }],
  ["what was cancelled is looked again", { kind: "cancelled" }, { kind: "lost" }],
  ["what a worker gave back is looked again", { kind: "returned" }, { kind: "lost" }],
])("%s", (_name, outcome, expected) => {
  expect(outcomeOfLook(outcome)).toMatchObject(expected);
});
