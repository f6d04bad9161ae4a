import { shardOfName } from "../shard-of-name.ts";
import { workspaceId } from "../workspace.ts";

/** The shard of a thing that a probe looks at. */
export function probeShard(id: string): number {
  return shardOfName(`${workspaceId}/probe/${id}`);
}
