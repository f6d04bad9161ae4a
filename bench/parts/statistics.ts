/** A type alias: an interface would not fit an index signature. */
export type Summary = {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly n: number;
};

/** Of durations in ms, rounded to microseconds. */
export function summarize(durations: readonly number[]): Summary {
  const sorted = durations.toSorted((a, b) => a - b);
  return {
    median: round(quantile(sorted, 0.5)),
    p99: round(quantile(sorted, 0.99)),
    max: round(sorted.at(-1) ?? Number.NaN),
    n: sorted.length,
  };
}

/** The smallest value that at least this share of the sorted values does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

export function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
