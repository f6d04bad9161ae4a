/** Collects the assets that a project owns: those that its modules export, and those that its tasks write. */
import { errorCodeOf, MillraceError, type AssetDefinition } from "@millrace/core";
import { assetHandleOf, type AssetHandle } from "./asset/handle.ts";
import type { DescribeOptions } from "./definition.ts";
import { formatSource, locate } from "./source.ts";

/** By identity, because files may export each other's assets again. What is wrong with one goes into `errors`. */
export function loadAssets(
  owned: Iterable<unknown>,
  options: DescribeOptions,
  errors: MillraceError[],
): AssetDefinition[] {
  const found = new Map<string, AssetHandle>();
  const definitions: AssetDefinition[] = [];
  for (const value of owned) {
    const handle = assetHandleOf(value);
    const other = handle && found.get(handle.name);
    if (!handle || other === handle) continue;
    if (other) {
      errors.push(duplicateName(other, handle, options.root));
      continue;
    }
    found.set(handle.name, handle);
    try {
      definitions.push(handle.describe(options));
    } catch (error) {
      if (errorCodeOf(error) === undefined) throw error;
      errors.push(error as MillraceError);
    }
  }
  return definitions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function duplicateName(first: AssetHandle, second: AssetHandle, root: string | undefined): MillraceError {
  const source = locate(second.mark, root);
  const places = `${formatSource(locate(first.mark, root))} and ${formatSource(source)}`;
  return new MillraceError("MILLRACE_ASSET_INVALID", {
    message: `Two assets have the name "${second.name}": ${places}.`,
    advice: "Rename one of them, or import the other.",
    fields: { asset: second.name },
    ...(source ? { source } : {}),
  });
}
