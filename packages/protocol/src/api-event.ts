/** Shapes of entries of the event log in `/api/v1`; `api.ts` lists the routes. */
import type { CloudEvent, EventCause, Json, RetentionClass } from "@millrace/core";

/** An entry of the event log. */
export interface EventView {
  readonly position: number;
  readonly recordedAt: string;
  readonly lane: string;
  readonly retention: RetentionClass;
  /** Why it does not fit its type's declaration; it fires nothing. */
  readonly invalid?: string;
  /** Its data is large and left out here; `GET /events/:position` has it. */
  readonly dataBytes?: number;
  /** What it comes of, as far as it says so: told by `GET /events/:position`. */
  readonly cause?: EventCause;
  /** A CloudEvent in its JSON form. */
  readonly event: CloudEvent;
}

/** What became of one event: recorded or a repeat (both with the position), on its way into the log, or refused. */
export interface EventReceipt {
  readonly position?: number;
  /** It was in the log before. */
  readonly duplicate?: true;
  /** It is durable, and another server will put it into the log. */
  readonly accepted?: true;
  /** It does not fit its type's declaration: it is kept, and fires nothing. Not told of a repeat. */
  readonly invalid?: string;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly advice: string;
    readonly fields?: { readonly [name: string]: Json };
  };
}

export interface EventBatchReceipt {
  /** One for each event, in their order. */
  readonly items: readonly EventReceipt[];
  /** How many of them have an error. */
  readonly rejected: number;
}
