/** A line of `millrace assets`. */
import type { AssetSummary } from "@millrace/protocol";
import { formatAgo, harmless, plural } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";

/** Columns of `assetRow`: a narrow terminal keeps name and last update longest, and always what is wrong. */
export const listYields = [7, 6, 5, 4, 3, 2];

export function assetRow(asset: AssetSummary, paint: Colors, now: Date): string[] {
  const { name, project, description, owner, tags, upstream, downstream } = asset;
  const about = [description, owner && `by ${owner}`, tags.map((tag) => `#${tag}`).join(" ")];
  return [
    freshnessMark(asset, paint),
    asset.rejected ? paint.red(`! ${asset.rejected.count} rejected`) : "",
    paint.bold(harmless(name)),
    lastUpdate(asset, paint, now),
    partitionCounts(asset, paint),
    paint.dim(project ?? "not declared"),
    paint.dim(lineage(upstream, downstream)),
    harmless(about.filter(Boolean).join("  ")),
  ];
}

export function freshnessMark({ freshness, updates, project }: AssetSummary, paint: Colors): string {
  if (project === undefined) return paint.yellow("? unknown");
  switch (freshness?.state) {
    case "fresh":
      return paint.green("● fresh");
    case "stale":
      return paint.red("● stale");
    case "never":
      return paint.yellow("○ never");
    default:
      return updates > 0 ? "● updated" : paint.dim("○ no update");
  }
}

function lastUpdate({ lastUpdate: last }: AssetSummary, paint: Colors, now: Date): string {
  if (!last) return "";
  const by = last.runId === undefined ? "from outside" : `by run ${last.runId}`;
  return `${formatAgo(new Date(last.at), now)} ${paint.dim(by)}`;
}

export function partitionCounts({ partitions }: AssetSummary, paint: Colors): string {
  if (!partitions) return "";
  const { present, missing, newestOnly } = partitions;
  const there = plural(present, "partition");
  if (missing === undefined) return there;
  const among = newestOnly ? " among the newest" : "";
  return missing === 0
    ? `${there}, none missing${among}`
    : `${there}, ${paint.yellow(`${missing} missing`)}${among}`;
}

function lineage(upstream: readonly string[], downstream: readonly string[]): string {
  const parts = [
    upstream.length > 0 ? `← ${upstream.join(", ")}` : "",
    downstream.length > 0 ? `→ ${downstream.join(", ")}` : "",
  ];
  return harmless(parts.filter(Boolean).join("  "));
}
