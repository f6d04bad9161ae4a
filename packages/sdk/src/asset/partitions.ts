/** Partitions of assets, as authors write them. They are data; `parsePartitions` checks them when the asset is described. */
import type { Json } from "@millrace/core";

declare const partitionKey: unique symbol;
declare const partitionWindow: unique symbol;

/** A stretch of time, ISO 8601 in UTC: `from` is in it, `to` is not. */
export interface PartitionWindow {
  readonly from: string;
  readonly to: string;
}

/** The slices of an asset. `Key` is what names one, `Window` the stretch of time that it is; `null`: it is none. */
export interface Partitions<
  Key extends string = string,
  Window extends PartitionWindow | null = PartitionWindow | null,
> {
  readonly [partitionKey]?: Key;
  readonly [partitionWindow]?: Window;
}

/** Bounds of windows of time, and the zone that they are in. */
export interface WindowsOptions {
  /** An IANA name such as `Europe/Berlin`; UTC unless given. Windows follow its changes of the clock. */
  readonly tz?: string;
  /** No window ends after it; for ever unless given. */
  readonly end?: string;
}

const made = new WeakMap<object, Json>();

/** The JSON behind what these functions give; nothing for anything else. */
export function partitionsJson(value: unknown): Json | undefined {
  return value !== null && typeof value === "object" ? made.get(value) : undefined;
}

function make<Key extends string, Window extends PartitionWindow | null = null>(
  json: unknown,
): Partitions<Key, Window> {
  const self: Partitions<Key, Window> = Object.freeze({});
  made.set(self, json as Json);
  return self;
}

/** Partitions that are windows of time. */
export type TimeWindowPartitions = Partitions<string, PartitionWindow>;

function windowsOf(every: object, start: string, { tz = "UTC", end }: WindowsOptions): TimeWindowPartitions {
  return make({ kind: "time", every: { ...every, tz }, start, ...(end === undefined ? {} : { end }) });
}

/**
 * A partition for each hour from `start` on: they begin when clocks show a full hour. Its key is the first instant with its
 * offset: `2026-10-25T02:00+02:00`.
 */
export function hourly(start: string, options: WindowsOptions = {}): TimeWindowPartitions {
  return windowsOf({ kind: "cron", expression: "0 * * * *" }, start, options);
}

/** A partition for each day from `start` on. Its key is the date: `2026-10-25`. */
export function daily(start: string, options: WindowsOptions = {}): TimeWindowPartitions {
  return windowsOf({ kind: "every", every: "1d" }, start, options);
}

/** A partition for each week from `start` on, which begins with a Monday. Its key is its first day: `2026-10-26`. */
export function weekly(start: string, options: WindowsOptions = {}): TimeWindowPartitions {
  return windowsOf({ kind: "every", every: "1w" }, start, options);
}

/** A partition for each month from `start` on. Its key is the month: `2026-10`. */
export function monthly(start: string, options: WindowsOptions = {}): TimeWindowPartitions {
  return windowsOf({ kind: "every", every: "1mo" }, start, options);
}

/**
 * A partition for each stretch between ticks of a cron expression (`"0 6 * * 1-5"`), or of each span (`"15m"`).
 *
 * @example
 * const shifts = windows("0 6,14,22 * * *", "2026-01-01", { tz: "Europe/Berlin" });
 */
export function windows(every: string, start: string, options: WindowsOptions = {}): TimeWindowPartitions {
  const isCron = typeof every === "string" && /[\s@]/.test(every);
  return windowsOf(isCron ? { kind: "cron", expression: every } : { kind: "every", every }, start, options);
}

/** These keys, and no others. */
export function staticPartitions<const Key extends string>(keys: readonly Key[]): Partitions<Key, null> {
  return make({ kind: "static", keys });
}

/** Keys that become known as they are written, or by `ctx.asset(a).addPartition(key)`. */
export function dynamicPartitions(): Partitions<string, null> {
  return make({ kind: "dynamic" });
}

/**
 * A partition for each combination of two to four dimensions. Its key is `day=2026-10-25/region=eu`.
 *
 * @example
 * const parts = tuplePartitions({ day: daily("2026-01-01"), region: staticPartitions(["eu", "us"]) });
 */
export function tuplePartitions(of: { readonly [dimension: string]: Partitions }): Partitions {
  const dimensions = Object.entries(of).map(([name, one]) => [name, partitionsJson(one) ?? null]);
  return make({ kind: "tuple", of: Object.fromEntries(dimensions) as Json });
}
