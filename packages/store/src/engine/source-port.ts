/** The rows of sources and of what they remember, as the engine gives and reads them. */
import type { RememberedThing, SourceDetail, SourceProblem } from "@millrace/core";

export type SourceState = "starting" | "running" | "failing" | "paused" | "stopped";

export interface SourceRow {
  readonly workspace: number;
  readonly name: string;
  readonly shard: number;
  /** What its memory is about. */
  readonly place: string;
  /** Events so far. */
  readonly events: number;
  readonly lastEventAt: number | undefined;
  readonly state: SourceState;
  /** Since when it has this state. */
  readonly changedAt: number;
  readonly detail: SourceDetail | undefined;
  /** Set where it is failing. */
  readonly error: SourceProblem | undefined;
}

export interface SourceName {
  readonly workspace: number;
  readonly source: string;
}

/** A thing that is told no more while it stays as it is. */
export interface ThingRow extends RememberedThing, SourceName {
  readonly toldAt: number;
}

/** What the engine reads of them. */
export interface SourceReads {
  loadSource(name: SourceName): Promise<SourceRow | undefined>;
  recallThings(source: SourceName, keys: readonly string[]): Promise<RememberedThing[]>;
  /** In the order of their keys' bytes. */
  recallPage(
    source: SourceName,
    page: { readonly after: string; readonly limit: number },
  ): Promise<RememberedThing[]>;
  countThings(source: SourceName): Promise<number>;
}

export type ThingName = Pick<ThingRow, "workspace" | "source" | "key">;
