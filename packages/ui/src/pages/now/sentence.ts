/** Whether all is well, in a sentence. */
import type { AttentionView, Overview } from "@millrace/protocol";
import { countOf } from "../../parts/number-text.ts";

/** What somebody chose, or what has mended itself, needs nobody at once. */
export function isUrgent(item: AttentionView): boolean {
  if (item.kind === "runs_failed") return !item.isRecovered;
  return item.kind !== "pipeline_paused" && item.kind !== "source_paused";
}

export function urgentCount({ attention }: Overview): number {
  return attention.filter(isUrgent).length;
}

/** `All is well`, `2 things need you`. */
export function verdictText(overview: Overview): string {
  const count = urgentCount(overview);
  if (count > 0) return count === 1 ? "1 thing needs you" : `${count} things need you`;
  return "All is well";
}

/** Since when, where no failure is remembered: as far back as was looked. */
export function sinceText({ failuresSince, at }: Overview): string {
  const days = Math.round((Date.parse(at) - Date.parse(failuresSince)) / 86_400_000);
  return `No run has failed in the last ${days} days`;
}

export function activityText({ runs }: Overview): string {
  const parts = [
    [runs.running, "running"],
    [runs.waiting, "waiting"],
    [runs.queued, "queued"],
  ] as const;
  const told = parts.filter(([{ count }]) => count > 0);
  if (told.length === 0) return "no run is under way";
  return told
    .map(([counted, word], index) =>
      index === 0 ? `${countOf(counted, "run")} ${word}` : countOf(counted, word, word),
    )
    .join(", ");
}
