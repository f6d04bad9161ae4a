/** How authors write spans of time. */

type DurationUnit = "ms" | "s" | "m" | "h" | "d";

/** Milliseconds, or text such as `"500ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`, `"1h30m"`. */
export type Duration =
  | number
  | `${number}${DurationUnit}`
  | `${number}${DurationUnit}${number}${DurationUnit}`;

const unitMs: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Timers and columns hold up to ten years. */
const durationMsMax = 10 * 366 * 86_400_000;

/** Milliseconds, or `undefined` when `value` is no duration. */
export function parseDuration(value: unknown): number | undefined {
  const ms = typeof value === "string" ? parseText(value) : value;
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms < 0 || ms > durationMsMax) return undefined;
  return Math.round(ms);
}

function parseText(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (unitMs[unit ?? ""] ?? Number.NaN);
  }
  return total;
}
