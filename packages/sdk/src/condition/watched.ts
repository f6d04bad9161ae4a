/** Assets and partitions, as the conditions over them take them. */
import { errorCodeOf, type AssetDefinition, type Json, type PartitionMapping } from "@millrace/core";
import { assetHandleOf, type Asset } from "../asset/handle.ts";
import { partitionsJson, type Partitions, type PartitionWindow } from "../asset/partitions.ts";
import type { SourceMark } from "../source.ts";
import type { RunPartition } from "./firing.ts";
import { span, wrong } from "./made.ts";
import type { Duration } from "@millrace/core";

/** An asset, with which of its partitions go into which of the condition's. */
export interface MappedAsset<
  Key extends string | null = string | null,
  Window extends PartitionWindow | null = PartitionWindow | null,
> {
  readonly asset: Asset<Key, Window> | string;
  readonly mapping: PartitionMapping;
}

// oxlint-disable-next-line typescript/no-explicit-any -- an asset of any partitions
export type AnyAsset = Asset<any, any>;
/** What a condition may be about: an asset, its name where it is declared elsewhere, or an asset with a mapping. */
export type WatchedInput = AnyAsset | string | MappedAsset;

/** The partition that a firing about one of these assets is for. */
export type PartitionOf<Of> =
  Of extends Asset<infer Key, infer Window>
    ? Key extends string
      ? RunPartition<Key, Window>
      : null
    : Of extends Partitions<infer Key, infer Window>
      ? RunPartition<Key, Window>
      : RunPartition | null;

/** Which partitions a condition's runs are for: those of an asset, or others. */
export type TargetInput = AnyAsset | Partitions;

/** What an update of a window does that has fired. */
export interface LateOptions {
  /** The revision comes when there was no further update for so long: `10m` unless given. */
  readonly debounce?: Duration;
  /** Revisions of one window at most: 3 unless given. */
  readonly max?: number;
  /** Later updates change nothing: `7d` after the window fired, unless given. */
  readonly closeAfter?: Duration;
}

export interface DescribedAsset {
  readonly json: { readonly asset: string; readonly partitions?: Json; readonly mapping?: Json };
  readonly definition: AssetDefinition | undefined;
}

/** One asset or several, with their partitions. */
export function watchedAssets(of: unknown, mark: SourceMark): DescribedAsset[] {
  return (Array.isArray(of) ? of : [of]).map((one: unknown) => {
    const isMapped = one !== null && typeof one === "object" && "asset" in one && "mapping" in one;
    const { asset, mapping } = isMapped ? one : { asset: one, mapping: undefined };
    const more = mapping === undefined ? {} : { mapping: mapping as unknown as Json };
    if (typeof asset === "string") return { json: { asset, ...more }, definition: undefined };
    const definition = definitionOf(asset, mark);
    if (!definition) throw wrong("it takes an asset, its name, { asset, mapping }, or a list of these", mark);
    const { name, partitions } = definition;
    return {
      json: {
        asset: name,
        ...(partitions === undefined ? {} : { partitions: partitions as unknown as Json }),
        ...more,
      },
      definition,
    };
  });
}

/** The partitions of a target, and what it says it is made of. */
export function targetOf(
  target: unknown,
  name: string,
  mark: SourceMark,
): { readonly partitions: Json; readonly definition: AssetDefinition | undefined } {
  const json = partitionsJson(target);
  if (json !== undefined) return { partitions: json, definition: undefined };
  const definition = definitionOf(target, mark);
  if (definition?.partitions) return { partitions: definition.partitions as unknown as Json, definition };
  throw wrong(
    definition
      ? `option "${name}": the asset "${definition.name}" has no partitions`
      : `option "${name}" must be partitions such as daily("2026-01-01"), or an asset that has some`,
    mark,
  );
}

/** What the target says of an asset that it is made of holds, unless the condition says otherwise. */
export function mappedTo(
  { json }: DescribedAsset,
  target: AssetDefinition | undefined,
): DescribedAsset["json"] {
  const said = target?.upstream?.find(({ asset }) => asset === json.asset)?.mapping;
  return json.mapping !== undefined || said === undefined
    ? json
    : { ...json, mapping: said as unknown as Json };
}

export function lateOf(late: "revise" | "ignore" | LateOptions, mark: SourceMark): { readonly late?: Json } {
  if (late === "ignore") return {};
  if (late === "revise") return { late: {} };
  if (late === null || typeof late !== "object")
    throw wrong('option "late" must be "revise", "ignore" or { debounce, max, closeAfter }', mark);
  const { debounce, max, closeAfter } = late;
  return {
    late: {
      ...(debounce === undefined ? {} : { debounceMs: span(debounce, "late.debounce", mark) }),
      ...(max === undefined ? {} : { revisionsMax: max }),
      ...(closeAfter === undefined ? {} : { closeAfterMs: span(closeAfter, "late.closeAfter", mark) }),
    },
  };
}

function definitionOf(value: unknown, mark: SourceMark): AssetDefinition | undefined {
  const handle = assetHandleOf(value);
  if (!handle) return undefined;
  try {
    return handle.describe({ captureSource: false, root: undefined });
  } catch (error) {
    // The asset itself is told as wrong where it is declared.
    if (errorCodeOf(error) === undefined) throw error;
    throw wrong(`the asset "${handle.name}" is wrong: ${(error as Error).message}`, mark);
  }
}
