/**
 * One instance of a condition: a trigger's state for one key, or a wait. Its state belongs to one owner, changes in place,
 * and is JSON.
 *
 * P1 (`operator/operator.ts`): the owner tells entries in the order of their positions, and time only up to where it has
 * told all entries: a deadline D comes after each entry recorded up to D and before the first later one.
 */
import { assert } from "../assert.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { Json } from "../json.ts";
import type { Program } from "./compile.ts";
import type { Condition } from "./condition.ts";
import { nextTickIn } from "./operator/atom.ts";
import type { ConditionEvent } from "./condition-event.ts";
import type { Explanation } from "./explanation.ts";
import type { EventMember, Match } from "./match.ts";
import { never, type OperatorState, type Outage, type Step } from "./operator/operator.ts";

export interface ConditionInstance {
  readonly key: string | undefined;
  readonly state: OperatorState;
}

/** A match, and the log time at which it was decided. */
export interface Decided {
  readonly at: number;
  readonly match: Match;
}

export interface InstanceStep {
  readonly decided: readonly Decided[];
  /** The state changed. */
  readonly touched: boolean;
  /** There are more deadlines up to the instant than one step takes: tell it again. */
  readonly hasMore: boolean;
}

/** Deadlines in one step: a schedule that slept for a year must not hold up everybody else. */
const deadlinesMax = 10_000;

export function beginInstance(program: Program, key: string | undefined, at: number): ConditionInstance {
  return { key, state: program.root.begin(at) };
}

export function dueOf(program: Program, instance: ConditionInstance): number {
  return program.root.due(instance.state);
}

/** The next tick of an instance whose root is a schedule. */
export function nextTickOf(program: Program, instance: ConditionInstance): number | undefined {
  assert(program.condition.kind === "schedule", "a schedule has ticks");
  return nextTickIn(instance.state);
}

export { never };

/** Tells the next entry, after all deadlines before it. */
export function tellEvent(
  program: Program,
  instance: ConditionInstance,
  event: ConditionEvent,
): InstanceStep {
  const decided: Decided[] = [];
  const step: Step = { key: instance.key, touched: false };
  // A deadline at its very instant comes after it.
  while (applyDue(program, instance, event.recordedAt, step, decided));
  for (const match of program.root.event(instance.state, event, step))
    decided.push({ at: event.recordedAt, match });
  return { decided, touched: step.touched || decided.length > 0, hasMore: false };
}

/** Tells an entry that came before the instance began, which looks back to it: no deadline counts that was over by then. */
export function tellPast(program: Program, instance: ConditionInstance, event: ConditionEvent): InstanceStep {
  const step: Step = { key: instance.key, touched: false };
  const decided = program.root
    .event(instance.state, event, step)
    .map((match) => ({ at: event.recordedAt, match }));
  return { decided, touched: step.touched || decided.length > 0, hasMore: false };
}

/** Tells that all entries recorded before `before` were told: deadlines earlier than that are over. */
export function tellTime(program: Program, instance: ConditionInstance, before: number): InstanceStep {
  const decided: Decided[] = [];
  const step: Step = { key: instance.key, touched: false };
  const hasMore = applyDue(program, instance, before, step, decided);
  return { decided, touched: step.touched || decided.length > 0, hasMore };
}

/** Tells that servers are back after an outage, to a condition that chooses among missed ticks; nothing changes in others. */
export function tellMissed(program: Program, instance: ConditionInstance, outage: Outage): InstanceStep {
  const step: Step = { key: instance.key, touched: false };
  const matches = program.root.missed?.(instance.state, outage, step) ?? [];
  const tickOf = ({ members }: Match): number => (members[0]?.kind === "tick" ? members[0].at : 0);
  // Of several schedules, as if each had been told when it was due.
  const decided = matches
    .toSorted((a, b) => tickOf(a) - tickOf(b))
    .map((match) => ({ at: outage.at, match }));
  return { decided, touched: step.touched, hasMore: false };
}

/** Applies deadlines earlier than `before`; true when there are more. */
function applyDue(
  program: Program,
  instance: ConditionInstance,
  before: number,
  step: Step,
  decided: Decided[],
): boolean {
  const { root } = program;
  for (let count = 0; count < deadlinesMax; count += 1) {
    const due = root.due(instance.state);
    if (due >= before || due === never) return false;
    for (const match of root.time(instance.state, due, step)) decided.push({ at: due, match });
    assert(root.due(instance.state) > due, "a deadline that was told is over");
  }
  return root.due(instance.state) < before;
}

/** Whether an instance of the condition takes over from one of an earlier version, and whether it looks at the same. */
function successionOf(after: Condition, before: Condition): "none" | "fired" | "whole" {
  const [now, earlier] = [windowsOf(after), windowsOf(before)];
  const key = ({ by }: Condition): string => canonicalJson(by ?? null);
  if (!now || !earlier || now.windows !== earlier.windows || key(after) !== key(before)) return "none";
  return now.seen === earlier.seen ? "whole" : "fired";
}

/** Whether anything of a condition's earlier version goes on in this one (`inheritInstance`). */
export function isSuccessor(program: Program, before: Program): boolean {
  return successionOf(program.condition, before.condition) !== "none";
}

/**
 * Takes over from the instance of the condition's earlier version, of the same key: a window that it fired is not fired again
 * (C3), unless the condition asks for other windows or another first one. Conditions without windows begin anew.
 */
export function inheritInstance(
  { program, instance }: { readonly program: Program; readonly instance: ConditionInstance },
  before: { readonly program: Program; readonly instance: ConditionInstance },
): void {
  const succession = successionOf(program.condition, before.program.condition);
  if (succession === "none") return;
  program.root.inherit?.(instance.state, before.instance.state, succession === "whole");
}

/** What it fires, and what it looks at, as texts to be compared. */
function windowsOf(condition: Condition): { readonly windows: string; readonly seen: string } | undefined {
  const text = (...parts: unknown[]): string =>
    JSON.stringify(parts.map((part) => canonicalJson((part ?? null) as Json)));
  switch (condition.kind) {
    case "reached": {
      const { kind, target, from, assets, name } = condition;
      return { windows: text(kind, target, from), seen: text(assets, name) };
    }
    case "updated": {
      const { kind, when, target, assets, where, only, name } = condition;
      return when === "complete"
        ? { windows: text(kind, target), seen: text(assets, where, only, name) }
        : undefined;
    }
    case "window": {
      const { kind, every, time, of, name } = condition;
      return { windows: text(kind, every, time), seen: text(of, name) };
    }
    default:
      return undefined;
  }
}

export function explainInstance(program: Program, instance: ConditionInstance): Explanation {
  return program.root.explain(instance.state);
}

/** Whether the state holds an entry of the log: it was gathered, and no match or deadline has taken it out again. */
export function holdsEntry({ state }: ConditionInstance, position: number): boolean {
  const holds = (part: unknown): boolean => {
    if (part === null || typeof part !== "object") return false;
    if (Array.isArray(part)) return part.some(holds);
    const { kind, position: own } = part as Partial<EventMember>;
    return (kind === "event" && own === position) || Object.values(part).some(holds);
  };
  return holds(state);
}
