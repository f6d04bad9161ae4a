/** What an asset is to those who get one: its name, and what the loader reads. */
import type { AssetDefinition } from "@millrace/core";
import { handleOfKind, type DescribeOptions } from "../definition.ts";
import type { SourceMark } from "../source.ts";
import type { PartitionWindow } from "./partitions.ts";

declare const assetKey: unique symbol;
declare const assetWindow: unique symbol;

/**
 * A named piece of data: a table, a set of files, a topic, a model. `Key` names a partition; `null`: it has none. `Window` is
 * the stretch of time that a partition is; `null`: it is none.
 */
export interface Asset<
  Key extends string | null = string | null,
  Window extends PartitionWindow | null = PartitionWindow | null,
> {
  readonly name: string;
  readonly [assetKey]?: Key;
  readonly [assetWindow]?: Window;
}

/** What the loader reads from an asset. */
export interface AssetHandle {
  readonly kind: "asset";
  readonly name: string;
  readonly mark: SourceMark;
  describe(options: DescribeOptions): AssetDefinition;
}

/** The handle behind an asset; nothing for anything else. */
export function assetHandleOf(value: unknown): AssetHandle | undefined {
  return handleOfKind<AssetHandle>(value, "asset");
}

/** The name of an asset, or the text that names one. */
export function assetNameOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : assetHandleOf(value)?.name;
}
