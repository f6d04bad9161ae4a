import type { AssetDetail } from "@millrace/protocol";
import { clockText, durationText, relativeText } from "../../parts/time-text.ts";

/** Fresh? Missing? Complete up to when? */
export function assetSentence(asset: AssetDetail, now: number): string {
  const { freshness, lastUpdate, partitions, progress, updates, project } = asset;
  const [newest] = asset.lastUpdates;
  const parts = [
    lastUpdate === undefined
      ? "Nothing has updated it yet."
      : `It was updated ${relativeText(Date.parse(lastUpdate.at), now)}${updates > 1 ? `, ${updates} times in all` : ""}.`,
    newest?.revision === undefined || newest.revision < 2
      ? ""
      : `That was revision ${newest.revision} of ${newest.partition ?? "it"}: data came late.`,
    freshness === undefined
      ? ""
      : freshness.state === "fresh"
        ? `It is fresh: it may be ${durationText(freshness.maxAgeMs)} old.`
        : freshness.state === "stale"
          ? `It is late${lastUpdate === undefined ? "" : ` by ${durationText(now - Date.parse(lastUpdate.at) - freshness.maxAgeMs)}`}: it may be ${durationText(freshness.maxAgeMs)} old at most.`
          : `It should be ${durationText(freshness.maxAgeMs)} old at most.`,
    partitions === undefined
      ? ""
      : partitions.missing === undefined
        ? `${counted(partitions.present)} known.`
        : partitions.missing === 0
          ? partitions.present === 1
            ? "The one partition that should be there is."
            : `All ${partitions.present} partitions that should be there are.`
          : `${counted(partitions.present)} there, ${partitions.missing} ${partitions.missing === 1 ? "is" : "are"} missing.`,
    progress === undefined ? "" : `It is complete up to ${clockText(Date.parse(progress), now)}.`,
    project === undefined ? "No project declares it." : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function counted(count: number): string {
  return count === 1 ? "One partition is" : `${count} partitions are`;
}
