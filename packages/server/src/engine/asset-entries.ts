/** What task runs tell of assets (`core/asset/told.ts`), as rows of the flush. */
import { givenEntry, toldEntries, type EventDraft, type RunEffect } from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { AssetBook } from "./asset-book.ts";
import type { RunEntry } from "./run-entry.ts";
import { runPartitionOf } from "./run-partition.ts";

export function toldRows(
  entry: RunEntry,
  effect: Extract<RunEffect, { kind: "emitted" }>,
  assets: AssetBook,
): EventRow[] {
  const { id: runId, pipeline, lane, workspace } = entry.identity;
  const { item, generation } = effect.taskRun;
  const node = effect.taskRun.node.definition.id;
  const teller = { runId, pipeline, node, item, generation, lane, ...runPartitionOf(entry) };
  const drafts = toldEntries(effect, teller, (name) => assets.find(name));
  return drafts.map((draft) => ({ ...draft, workspace, dataText: undefined, runId }));
}

export function givenDraft(event: EventDraft, assets: AssetBook): EventDraft {
  return givenEntry(event, (name) => assets.find(name));
}
