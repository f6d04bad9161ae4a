/** Assets: named pieces of data. Importing one does nothing; the loader describes it. */
import {
  errorCodeOf,
  MillraceError,
  parseAsset,
  type AssetDefinition,
  type Duration,
  type Json,
  type PartitionMapping,
} from "@millrace/core";
import { definitionBrand, type DescribeOptions } from "../definition.ts";
import {
  checkOptionNames,
  describe,
  optionError,
  parsePositiveDuration,
  textListOption,
  textOption,
  type OptionOwner,
} from "../options.ts";
import { formatSource, locate, markCaller, type SourceMark } from "../source.ts";
import { assetNameOf, type Asset, type AssetHandle } from "./handle.ts";
import { partitionsJson, type Partitions, type PartitionWindow } from "./partitions.ts";

/** An asset that another one is made of, with which of its partitions go into which. */
export interface UpstreamOptions {
  readonly asset: Asset | string;
  /**
   * `windows` where both have windows of time, `identity` where both have equal partitions, `all` where one has none, unless
   * given.
   */
  readonly mapping?: PartitionMapping;
}

export interface AssetOptions<
  Key extends string = string,
  Window extends PartitionWindow | null = PartitionWindow | null,
> {
  /** Absent: it is one piece. */
  readonly partitions?: Partitions<Key, Window>;
  /** Shown to people. */
  readonly description?: string;
  /** Who answers for it. */
  readonly owner?: string;
  readonly tags?: readonly string[];
  /** What it is made of. */
  readonly upstream?: readonly (Asset | string | UpstreamOptions)[];
  /** It is shown as stale when nothing updated it for longer: `"25h"`. */
  readonly freshness?: Duration;
  /**
   * How far ahead of the clock `ctx.asset(a).progress(until)` may say that it is complete: a day unless given, `"3660d"` at most.
   * The end of the window that has begun is never too far.
   */
  readonly progressAhead?: Duration;
}

/**
 * Declares an asset. A project owns those that its files export and those that its tasks write; its name belongs to one
 * project.
 *
 * @example
 * export const report = asset("mart/orders_daily", {
 *   partitions: daily("2026-01-01", { tz: "Europe/Berlin" }),
 *   freshness: "25h",
 * });
 */
export function asset(
  name: string,
  options?: AssetOptions & { readonly partitions?: undefined },
): Asset<null, null>;
export function asset<Key extends string, Window extends PartitionWindow | null>(
  name: string,
  options: AssetOptions<Key, Window> & { readonly partitions: Partitions<Key, Window> },
): Asset<Key, Window>;
export function asset(name: string, options: AssetOptions = {}): Asset {
  const mark = markCaller(asset);
  const handle: AssetHandle = {
    kind: "asset",
    name,
    mark,
    describe: (how) => describeAsset({ name, options, mark }, how),
  };
  const made = { name, [definitionBrand]: handle };
  return Object.freeze(made);
}

interface AssetSource {
  readonly name: string;
  readonly options: AssetOptions;
  readonly mark: SourceMark;
}

const optionNames = ["partitions", "description", "owner", "tags", "upstream", "freshness", "progressAhead"];

function describeAsset({ name, options, mark }: AssetSource, how: DescribeOptions): AssetDefinition {
  const owner: OptionOwner = { what: `Asset ${JSON.stringify(name)}`, mark, root: how.root };
  checkOptionNames(options, optionNames, owner);
  const { partitions, description, owner: team, tags, upstream, freshness, progressAhead } = options;
  const source = how.captureSource ? locate(mark, how.root) : undefined;
  const json = {
    name,
    ...(description === undefined ? {} : { description: textOption(description, "description", owner) }),
    ...(team === undefined ? {} : { owner: textOption(team, "owner", owner) }),
    tags: tags === undefined ? [] : textListOption(tags, "tags", owner),
    ...(partitions === undefined ? {} : { partitions: partitionsOf(partitions, owner) }),
    ...(upstream === undefined ? {} : { upstream: upstreamOf(upstream, owner) }),
    ...(freshness === undefined
      ? {}
      : { freshness: { maxAgeMs: parsePositiveDuration(freshness, "freshness", owner) } }),
    ...(progressAhead === undefined
      ? {}
      : { progressAheadMs: parsePositiveDuration(progressAhead, "progressAhead", owner) }),
    ...(source === undefined ? {} : { source }),
  };
  try {
    return parseAsset(json as unknown as Json);
  } catch (error) {
    throw placed(error, owner);
  }
}

function partitionsOf(partitions: unknown, owner: OptionOwner): Json {
  const json = partitionsJson(partitions);
  if (json !== undefined) return json;
  throw optionError(
    owner,
    `option "partitions" must be what daily, hourly, weekly, monthly, windows, staticPartitions, dynamicPartitions or tuplePartitions gives, found ${describe(partitions)}`,
  );
}

function upstreamOf(upstream: unknown, owner: OptionOwner): object[] {
  if (!Array.isArray(upstream))
    throw optionError(owner, `option "upstream" must be a list of assets, found ${describe(upstream)}`);
  return upstream.map((one: unknown, at) => {
    const direct = assetNameOf(one);
    if (direct !== undefined) return { asset: direct };
    const option = `upstream[${at}]`;
    const { asset: of, mapping } = checkOptionNames(one, ["asset", "mapping"], owner, option);
    const name = assetNameOf(of);
    if (name === undefined)
      throw optionError(
        owner,
        `option "${option}.asset" must be an asset or the name of one, found ${describe(of)}`,
      );
    return { asset: name, ...(mapping === undefined ? {} : { mapping }) };
  });
}

/** The core's own judgement, told with the place. */
function placed(error: unknown, owner: OptionOwner): unknown {
  if (errorCodeOf(error) === undefined) return error;
  const { code, message, advice, fields } = error as MillraceError;
  const source = locate(owner.mark, owner.root);
  return new MillraceError(code, {
    message: `${owner.what}${source ? ` (${formatSource(source)})` : ""}: ${message}`,
    advice,
    fields,
    ...(source ? { source } : {}),
    cause: error,
  });
}
