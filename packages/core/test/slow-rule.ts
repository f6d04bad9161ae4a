/** The trigger rules again, slowly: DESIGN's table for ended parents, and all ways in which the open ones may end. */
import { unreachable } from "../src/assert.ts";
import type { TriggerRule } from "../src/graph/definition.ts";
import type { RuleDecision } from "../src/run/rule.ts";

export const endings = ["succeeded", "failed", "upstream_failed", "skipped", "cancelled"] as const;
export type Ending = (typeof endings)[number];
export type ParentState = Ending | "open";
export interface Parent {
  readonly state: ParentState;
  readonly setup: boolean;
}

/** DESIGN.md §1 read line by line, for parents that have all ended. */
function closedTable(
  rule: TriggerRule,
  states: readonly Ending[],
  setups: readonly Ending[],
): "run" | "upstream_failed" | "skipped" {
  const every = (...wanted: Ending[]): boolean => states.every((state) => wanted.includes(state));
  const some = (...wanted: Ending[]): boolean => states.some((state) => wanted.includes(state));
  const bad = ["failed", "upstream_failed", "cancelled"] as const;
  if (states.length === 0) return "run";
  switch (rule) {
    case "all_success":
      return every("succeeded") ? "run" : some(...bad) ? "upstream_failed" : "skipped";
    case "all_failed":
      return every(...bad) ? "run" : "skipped";
    case "all_done":
    case "always":
      return "run";
    case "all_done_min_one_success":
      if (!some("skipped") && some("succeeded")) return "run";
      return some("skipped") ? "skipped" : "upstream_failed";
    case "all_skipped":
      return every("skipped") ? "run" : "skipped";
    case "one_success":
      if (some("succeeded")) return "run";
      return every("skipped") ? "skipped" : "upstream_failed";
    case "one_failed":
      return some(...bad) ? "run" : "skipped";
    case "one_done":
      return some("succeeded", "failed") ? "run" : "skipped";
    case "none_failed":
      return some(...bad) ? "upstream_failed" : "run";
    case "none_failed_min_one_success":
      if (some(...bad)) return "upstream_failed";
      return every("skipped") ? "skipped" : "run";
    case "none_skipped":
      return some("skipped") ? "skipped" : "run";
    case "all_done_setup_success":
      if (setups.length === 0 || setups.includes("succeeded")) return "run";
      return setups.every((state) => state === "skipped") ? "skipped" : "upstream_failed";
    default:
      return unreachable(rule);
  }
}

/** Rules that begin before every parent has ended; the others that run wait for all, whatever is sure. */
const beginsEarly = new Set<TriggerRule>(["one_success", "one_failed", "one_done", "always"]);

/** Decided as soon as every way in which the open parents may end gives the same answer. */
export function slowDecision(rule: TriggerRule, parents: readonly Parent[]): RuleDecision {
  const answers = new Set(
    completions(parents).map((ended) =>
      closedTable(
        rule,
        ended.map((parent) => parent.state as Ending),
        ended.flatMap((parent) => (parent.setup ? [parent.state as Ending] : [])),
      ),
    ),
  );
  if (answers.size > 1) return "wait";
  const [answer] = [...answers];
  const open = parents.some((parent) => parent.state === "open");
  return answer === "run" && open && !beginsEarly.has(rule) ? "wait" : answer!;
}

export function completions(parents: readonly Parent[]): Parent[][] {
  return parents.reduce<Parent[][]>(
    (made, parent) =>
      made.flatMap((some) =>
        (parent.state === "open" ? endings : [parent.state]).map((state) => [...some, { ...parent, state }]),
      ),
    [[]],
  );
}
