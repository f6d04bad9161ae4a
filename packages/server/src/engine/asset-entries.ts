/**
 * What a success, or a step, tells of assets as entries of the log (`core/asset`), and what others report.
 *
 * S1: an entry's id is made of who told and what, so a repeat is the same entry: what a retry or a later dispatch tells again.
 * S2: an entry is judged by what is deployed when it is made.
 */
import {
  assetVersionMax,
  assetEntry,
  assetEntryId,
  assetReportId,
  assetReportName,
  assetUpdatedType,
  liveLane,
  isAssetReport,
  readAssetReport,
  requireForeign,
  taskSource,
  type AssetProducer,
  type AssetTelling,
  type EventDraft,
  type RunEffect,
} from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { AssetBook } from "./asset-book.ts";
import type { RunEntry } from "./run-entry.ts";
import { runPartitionOf } from "./run-partition.ts";

/** The entries of what a task run told, and of what its success updates by itself. */
export function toldEntries(
  entry: RunEntry,
  {
    taskRun,
    assets: told,
    writes,
  }: Pick<Extract<RunEffect, { kind: "emitted" }>, "taskRun" | "assets" | "writes">,
  assets: AssetBook,
): EventRow[] {
  if (told.length + writes.length === 0) return [];
  const { id, pipeline, lane, workspace } = entry.identity;
  const { partition, revision } = runPartitionOf(entry);
  const node = taskRun.node.definition.id;
  const { item, generation } = taskRun;
  const producer: AssetProducer = { id, pipeline, node, item, generation };
  const source = taskSource(pipeline, node);
  const row = ({
    id: reportId,
    report,
  }: {
    readonly id: string;
    readonly report: AssetTelling;
  }): EventRow => {
    const draft = assetEntry(report, {
      id: assetEntryId(source, reportId),
      lane,
      definition: assets.find(report.asset),
      version: reportId,
      run: producer,
      runPartition: partition,
      revision,
    });
    return { ...draft, workspace, dataText: undefined, runId: id };
  };
  const reports = told.flatMap(({ id: reportId, report }) =>
    report.kind === "unchanged" ? [] : [{ id: reportId, report }],
  );
  const written = writes.map((asset) => {
    const name = assetReportName({ type: assetUpdatedType, asset, partition });
    return { id: assetReportId({ runId: id, item, generation }, name), report: writtenReport(asset) };
  });
  return [...reports, ...written].map(row);
}

function writtenReport(asset: string): AssetTelling {
  return {
    kind: "updated",
    asset,
    partition: undefined,
    version: undefined,
    isObserved: false,
    metadata: {},
  };
}

/**
 * What somebody gives to the log: an event as it is, or the entry of what it tells of an asset. Throws MILLRACE_EVENT_INVALID
 * and MILLRACE_EVENT_TOO_LARGE.
 */
export function givenEntry(event: EventDraft, assets: AssetBook): EventDraft {
  if (!isAssetReport(event.type)) return requireForeign(event);
  const report = readAssetReport(event);
  // That is a task's word alone.
  if (report.kind === "unchanged") return requireForeign(event);
  const draft = assetEntry(report, {
    id: assetEntryId(event.source, event.id),
    lane: liveLane,
    definition: assets.find(report.asset),
    // A task's id is one of its own already.
    version: (report.run ? event.id : `${event.source} ${event.id}`).slice(0, assetVersionMax),
  });
  return { ...draft, time: event.time };
}
