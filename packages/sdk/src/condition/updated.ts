/** `on.updated`: updates of assets. */
import type { AssetUpdate, Condition, Json } from "@millrace/core";
import { markCaller, type SourceMark } from "../source.ts";
import { toWhere, type WhereInput } from "../where.ts";
import type { Asset } from "../asset/handle.ts";
import type { Partitions } from "../asset/partitions.ts";
import type { FiredUpdate } from "./firing.ts";
import { checkOptions, make, wrong, type On } from "./made.ts";
import {
  lateOf,
  mappedTo,
  targetOf,
  watchedAssets,
  type LateOptions,
  type PartitionOf,
  type TargetInput,
  type WatchedInput,
} from "./watched.ts";

/** Which updates count. */
export interface UpdatedFilter {
  /** Filters by the update: `{ data: { metadata: { rows: { gt: 0 } } } }`. */
  readonly where?: WhereInput<AssetUpdate>;
  /** Keys; the latest windows that have begun; or, of tuples, keys of dimensions. All unless given. */
  readonly partitions?:
    | readonly string[]
    | { readonly latest: number }
    | { readonly [dimension: string]: string | readonly string[] };
}

/** Each partition of `each` that an update is a part of: a run for it. */
export interface UpdatedEach<Target extends TargetInput> extends UpdatedFilter {
  readonly each: Target;
}

/** Each partition of `all` once everything that it is made of was updated; `true`: all partitions of the assets. */
export interface UpdatedAll<Target extends TargetInput | true> extends UpdatedFilter {
  readonly all: Target;
  /**
   * What an update does to a window that is complete: `ignore` unless given. `revise` makes a revision of it, ten minutes after
   * the last update, three times at most, for seven days.
   */
  readonly late?: "revise" | "ignore" | LateOptions;
}

/** Updates are found under the name of their asset. */
export type UpdatedOperands = { readonly [asset: string]: FiredUpdate };

type AboutEach<Of> = Of extends readonly (infer One)[] ? PartitionOf<One> : PartitionOf<Of>;

/**
 * Updates of an asset, or of several.
 *
 * @example
 * on.updated(orders);                                     // each update, with its partition
 * on.updated(orders, { partitions: { latest: 3 } });      // of the last three windows
 * on.updated(hours, { all: daily("2026-01-01") });        // a day, once its 24 hours are there
 */
export function updated<const Of extends WatchedInput | readonly WatchedInput[]>(
  of: Of,
  options?: UpdatedFilter & { readonly all?: undefined; readonly each?: undefined },
): On<UpdatedOperands, never, never, AboutEach<Of>>;
export function updated<Target extends TargetInput>(
  of: WatchedInput | readonly WatchedInput[],
  options: UpdatedEach<Target>,
): On<UpdatedOperands, never, never, PartitionOf<Target>>;
export function updated<Target extends TargetInput | true>(
  of: WatchedInput | readonly WatchedInput[],
  options: UpdatedAll<Target>,
): On<UpdatedOperands, never, never, Target extends true ? null : PartitionOf<Target>>;
export function updated(of: unknown, options: object = {}): unknown {
  const mark = markCaller(updated);
  checkOptions("updated", options, ["where", "partitions", "each", "all", "late"], mark);
  const { where, partitions, each, all, late } = options as {
    readonly where?: WhereInput<AssetUpdate>;
    readonly partitions?: unknown;
    readonly each?: Asset | Partitions;
    readonly all?: Asset | Partitions | true;
    readonly late?: UpdatedAll<true>["late"];
  };
  if (each !== undefined && all !== undefined) throw wrong('it takes "each" or "all", not both', mark);
  const target =
    each !== undefined
      ? targetOf(each, "each", mark)
      : all !== undefined && all !== true
        ? targetOf(all, "all", mark)
        : undefined;
  const json = {
    kind: "updated",
    assets: watchedAssets(of, mark).map((one) => mappedTo(one, target?.definition)),
    ...(where === undefined ? {} : { where: toWhere(where, { what: "The filter of an update", mark }) }),
    ...(partitions === undefined ? {} : { only: filterOf(partitions, mark) }),
    ...(target === undefined ? {} : { target: target.partitions }),
    when: all === undefined ? "each" : "complete",
    ...(late === undefined ? {} : lateOf(late, mark)),
  };
  return make(json as unknown as Condition, mark);
}

function filterOf(partitions: unknown, mark: SourceMark): Json {
  if (Array.isArray(partitions)) return { kind: "keys", keys: partitions as string[] };
  if (partitions === null || typeof partitions !== "object")
    throw wrong('option "partitions" must be a list of keys, { latest: n } or { dimension: keys }', mark);
  const { latest } = partitions as { readonly latest?: unknown };
  if (typeof latest === "number") return { kind: "latest", n: latest };
  const of = Object.entries(partitions).map(([name, keys]: [string, unknown]): [string, Json] => [
    name,
    (typeof keys === "string" ? [keys] : keys) as Json,
  ]);
  return { kind: "dimensions", of: Object.fromEntries(of) };
}
