/** Schedules that were right once and have no tick left: only lists of instants run out. */
import { operandsOf, type Condition } from "../condition/condition.ts";
import { nextTick, previousTick } from "./ticks.ts";

/** The last ticks of those of a condition's schedules that have none after `nowMs`. */
export function lastTicksOfSpent(condition: Condition, nowMs: number): number[] {
  const within = operandsOf(condition).flatMap((operand) => lastTicksOfSpent(operand, nowMs));
  if (condition.kind !== "schedule" || nextTick(condition.schedule, nowMs) !== undefined) return within;
  return [previousTick(condition.schedule, nowMs + 1) ?? nowMs];
}
