/**
 * What a success, or a step, tells of assets as entries of the log, and what others report.
 *
 * S1: an entry's id is made of who told and what, so a repeat is the same entry: what a retry or a later dispatch tells again.
 * S2: an entry is judged by what is deployed when it is made.
 */
import { parseCloudEvent, type CloudEvent } from "../event/cloud-event.ts";
import { liveLane, type EventDraft } from "../event/event.ts";
import { requireForeign } from "../event/own.ts";
import type { Json } from "../json.ts";
import { assetVersionMax } from "../limits.ts";
import { assetUpdatedType, type AssetProducer } from "../partition/asset-event.ts";
import type { NamedReport, RunEffect } from "../run/state.ts";
import type { AssetDefinition } from "../partition/definition.ts";
import { assetEntry, type AssetTelling } from "./entry.ts";
import { assetEntryId, assetReportId, assetReportName, taskSource } from "./name.ts";
import { requireNearProgress } from "./progress-bound.ts";
import { isAssetReport, readAssetReport } from "./report.ts";

export type FindAsset = (name: string) => AssetDefinition | undefined;

/** The run that tells, and what it is for. */
export interface TellingRun {
  readonly id: string;
  readonly pipeline: string;
  readonly lane: string;
  readonly partition?: string;
  /** Above 1: it makes the partition again, for late data. */
  readonly revision?: number;
}

/** Where what is told is judged: what is deployed there, and the log's clock. */
export interface AssetJudge {
  readonly find: FindAsset;
  readonly now: number;
}

/** The entries of what a task run told, and of what its success updates by itself. */
export function toldEntries(
  { id, pipeline, lane, partition, revision }: TellingRun,
  {
    taskRun,
    assets: told,
    writes,
  }: Pick<Extract<RunEffect, { kind: "emitted" }>, "taskRun" | "assets" | "writes">,
  { find, now }: AssetJudge,
): EventDraft[] {
  if (told.length + writes.length === 0) return [];
  const node = taskRun.node.definition.id;
  const { item, generation } = taskRun;
  const producer: AssetProducer = { id, pipeline, node, item, generation };
  const source = taskSource(pipeline, node);
  const entry = ({
    id: reportId,
    report,
  }: {
    readonly id: string;
    readonly report: AssetTelling;
  }): EventDraft =>
    assetEntry(report, {
      id: assetEntryId(source, reportId),
      lane,
      definition: find(report.asset),
      version: reportId,
      now,
      run: producer,
      runPartition: partition,
      revision,
    });
  const reports = told.flatMap(({ id: reportId, report }) =>
    report.kind === "unchanged" ? [] : [{ id: reportId, report }],
  );
  const written = writes.map((asset) => {
    const name = assetReportName({ type: assetUpdatedType, asset, partition });
    return { id: assetReportId({ runId: id, item, generation }, name), report: writtenReport(asset) };
  });
  return [...reports, ...written].map(entry);
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
 * What somebody gives to the log: an event as it is, or the entry of what it tells of an asset. Throws MILLRACE_EVENT_INVALID,
 * MILLRACE_EVENT_TOO_LARGE and MILLRACE_PROGRESS_AHEAD.
 */
export function givenEntry(event: EventDraft, { find, now }: AssetJudge): EventDraft {
  if (!isAssetReport(event.type)) return requireForeign(event);
  const report = readAssetReport(event);
  // That is a task's word alone.
  if (report.kind === "unchanged") return requireForeign(event);
  const definition = find(report.asset);
  if (report.kind === "progress" && definition) requireNearProgress(report, definition, now);
  const draft = assetEntry(report, {
    id: assetEntryId(event.source, event.id),
    lane: liveLane,
    definition,
    now,
    // A task's id is one of its own already.
    version: (report.run ? event.id : `${event.source} ${event.id}`).slice(0, assetVersionMax),
  });
  return { ...draft, time: event.time };
}

/** What a function, or a step of it, emitted, and what it told of assets. */
export function emittedOf(emitted: readonly CloudEvent[] = []): {
  readonly events: readonly EventDraft[];
  readonly assets: readonly NamedReport[];
} {
  return { events: emitted.flatMap(readEmitted), assets: emitted.flatMap(readReported) };
}

function readReported(event: CloudEvent): NamedReport[] {
  if (!isAssetReport(event.type)) return [];
  try {
    const draft = parseCloudEvent(event as unknown as Json);
    return [{ id: draft.id, report: readAssetReport(draft) }];
  } catch {
    return [];
  }
}

/** The worker has checked it; what is none all the same must not keep its attempt's result from being taken. */
function readEmitted(event: CloudEvent): EventDraft[] {
  try {
    return [requireForeign(parseCloudEvent(event as unknown as Json))];
  } catch {
    return [];
  }
}
