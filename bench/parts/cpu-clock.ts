/** Begins to count; what it returns tells the CPU time since then, in µs for each of `count`. */
export function cpuClock(parts: {
  readonly [part: string]: () => number;
}): (count: number) => { readonly [part: string]: number } {
  const before = Object.entries(parts).map(([part, total]) => ({ part, total, ms: total() }));
  return (count) =>
    Object.fromEntries(
      before.map(({ part, total, ms }) => [part, Math.round(((total() - ms) / count) * 1_000)]),
    );
}
