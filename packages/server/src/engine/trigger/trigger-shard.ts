import { shardOfName } from "../shard-of-name.ts";
import { workspaceId } from "../workspace.ts";

/** The shard of the trigger of a pipeline. */
export function triggerShard(pipeline: string): number {
  return shardOfName(`${workspaceId}/trigger/${pipeline}`);
}
