import { expect, test } from "vitest";
import { triggerRules } from "../src/graph/definition.ts";
import { decideRule, decidingFacts, parentFacts } from "../src/run/rule.ts";
import { completions, endings, slowDecision, type Parent } from "./slow-rule.ts";

const factOf = { ...parentFacts, upstream_failed: parentFacts.upstreamFailed } as const;

function combinations(count: number): Parent[][] {
  let made: Parent[][] = [[]];
  for (let at = 0; at < count; at += 1) {
    made = made.flatMap((some) =>
      [...endings, "open" as const].flatMap((state) =>
        [true, false].map((setup) => [...some, { state, setup }]),
      ),
    );
  }
  return made;
}

const facts = (parents: readonly Parent[]): number =>
  parents.reduce((all, parent) => all | factOf[parent.state], 0);

test.each(triggerRules)("%s decides as DESIGN's table, as soon as its outcome can't change", (rule) => {
  for (const count of [0, 1, 2, 3]) {
    for (const parents of combinations(count)) {
      const decided = decideRule(rule, facts(parents), facts(parents.filter((parent) => parent.setup)));
      expect(decided, JSON.stringify({ rule, parents })).toBe(slowDecision(rule, parents));
    }
  }
});

test("a decision that was taken with open parents still holds when those have ended", () => {
  for (const rule of triggerRules) {
    for (const parents of combinations(3)) {
      const early = decideRule(rule, facts(parents), facts(parents.filter((parent) => parent.setup)));
      if (early === "wait") continue;
      for (const ended of completions(parents)) {
        const late = decideRule(rule, facts(ended), facts(ended.filter((parent) => parent.setup)));
        expect(late, JSON.stringify({ rule, parents, ended })).toBe(early);
      }
    }
  }
});

test("with a parent open, facts decide one by one: a rule that waits for two sets of them waits for both", () => {
  const { open } = parentFacts;
  for (const rule of triggerRules.filter((rule) => rule !== "all_done_setup_success")) {
    for (let a = 0; a < 64; a += 1) {
      for (let b = 0; b < 64; b += 1) {
        const both = decideRule(rule, a | b | open) === "wait";
        const each = decideRule(rule, a | open) === "wait" && decideRule(rule, b | open) === "wait";
        if (both !== each) expect.fail(`${rule} with ${a} and ${b}`);
      }
    }
  }
});

test("whenever a rule can't be met, facts are named that decided it alone", () => {
  for (const rule of triggerRules) {
    for (const parents of combinations(3)) {
      const ofSetups = facts(parents.filter((parent) => parent.setup));
      const asked = rule === "all_done_setup_success" ? ofSetups : facts(parents);
      const decision = decideRule(rule, facts(parents), ofSetups);
      if (decision !== "upstream_failed" && decision !== "skipped") continue;
      expect(decidingFacts(rule, decision, asked), JSON.stringify({ rule, parents })).not.toEqual([]);
    }
  }
});
