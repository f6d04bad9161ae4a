import type { AssetSummary } from "@millrace/protocol";
import { csvOf } from "./csv.ts";

/** As the list shows them, in its order. */
export function assetsCsv(assets: readonly AssetSummary[]): string {
  return csvOf(
    [
      "asset",
      "project",
      "owner",
      "tags",
      "freshness",
      "updated",
      "updates",
      "present",
      "missing",
      "written by",
    ],
    assets.map(
      ({ name, project, owner, tags, freshness, lastUpdate, updates, partitions, writtenBy = [] }) => [
        name,
        project,
        owner,
        tags.join(" "),
        freshness?.state,
        lastUpdate?.at,
        updates,
        partitions?.present,
        partitions?.missing,
        writtenBy.join(" "),
      ],
    ),
  );
}
