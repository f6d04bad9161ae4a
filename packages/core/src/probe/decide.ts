/**
 * What a look at a thing means. Pure: the same memory, outcome, time and chance give the same decision.
 *
 * V1: something is told as changed exactly when its fingerprint is another one than at the last look that succeeded; nothing (no
 *     value) has none, and is not told (C9).
 * V2: a failed look forgets nothing: what was there is compared with the next look that succeeds.
 * V3: failures in a row are told at the 1st, 2nd, 4th, 8th …, and their end once.
 */
import { canonicalJson } from "../canonical-json.ts";
import { fnv1a64 } from "../condition/where/key-hash.ts";
import type { Json } from "../json.ts";
import type { ProbeDefinition } from "./probe.ts";

export interface ProbeFault {
  readonly code: string;
  readonly message: string;
}

/** What is remembered of a thing. */
export interface ProbeMemory {
  /** Looks so far: part of the names of its events. */
  readonly looks: number;
  /** Changes so far. */
  readonly changes: number;
  /** Of what was there; absent: nothing was, or nobody has looked. */
  readonly fingerprint: string | undefined;
  /** `null` where there is nothing. */
  readonly value: Json;
  readonly changedAt: number | undefined;
  /** When a look succeeded last. */
  readonly seenAt: number | undefined;
  readonly lookedAt: number | undefined;
  /** In a row. */
  readonly failures: number;
  /** Of the last look, where it failed. */
  readonly error: ProbeFault | undefined;
}

export const unseenProbe: ProbeMemory = {
  looks: 0,
  changes: 0,
  fingerprint: undefined,
  value: null,
  changedAt: undefined,
  seenAt: undefined,
  lookedAt: undefined,
  failures: 0,
  error: undefined,
};

export type LookOutcome =
  | { readonly kind: "seen"; readonly value: Json; readonly fingerprint?: string }
  | { readonly kind: "failed"; readonly error: ProbeFault };

export interface LookDecision {
  readonly memory: ProbeMemory;
  readonly nextAt: number;
  /** What the log is told. */
  readonly tells: readonly ("changed" | "failed" | "recovered")[];
}

export interface LookParts {
  readonly definition: Pick<ProbeDefinition, "everyMs" | "jitterMs" | "backoff">;
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}

export function decideLook(
  memory: ProbeMemory,
  outcome: LookOutcome,
  { definition, now, random }: LookParts,
): LookDecision {
  const { everyMs, jitterMs, backoff } = definition;
  const looked = { ...memory, looks: memory.looks + 1, lookedAt: now };
  const jitter = Math.floor(jitterMs * random);
  if (outcome.kind === "failed") {
    const failures = memory.failures + 1;
    const delayMs = Math.min(Math.ceil(everyMs * backoff.factor ** failures), backoff.maxMs);
    // V3: powers of two.
    const isTold = (failures & (failures - 1)) === 0;
    return {
      memory: { ...looked, failures, error: outcome.error },
      nextAt: now + delayMs + jitter,
      tells: isTold ? ["failed"] : [],
    };
  }
  const isThere = outcome.value !== null;
  const fingerprint = isThere ? (outcome.fingerprint ?? fingerprintOf(outcome.value)) : undefined;
  const isChanged = isThere && fingerprint !== memory.fingerprint;
  return {
    memory: {
      ...looked,
      failures: 0,
      error: undefined,
      seenAt: now,
      fingerprint,
      value: outcome.value,
      ...(isChanged ? { changes: memory.changes + 1, changedAt: now } : {}),
    },
    nextAt: now + everyMs + jitter,
    tells: [
      ...(memory.failures > 0 ? (["recovered"] as const) : []),
      ...(isChanged ? (["changed"] as const) : []),
    ],
  };
}

/** When it is looked at for somebody who begins to wait: a value that is young enough needs no new look. */
export function firstLookAt(
  { lookedAt }: ProbeMemory,
  { everyMs }: Pick<ProbeDefinition, "everyMs">,
  now: number,
): number {
  return lookedAt === undefined ? now : Math.max(now, lookedAt + everyMs);
}

/** Whether what is remembered is still said to be there. */
export function isFresh(
  { fingerprint, seenAt, failures }: ProbeMemory,
  { everyMs }: Pick<ProbeDefinition, "everyMs">,
  now: number,
): boolean {
  return fingerprint !== undefined && failures === 0 && seenAt !== undefined && now - seenAt <= everyMs;
}

export function fingerprintOf(value: Json): string {
  return fnv1a64(canonicalJson(value));
}
