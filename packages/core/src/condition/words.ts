/** Conditions in words, for lists and explanations. */
import { unreachable } from "../assert.ts";
import type { AtomProbe } from "../probe/probe.ts";
import { describeSchedule } from "../schedule/describe.ts";
import {
  operandsOf,
  type Condition,
  type KeyDefinition,
  type PartitionFilter,
  type ReachedAtom,
  type RevisePolicy,
  type UpdatedAtom,
  type WatchedAsset,
} from "./condition.ts";
import { describePartitions } from "../partition/words.ts";
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
      const { type, where, probe } = condition;
      const what = probe ? `a change of the probe ${describeProbe(probe)}` : `an event ${type}`;
      return `${what}${where === undefined ? "" : ` where ${describeWhere(where)}`}`;
    }
    case "schedule":
      return describeSchedule(condition.schedule);
    case "updated":
      return describeUpdated(condition);
    case "reached":
      return describeReached(condition);
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
      return `no ${describePart(of).replace(/^an? /, "")} for ${describeSpan(withinMs)}${since}`;
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

const argsShown = 80;

/** `there {"day":"2026-01-31"}`. */
function describeProbe({ name, args }: AtomProbe): string {
  if (args === null) return name;
  const text = JSON.stringify(args);
  return `${name} ${text.length > argsShown ? `${text.slice(0, argsShown)}…` : text}`;
}

function describeUpdated({ assets, where, only, target, when, late }: UpdatedAtom): string {
  const filter = `${only === undefined ? "" : ` of ${describeFilter(only)}`}${where === undefined ? "" : ` where ${describeWhere(where)}`}`;
  if (when === "complete") {
    const names = `${namesOf(assets)}${filter}`;
    if (target === undefined) return `all partitions of ${names} updated`;
    return `${describePartitions(target)} of which all of ${names} was updated${describeLate(late)}`;
  }
  const parts =
    target === undefined ? "" : `, for each of the ${describePartitions(target)} that it is a part of`;
  return `an update of ${namesOf(assets)}${filter}${parts}`;
}

function describeReached({ assets, target, delayMs, late, orAfterMs }: ReachedAtom): string {
  const delay = delayMs === 0 ? "" : `, and ${describeSpan(delayMs)} more`;
  const stalled =
    orAfterMs === undefined ? "" : `, or incomplete when it stands still for ${describeSpan(orAfterMs)}`;
  return `${describePartitions(target)} that ${namesOf(assets)} is complete for${delay}${stalled}${describeLate(late)}`;
}

function describeFilter(only: PartitionFilter): string {
  switch (only.kind) {
    case "keys":
      return only.keys.length > 3 ? `${only.keys.length} partitions` : only.keys.join(", ");
    case "latest":
      return only.n === 1 ? "the latest partition" : `the latest ${only.n} partitions`;
    case "dimensions":
      return Object.entries(only.of)
        .map(([name, keys]) => `${name} ${keys.join(" or ")}`)
        .join(", ");
    default:
      return unreachable(only);
  }
}

function describeLate(late: RevisePolicy | undefined): string {
  return late === undefined
    ? ""
    : `, revised by late updates (${late.revisionsMax} at most, for ${describeSpan(late.closeAfterMs)})`;
}

function namesOf(assets: readonly WatchedAsset[]): string {
  return assets.map(({ asset }) => asset).join(", ");
}

function describePart(condition: Condition): string {
  const isAtom = operandsOf(condition).length === 0;
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
