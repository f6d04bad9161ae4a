import { expect, test } from "vitest";
import { decideRetry, noRetry, type AttemptError, type RetryPolicy } from "../src/retry/policy.ts";

const error: AttemptError = { name: "Timeout", message: "late", classes: ["Timeout", "NetError", "Error"] };
const policy: RetryPolicy = { ...noRetry, retries: 3, delayMs: 100, maxDelayMs: 350, backoff: "exponential" };
const stop = { kind: "stop" } as const;
const retry = (delayMs: number) => ({ kind: "retry", delayMs }) as const;

test.each<
  [string, Partial<RetryPolicy>, number, Partial<AttemptError>, ReturnType<typeof retry> | typeof stop]
>([
  ["delays grow", {}, 2, {}, retry(200)],
  ["delays are bounded", {}, 3, {}, retry(350)],
  ["fixed delays stay", { backoff: "fixed" }, 3, {}, retry(100)],
  ["full jitter draws from nought to the delay", { jitter: "full" }, 2, {}, retry(100)],
  ["delays are whole milliseconds", { factor: 1.333 }, 2, {}, retry(133)],
  ["no delay stays none after however many attempts", { retries: 5_000, delayMs: 0 }, 5_000, {}, retry(0)],
  ["the retries are used up", {}, 4, {}, stop],
  ["fatal ends it", {}, 1, { next: "fatal" }, stop],
  ["retry-after decides the delay", {}, 1, { next: "retry_after", retryAfterMs: 9_000.2 }, retry(9_001)],
  ["retry-after does not add retries", {}, 4, { next: "retry_after", retryAfterMs: 1 }, stop],
  ["a wanted class is retried", { on: ["NetError"] }, 1, {}, retry(100)],
  ["another class is not", { on: ["DiskError"] }, 1, {}, stop],
  ["an excepted class is not", { except: ["NetError"] }, 1, {}, stop],
  ["`except` wins over `on`", { on: ["Timeout"], except: ["NetError"] }, 1, {}, stop],
  ["without classes the name counts", { on: ["Timeout"] }, 1, { classes: undefined as never }, retry(100)],
])("%s", (_name, parts, attempt, failed, expected) => {
  expect(decideRetry({ ...policy, ...parts }, attempt, { ...error, ...failed }, 0.5)).toEqual(expected);
});
