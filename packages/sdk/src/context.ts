/** What a task function gets beside its input. The worker makes it. */
import type { Json } from "@millrace/core";
import type { Asset } from "./asset/handle.ts";
import type { AssetReporter } from "./asset/reporter.ts";
import type { EventType } from "./condition/event-type.ts";

/** Fields of a log line. */
export interface LogFields {
  readonly [name: string]: Json | undefined;
}

/** Writes structured lines to the attempt's log. */
export interface TaskLog {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What `ctx.artifact` keeps with the attempt. */
export type ArtifactContent =
  | { readonly markdown: string }
  /** Rows of one shape; the keys are the columns. */
  | { readonly table: readonly { readonly [column: string]: Json | undefined }[] }
  | { readonly image: Uint8Array; readonly mediaType: string }
  /** Path of a file on the worker, copied when the call is made. */
  | { readonly file: string; readonly mediaType?: string }
  | { readonly html: string };

/**
 * Access data of an outside system, read from the worker's environment variable `MILLRACE_CONNECTION_<NAME>`: a URL,
 * or a JSON object with these fields.
 */
export interface Connection {
  readonly name: string;
  /** The URL as given, or composed from the fields. Absent when JSON gave neither `url` nor `host`. */
  readonly url?: string;
  readonly protocol?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  /** The URL's path without the leading slash. */
  readonly database?: string;
  /** A URL's query, or the further fields of JSON. */
  readonly extra: { readonly [name: string]: Json };
}

/** An event that a task emits. */
export interface EmittedEvent<Data = unknown> {
  /** What happened: a name such as `order.placed`, or a declared type, whose data are then checked by the compiler. */
  readonly type: string | EventType<Data>;
  /** What it happened to. */
  readonly subject?: string;
  readonly data?: Data;
  /** When it happened; when it is recorded, if absent. */
  readonly time?: Date | string;
  /** Its name within the source. By default the run, the item, and how many of this type came before: a retry repeats it. */
  readonly id?: string;
  /** Where it happened: by default `/pipelines/PIPELINE/NODE`. */
  readonly source?: string;
}

export interface EmitOptions {
  /** Records it at once, and resolves when that is done: also when the attempt fails afterwards. */
  readonly now?: boolean;
}

/** Identity of the attempt, and what it may do. */
export interface TaskContext {
  readonly run: {
    readonly id: string;
    readonly pipeline: string;
    readonly generation: number;
    /** The key of the partition that the run is for; absent where it is for none. */
    readonly partition?: string;
  };
  /** The node's id. */
  readonly node: string;
  /** `""` outside fan-outs, else the item path: `"3"`, nested `"3.0"`. */
  readonly item: string;
  /** Index in the innermost fan-out. */
  readonly index: number | undefined;
  /** From 1, counted by the retry policy. */
  readonly attempt: number;
  /** From 1; also counts hand-overs after a lost worker. */
  readonly dispatch: number;
  /** Equal over all attempts of this task run, new after a rerun: give it to systems that remember it. */
  readonly idempotencyKey: string;
  /** Aborted when the run is cancelled or the attempt's time is over. What ignores it is killed soon after. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** The run's parameters, after the author's validator. */
  readonly params: unknown;
  /** Says how far the attempt is, from 0 to 1. */
  progress(fraction: number, message?: string): void;
  /**
   * Puts an event into the event log: with the attempt's success, and not at all when it fails. A retry and a rerun of the
   * same node emit the same events, which are recorded once per generation. Throws MILLRACE_EVENT_INVALID or
   * MILLRACE_EVENT_TOO_LARGE: data has at most 16,384 characters as JSON, with `now` 1 MB.
   *
   * @example
   * await ctx.emit({ type: "report.ready", subject: day, data: { rows } });
   */
  emit<Data>(event: EmittedEvent<Data>, options?: EmitOptions): Promise<void>;
  /**
   * Tells what became of an asset: with the attempt's success, and not at all when it fails.
   *
   * @example
   * await ctx.asset(report).materialized({ partition: day, metadata: { rows } });
   */
  asset<Key extends string | null>(asset: Asset<Key> | string): AssetReporter<Key>;
  /** Keeps something to look at with the attempt. */
  artifact(name: string, content: ArtifactContent): Promise<void>;
  /** Access data of a connection that the task lists in `connections`. */
  connection(name: string): Connection;
}
