/**
 * Shapes of what is tied to what, of versions of assets, and of what schedules started, in `/api/v1`.
 *
 * GET /lineage?around=&kind=&depth=&limit=&lane= → LineageView
 * GET /assets/:asset/versions?partition=&lane=&cursor=&limit= → AssetVersionsPage, newest first
 * GET /schedules/runs?from=&to=&ticks=&cursor=&limit= → Page<ScheduleRunsView>, by pipeline
 */
import type { RunState } from "@millrace/core";
import type { Page } from "./api.ts";
import type { AssetPartitionView, AssetUpdateView } from "./api-asset.ts";
import type { FiringMemberView } from "./api-trigger.ts";

/** `GET /lineage`: assets and pipelines with what leads into them, as far as it is known. */
export interface LineageView {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** There are more than were asked for. */
  readonly isCut?: true;
}

/** `source`: files that are watched. `outside`: a system that told something and of which no more is known than that name. */
export type LineageKind = "asset" | "pipeline" | "event" | "source" | "webhook" | "probe" | "outside";

export interface LineageNode {
  /** Its kind and its name. */
  readonly id: string;
  readonly kind: LineageKind;
  readonly name: string;
  /** Of an asset that should be fresh. */
  readonly freshness?: "fresh" | "stale" | "never";
  /** Of an asset. */
  readonly updatedAt?: string;
  /** Of a pipeline that starts by schedule, in words. */
  readonly schedule?: string;
  readonly paused?: true;
}

/** What the first does to the second; an asset that a pipeline reads may start it, too. */
export type LineageTie = "writes" | "reads" | "starts" | "calls" | "tells" | "made of";

export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  readonly ties: readonly LineageTie[];
}

/** One version of an asset, or of one of its partitions, with what made its run begin. */
export interface AssetVersionView extends AssetUpdateView {
  readonly because?: VersionCause;
}

/** `GET /assets/:asset/versions`. */
export interface AssetVersionsPage extends Page<AssetVersionView> {
  /** Of the partition that was named: what its last update told. Absent: nothing is known of it. */
  readonly current?: AssetPartitionView;
}

export interface VersionCause {
  /** The firing of the run's trigger; absent where somebody started it by hand, or a run called it. */
  readonly key?: string;
  readonly revision: number;
  /** The first ones. */
  readonly members: readonly FiringMemberView[];
  readonly memberCount: number;
}

/** What became of the ticks of one pipeline's schedules. */
export interface ScheduleRunsView {
  readonly pipeline: string;
  /** Ticks before this were nobody's: its trigger is as it is since then. */
  readonly since: string;
  readonly pausedSince?: string;
  readonly maxActiveRuns?: number;
  /** How long its last runs took that succeeded; absent where there is none. */
  readonly took?: { readonly p50Ms: number; readonly p95Ms: number; readonly runs: number };
  /** The newest ones in the span, in their order; `ticksAreMore` where there are earlier ones. */
  readonly ticks: readonly TickOutcome[];
  readonly ticksAreMore?: true;
}

export interface TickOutcome {
  /** The tick. */
  readonly at: string;
  readonly run?: string;
  /** Absent where the run's history is gone. */
  readonly state?: RunState;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Why no run of its own began. */
  readonly reason?: string;
}
