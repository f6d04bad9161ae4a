/** `on.reached`: windows of time that assets are complete for. */
import type { Condition, Duration } from "@millrace/core";
import { markCaller } from "../source.ts";
import type { Asset } from "../asset/handle.ts";
import { windows, type PartitionWindow, type TimeWindowPartitions } from "../asset/partitions.ts";
import type { FiredProgress, FiredUpdate, RunPartition } from "./firing.ts";
import { checkOptions, make, span, wrong, type On } from "./made.ts";
import { lateOf, mappedTo, targetOf, watchedAssets, type LateOptions, type WatchedInput } from "./watched.ts";

/** A window that progress has reached the end of. */
export interface ReachedOptions {
  /** The windows, by their length (`1d`) or a cron expression; those of the (first) asset unless given. */
  readonly every?: string;
  /** The zone of `every`, such as `Europe/Berlin`; UTC unless given. */
  readonly tz?: string;
  /** The windows: those of an asset, or `daily("2026-01-01")`. Instead of `every`. */
  readonly partitions?: TimeWindowPartitions | Asset<string, PartitionWindow>;
  /** Progress has to pass the end of a window by so much. */
  readonly delay?: Duration;
  /**
   * What an update does to a window that has fired: `revise` unless given, which makes a revision of it ten minutes after the
   * last update, three times at most, for seven days.
   */
  readonly late?: "revise" | "ignore" | LateOptions;
  /** When nothing has moved for so long after a window's end, it fires all the same, and the run knows `incomplete`. */
  readonly orAfter?: Duration;
  /** The first window is that of this instant; that in which the trigger was deployed, unless given. */
  readonly from?: string;
}

/** Updates of partitions in the window, and the progress that passed its end, under the name of their asset. */
export type ReachedOperands = { readonly [asset: string]: FiredUpdate | FiredProgress };

/**
 * Each window of time once an asset (or each of several) is complete up to its end: once, and in order. How far it is complete,
 * it says by `ctx.asset(a).progress(until)`; else it is the end of the windows that were written without a gap.
 *
 * @example
 * on.reached(orders, { every: "1d", tz: "Europe/Berlin", delay: "10m", orAfter: "3h" });
 */
export function reached(
  of: WatchedInput | readonly WatchedInput[],
  options: ReachedOptions = {},
): On<ReachedOperands, never, never, RunPartition<string, PartitionWindow>> {
  const mark = markCaller(reached);
  checkOptions("reached", options, ["every", "tz", "partitions", "delay", "late", "orAfter", "from"], mark);
  const { every, tz, partitions, delay, late = "revise", orAfter, from } = options;
  if (every !== undefined && partitions !== undefined)
    throw wrong('it takes "every" or "partitions", not both', mark);
  if (tz !== undefined && every === undefined) throw wrong('option "tz" is the zone of "every"', mark);
  const assets = watchedAssets(of, mark);
  const own = assets.find(({ definition }) => definition?.partitions?.kind === "time")?.definition;
  if (every === undefined && partitions === undefined && !own)
    throw wrong('it needs "every" or "partitions": no asset here has windows of time', mark);
  const target =
    every === undefined && partitions === undefined
      ? { partitions: own!.partitions, definition: undefined }
      : targetOf(
          partitions ?? windows(every!, "1970-01-01", tz === undefined ? {} : { tz }),
          every === undefined ? "partitions" : "every",
          mark,
        );
  const json = {
    kind: "reached",
    assets: assets.map((one) => mappedTo(one, target.definition)),
    target: target.partitions,
    ...(from === undefined ? {} : { from }),
    delayMs: delay === undefined ? 0 : span(delay, "delay", mark),
    ...lateOf(late, mark),
    ...(orAfter === undefined ? {} : { orAfterMs: span(orAfter, "orAfter", mark) }),
  };
  return make(json as unknown as Condition, mark);
}
