/**
 * A shared limit: a pool, a concurrency key, the active runs of a pipeline. Pure.
 *
 * L1: what is granted never exceeds `slots` by a grant of ours (an operator may lower `slots` below what is out).
 * L2: a holder has at most one grant and at most one request, never both.
 * L3: requests are granted in the order of their rank; nobody overtakes a large one that waits.
 * L4: a request of more than all the slots stands aside until there are enough: it keeps nobody else waiting.
 */
import { Heap } from "../heap.ts";

export interface LimitRequest {
  readonly holder: string;
  readonly runId: string;
  readonly slots: number;
  /** Priority as time: the smaller goes first. */
  readonly rank: number;
  readonly replyShard: number;
}

export interface Limit {
  slots: number;
  used: number;
  readonly granted: Map<string, { readonly runId: string; readonly slots: number }>;
  readonly waiting: Map<string, LimitRequest>;
  /** Waiting requests by rank; entries that are gone from `waiting` are dropped when they surface. */
  readonly order: Heap<LimitRequest>;
  /** Waiting requests that stand aside (L4), by holder; all others are in `order`. */
  readonly aside: Map<string, LimitRequest>;
}

export type LimitMessage =
  | { readonly kind: "request"; readonly request: LimitRequest }
  /** Gives back a grant, or withdraws a request. */
  | { readonly kind: "release"; readonly holder: string }
  | { readonly kind: "set_slots"; readonly slots: number };

export type LimitEffect =
  | { readonly kind: "granted"; readonly request: LimitRequest }
  /** It was granted before: only the answer is repeated. */
  | { readonly kind: "granted_before"; readonly request: LimitRequest }
  | { readonly kind: "grant_gone"; readonly holder: string }
  | { readonly kind: "waiting"; readonly request: LimitRequest }
  | { readonly kind: "request_gone"; readonly holder: string };

export function createLimit(slots: number): Limit {
  return {
    slots,
    used: 0,
    granted: new Map(),
    waiting: new Map(),
    order: new Heap(goesBefore),
    aside: new Map(),
  };
}

/** Puts back a grant that was committed. */
export function restoreGrant(
  limit: Limit,
  holder: string,
  grant: { readonly runId: string; readonly slots: number },
): void {
  if (limit.granted.has(holder)) return;
  limit.granted.set(holder, grant);
  limit.used += grant.slots;
}

/** Puts back a request that was committed. */
export function restoreRequest(limit: Limit, request: LimitRequest): void {
  if (limit.waiting.has(request.holder)) return;
  limit.waiting.set(request.holder, request);
  limit.order.push(request);
}

export function decideLimit(limit: Limit, message: LimitMessage): LimitEffect[] {
  const effects: LimitEffect[] = [];
  switch (message.kind) {
    case "request":
      request(limit, message.request, effects);
      break;
    case "release":
      release(limit, message.holder, effects);
      break;
    case "set_slots":
      limit.slots = message.slots;
      comeBack(limit);
      break;
  }
  grantWaiting(limit, effects);
  return effects;
}

function request(limit: Limit, wanted: LimitRequest, effects: LimitEffect[]): void {
  if (limit.granted.has(wanted.holder)) {
    effects.push({ kind: "granted_before", request: wanted });
    return;
  }
  if (limit.waiting.has(wanted.holder)) return;
  if (first(limit) === undefined && limit.used + wanted.slots <= limit.slots) {
    grant(limit, wanted);
    effects.push({ kind: "granted", request: wanted });
    return;
  }
  limit.waiting.set(wanted.holder, wanted);
  limit.order.push(wanted);
  effects.push({ kind: "waiting", request: wanted });
}

function release(limit: Limit, holder: string, effects: LimitEffect[]): void {
  const held = limit.granted.get(holder);
  if (held) {
    limit.granted.delete(holder);
    limit.used -= held.slots;
    effects.push({ kind: "grant_gone", holder });
  } else if (limit.waiting.delete(holder)) {
    limit.aside.delete(holder);
    effects.push({ kind: "request_gone", holder });
  }
}

function grantWaiting(limit: Limit, effects: LimitEffect[]): void {
  for (let next = first(limit); next && limit.used + next.slots <= limit.slots; next = first(limit)) {
    limit.order.pop();
    const wasStored = !effects.some((effect) => effect.kind === "waiting" && effect.request === next);
    limit.waiting.delete(next.holder);
    grant(limit, next);
    if (wasStored) effects.push({ kind: "request_gone", holder: next.holder });
    else
      effects.splice(
        effects.findIndex((effect) => effect.kind === "waiting" && effect.request === next),
        1,
      );
    effects.push({ kind: "granted", request: next });
  }
}

function grant(limit: Limit, wanted: LimitRequest): void {
  limit.granted.set(wanted.holder, { runId: wanted.runId, slots: wanted.slots });
  limit.used += wanted.slots;
}

/** Whose turn it is. Those that can't have one now stand aside. */
function first(limit: Limit): LimitRequest | undefined {
  for (let next = limit.order.first(); next; next = limit.order.first()) {
    const isWaiting = limit.waiting.get(next.holder) === next;
    if (isWaiting && next.slots <= limit.slots) return next;
    limit.order.pop();
    if (isWaiting) limit.aside.set(next.holder, next);
  }
  return undefined;
}

/** There are more slots, or fewer: who stood aside may have a turn. */
function comeBack(limit: Limit): void {
  for (const request of limit.aside.values()) {
    if (request.slots > limit.slots) continue;
    limit.aside.delete(request.holder);
    limit.order.push(request);
  }
}

/** By rank, then holder, so that the order never depends on chance. */
function goesBefore(a: LimitRequest, b: LimitRequest): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.holder < b.holder);
}
