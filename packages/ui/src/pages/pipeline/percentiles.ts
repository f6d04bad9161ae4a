import type { RunState } from "@millrace/protocol";

export interface Timed {
  readonly id: string;
  readonly state: RunState;
  /** Its end, in ms since 1970. */
  readonly at: number;
  readonly tookMs: number;
}

export interface Bucket {
  readonly at: number;
  readonly p50: number;
  readonly p95: number;
}

const bucketsMax = 40;

/** Of runs in order of time: stretches with as many runs each, so that busy days have more of them. */
export function bucketsOf(timed: readonly Timed[]): Bucket[] {
  const each = Math.max(1, Math.ceil(timed.length / bucketsMax), Math.min(5, Math.ceil(timed.length / 4)));
  const buckets: Bucket[] = [];
  for (let from = 0; from < timed.length; from += each) {
    const part = timed.slice(from, from + each);
    const took = part.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    const at = part.reduce((sum, one) => sum + one.at, 0) / part.length;
    buckets.push({ at, p50: percentile(took, 0.5), p95: percentile(took, 0.95) });
  }
  return buckets;
}

/** Of sorted values: the least that so large a share of them does not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const steps = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000, 172_800_000,
  604_800_000,
];

/** Round durations for the lines of a chart: five at most. */
export function niceSteps(top: number): number[] {
  const step = steps.find((one) => top / one <= 5) ?? top / 4;
  return Array.from({ length: Math.floor(top / step) }, (_, at) => step * (at + 1));
}
