/** Jitter: a delay drawn by hash from the schedule's identity and the tick, so that it is the same at each asking. */
import { assert } from "../assert.ts";
import type { Schedule } from "./schedule.ts";
import { nextTick } from "./ticks.ts";

/**
 * When the run of a tick is due: at the tick, or later by less than the schedule's `jitterMs` and before its next tick, so
 * that runs keep the order of their ticks. `identity` names the schedule in its workspace: others are delayed otherwise.
 */
export function dueTime(schedule: Schedule, identity: string, tickMs: number): number {
  assert(Number.isInteger(tickMs), "a tick is a whole number of milliseconds");
  const { jitterMs } = schedule;
  if (jitterMs === undefined) return tickMs;
  const nextMs = nextTick(schedule, tickMs) ?? Infinity;
  return tickMs + Math.floor(hashToFraction(`${identity}\n${tickMs}`) * Math.min(jitterMs, nextMs - tickMs));
}

/** From 0 to below 1: FNV-1a, with murmur's last step, as FNV leaves the upper bits of similar texts similar. */
function hashToFraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
