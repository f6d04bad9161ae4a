/** Versions of a pipeline, its source, and its newest runs, in `/api/v1`. */
import type { Json } from "@millrace/core";
import type { RunState } from "./api.ts";

/** For a list of pipelines: what `GET /pipelines/recent` says of one. */
export interface RecentView {
  readonly pipeline: string;
  /** The newest first. */
  readonly runs: readonly { readonly id: string; readonly state: RunState; readonly createdAt: string }[];
  /** When time alone decides next, where its trigger has no keys. */
  readonly nextDue?: string;
}

/** An instant at which a schedule in a pipeline's trigger ticks: alone it starts a run. */
export interface NextTickView {
  readonly at: string;
  /** The schedule's name within the condition, where it has one. */
  readonly operand?: string;
}

export interface VersionPlace {
  readonly deployment: number;
  readonly bundle: string;
  readonly createdAt: string;
}

/** One value that differs; absent where that side does not have it. Long ones are told by their first characters, as a text. */
export interface ValueChange {
  /** `options.retry.retries`. */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
}

export interface SourceFileChange {
  readonly file: string;
  readonly change: "added" | "removed" | "changed";
}

/** What a later deployment changed of a pipeline. Where a declaration stands in its file is no difference. */
export interface PipelineChanges {
  /** Absent where no earlier deployment has the pipeline. */
  readonly from?: VersionPlace;
  readonly to: VersionPlace;
  readonly nodes: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly { readonly id: string; readonly changes: readonly ValueChange[] }[];
  };
  /** In words, where it differs; absent on a side that has none. */
  readonly trigger?: { readonly before?: string; readonly after?: string };
  readonly triggerChanges: readonly ValueChange[];
  readonly params: readonly ValueChange[];
  /** All else: description, tags, limits, regions, output. */
  readonly options: readonly ValueChange[];
  /** Files of the project in the bundles of both, where these are kept and differ. */
  readonly files: readonly SourceFileChange[];
  readonly isCut?: true;
}

/** A file of a pipeline's project as it was loaded. */
export interface PipelineSource extends VersionPlace {
  /** The project's own files in the bundle. */
  readonly files: readonly string[];
  readonly file: string;
  readonly text: string;
  /** Only its beginning is told. */
  readonly isCut?: true;
}
