/**
 * `ctx.asset(a)`: what an attempt tells of assets. Each telling is an event of its attempt and travels with the others; the
 * server makes an entry of Millrace's own of it (`core/asset/report.ts`).
 *
 * R1: a telling's name is made of the task run, the asset, the partition and how many of the kind came before, as a success's
 *     own are: a repeat of the attempt tells the same.
 */
import {
  assetPartitionType,
  assetProgressType,
  assetReportName,
  assetUnchangedType,
  assetUpdatedType,
  findJsonFault,
  formatPath,
  MillraceError,
  readAssetReport,
  taskSource,
  type AssetProducer,
  type CloudEvent,
  type Json,
} from "@millrace/core";
import type { Asset, AssetReporter, MaterializedUpdate, ReportOptions } from "@millrace/sdk";
import { assetNameOf } from "@millrace/sdk/internal";
import type { Emitter } from "./emit.ts";
import { reportPlaceHere } from "./step-scope.ts";
import type { RunAttempt } from "../pool/child-message.ts";

export function makeAssetReporter(run: RunAttempt, emitter: Emitter, given: Asset | string): AssetReporter {
  const asset: unknown = assetNameOf(given);
  if (typeof asset !== "string" || asset === "") {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: "ctx.asset takes an asset, or the name of one.",
      advice: "Pass what `asset(…)` gave.",
    });
  }
  const tell = async (
    type: string,
    data: { readonly [name: string]: unknown },
    options: ReportOptions = {},
  ): Promise<void> => {
    const place = reportPlaceHere(asset);
    const nextId = (name: string): string => emitter.nextId(name, place);
    return emitter.put(reportEvent(run, nextId, { type, asset, data }, options), options, place);
  };
  const update = (
    kind: "materialized" | "observed",
    { partition, version, metadata }: MaterializedUpdate = {},
    options?: ReportOptions,
  ): Promise<void> => tell(assetUpdatedType, { partition, version, metadata, kind }, options);
  return {
    materialized: (told, options) => update("materialized", told, options),
    observed: (told, options) => update("observed", told, options),
    unchanged: () => tell(assetUnchangedType, {}),
    progress: (until, options) =>
      tell(assetProgressType, { until: until instanceof Date ? until.toISOString() : until }, options),
    addPartition: (key, options) => tell(assetPartitionType, { partition: key }, options),
  };
}

interface Telling {
  readonly type: string;
  readonly asset: string;
  readonly data: { readonly [name: string]: unknown };
}

function reportEvent(
  run: RunAttempt,
  nextId: (name: string) => string,
  { type, asset, data }: Telling,
  { now = false }: ReportOptions,
): CloudEvent {
  const { runId, pipeline, node, item, generation } = run;
  const producer: AssetProducer = { id: runId, pipeline, node, item, generation };
  // What is recorded at once is heard before its run can tell whose it is, and for which partition.
  const isOfPartition = type === assetUpdatedType && run.partition !== undefined;
  const at = isOfPartition ? { runPartition: run.partition } : {};
  const told = { ...data, ...(now ? { run: producer, ...at } : {}) };
  const fault = findJsonFault(data["metadata"] ?? {});
  if (fault) {
    const path = formatPath(fault.path);
    throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
      message: `The metadata of an update of the asset ${asset} can't be carried by JSON: ${path} is ${fault.found}.`,
      fields: { path, found: fault.found },
    });
  }
  const value = JSON.parse(JSON.stringify(told)) as { readonly [name: string]: Json };
  readAssetReport({ type, subject: asset, data: { value }, isBinary: false });
  const named = value["partition"];
  const name = assetReportName({ type, asset, partition: typeof named === "string" ? named : run.partition });
  return {
    specversion: "1.0",
    id: nextId(name),
    source: taskSource(pipeline, node),
    type,
    subject: asset,
    data: value,
  };
}
