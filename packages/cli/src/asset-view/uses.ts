/** What a run wrote and read, in `millrace show`. */
import type { AssetUseView } from "@millrace/protocol";
import { cut, formatTable, harmless } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";

const usesShown = 40;

/** A line for each asset and node; partitions that are many are told by the first, the last and their number. */
export function assetUseLines(uses: readonly AssetUseView[], paint: Colors): string[] {
  if (uses.length === 0) return [];
  const newest = Math.max(...uses.map(({ generation }) => generation));
  const groups = [
    ...Map.groupBy(uses, ({ direction, node, asset, generation }) =>
      [direction === "write" ? 0 : 1, generation, node, asset].join("\n"),
    ).values(),
  ].sort((a, b) => order(a[0]!) - order(b[0]!));
  const rows = groups.slice(0, usesShown).map((group) => {
    const [first] = group;
    const { direction, node, asset, generation } = first!;
    return [
      direction === "write" ? paint.green("→ wrote") : paint.cyan("← read"),
      paint.bold(harmless(asset)),
      harmless(partitionsText(group)),
      paint.dim(`${harmless(node)}${newest > 1 ? ` generation ${generation}` : ""}`),
      paint.dim(contentText(group)),
    ];
  });
  const lines = ["", paint.bold("assets"), ...formatTable(rows).map((line) => `  ${line}`)];
  if (groups.length > usesShown) lines.push(paint.dim("  … and more; see them with --json"));
  return lines;
}

function order({ direction, generation }: AssetUseView): number {
  return generation * 2 + (direction === "write" ? 1 : 0);
}

function partitionsText(group: readonly AssetUseView[]): string {
  const keys = group.map(({ partition }) => partition ?? "whole");
  if (keys.length <= 3) return [...new Set(keys)].join(", ");
  return `${keys[0]} … ${keys.at(-1)} (${keys.length})`;
}

function contentText(group: readonly AssetUseView[]): string {
  const [one, another] = group;
  if (!one || another) return "";
  if (one.position === undefined) return "nothing was there";
  return `${harmless(cut(one.version ?? "", 60))}, position ${one.position}`;
}
