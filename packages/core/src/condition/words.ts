/** Conditions in words, for lists and explanations. */
import { unreachable } from "../assert.ts";
import { describeSchedule } from "../schedule/describe.ts";
import type { Condition, KeyDefinition } from "./condition.ts";
import { describeSpan } from "./describe.ts";
import type { EventKey } from "./where/event-key.ts";
import { describeWhere, formatWherePath } from "./where/words.ts";

/** `all of (an event a, an event b) within 1 h, for each data.orderId`. */
export function describeCondition(condition: Condition): string {
  const { by } = condition;
  return `${describeKind(condition)}${by === undefined ? "" : `, for each ${describeKey(by)}`}`;
}

function describeKind(condition: Condition): string {
  switch (condition.kind) {
    case "event": {
      const { type, where } = condition;
      return `an event ${type}${where === undefined ? "" : ` where ${describeWhere(where)}`}`;
    }
    case "schedule":
      return describeSchedule(condition.schedule);
    case "all":
      return `all of ${listOf(condition.of)}${within(condition)}`;
    case "any":
      return `any of ${listOf(condition.of)}`;
    case "at_least":
      return `${condition.n} of ${listOf(condition.of)}${within(condition)}`;
    case "sequence":
      return `in this order ${listOf(condition.of)}${within(condition)}`;
    case "unless": {
      const { of, until, withinMs } = condition;
      const span = withinMs === undefined ? "" : ` in the ${describeSpan(withinMs)} before`;
      return `${describePart(of)}, unless ${describePart(until)} came${span}`;
    }
    case "absent": {
      const { of, after, withinMs } = condition;
      const since = after === undefined ? "" : ` after ${describePart(after)}`;
      return `no ${describePart(of).replace(/^an /, "")} for ${describeSpan(withinMs)}${since}`;
    }
    case "count":
      return `every ${condition.n} of ${describePart(condition.of)}${within(condition)}`;
    case "batch":
      return `batches of up to ${condition.max} of ${describePart(condition.of)}, gathered for ${describeSpan(condition.maxWaitMs)}`;
    case "session": {
      const { of, gapMs, maxMs } = condition;
      const most = maxMs === undefined ? "" : `, ${describeSpan(maxMs)} at most`;
      return `sessions of ${describePart(of)} with gaps up to ${describeSpan(gapMs)}${most}`;
    }
    case "debounce": {
      const { of, quietMs, maxWaitMs } = condition;
      const most = maxWaitMs === undefined ? "" : `, or ${describeSpan(maxWaitMs)} after the first`;
      return `${describePart(of)}, once it was quiet for ${describeSpan(quietMs)}${most}`;
    }
    case "throttle":
      return `${describePart(condition.of)}, ${condition.limit} in ${describeSpan(condition.perMs)} at most`;
    case "window":
      return `windows of ${describePart(condition.of)}, ${describeSchedule(condition.every)}`;
    default:
      return unreachable(condition);
  }
}

function describePart(condition: Condition): string {
  const isAtom = condition.kind === "event" || condition.kind === "schedule";
  const text = describeCondition(condition);
  return isAtom && condition.by === undefined ? text : `(${text})`;
}

function listOf(of: readonly Condition[]): string {
  return `(${of.map(describePart).join(", ")})`;
}

function within({ withinMs }: { readonly withinMs?: number }): string {
  return withinMs === undefined ? "" : ` within ${describeSpan(withinMs)}`;
}

function describeKey(key: KeyDefinition): string {
  if (key.kind !== "operands") return describeEventKey(key);
  return Object.entries(key.of)
    .map(([operand, part]) => `${describeEventKey(part)} of ${operand}`)
    .join(", ");
}

function describeEventKey(key: EventKey): string {
  return key.kind === "path" ? formatWherePath(key.path) : key.text;
}
