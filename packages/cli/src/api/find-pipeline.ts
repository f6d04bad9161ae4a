import { errorCodeOf, MillraceError, nearestName } from "@millrace/core";
import type { PipelineDetail } from "@millrace/protocol";
import type { ApiClient } from "./client.ts";

/** A pipeline with its definition. Throws MILLRACE_PIPELINE_UNKNOWN with the nearest name. */
export async function requirePipeline(client: ApiClient, name: string): Promise<PipelineDetail> {
  try {
    return await client.get(`/pipelines/${encodeURIComponent(name)}`);
  } catch (error) {
    if (errorCodeOf(error) !== "MILLRACE_PIPELINE_UNKNOWN") throw error;
    const pipelines = await client.list("/pipelines");
    throw unknownPipeline(
      name,
      pipelines.filter(({ retired }) => !retired).map((known) => known.name),
    );
  }
}

export function unknownPipeline(name: string, names: readonly string[]): MillraceError {
  const near = nearestName(name, names);
  const all =
    names.length === 0
      ? "There are none yet."
      : `There are: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}.`;
  return new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline \`${name}\`.`,
    advice: near === undefined ? all : `Did you mean \`${near}\`?`,
    fields: { pipeline: name },
  });
}
