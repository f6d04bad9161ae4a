/** Shapes of what runs now, in `/api/v1`: the first page, the shared timeline, and why tasks do not start. */
import type { PoolView, Reason, RunState } from "./api.ts";

/** A number that was counted up to a bound: `isMore` says that there are others. */
export interface Counted {
  readonly count: number;
  readonly isMore?: true;
}

/** What needs a person, the worst first in `Overview.attention`. */
export type AttentionView =
  | {
      /** Runs of one pipeline that failed in the last hours, and were not run again. */
      readonly kind: "runs_failed";
      readonly pipeline: string;
      readonly runs: Counted;
      readonly last: FailedRunView;
      /** A newer run of the pipeline succeeded. */
      readonly isRecovered: boolean;
    }
  | {
      readonly kind: "runs_quarantined";
      readonly runs: Counted;
      readonly newest: readonly FailedRunView[];
    }
  | {
      /** Task runs wait, and no worker takes them. */
      readonly kind: "queue_without_worker";
      readonly queue: string;
      readonly tasks: Counted;
    }
  | {
      readonly kind: "source_failing";
      readonly source: string;
      readonly since?: string;
      readonly message: string;
    }
  | {
      /** Its firings go round in a circle, and start no runs. */
      readonly kind: "trigger_looped";
      readonly pipeline: string;
      readonly at: string;
      readonly path: readonly string[];
      readonly times: Counted;
    }
  | {
      /** They run more than twice as long as the longest of the last ones that succeeded. */
      readonly kind: "runs_late";
      readonly pipeline: string;
      readonly runs: Counted;
      readonly oldest: { readonly run: string; readonly since: string };
      readonly usualMs: number;
    }
  | {
      /** They are older than their `freshness` allows. */
      readonly kind: "assets_stale";
      readonly count: number;
      /** The most overdue first; some of them. */
      readonly assets: readonly {
        readonly asset: string;
        readonly updatedAt: string;
        readonly maxAgeMs: number;
      }[];
    }
  | {
      /** They may wait in vain. */
      readonly kind: "waits_troubled";
      readonly text: string;
      readonly waits: Counted;
      readonly trouble: Reason;
      readonly run: string;
      readonly pipeline: string;
      readonly node: string;
    }
  | {
      readonly kind: "approvals_open";
      readonly approvals: Counted;
      readonly oldest: {
        readonly id: string;
        readonly title?: string;
        readonly pipeline: string;
        readonly node: string;
        readonly run: string;
        readonly since: string;
        readonly timeoutAt?: string;
      };
    }
  | {
      readonly kind: "pipeline_paused";
      readonly pipeline: string;
      readonly since?: string;
      readonly byOperator: boolean;
    }
  | { readonly kind: "source_paused"; readonly source: string; readonly since?: string };

export interface FailedRunView {
  readonly run: string;
  readonly pipeline: string;
  readonly at: string;
  /** The node that failed first. */
  readonly node?: string;
  readonly message: string;
}

/** Waits for one thing, among those that were looked at. */
export interface WaitGroupView {
  readonly kind: "event" | "approval" | "time";
  /** What is awaited, in words, without the values that differ between them. */
  readonly text: string;
  readonly waits: number;
  /** Those with most of them, by name. */
  readonly pipelines: readonly { readonly pipeline: string; readonly waits: number }[];
  readonly oldest: {
    readonly run: string;
    readonly node: string;
    readonly item: string;
    readonly since: string;
  };
  /** When the next one ends by its time. */
  readonly nextTimeoutAt?: string;
}

export interface QueueView {
  readonly name: string;
  /** Workers that take from it, and do not drain. */
  readonly workers: number;
  readonly slots: number;
  readonly busy: number;
  readonly waiting: Counted;
  /** Why what waits does not start. */
  readonly reason?: Reason;
  /** Some of those that wait at this server. */
  readonly tasks: readonly {
    readonly run: string;
    readonly pipeline: string;
    readonly node: string;
    readonly item: string;
  }[];
}

export interface Overview {
  readonly at: string;
  readonly attention: readonly AttentionView[];
  /** When something more will be late, if nothing happens until then. */
  readonly lateAt?: string;
  /** The last failure of a run that is remembered; absent: none in the last days. */
  readonly lastFailure?: FailedRunView;
  /** How far back failures were looked for. */
  readonly failuresSince: string;
  readonly runs: {
    readonly queued: Counted;
    readonly running: Counted;
    readonly waiting: Counted;
    readonly quarantined: Counted;
  };
  readonly approvals: Counted;
  readonly waits: {
    readonly total: Counted;
    /** Of the waits that began first and last. */
    readonly groups: readonly WaitGroupView[];
    readonly looked: number;
  };
  readonly load: {
    readonly servers: number;
    readonly workers: number;
    readonly draining: number;
    readonly slots: number;
    readonly busy: number;
    readonly queues: readonly QueueView[];
    readonly pools: readonly PoolView[];
  };
}

/** A run on the time axis. */
export interface RunBlockView {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly generation: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly reason?: string;
}

/** The last and the next hours. */
export interface TimelineView {
  readonly from: string;
  readonly now: string;
  readonly until: string;
  readonly runs: readonly RunBlockView[];
  /** Where there are too many ended runs: so many of each stretch of `paceMs` are here, and those that failed. */
  readonly endedOfStretch?: number;
  /** Of running and of waiting ones, there are others. */
  readonly areLiveMore?: true;
  /** What calendars start next; `ticksUntil`: a trigger has others after it. */
  readonly ticks: readonly { readonly pipeline: string; readonly at: string }[];
  readonly ticksUntil?: string;
  /** The newest events from outside, and the first instant from which all are here. */
  readonly events: readonly {
    readonly position: number;
    readonly type: string;
    readonly subject?: string;
    readonly at: string;
  }[];
  /** Entries of the log in each stretch of `paceMs` from `from` on; the last stretch has not ended. */
  readonly pace: readonly number[];
  readonly paceMs: number;
}

/** A shared limit that somebody waits for: a pool, a concurrency key, the active runs of a pipeline. */
export interface LimitView {
  readonly kind: "pool" | "key" | "pipeline";
  readonly name: string;
  readonly slots: number;
  readonly used: number;
  readonly waiting: Counted;
  /** Some of those that hold its slots; only of the first limits of a list. */
  readonly holders?: readonly LimitUseView[];
}

/** Who holds slots of a limit, or waits for them. */
export interface LimitUseView {
  readonly run: string;
  /** Absent where the run is not live any more. */
  readonly pipeline?: string;
  /** Absent where the run as a whole holds it. */
  readonly node?: string;
  readonly item?: string;
  readonly slots: number;
}
export interface LimitDetail {
  readonly kind: LimitView["kind"];
  readonly name: string;
  /** Some of each. */
  readonly held: readonly LimitUseView[];
  readonly waiting: readonly LimitUseView[];
}
