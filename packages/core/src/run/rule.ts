/**
 * The thirteen trigger rules as one pure table over *which outcomes have occurred* among a task run's parents.
 * A rule decides as soon as its outcome can't change (DESIGN.md §1).
 */
import { unreachable } from "../assert.ts";
import type { TriggerRule } from "../graph/definition.ts";

/** A set of facts about the parents: at least one of them is … */
export const parentFacts = {
  open: 1,
  succeeded: 2,
  failed: 4,
  upstreamFailed: 8,
  skipped: 16,
  cancelled: 32,
} as const;

const { open, succeeded, failed, upstreamFailed, skipped, cancelled } = parentFacts;
const bad = failed | upstreamFailed | cancelled;

export type RuleDecision = "wait" | "run" | "upstream_failed" | "skipped";

/**
 * Applies `rule` to the facts about all parents. No parents: every rule runs at once. `setupFacts` are those of the
 * parents that are setups, which only the teardown's rule asks.
 */
export function decideRule(rule: TriggerRule, facts: number, setupFacts = 0): RuleDecision {
  if (facts === 0) return "run";
  const has = (mask: number): boolean => (facts & mask) !== 0;
  const done = !has(open);
  switch (rule) {
    case "always":
      return "run";
    case "all_success":
      if (has(bad)) return "upstream_failed";
      if (!done) return "wait";
      return has(skipped) ? "skipped" : "run";
    case "all_failed":
      if (has(succeeded | skipped)) return "skipped";
      return done ? "run" : "wait";
    case "all_done":
      return done ? "run" : "wait";
    case "all_done_min_one_success":
      if (has(skipped)) return "skipped";
      if (!done) return "wait";
      return has(succeeded) ? "run" : "upstream_failed";
    case "all_skipped":
      if (has(succeeded | bad)) return "skipped";
      return done ? "run" : "wait";
    case "one_success":
      if (has(succeeded)) return "run";
      if (!done) return "wait";
      return has(bad) ? "upstream_failed" : "skipped";
    case "one_failed":
      if (has(bad)) return "run";
      return done ? "skipped" : "wait";
    case "one_done":
      if (has(succeeded | failed)) return "run";
      return done ? "skipped" : "wait";
    case "none_failed":
      if (has(bad)) return "upstream_failed";
      return done ? "run" : "wait";
    case "none_failed_min_one_success":
      if (has(bad)) return "upstream_failed";
      if (!done) return "wait";
      return has(succeeded) ? "run" : "skipped";
    case "none_skipped":
      if (has(skipped)) return "skipped";
      return done ? "run" : "wait";
    case "all_done_setup_success":
      return decideTeardown(done, setupFacts);
    default:
      return unreachable(rule);
  }
}

/** A teardown runs when everything has ended and at least one of its setups has something to tear down. */
function decideTeardown(done: boolean, setupFacts: number): RuleDecision {
  const setupsDone = (setupFacts & open) === 0;
  if (setupFacts === 0 || (setupFacts & succeeded) !== 0 || !setupsDone) return done ? "run" : "wait";
  return (setupFacts & bad) !== 0 ? "upstream_failed" : "skipped";
}

const endFacts = [failed, upstreamFailed, cancelled, skipped, succeeded] as const;

/** Which of the facts led to the decision: those that lead to it alone. */
export function decidingFacts(rule: TriggerRule, decision: RuleDecision, facts: number): number[] {
  return endFacts.filter((fact) => (facts & fact) !== 0 && decideRule(rule, fact, fact) === decision);
}
