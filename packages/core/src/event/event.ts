/** An event as the log holds it, and as someone gives it to the log. */
import type { StoredValue } from "../run/state.ts";

/** The lane of what happens now, apart from backfills and replays. */
export const liveLane = "live";

/** The value of an extension attribute. A number is a whole one. */
export type EventExtension = string | number | boolean;

/** What somebody gives to the log. */
export interface EventDraft {
  readonly lane: string;
  /** Where it happened; with `id` it is the event's name for ever. */
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** When it happened by its source's own clock, ms since 1970. */
  readonly time: number | undefined;
  /** `null` where there is none. */
  readonly data: StoredValue;
  /** `data` is the base64 text of bytes. */
  readonly isBinary: boolean;
  /** The data's media type, where it was given. */
  readonly contentType: string | undefined;
  readonly dataSchema: string | undefined;
  readonly extensions: { readonly [name: string]: EventExtension };
  /** Why it does not fit its type's declaration: it is kept and shown, and fires nothing. */
  readonly invalid: string | undefined;
}

/** An entry of the log. */
export interface LogEvent extends Omit<EventDraft, "time"> {
  readonly workspace: number;
  /** 1, 2, 3 … in its workspace, without gaps. */
  readonly position: number;
  /** ms since 1970, database time; never less than that of the entry before. */
  readonly recordedAt: number;
  /** Its own time, or `recordedAt` where it has none. */
  readonly time: number;
}

/** What became of an event that was given to the log. */
export type EventOutcome =
  /** It is in the log. */
  | { readonly kind: "recorded"; readonly position: number }
  /** It was in the log before. */
  | { readonly kind: "duplicate"; readonly position: number }
  /** Another event of this source and id is in the log; this one is not. */
  | { readonly kind: "conflict"; readonly position: number }
  /** It is durable, and another node is to put it into the log. */
  | { readonly kind: "accepted" };
