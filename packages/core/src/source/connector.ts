/**
 * Between a connector, which reads another system, and the server's host of sources, which keeps what was read. A connector
 * knows no database, no clock and no log: it is given them.
 */
import type { Json } from "../json.ts";
import type { SourceDefinition, SourceKind } from "./source.ts";

export interface SourceConnector {
  readonly kind: SourceKind;
  /** What the memory is about: when a deploy changes it, the memory begins anew. */
  placeOf(this: void, definition: SourceDefinition): string;
  /**
   * Reads until `task.signal` ends it. Whatever it throws is shown as the source's error, and it is called again after a
   * while.
   */
  read(this: void, task: SourceTask): Promise<void>;
}

export interface SourceTask {
  readonly definition: SourceDefinition;
  /** What relative paths are relative to. */
  readonly root: string;
  readonly signal: AbortSignal;
  readonly clock: SourceClock;
  /** What was reported last about this place, by whichever reader. */
  readonly reported: SourceDetail | undefined;
  /** What is remembered of these things. */
  recall(keys: readonly string[]): Promise<ReadonlyMap<string, Remembered>>;
  /** Things after `after`, in the order of their keys' bytes. */
  recallPage(after: string, limit: number): Promise<readonly RememberedThing[]>;
  countRemembered(): Promise<number>;
  /**
   * Puts events into the log and the memory of what they tell into the database, together: all of a finding or nothing.
   * Resolves once that is committed; waits for as long as the log has no room.
   */
  record(findings: readonly Finding[]): Promise<void>;
  /** It can read what it is to read, which may take a while: what failed before does not fail any more. */
  begun(): void;
  /** It reads, and this is how it does. */
  report(detail: SourceDetail): void;
}

export interface SourceClock {
  /** ms since 1970. It never goes back. */
  now(): number;
  /** Calls `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void): { cancel(): void };
}

export interface Remembered {
  /** Two looks at a thing with the same one saw the same. */
  readonly fingerprint: string;
  /** How many versions of it were told: 1, 2, 3 … */
  readonly version: number;
}

export interface RememberedThing extends Remembered {
  readonly key: string;
}

/** What a connector found out of one thing. */
export interface Finding {
  readonly key: string;
  /** What to remember; absent: forget it. */
  readonly remember?: Remembered;
  readonly event?: {
    readonly type: string;
    readonly subject?: string;
    /** ms since 1970. */
    readonly time?: number;
    readonly data: Json;
  };
}

/** Something that is wrong, while the source goes on with the rest. */
export interface SourceProblem {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

export interface SourceDetail {
  /** Things that were there when all of it was looked at last; absent while that was never done. */
  readonly things?: number;
  /** Things that are seen and not told yet: they may still change. */
  readonly settling: number;
  /** Things that wait for something else, such as their markers. */
  readonly waiting: number;
  /** When all of it was looked at last, and how long that took, in ms. */
  readonly scan?: { readonly at: number; readonly tookMs: number };
  /** Which folder, or the like, the things were in that are remembered: an empty one that is the same was emptied. */
  readonly home?: string;
  readonly problem?: SourceProblem;
}
