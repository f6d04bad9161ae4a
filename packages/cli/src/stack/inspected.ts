/** The node, or the item of one, that `millrace run --inspect` names. */
import { compileGraph, MillraceError, type PipelineDefinition } from "@millrace/core";
import { inspectLabel, type RunSummary } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { requireNode } from "../api/find-run.ts";
import { plural } from "../terminal/format.ts";

export interface Inspected {
  readonly node: string;
  /** `3`, or `3.0` where fan-outs are nested. */
  readonly item: string | undefined;
}

/** Throws MILLRACE_NODE_UNKNOWN for what no run of the pipeline can have. */
export function readInspected(given: string, definition: PipelineDefinition): Inspected {
  const [, name = given, item] = /^(.*?)(?:\[([\d.]+)\])?$/.exec(given) ?? [];
  const node = requireNode(
    name,
    definition.nodes.map(({ id }) => id),
  );
  if (item === undefined) return { node, item };
  let depth = 0;
  for (let region = compileGraph(definition).byId.get(node)?.region; region; region = region.parent)
    depth += 1;
  const isName = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/.test(item);
  if (isName && item.split(".").length === depth) return { node, item };
  throw noSuchItem(
    { node, item },
    depth === 0
      ? { has: "it is in no fan-out", advice: `Leave the item out: \`--inspect ${node}\`.` }
      : {
          has: depth === 1 ? "its items are numbered" : `${depth} numbers name its items`,
          advice: `Name one as \`${node}[${Array.from({ length: depth }, () => "0").join(".")}]\`: the first is 0.`,
        },
  );
}

export function inspectedLabel({ node, item }: Inspected): { readonly [name: string]: string } {
  return { [inspectLabel]: item === undefined ? node : `${node}[${item}]` };
}

/** Which items there are is known once the run has got there. Throws MILLRACE_NODE_UNKNOWN where the one that is named was not. */
export async function requireInspectedItem(
  client: ApiClient,
  run: RunSummary,
  { node, item }: Inspected,
): Promise<void> {
  if (item === undefined) return;
  let count = 0;
  for await (const taskRun of client.pages(`/runs/${run.id}/nodes`, { node })) {
    if (taskRun.item === item) return;
    // Where the fan-out was never reached, its node stands for its items.
    if (taskRun.item !== "") count += 1;
  }
  if (count === 0 && run.state !== "succeeded") return;
  throw noSuchItem(
    { node, item },
    {
      has: `it had ${plural(count, "item")} in this run, so that nothing waited for a debugger`,
      advice: "The first is 0. `millrace show RUN --json` lists them.",
    },
  );
}

function noSuchItem(
  { node, item }: Inspected,
  { has, advice }: { readonly has: string; readonly advice: string },
): MillraceError {
  return new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `The node \`${node}\` has no item [${item}]: ${has}.`,
    advice,
    fields: { node, item: item ?? "" },
  });
}
