/** What `millrace assets show` prints. */
import type { Json, PartitionRange } from "@millrace/core";
import type { AssetDetail, AssetPartitionView, AssetProducerView, AssetUpdateView } from "@millrace/protocol";
import {
  cut,
  formatAgo,
  formatDuration,
  formatTable,
  formatTime,
  harmless,
  plural,
} from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { freshnessMark, partitionCounts } from "./list.ts";

interface View {
  readonly paint: Colors;
  readonly now: Date;
  /** Stretches of partitions that are shown: the newest. */
  readonly rangesMax: number;
}

/** `whole`: what an asset without partitions has. */
export function assetLines(asset: AssetDetail, whole: AssetPartitionView | undefined, view: View): string[] {
  const { paint } = view;
  const { definition } = asset;
  const lines = [`${freshnessMark(asset, paint)}  ${paint.bold(harmless(asset.name))}`];
  if (definition?.description !== undefined) lines.push(`  ${harmless(definition.description)}`);
  for (const line of formatTable(factRows(asset, whole, view))) lines.push(`  ${line}`);
  lines.push(...rejectedLines(asset, view));
  lines.push(...rangeLines(asset, view));
  lines.push(...updateLines(asset, view));
  return lines;
}

function factRows(
  asset: AssetDetail,
  whole: AssetPartitionView | undefined,
  { paint, now }: View,
): string[][] {
  const { definition, freshness, lastUpdate, partitions } = asset;
  const source = definition?.source;
  const nodes = (list: AssetDetail["writers"]): string =>
    list.map(({ pipeline, node }) => `${pipeline}/${node}`).join(", ");
  const rows: [string, string][] = [
    ["project", asset.project ?? "none declares it: export it from a file of one, and deploy"],
    ["declared in", source ? `${source.file}:${source.line}` : ""],
    ["owner", asset.owner ?? ""],
    ["tags", asset.tags.join(", ")],
    ["partitions", partitions ? `${partitions.kind}: ${partitionCounts(asset, paint)}` : ""],
    ["freshness", freshness ? `at most ${formatDuration(freshness.maxAgeMs)} old: ${freshness.state}` : ""],
    ["progress", asset.progress === undefined ? "" : `complete up to ${asset.progress}`],
    ["updates", asset.updates === 0 ? "none yet" : String(asset.updates)],
    ["last update", lastUpdate ? `${formatTime(new Date(lastUpdate.at), now)}, ${by(lastUpdate.runId)}` : ""],
    ["version", whole?.version ?? ""],
    ["metadata", whole?.metadata ? metadataText(whole.metadata) : ""],
    ["made of", asset.upstream.join(", ")],
    ["goes into", asset.downstream.join(", ")],
    ["written by", nodes(asset.writers)],
    ["read by", nodes(asset.readers)],
    ["starts", asset.triggers.join(", ")],
  ];
  return rows
    .filter(([, value]) => value !== "")
    .map(([title, value]) => [paint.dim(title), harmlessPainted(value)]);
}

/** Colours of our own stay; the rest comes from definitions, which are checked, and from metadata. */
function harmlessPainted(text: string): string {
  return text.replaceAll(/[\r\n]/g, " ");
}

function by(runId: string | undefined): string {
  return runId === undefined ? "told from outside" : `by run ${runId}`;
}

function metadataText(metadata: { readonly [name: string]: Json }): string {
  const text = Object.entries(metadata).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return harmless(cut(text.join(" "), 200));
}

function rejectedLines({ rejected }: AssetDetail, { paint, now }: View): string[] {
  if (!rejected) return [];
  const { count, at, reason, runId, position } = rejected;
  const who = runId === undefined ? "" : ` by run ${runId}`;
  return [
    "",
    paint.red(
      `${plural(count, "update")} did not fit and started nothing; the last one ${formatAgo(new Date(at), now)}${who}:`,
    ),
    `  ${harmless(reason)}  ${paint.dim(`millrace events show ${position}`)}`,
  ];
}

function rangeLines({ ranges, rangesAreMore }: AssetDetail, { paint, rangesMax }: View): string[] {
  if (ranges.length === 0) return [];
  const shown = ranges.slice(-rangesMax);
  const more = ranges.length > shown.length || rangesAreMore === true;
  return [
    "",
    paint.bold("partitions"),
    ...(more ? [paint.dim("  … and earlier ones; see --ranges")] : []),
    ...shown.map((range) => `  ${rangeText(range, paint)}`),
  ];
}

function rangeText({ state, from, to, count }: PartitionRange, paint: Colors): string {
  const mark = state === "present" ? paint.green("●") : paint.yellow("○");
  const keys = count === 1 ? harmless(from) : `${harmless(from)} … ${harmless(to)}`;
  const words = state === "present" ? "" : paint.yellow("  missing");
  return `${mark} ${keys}${words}${count === 1 ? "" : paint.dim(`  (${count})`)}`;
}

function updateLines({ lastUpdates, updates }: AssetDetail, { paint, now }: View): string[] {
  if (lastUpdates.length === 0)
    return updates > 0 ? ["", paint.dim("Its updates are older than the log keeps entries.")] : [];
  const rows = lastUpdates.map((update) => updateRow(update, paint, now));
  return ["", paint.bold("last updates"), ...formatTable(rows).map((line) => `  ${line}`)];
}

function updateRow(update: AssetUpdateView, paint: Colors, now: Date): string[] {
  const { at, partition, version, observed, metadata, revision, producer, invalid, position } = update;
  const what = [
    revision === undefined ? "" : `revision ${revision}`,
    Object.keys(metadata).length === 0 ? "" : metadataText(metadata),
    invalid === undefined ? "" : paint.red(`invalid: ${harmless(invalid)}`),
  ];
  return [
    paint.dim(String(position)),
    formatTime(new Date(at), now),
    harmless(partition ?? "whole"),
    producerText(producer, observed),
    paint.dim(harmless(cut(version, 60))),
    what.filter(Boolean).join("  "),
  ];
}

function producerText(producer: AssetProducerView | undefined, observed: true | undefined): string {
  const seen = observed ? "observed " : "";
  if (!producer) return `${seen}from outside`;
  const { runId, pipeline, node, item, generation } = producer;
  const place = pipeline === undefined ? "" : ` ${pipeline}/${node}${item === undefined ? "" : `[${item}]`}`;
  const again = (generation ?? 1) > 1 ? ` generation ${generation}` : "";
  return `${seen}by run ${runId}${place}${again}`;
}

export function partitionLines(
  name: string,
  partition: AssetPartitionView,
  paint: Colors,
  now: Date,
): string[] {
  const { at, updates, version, metadata, revision, producer, observed, position } = partition;
  const rows: [string, string][] = [
    ["updates", updates === 0 ? "none yet: its key is known" : String(updates)],
    ["last update", at === undefined ? "" : `${formatTime(new Date(at), now)}, position ${position}`],
    ["told", at === undefined ? "" : producerText(producer, observed)],
    ["version", harmless(version ?? "")],
    ["revision", revision === undefined ? "" : String(revision)],
  ];
  const lines = [`${paint.bold(harmless(name))}  ${harmless(partition.partition ?? "whole")}`];
  const told = rows.filter(([, value]) => value !== "").map(([title, value]) => [paint.dim(title), value]);
  for (const line of formatTable(told)) lines.push(`  ${line}`);
  if (metadata && Object.keys(metadata).length > 0)
    lines.push("", ...JSON.stringify(metadata, undefined, 2).split("\n").map(harmless));
  return lines;
}
