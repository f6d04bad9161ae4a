/** What a worker does that is given a look, and what came of all looks. */
import { probePipeline, type Json } from "@millrace/core";
import { tokenKey, type AttemptOutcome, type Dispatch, type DispatchToken } from "@millrace/protocol";
import { seededRandom } from "@millrace/testkit";
import { hashOf } from "./hash.ts";
import type { AttemptPlan } from "./attempt-plan.ts";
import type { Outside } from "./outside.ts";

export function isLook({ pipeline }: Pick<Dispatch, "pipeline">): boolean {
  return pipeline === probePipeline;
}

export function isLookToken({ runId }: DispatchToken): boolean {
  return runId.startsWith("probe:");
}

/** It finds what is there when it begins; most look for some milliseconds, some fail, some hang. */
export function planLook({ token, input, timeoutMs = 0 }: Dispatch, outside: Outside): AttemptPlan {
  const random = seededRandom(hashOf(tokenKey(token)));
  const durationMs = random.next() * random.pick([10, 10, 100, 1_000, 1_000, 8_000]);
  const found = outside.look({ name: token.node, args: "value" in input ? input.value : null });
  const outcome = outcomeOf(random.next(), found as unknown as Json);
  if (durationMs <= timeoutMs) return { durationMs, outcome };
  if (random.chance(0.3)) return { durationMs: timeoutMs + 120_000, outcome };
  const code = "MILLRACE_ATTEMPT_TIMEOUT";
  return {
    durationMs: timeoutMs,
    outcome: { kind: "failed", error: { name: code, code, message: "too long" } },
  };
}

function outcomeOf(chance: number, found: Json): AttemptOutcome {
  if (chance < 0.1) return { kind: "failed", error: { name: "Error", message: "it could not look" } };
  if (chance < 0.13) return { kind: "infrastructure", error: { name: "BundleFetch", message: "no bundle" } };
  return { kind: "succeeded", output: { value: found } };
}
