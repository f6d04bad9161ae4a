/** Shapes of what the server knows of itself and its database, in `/api/v1`. */

export interface ServerNodeView {
  readonly id: string;
  readonly name: string;
  /** Absent where it was not told its address. */
  readonly url?: string;
  readonly version: string;
  /** `silent`: its lease is over, and nobody took its shards yet. */
  readonly state: "live" | "silent" | "gone";
  /** The one that answers. */
  readonly isThis: boolean;
  readonly startedAt: string;
  readonly leaseUntil: string;
  readonly shards: number;
  /** Entries of the log that its triggers and waits were not told yet. */
  readonly behind?: number;
}

export interface TableView {
  readonly name: string;
  readonly bytes: number;
  readonly indexBytes: number;
  /** As the database estimates it. */
  readonly rows?: number;
  /** Days that have a part of their own. */
  readonly partitions: number;
}

/** What was looked at, and what to do about it: as `millrace doctor` tells it. */
export interface CheckView {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly finding: string;
  readonly advice?: string;
}

export interface SystemView {
  readonly at: string;
  readonly version: string;
  readonly nodes: readonly ServerNodeView[];
  readonly shards: number;
  readonly database: {
    readonly version: string;
    readonly embedded: boolean;
    readonly bytes: number;
    readonly connections: number;
    readonly connectionsMax: number;
    readonly tables: readonly TableView[];
  };
  readonly log: {
    /** Of the last entry; 0 where there is none. */
    readonly position: number;
    /** No later entry is recorded before. */
    readonly clock?: string;
    readonly since?: string;
    /** Entries that the slowest server has not told to its triggers and waits. */
    readonly behind: number;
    /** Messages between shards that were not taken yet; counted up to 10,000. */
    readonly inbox: number;
  };
  readonly retention: {
    /** Of runs, their logs and artifacts. */
    readonly historyDays: number;
    /** Of entries of the log, by their class. */
    readonly events: readonly { readonly name: string; readonly days: number }[];
  };
  readonly checks: readonly CheckView[];
}
