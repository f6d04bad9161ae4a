/**
 * How far ahead of the clock an asset may be told to be complete. Progress never goes back, and `reached` fires each window up to
 * it: one wrong clock, or milliseconds read as seconds, would fire centuries of windows and leave none for what comes.
 */
import { describeSpan } from "../condition/describe.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { progressAheadMsDefault } from "../limits.ts";
import type { AssetDefinition } from "../partition/definition.ts";
import { partitionsOf } from "./key.ts";

interface ToldProgress {
  readonly asset: string;
  /** ISO 8601 in UTC. */
  readonly until: string;
}

/** The latest progress that the asset may have at `now`: as far ahead as it allows, or the end of the window that has begun. */
export function latestProgress({ partitions, progressAheadMs }: AssetDefinition, now: number): number {
  const bound = now + (progressAheadMs ?? progressAheadMsDefault);
  if (partitions?.kind !== "time") return bound;
  return Math.max(bound, partitionsOf(partitions).windows?.at(now)?.to ?? bound);
}

/** What is wrong with it, in a sentence without subject; nothing where it is near enough. */
export function progressFault(
  { until }: ToldProgress,
  definition: AssetDefinition,
  now: number,
): string | undefined {
  const latest = latestProgress(definition, now);
  if (Date.parse(until) <= latest) return undefined;
  const ahead = describeSpan(definition.progressAheadMs ?? progressAheadMsDefault);
  return `its progress ${until} is more than ${ahead} ahead of the clock: it may be ${new Date(latest).toISOString()} at most`;
}

/** Throws MILLRACE_PROGRESS_AHEAD. */
export function requireNearProgress(told: ToldProgress, definition: AssetDefinition, now: number): void {
  const fault = progressFault(told, definition, now);
  if (fault === undefined) return;
  const { asset, until } = told;
  throw new MillraceError("MILLRACE_PROGRESS_AHEAD", {
    message: `Nothing was told of the asset ${JSON.stringify(asset)}: ${fault}.`,
    fields: { asset, until, latest: new Date(latestProgress(definition, now)).toISOString() },
  });
}
