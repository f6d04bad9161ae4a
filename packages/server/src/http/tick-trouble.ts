/** Waits for instants that have all passed: nothing will end them but their timeout. Task code and parameters bring such instants. */
import { nextTick, operandsOf, parseCondition, type Condition, type Json, type Reason } from "@millrace/core";
import type { FoundWait } from "@millrace/store";

/** What keeps a wait that has seen nothing yet from ever ending. */
export function tickTrouble({ condition, state, beganAt }: FoundWait): Reason | undefined {
  if (!condition?.includes('"schedule"') || state !== undefined) return undefined;
  if (!needsGoneTick(parseCondition(JSON.parse(condition) as Json, ["condition"]), beganAt)) return undefined;
  return { code: "no_ticks", message: "There are no further ticks: it waits in vain." };
}

function needsGoneTick(condition: Condition, beganAt: number): boolean {
  switch (condition.kind) {
    case "schedule":
      return nextTick(condition.schedule, beganAt) === undefined;
    case "all":
    case "sequence":
      return condition.of.some((operand) => needsGoneTick(operand, beganAt));
    case "any":
      return condition.of.every((operand) => needsGoneTick(operand, beganAt));
    case "absent":
      return false;
    default: {
      const [first] = operandsOf(condition);
      return first !== undefined && needsGoneTick(first, beganAt);
    }
  }
}
