/** Times in sentences that explain. */

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `90_000` → `1 min 30 s`. */
export function describeSpan(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  const parts: string[] = [];
  let left = ms;
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    if (count === 0) continue;
    parts.push(`${count} ${unit}`);
    left -= count * size;
  }
  if (left > 0) parts.push(`${left} ms`);
  return parts.slice(0, 2).join(" ");
}

/** An instant in UTC, to the second where it is whole. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z");
}
