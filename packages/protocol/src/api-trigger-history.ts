/** What a trigger went through, in `/api/v1`: `GET /triggers/:pipeline/history`. */
import type { CloudEvent } from "@millrace/core";
import type { ExplanationView, FiringMemberView, FiringView, LogPlaceView } from "./api-trigger.ts";

/** An entry, or an instant, that changed a key of a trigger. */
export interface TriggerMomentView {
  readonly at: string;
  /** Absent where time alone decided. */
  readonly position?: number;
  readonly event?: Pick<CloudEvent, "type" | "source" | "id" | "subject">;
  /** Those whose filter and key the event fits, or whose time it was. */
  readonly operands: readonly string[];
  readonly firings: readonly HistoricFiring[];
  /** The tree as it stood afterwards. */
  readonly state: ExplanationView;
}

export interface HistoricFiring {
  readonly memberCount: number;
  /** The first ones. */
  readonly members: readonly FiringMemberView[];
  readonly partition?: string;
  readonly revision: number;
  /** The one that was made; absent where there is none any more, or a pause left it out. */
  readonly real?: FiringView;
}

export interface TriggerHistoryView {
  readonly pipeline: string;
  /** Absent where the trigger has no keys. */
  readonly key?: string;
  /** The condition that was in force, in words. */
  readonly condition: string;
  readonly operands: readonly string[];
  /** Types of events that it asks for, with a star at the end for all that begin so. */
  readonly types: readonly string[];
  /** Where the condition in force began. */
  readonly began: LogPlaceView;
  /** The log was told up to here. */
  readonly until: LogPlaceView;
  /** The tree before the first of the moments. */
  readonly before: ExplanationView;
  /** In the order of time, the newest up to `until`. */
  readonly moments: readonly TriggerMomentView[];
  /** How many there were before these. */
  readonly earlier: number;
  /** Whether it was told from where the condition began. */
  readonly isWhole: boolean;
  /** Where it was told from. */
  readonly from: LogPlaceView;
  readonly pauses: readonly { readonly from: LogPlaceView; readonly to?: LogPlaceView }[];
}
