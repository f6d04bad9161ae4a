/**
 * What is told of assets: by tasks with their results, and from outside as CloudEvents of the same types. A report names an
 * asset and says what became of it; Millrace makes an entry of its own of it (`asset/entry.ts`).
 */
import { unreachable } from "../assert.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { EventDraft } from "../event/event.ts";
import { formatEventTime, parseEventTime } from "../event/time.ts";
import type { Json } from "../json.ts";
import { assetKeyMax, assetMetadataMax, assetNameMax, assetVersionMax } from "../limits.ts";
import {
  assetPartitionType,
  assetProgressType,
  assetUpdatedType,
  type AssetProducer,
} from "../partition/asset-event.ts";

/** Only a task says this, of an asset that it would else update; it never comes into the log. */
export const assetUnchangedType = "millrace.asset.unchanged";

export type AssetReport =
  | {
      readonly kind: "updated";
      readonly asset: string;
      /** Absent: not said; that of the run, where a run tells it. */
      readonly partition: string | undefined;
      /** That of the run that reports at once. */
      readonly runPartition?: string;
      readonly version: string | undefined;
      /** It was seen to have changed elsewhere. */
      readonly isObserved: boolean;
      readonly metadata: { readonly [name: string]: Json };
      readonly run?: AssetProducer;
    }
  /** All its windows that end by `until` (ISO 8601 in UTC) are complete. */
  | {
      readonly kind: "progress";
      readonly asset: string;
      readonly until: string;
      readonly run?: AssetProducer;
    }
  /** A dynamic key is known from now on. */
  | {
      readonly kind: "partition";
      readonly asset: string;
      readonly partition: string;
      readonly run?: AssetProducer;
    }
  | { readonly kind: "unchanged"; readonly asset: string };

const kindOfType: { readonly [type: string]: AssetReport["kind"] } = {
  [assetUpdatedType]: "updated",
  [assetProgressType]: "progress",
  [assetPartitionType]: "partition",
  [assetUnchangedType]: "unchanged",
};

/** An event of this type tells of an asset. */
export function isAssetReport(type: string): boolean {
  return Object.hasOwn(kindOfType, type);
}

const memberNames: { readonly [kind in AssetReport["kind"]]: readonly string[] } = {
  updated: ["partition", "version", "metadata", "kind", "run", "runPartition"],
  progress: ["until", "run"],
  partition: ["partition", "run"],
  unchanged: [],
};

/** Reads what an event tells of an asset. Throws MILLRACE_EVENT_INVALID and MILLRACE_EVENT_TOO_LARGE. */
export function readAssetReport(
  event: Pick<EventDraft, "type" | "subject" | "data" | "isBinary">,
): AssetReport {
  const kind = kindOfType[event.type]!;
  const asset = readAsset(event.subject);
  const data = event.data.blob === undefined && !event.isBinary ? (event.data.value ?? {}) : undefined;
  if (data === undefined || typeof data !== "object" || Array.isArray(data))
    throw invalid("/data", "an object that says what became of the asset");
  const members = data as { readonly [name: string]: Json };
  for (const name of Object.keys(members))
    if (!memberNames[kind].includes(name))
      throw invalid(
        `/data/${name.slice(0, 100)}`,
        `no such member; known are ${memberNames[kind].join(", ") || "none"}`,
      );
  const { partition = null, version = null, metadata = null, runPartition = null } = members;
  const by = readRun(members["run"] ?? null);
  switch (kind) {
    case "updated":
      return {
        kind,
        asset,
        partition: partition === null ? undefined : readText("partition", partition, assetKeyMax),
        version: version === null ? undefined : readText("version", version, assetVersionMax),
        isObserved: readIsObserved(members["kind"] ?? null),
        metadata: readMetadata(metadata),
        ...(runPartition === null
          ? {}
          : { runPartition: readText("runPartition", runPartition, assetKeyMax) }),
        ...by,
      };
    case "progress":
      return { kind, asset, until: readUntil(members["until"] ?? null), ...by };
    case "partition":
      return { kind, asset, partition: readText("partition", partition, assetKeyMax), ...by };
    case "unchanged":
      return { kind, asset };
    default:
      return unreachable(kind);
  }
}

function readAsset(subject: string | undefined): string {
  if (subject !== undefined && subject.length <= assetNameMax) return subject;
  throw invalid("/subject", `the asset's name, of at most ${assetNameMax} characters`);
}

/** Columns and indexes hold these: no control characters, no halves of characters. */
function readText(name: string, value: Json, lengthMax: number): string {
  const fits =
    typeof value === "string" &&
    value !== "" &&
    value.length <= lengthMax &&
    value.isWellFormed() &&
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    !/[\u0000-\u001f\u007f-\u009f]/.test(value);
  if (fits) return value;
  throw invalid(`/data/${name}`, `a text of 1 to ${lengthMax} characters, without control characters`);
}

function readIsObserved(value: Json): boolean {
  if (value === null || value === "materialized") return false;
  if (value === "observed") return true;
  throw invalid("/data/kind", '"materialized" or "observed"');
}

function readMetadata(value: Json): { readonly [name: string]: Json } {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid("/data/metadata", "an object");
  const size = JSON.stringify(value).length;
  if (size > assetMetadataMax)
    throw new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
      message: `The metadata of an asset's update has ${size} characters as JSON; it may have ${assetMetadataMax}.`,
      advice:
        "Keep what is large in an artifact (`ctx.artifact`) or in storage, and its address in the metadata.",
      fields: { path: "/data/metadata", characters: size, charactersMax: assetMetadataMax },
    });
  return value as { readonly [name: string]: Json };
}

/** Who reports at once, before its run can tell, says which run it is. */
function readRun(value: Json): { readonly run?: AssetProducer } {
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid("/data/run", "an object");
  const run = value as { readonly [name: string]: Json };
  const text = (name: string): string => readText(`run/${name}`, run[name] ?? null, assetKeyMax);
  const { generation = null, item = null } = run;
  if (!Number.isSafeInteger(generation) || (generation as number) < 1 || (generation as number) > 1_000_000)
    throw invalid("/data/run/generation", "a whole number from 1");
  return {
    run: {
      id: text("id"),
      pipeline: text("pipeline"),
      node: text("node"),
      item: item === null || item === "" ? "" : text("item"),
      generation: generation as number,
    },
  };
}

function readUntil(value: Json): string {
  const time = typeof value === "string" ? parseEventTime(value) : undefined;
  if (time !== undefined) return formatEventTime(time);
  throw invalid("/data/until", "a time as RFC 3339 has it, such as 2026-01-31T06:00:00Z");
}

function invalid(path: string, expected: string): MillraceError {
  return new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `What is told of an asset is not valid at ${path}: expected ${expected}.`,
    fields: { path, expected },
  });
}
