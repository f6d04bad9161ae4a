/** What a deploy must say rightly of assets: each is owned by one project, and every name that is used names one. */
import {
  compilePartitionMapping,
  compilePartitions,
  errorCodeOf,
  MillraceError,
  parseAsset,
  requireKnown,
  type AssetDefinition,
  type Json,
  type ProjectDefinition,
  type SourceLocation,
} from "@millrace/core";
import { isStorable } from "@millrace/protocol";
import type { DeploymentState } from "@millrace/store";

/** What can be judged from the definition alone. */
export function checkAssets({ assets = [] }: ProjectDefinition): void {
  const seen = new Set<string>();
  for (const given of assets) {
    const asset = parseAsset(given as unknown as Json);
    const isTwice = seen.has(asset.name);
    if (isTwice || !isStorable(JSON.stringify(given))) {
      throw new MillraceError("MILLRACE_ASSET_INVALID", {
        message: isTwice
          ? `The project has two assets with the name "${asset.name}".`
          : `The asset "${asset.name}" has a text with U+0000 or half of a surrogate pair, which can't be stored.`,
        ...sourceOf(asset),
      });
    }
    seen.add(asset.name);
  }
}

/** What depends on other projects. */
export function checkAssetNames(definition: ProjectDefinition, state: DeploymentState): void {
  const { project, assets = [] } = definition;
  const foreign = new Map(
    state.assets.filter((row) => row.project !== project).map((row) => [row.definition.name, row.project]),
  );
  for (const asset of assets) {
    const owner = foreign.get(asset.name);
    if (owner === undefined) continue;
    throw new MillraceError("MILLRACE_PROJECT_CONFLICT", {
      message: `The asset "${asset.name}" belongs to the project "${owner}", not to "${project}".`,
      advice:
        "Give it another name; or import it without exporting or writing it, to read what that project makes.",
      fields: { asset: asset.name, owner, project },
      ...sourceOf(asset),
    });
  }
  const known = new Set([...foreign.keys(), ...assets.map(({ name }) => name)]);
  const all = new Map(
    [...state.assets.map(({ definition: one }) => one), ...assets].map((one) => [one.name, one]),
  );
  for (const asset of assets) checkUpstream(asset, all, known);
}

const noNames: ReadonlySet<string> = new Set();

/** What it is made of is there, and a mapping that is given fits both. */
function checkUpstream(
  asset: AssetDefinition,
  all: ReadonlyMap<string, AssetDefinition>,
  known: ReadonlySet<string>,
): void {
  for (const [at, upstream] of (asset.upstream ?? []).entries()) {
    const use = {
      kind: "asset" as const,
      name: upstream.asset,
      what: `The asset "${asset.name}" is made of the asset`,
      fields: { asset: upstream.asset },
      ...sourceOf(asset),
    };
    requireKnown(use, { assets: known, pipelines: noNames });
    // Without a mapping it is lineage alone; a condition that needs the usual one judges it.
    if (!upstream.mapping) continue;
    const from = all.get(upstream.asset)?.partitions;
    try {
      compilePartitionMapping(
        upstream.mapping,
        from && compilePartitions(from),
        asset.partitions && compilePartitions(asset.partitions),
        ["upstream", at, "mapping"],
      );
    } catch (cause) {
      const code = errorCodeOf(cause);
      if (code === undefined) throw cause;
      const { message, advice, fields } = cause as MillraceError;
      throw new MillraceError(code, {
        message: `The asset "${asset.name}" is made of "${upstream.asset}": ${message}`,
        advice,
        fields,
        ...sourceOf(asset),
        cause,
      });
    }
  }
}

function sourceOf(part: { readonly source?: SourceLocation }): { readonly source?: SourceLocation } {
  return part.source === undefined ? {} : { source: part.source };
}
