import type { BlobStore, DeployedProbes, EngineStore } from "@millrace/store";
import type { Clock } from "./clock.ts";
import type { Json } from "@millrace/core";
import type { ActivePipeline, DefinitionSource } from "./definitions.ts";
import type { RunArchive } from "./generations.ts";
import type { RunEntry } from "./run-entry.ts";
import type { SourceDesk } from "./source/source-host.ts";

/** How much of triggers is in memory, and how far ahead it is looked: small numbers make a simulation meet their edges. */
export interface TriggerBounds {
  readonly keysMax: number;
  readonly dueHorizonMs: number;
  readonly dueKeysMax: number;
}

/** Where the engine writes what operators should know. pino has this shape. */
export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EngineOptions {
  readonly store: EngineStore;
  readonly blobs: Pick<BlobStore, "put" | "get">;
  readonly definitions: DefinitionSource;
  readonly archive: RunArchive;
  readonly clock: Clock;
  /** Even in [0, 1). */
  readonly random: () => number;
  readonly log: EngineLog;
  readonly name: string;
  readonly url: string | undefined;
  readonly version: string;
  /** Runs under way at once on this node. */
  readonly activeRunsMax?: number;
  readonly triggerBounds?: TriggerBounds;
  /** In which time all shapes of waits are looked at: a simulation has less of it. */
  readonly shapeSweepMs?: number;
  /** Absent: this node hosts no sources. */
  readonly sources?: SourceDesk;
  /** The probes of all active deployments; absent: this node looks at nothing. */
  readonly probes?: () => Promise<DeployedProbes>;
  /** Parameters of a called pipeline with its schema's defaults; may change `params`. Throws MILLRACE_PARAMS_INVALID. */
  readonly checkParams?: (pipeline: ActivePipeline, params: Json) => Json;
  /** Told of each change of every run that is stepped here, which may be before it is committed. */
  readonly onRunChanged?: (entry: RunEntry) => void;
  /** The engine lost its lease and stopped: its owner starts another one. */
  readonly onFenced?: () => void;
}
