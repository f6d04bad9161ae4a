/** The assets that a condition listens to. */
import { operandsOf, type Condition } from "../condition/condition.ts";

export function assetsIn(condition: Condition): Set<string> {
  const found = new Set<string>();
  const walk = (one: Condition): void => {
    if (one.kind === "updated" || one.kind === "reached")
      for (const { asset } of one.assets) found.add(asset);
    for (const operand of operandsOf(one)) walk(operand);
  };
  walk(condition);
  return found;
}
