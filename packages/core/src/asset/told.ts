/**
 * What task runs tell of assets, and what others report, as entries of the log.
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
import type { AssetDefinition } from "../partition/definition.ts";
import type { NamedReport } from "../run/state.ts";
import { assetEntry, type AssetTelling } from "./entry.ts";
import { assetEntryId, assetReportId, assetReportName, taskSource } from "./name.ts";
import { isAssetReport, readAssetReport } from "./report.ts";

/** What is deployed under a name. */
export type FindAsset = (name: string) => AssetDefinition | undefined;

/** What a function, or a step of it, emitted, and what it told of assets. */
export interface Emitted {
  readonly events: readonly EventDraft[];
  readonly assets: readonly NamedReport[];
}

/** Throws MILLRACE_EVENT_INVALID and MILLRACE_EVENT_TOO_LARGE. */
export function readEmitted(emitted: readonly CloudEvent[]): Emitted {
  const events: EventDraft[] = [];
  const assets: NamedReport[] = [];
  for (const event of emitted) {
    const draft = parseCloudEvent(event as unknown as Json);
    if (isAssetReport(draft.type)) assets.push({ id: draft.id, report: readAssetReport(draft) });
    else events.push(requireForeign(draft));
  }
  return { events, assets };
}

/** The task run that tells. */
export interface Teller extends Omit<AssetProducer, "id"> {
  readonly runId: string;
  readonly lane: string;
  /** Of the run. */
  readonly partition?: string | undefined;
  readonly revision?: number | undefined;
}

/** The entries of what a task run told, and of what its success updates by itself (`writes`). */
export function toldEntries(
  told: { readonly assets: readonly NamedReport[]; readonly writes: readonly string[] },
  teller: Teller,
  find: FindAsset,
): EventDraft[] {
  if (told.assets.length + told.writes.length === 0) return [];
  const { runId, pipeline, node, item, generation, lane, partition, revision } = teller;
  const run: AssetProducer = { id: runId, pipeline, node, item, generation };
  const source = taskSource(pipeline, node);
  const reports = told.assets.flatMap(({ id, report }) =>
    report.kind === "unchanged" ? [] : [{ id, report }],
  );
  const written = told.writes.map((asset) => {
    const name = assetReportName({ type: assetUpdatedType, asset, partition });
    return { id: assetReportId({ runId, item, generation }, name), report: writtenReport(asset) };
  });
  return [...reports, ...written].map(({ id, report }) =>
    assetEntry(report, {
      id: assetEntryId(source, id),
      lane,
      definition: find(report.asset),
      version: id,
      run,
      runPartition: partition,
      revision,
    }),
  );
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
export function givenEntry(event: EventDraft, find: FindAsset): EventDraft {
  if (!isAssetReport(event.type)) return requireForeign(event);
  const report = readAssetReport(event);
  // That is a task's word alone.
  if (report.kind === "unchanged") return requireForeign(event);
  const draft = assetEntry(report, {
    id: assetEntryId(event.source, event.id),
    lane: liveLane,
    definition: find(report.asset),
    // A task's id is one of its own already.
    version: (report.run ? event.id : `${event.source} ${event.id}`).slice(0, assetVersionMax),
  });
  return { ...draft, time: event.time };
}
