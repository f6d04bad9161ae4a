/** The assets that a pipeline names: what its trigger listens to, what its nodes write and read. */
import { operandsOf, type Condition } from "../condition/condition.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { PipelineDefinition, SourceLocation } from "../graph/definition.ts";
import { nearestName } from "../nearest-name.ts";

/** Every asset that a pipeline names is one of `known`. Throws MILLRACE_ASSET_UNKNOWN. */
export function checkAssetUses(pipeline: PipelineDefinition, known: ReadonlySet<string>): void {
  for (const node of pipeline.nodes) {
    const uses = [
      ["writes", node.writes ?? []],
      ["reads", node.reads ?? []],
    ] as const;
    for (const [does, names] of uses)
      for (const asset of names)
        requireAsset(asset, known, {
          what: `The node "${node.id}" of "${pipeline.name}" ${does} the asset`,
          fields: { pipeline: pipeline.name, node: node.id, asset },
          ...sourceOf(node),
        });
  }
  for (const asset of pipeline.trigger ? assetsIn(pipeline.trigger.condition) : [])
    requireAsset(asset, known, {
      what: `The trigger of "${pipeline.name}" waits for the asset`,
      fields: { pipeline: pipeline.name, asset },
      ...sourceOf(pipeline),
    });
}

/** Where an asset is named. */
export interface AssetUse {
  readonly what: string;
  readonly fields: { readonly [name: string]: string };
  readonly source?: SourceLocation;
}

export function requireAsset(
  asset: string,
  known: ReadonlySet<string>,
  { what, fields, source }: AssetUse,
): void {
  if (known.has(asset)) return;
  const near = nearestName(asset, known);
  throw new MillraceError("MILLRACE_ASSET_UNKNOWN", {
    message: `${what} "${asset}", which no project declares.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    advice: `Declare it with asset(${JSON.stringify(asset)}, …) and export it from one of the project's files.`,
    fields,
    ...(source ? { source } : {}),
  });
}

/** The assets that a condition listens to. */
export function assetsIn(condition: Condition): Set<string> {
  const found = new Set<string>();
  const walk = (one: Condition): void => {
    if (one.kind === "updated" || one.kind === "reached")
      for (const { asset } of one.assets) found.add(asset);
    for (const operand of operandsOf(one)) walk(operand);
  };
  walk(condition);
  return found;
}

function sourceOf(part: { readonly source?: SourceLocation }): { readonly source?: SourceLocation } {
  return part.source === undefined ? {} : { source: part.source };
}
