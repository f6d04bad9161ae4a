/** Collects the assets that a project owns: those that its modules export, and those that its tasks write. */
import type { AssetDefinition, MillraceError } from "@millrace/core";
import { assetHandleOf, type AssetHandle } from "./asset/handle.ts";
import type { DescribeOptions } from "./definition.ts";
import { loadDefinitions } from "./load-definitions.ts";

const words = {
  code: "MILLRACE_ASSET_INVALID",
  one: "asset",
  many: "assets",
  advice: "Rename one of them, or import the other.",
} as const;

export function loadAssets(
  owned: Iterable<unknown>,
  options: DescribeOptions,
  errors: MillraceError[],
): AssetDefinition[] {
  const handles = [...owned].map((value) => assetHandleOf(value));
  return loadDefinitions<AssetDefinition, AssetHandle>(handles, words, options, errors)
    .map(({ definition }) => definition)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
