/** Where a task's function asks for other steps and waits than before. */
import { unreachable } from "../assert.ts";

export interface AskedOperation {
  readonly kind: "step" | "wait";
  readonly name: string;
  /** Which of this name, from 1. */
  readonly occurrence: number;
  /** Where it is asked for: `pipelines/orders.ts:12`. Records don't know it. */
  readonly place?: string;
}

export type Divergence =
  /** Asked for before, and not now. */
  | { readonly kind: "missing"; readonly before: AskedOperation }
  /** Asked for now, and not before. */
  | { readonly kind: "new"; readonly now: AskedOperation }
  /** A step where a wait was, or a wait where a step was. */
  | { readonly kind: "kind_differs"; readonly before: AskedOperation; readonly now: AskedOperation };

/**
 * Compares what a function asked for, in that order, with what it asks for now: first what differs among what was asked before,
 * then what is new. A function that has only gone on gives what is new.
 */
export function compareOperations(
  before: readonly AskedOperation[],
  now: readonly AskedOperation[],
): Divergence[] {
  const asked = new Map(now.map((operation) => [keyOf(operation), operation]));
  const known = new Set(before.map(keyOf));
  const found: Divergence[] = [];
  for (const operation of before) {
    const same = asked.get(keyOf(operation));
    if (!same) found.push({ kind: "missing", before: operation });
    else if (same.kind !== operation.kind) found.push({ kind: "kind_differs", before: operation, now: same });
  }
  for (const operation of now) {
    if (!known.has(keyOf(operation))) found.push({ kind: "new", now: operation });
  }
  return found;
}

/** A sentence without its full stop: `step "charge" (pipelines/orders.ts:12) is not asked for any more`. */
export function describeDivergence(divergence: Divergence): string {
  switch (divergence.kind) {
    case "missing":
      return `${describeOperation(divergence.before)} is not asked for any more`;
    case "new":
      return `${describeOperation(divergence.now)} was not asked for before`;
    case "kind_differs":
      return `${describeOperation(divergence.now)} was a ${describeOperation(divergence.before)} before`;
    default:
      return unreachable(divergence);
  }
}

/** `step "charge" no. 2 (pipelines/orders.ts:12)`. */
export function describeOperation({ kind, name, occurrence, place }: AskedOperation): string {
  const which = occurrence === 1 ? "" : ` no. ${occurrence}`;
  return `${kind} "${name}"${which}${place === undefined ? "" : ` (${place})`}`;
}

function keyOf({ name, occurrence }: AskedOperation): string {
  return `${occurrence}\n${name}`;
}
