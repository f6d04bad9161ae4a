/** Numbers as text: `1,234`, `1,000+`, `12.4 MB`, `3 runs`. */
import type { Counted } from "@millrace/protocol";

const whole = new Intl.NumberFormat("en");

export function numberText(value: number): string {
  return whole.format(value);
}

export function countText({ count, isMore }: Counted): string {
  return `${whole.format(count)}${isMore ? "+" : ""}`;
}

/** `1 run`, `12 runs`, `1,000+ runs`. */
export function countOf(value: Counted | number, one: string, many = `${one}s`): string {
  const counted = typeof value === "number" ? { count: value } : value;
  return `${countText(counted)} ${counted.count === 1 && !counted.isMore ? one : many}`;
}

const steps = ["bytes", "kB", "MB", "GB", "TB"] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1_000 && step < steps.length - 1) {
    value /= 1_000;
    step += 1;
  }
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${steps[step]}`;
}
