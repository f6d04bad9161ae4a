/** When a failed attempt is tried again. */
export interface RetryPolicy {
  /** Attempts after the first: 0 is no retry. */
  readonly retries: number;
  readonly backoff: "fixed" | "exponential";
  /** First delay in ms. */
  readonly delayMs: number;
  /** Growth per attempt of `exponential`. */
  readonly factor: number;
  readonly maxDelayMs: number;
  /** `full`: a delay is drawn evenly from 0 to the computed one (AWS, "Exponential Backoff And Jitter"). */
  readonly jitter: "none" | "full";
  /** Names of error classes that are retried; absent: all. */
  readonly on?: readonly string[];
  /** Names of error classes that are never retried; wins over `on`. */
  readonly except?: readonly string[];
}

export const noRetry: RetryPolicy = {
  retries: 0,
  backoff: "fixed",
  delayMs: 0,
  factor: 2,
  maxDelayMs: 3_600_000,
  jitter: "none",
};

/** How an attempt failed, as the worker reports it. */
export interface AttemptError {
  /** The error's class name, or a code of ours. */
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** A catalogue code when the failure is ours to explain (timeout, output not JSON, …). */
  readonly code?: string;
  /** What the author asked for: `fatal` never retries; `retry_after` retries after `retryAfterMs`. */
  readonly next?: "fatal" | "retry_after";
  readonly retryAfterMs?: number;
  /** Names of the error's classes, most derived first: retry policies match any of them. */
  readonly classes?: readonly string[];
  readonly cause?: string;
}

export type RetryDecision = { readonly kind: "retry"; readonly delayMs: number } | { readonly kind: "stop" };

/**
 * Decides what follows failed attempt number `attempt` (from 1). `random` is in [0, 1) and is an argument so that the
 * decision is a pure function.
 */
export function decideRetry(
  policy: RetryPolicy,
  attempt: number,
  error: AttemptError,
  random: number,
): RetryDecision {
  if (attempt > policy.retries || error.next === "fatal") return { kind: "stop" };
  const classes = error.classes ?? [error.name];
  if (policy.except?.some((name) => classes.includes(name))) return { kind: "stop" };
  if (policy.on && !policy.on.some((name) => classes.includes(name))) return { kind: "stop" };
  if (error.next === "retry_after")
    return { kind: "retry", delayMs: Math.max(0, Math.ceil(error.retryAfterMs ?? 0)) };
  return { kind: "retry", delayMs: backoffDelayMs(policy, attempt, random) };
}

function backoffDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  if (policy.delayMs === 0) return 0;
  const grown = policy.backoff === "fixed" ? policy.delayMs : policy.delayMs * policy.factor ** (attempt - 1);
  const bounded = Math.min(grown, policy.maxDelayMs);
  return Math.floor(policy.jitter === "full" ? bounded * random : bounded);
}
