/**
 * What a success tells of assets (`core/asset`), and what others report.
 *
 * S1: a succeeded attempt updates each asset that its node declares to write, unless it reported that asset itself or said
 *     that it is unchanged.
 * S2: an entry's id is made of who told and what, so a repeat is the same entry: what a retry or a later dispatch tells again.
 */
import {
  assetVersionMax,
  assetEntry,
  assetEntryId,
  assetReportId,
  assetUpdatedType,
  liveLane,
  isAssetReport,
  readAssetReport,
  requireForeign,
  taskSource,
  type AssetProducer,
  type AssetTelling,
  type EventDraft,
  type NamedReport,
  type TaskRun,
} from "@millrace/core";
import type { EventRow } from "@millrace/store";
import type { AssetBook } from "./asset-book.ts";
import type { RunEntry } from "./run-entry.ts";

/** The entries of an attempt that succeeded. */
export function successEntries(
  entry: RunEntry,
  taskRun: TaskRun,
  told: readonly NamedReport[],
  assets: AssetBook,
): EventRow[] {
  const { id, pipeline, lane, workspace } = entry.identity;
  const { partition, revision } = runPartitionOf(entry);
  const { id: node, writes = [] } = taskRun.node.definition;
  const { item, generation } = taskRun;
  const producer: AssetProducer = { id, pipeline, node, item, generation };
  const source = taskSource(pipeline, node);
  const row = (reportId: string, report: AssetTelling): EventRow => {
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
  const rows = told.flatMap(({ id: reportId, report }) =>
    report.kind === "unchanged" ? [] : [row(reportId, report)],
  );
  const said = new Set(
    told.filter(({ report }) => report.kind !== "partition").map(({ report }) => report.asset),
  );
  for (const asset of writes) {
    if (said.has(asset)) continue;
    const name = assetReportId(
      { runId: id, item, generation },
      { type: assetUpdatedType, asset, partition },
      1,
    );
    rows.push(row(name, writtenReport(asset)));
  }
  return rows;
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

function runPartitionOf(_entry: RunEntry): { readonly partition?: string; readonly revision?: number } {
  return {};
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
    version: `${event.source} ${event.id}`.slice(0, assetVersionMax),
  });
  return { ...draft, time: event.time };
}
