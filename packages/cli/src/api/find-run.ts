import { errorCodeOf, MillraceError, nearestName } from "@millrace/core";
import type { RunSummary } from "@millrace/protocol";
import type { ApiClient } from "./client.ts";

/** A shortened id is looked for among this many of the newest runs. */
const recentMax = 1_000;

/** The id of a run that was named whole, or by the beginning of its id when that means one run. */
export async function findRunId(client: ApiClient, given: string): Promise<string> {
  try {
    return (await client.get(`/runs/${encodeURIComponent(given)}`)).run.id;
  } catch (error) {
    if (errorCodeOf(error) !== "MILLRACE_RUN_UNKNOWN") throw error;
  }
  const runs = await client.list("/runs", {}, recentMax);
  const recent = runs.map(({ id }) => id);
  const meant = recent.filter((id) => id.startsWith(given));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only;
  throw new MillraceError("MILLRACE_RUN_UNKNOWN", {
    message:
      meant.length > 1
        ? `${meant.length} runs begin with \`${given}\`: ${meant.slice(0, 3).join(", ")}${meant.length > 3 ? ", …" : ""}.`
        : `No run is called \`${given}\`.`,
    ...adviceFor(given, meant, runs),
  });
}

function adviceFor(
  given: string,
  meant: readonly string[],
  runs: readonly RunSummary[],
): { readonly advice?: string } {
  if (meant.length > 1) return { advice: "Write more of its id." };
  const ofPipeline = runs.find(({ pipeline }) => pipeline === given);
  if (ofPipeline) return { advice: `\`${given}\` is a pipeline; its newest run is \`${ofPipeline.id}\`.` };
  const recent = runs.map(({ id }) => id);
  const near = nearestName(given, recent) ?? recent.find((id) => id.endsWith(given));
  return near === undefined ? {} : { advice: `Did you mean \`${near}\`?` };
}

/** The node that was meant. Throws MILLRACE_NODE_UNKNOWN with the nearest. */
export function requireNode(given: string, known: Iterable<string>): string {
  const ids = [...new Set(known)];
  if (ids.includes(given)) return given;
  const near = nearestName(given, ids);
  const [, node, item] = /^(.+)\[([\d.]+)\]$/.exec(given) ?? [];
  throw new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `There is no node \`${given}\`.`,
    advice: ids.includes(node ?? "")
      ? `Name an item apart: \`${node} --item ${item}\`.`
      : near === undefined
        ? `Its nodes: ${ids.slice(0, 12).join(", ")}${ids.length > 12 ? ", …" : ""}.`
        : `Did you mean \`${near}\`?`,
  });
}
