/** What is told of assets, as rows of the log. */
import { toldEntries as entriesOf, type RunEffect } from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { AssetBook } from "./asset-book.ts";
import type { RunEntry } from "./run-entry.ts";
import { runPartitionOf } from "./run-partition.ts";

/** The entries of what a task run told, and of what its success updates by itself. */
export function toldEntries(
  entry: RunEntry,
  effect: Extract<RunEffect, { kind: "emitted" }>,
  { assets, now }: { readonly assets: AssetBook; readonly now: number },
): EventRow[] {
  const { id: runId, pipeline, lane, workspace } = entry.identity;
  const teller = { id: runId, pipeline, lane, ...runPartitionOf(entry) };
  const drafts = entriesOf(teller, effect, { find: (name) => assets.find(name), now });
  return drafts.map((draft) => ({ ...draft, workspace, dataText: undefined, runId }));
}
