/** Which assets a list shows, and in which order: by what stands in the address. */
import type { AssetSummary } from "@millrace/protocol";
import { isTroubled } from "../asset/asset-mark.tsx";

export const orders = {
  name: "by name",
  newest: "updated last first",
  oldest: "not updated for longest first",
  missing: "most missing first",
  trouble: "trouble first",
} as const;
export type Order = keyof typeof orders;

export interface Choice {
  readonly find: string | undefined;
  readonly isTroubleOnly: boolean;
  readonly order: Order;
}

export function orderOf(text: string | undefined): Order {
  return text !== undefined && Object.hasOwn(orders, text) ? (text as Order) : "name";
}

export function chosen(
  assets: readonly AssetSummary[],
  { find, isTroubleOnly, order }: Choice,
): AssetSummary[] {
  const words = (find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = assets.filter(
    (asset) => (!isTroubleOnly || isTroubled(asset)) && words.every((word) => says(asset, word)),
  );
  return order === "name" ? found : found.toSorted(comparing(order));
}

/** By name, owner, tag, description, project, or a pipeline that writes it. */
function says(asset: AssetSummary, word: string): boolean {
  const { name, owner, project, description, tags, writtenBy = [] } = asset;
  return [name, owner, project, description, ...tags, ...writtenBy].some((text) =>
    text?.toLowerCase().includes(word),
  );
}

type Compare = (a: AssetSummary, b: AssetSummary) => number;

/** What is equal stays in the order of its names. */
function comparing(order: Exclude<Order, "name">): Compare {
  const updated = ({ lastUpdate }: AssetSummary): number => (lastUpdate ? Date.parse(lastUpdate.at) : 0);
  const missing = ({ partitions }: AssetSummary): number => partitions?.missing ?? 0;
  switch (order) {
    case "newest":
      return (a, b) => updated(b) - updated(a);
    case "oldest":
      return (a, b) => updated(a) - updated(b);
    case "missing":
      return (a, b) => missing(b) - missing(a);
    default:
      return (a, b) => Number(isTroubled(b)) - Number(isTroubled(a));
  }
}
