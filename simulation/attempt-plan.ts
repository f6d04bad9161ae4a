/** What becomes of an attempt that does not wait: how long it takes, how it ends, what it tells. */
import type { NodeDefinition } from "@millrace/core";
import type { AttemptOutcome, Dispatch, DispatchToken } from "@millrace/protocol";
import type { SeededRandom } from "@millrace/testkit";
import { reportsOf } from "./assets.ts";
import { emittedId, emittedSource } from "./event-checker.ts";
import { makeOutput } from "./pipelines.ts";
import { loopNames } from "./triggers.ts";

export interface AttemptPlan {
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
}

/** Half of all nodes are quick, but for an exception now and then: these are sent ahead. */
const quickMs = [...Array<number>(30).fill(2), ...Array<number>(10).fill(20), 4_000];
const slowMs = [2, 20, 500, 500, 5_000, 30_000];

function isQuick({ id }: NodeDefinition): boolean {
  return Number(id.slice(1)) % 2 === 0;
}

/** One node of some runs takes its process down, until its run is rerun. */
function isDeadly({ runId, node, generation }: DispatchToken): boolean {
  return generation === 1 && node === "n1" && runId.endsWith("z");
}

export function planAttempt(
  random: SeededRandom,
  definition: NodeDefinition,
  { token, timeoutMs }: Pick<Dispatch, "token" | "timeoutMs">,
): AttemptPlan {
  if (isDeadly(token)) {
    const code = "MILLRACE_ATTEMPT_CRASHED";
    const error = { name: code, code, message: "it took its process down" };
    return { durationMs: 5, outcome: { kind: "infrastructure", error } };
  }
  let durationMs = random.next() * random.pick(isQuick(definition) ? quickMs : slowMs);
  let outcome: AttemptOutcome;
  const kind = random.below(40);
  if (kind < 30) outcome = { kind: "succeeded", output: { value: makeOutput(random, definition) } };
  else if (kind < 36) outcome = { kind: "failed", error: { name: "Error", message: "it broke" } };
  else if (kind === 36)
    outcome = { kind: "failed", error: { name: "Fatal", message: "it broke", next: "fatal" } };
  else if (kind === 37) outcome = { kind: "skipped", reason: "nothing to do" };
  else if (kind === 38)
    outcome = { kind: "infrastructure", error: { name: "BundleFetch", message: "no bundle" } };
  else
    outcome = {
      kind: "failed",
      error: { name: "Busy", message: "later", next: "retry_after", retryAfterMs: 3_000 },
    };
  if (timeoutMs !== undefined && durationMs > timeoutMs) {
    // Now and then a worker fails to end what overruns; the server must.
    if (random.chance(0.2)) return { durationMs: timeoutMs + 120_000, outcome };
    const code = "MILLRACE_ATTEMPT_TIMEOUT";
    durationMs = timeoutMs;
    outcome = { kind: "failed", error: { name: code, code, message: "too long" } };
  }
  return { durationMs, outcome };
}

/** How it ends when it is told to stop. */
export function planStopped(random: SeededRandom, definition: NodeDefinition): AttemptPlan {
  const how = random.pick(["cancelled", "cancelled", "failed", "succeeded"] as const);
  const outcomes: { readonly [key in typeof how]: AttemptOutcome } = {
    cancelled: { kind: "cancelled" },
    failed: { kind: "failed", error: { name: "AbortError", message: "aborted" } },
    succeeded: { kind: "succeeded", output: { value: makeOutput(random, definition) } },
  };
  return { durationMs: random.next() * 200, outcome: outcomes[how] };
}

/**
 * Each success emits an event that is equal over dispatches, but for its subject: which dispatch it was. What it tells of assets is
 * equal.
 */
export function withEmitted(outcome: AttemptOutcome, { token, pipeline }: Dispatch): AttemptOutcome {
  if (outcome.kind !== "succeeded") return outcome;
  const id = emittedId(token);
  const type = loopNames.includes(pipeline) ? `test.emitted.${pipeline}` : "test.emitted";
  const event = { specversion: "1.0", id, source: emittedSource, type } as const;
  const emitted = { ...event, subject: String(token.dispatch) };
  return { ...outcome, events: [emitted, ...reportsOf(pipeline, token)] };
}
