/** What a benchmark tells, for people and as one line of JSON. All durations are in ms. */
import type { Durability, Stack, Versions } from "./stack.ts";
import type { Summary } from "./statistics.ts";

export interface BenchResult extends Summary {
  readonly bench: string;
  readonly unit: "ms";
  /** Per second, with real worker processes. */
  readonly rate?: number;
  /** Per second, with a stub that speaks the worker protocol and answers at once. */
  readonly engineRate?: number;
  readonly ratios?: { readonly [name: string]: number };
  /** What this benchmark measures beside durations, by name. */
  readonly [more: string]: unknown;
  readonly durability: Durability;
  readonly isolation: string;
  readonly versions: Versions;
}

export interface BenchOptions {
  readonly short: boolean;
  /** Where a seeded history is, or is made, and stays: for those that need one. */
  readonly folder?: string;
}

export interface Bench {
  readonly name: string;
  /** One line: what is measured, from where to where. */
  readonly measures: string;
  readonly doesNotMeasure: readonly string[];
  readonly run: (options: BenchOptions) => Promise<BenchResult>;
}

export async function resultOf(
  stack: Stack,
  bench: string,
  numbers: Summary & Readonly<Record<string, unknown>>,
  isolation: string,
): Promise<BenchResult> {
  const durability = await stack.durability();
  return { bench, unit: "ms", ...numbers, durability, isolation, versions: stack.versions() };
}

/** Where a benchmark measures no durations of its own. */
export const noDurations: Summary = { median: Number.NaN, p99: Number.NaN, max: Number.NaN, n: 0 };
