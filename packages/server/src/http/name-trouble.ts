/**
 * Waits for an asset that no project declares, or for runs of a pipeline that none has. A deploy refuses such a name in a graph; task
 * code brings its names only when it waits, and a name may have gone since. The wait is kept, as somebody may yet tell of the
 * asset or deploy the pipeline, and whoever looks at it sees why nothing comes.
 */
import {
  assetsIn,
  nearestName,
  parseCondition,
  pipelinesAskedOf,
  type Condition,
  type Json,
  type Reason,
} from "@millrace/core";
import { listAssetDefinitions, listPipelineNames } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";

/** Of so many, maybe not all are listed. */
const pipelineNamesMax = 10_000;

/** Of conditions, by their JSON texts. */
export async function nameTroubles(
  { database }: ApiContext,
  conditions: readonly string[],
): Promise<ReadonlyMap<string, Reason>> {
  const naming = new Map<string, Condition>();
  for (const text of conditions) {
    // Most conditions have none, and a run may have thousands of waits.
    if (!text.includes('"updated"') && !text.includes('"reached"') && !text.includes('"millrace.')) continue;
    if (!naming.has(text)) naming.set(text, parseCondition(JSON.parse(text) as Json, ["condition"]));
  }
  if (naming.size === 0) return naming as Map<string, never>;
  const [definitions, pipelines] = await Promise.all([
    listAssetDefinitions(database, workspaceId),
    listPipelineNames(database, workspaceId),
  ]);
  const assets = definitions.map(({ name }) => name);
  const areAll = pipelines.length < pipelineNamesMax;
  const found = new Map<string, Reason>();
  for (const [text, condition] of naming) {
    const asset = [...assetsIn(condition)].find((name) => !assets.includes(name));
    const pipeline = (areAll ? pipelinesAskedOf(condition) : []).find(
      (asked) => !pipelines.includes(asked.pipeline),
    )?.pipeline;
    if (asset !== undefined) found.set(text, unknownName("asset", asset, assets));
    else if (pipeline !== undefined) found.set(text, unknownName("pipeline", pipeline, pipelines));
  }
  return found;
}

function unknownName(kind: "asset" | "pipeline", name: string, names: readonly string[]): Reason {
  const near = nearestName(name, names);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  return {
    code: `${kind}_unknown`,
    message: `No project has the ${kind} "${name}".${meant}`,
    fields: { [kind]: name, ...(near === undefined ? {} : { nearest: near }) },
  };
}
