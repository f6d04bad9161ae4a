/** What a deploy must say rightly of assets: each is owned by one project, and every name that is used names one. */
import {
  MillraceError,
  nearestName,
  parseAsset,
  type AssetDefinition,
  type Json,
  type PipelineDefinition,
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
  const { project, assets = [], pipelines } = definition;
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
  for (const pipeline of pipelines) checkUses(pipeline, known);
  for (const asset of assets)
    for (const upstream of asset.upstream ?? [])
      requireKnown(upstream.asset, known, {
        what: `The asset "${asset.name}" is made of the asset`,
        fields: { asset: upstream.asset },
        ...sourceOf(asset),
      });
}

function checkUses(pipeline: PipelineDefinition, known: ReadonlySet<string>): void {
  for (const node of pipeline.nodes) {
    const uses = [
      ["writes", node.writes ?? []],
      ["reads", node.reads ?? []],
    ] as const;
    for (const [does, names] of uses)
      for (const asset of names)
        requireKnown(asset, known, {
          what: `The node "${node.id}" of "${pipeline.name}" ${does} the asset`,
          fields: { pipeline: pipeline.name, node: node.id, asset },
          ...sourceOf(node),
        });
  }
  for (const asset of assetsIn(pipeline.trigger?.condition as unknown as Json | undefined))
    requireKnown(asset, known, {
      what: `The trigger of "${pipeline.name}" waits for the asset`,
      fields: { pipeline: pipeline.name, asset },
      ...sourceOf(pipeline),
    });
}

interface Use {
  readonly what: string;
  readonly fields: { readonly [name: string]: string };
  readonly source?: SourceLocation;
}

function requireKnown(asset: string, known: ReadonlySet<string>, { what, fields, source }: Use): void {
  if (known.has(asset)) return;
  const near = nearestName(asset, known);
  throw new MillraceError("MILLRACE_ASSET_UNKNOWN", {
    message: `${what} "${asset}", which no project declares.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    advice: `Declare it with asset(${JSON.stringify(asset)}, …) and export it from one of the project's files.`,
    fields,
    ...(source ? { source } : {}),
  });
}

/** The assets that a condition names. */
export function assetsIn(condition: Json | undefined): Set<string> {
  const found = new Set<string>();
  const open: Json[] = [condition ?? null];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part === null || typeof part !== "object") continue;
    if (Array.isArray(part)) open.push(...(part as readonly Json[]));
    else {
      const { kind, asset, ...rest } = part as { readonly [name: string]: Json };
      if ((kind === "updated" || kind === "reached") && typeof asset === "string") found.add(asset);
      open.push(...Object.values(rest));
    }
  }
  return found;
}

function sourceOf(part: { readonly source?: SourceLocation }): { readonly source?: SourceLocation } {
  return part.source === undefined ? {} : { source: part.source };
}
