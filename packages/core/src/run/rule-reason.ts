import { decidersShownMax } from "../limits.ts";
import { decidingFacts, parentFacts } from "./rule.ts";
import { factsOf, scopeAt, tallyOf } from "./scope.ts";
import type { Reason, TaskRun } from "./state.ts";

const factWords: { readonly [fact: number]: string } = {
  [parentFacts.succeeded]: "succeeded",
  [parentFacts.failed]: "failed",
  [parentFacts.upstreamFailed]: "is upstream_failed",
  [parentFacts.skipped]: "was skipped",
  [parentFacts.cancelled]: "was cancelled",
};

/** Why a task run's rule can't be met: names the parents that decided. */
export function ruleReason(
  { node, scope }: TaskRun,
  decision: "upstream_failed" | "skipped",
  facts: number,
): Reason {
  const { rule } = node.definition;
  const deciding = decidingFacts(rule, decision, facts);
  const nodes: string[] = [];
  const shown: string[] = [];
  let more = 0;
  for (const edge of node.parents) {
    if (rule === "all_done_setup_success" && !edge.setup) continue;
    const seen = factsOf(tallyOf(edge.parent, scopeAt(scope, edge.level)));
    const fact = deciding.find((one) => (seen & one) !== 0);
    if (fact === undefined) continue;
    if (nodes.length === decidersShownMax) more += 1;
    else {
      nodes.push(edge.parent.definition.id);
      shown.push(`${edge.parent.definition.id} ${factWords[fact]}`);
    }
  }
  return {
    code: decision === "skipped" ? "rule_skipped" : "rule_upstream_failed",
    message: `Its rule ${rule} can't be met: ${shown.join(", ")}${more === 0 ? "" : ` and ${more} more`}.`,
    fields: { rule, nodes },
  };
}
