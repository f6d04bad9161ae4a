/** An asset's state as mark and word: what is wrong first. */
import type { AssetSummary } from "@millrace/protocol";

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly kind: string;
}

function lookOf({ freshness, partitions, lastUpdate, rejected }: AssetSummary): Look {
  if (freshness?.state === "stale") return { mark: "◷", word: "late", kind: "warn" };
  if (freshness?.state === "never") return { mark: "◷", word: "never updated", kind: "warn" };
  if (partitions?.missing) return { mark: "◌", word: "has gaps", kind: "warn" };
  if (rejected && rejected.position > (lastUpdate?.position ?? 0))
    return { mark: "✕", word: "did not fit", kind: "warn" };
  if (freshness?.state === "fresh") return { mark: "●", word: "fresh", kind: "good" };
  if (lastUpdate) return { mark: "●", word: "there", kind: "good" };
  return { mark: "·", word: "nothing yet", kind: "off" };
}

export function AssetMark({ asset }: { readonly asset: AssetSummary }) {
  const { mark, word, kind } = lookOf(asset);
  return (
    <span className={`state ${kind}`}>
      <span className="mark" aria-hidden="true">
        {mark}
      </span>
      <span>{word}</span>
    </span>
  );
}

export function isTroubled(asset: AssetSummary): boolean {
  return lookOf(asset).kind === "warn";
}
