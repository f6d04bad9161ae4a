/** The rows of things that probes look at, as the engine gives and reads them. */
import type { Json, ProbeMemory } from "@millrace/core";

export interface ProbeName {
  readonly workspace: number;
  readonly id: string;
}

export interface ProbeRow extends ProbeName, ProbeMemory {
  readonly shard: number;
  readonly name: string;
  readonly args: Json;
  /** When it is looked at next; absent: nobody waits for it. */
  readonly nextAt: number | undefined;
}

/** Somebody waits for it: it is looked at from `nextAt` on, unless it is already. */
export type ProbeWanted = Pick<ProbeRow, "workspace" | "id" | "shard" | "name" | "args"> & {
  readonly nextAt: number;
};

/** What the engine reads of them. */
export interface ProbeReads {
  loadProbe(name: ProbeName): Promise<ProbeRow | undefined>;
  /** Where an event of this name stands in the log, for as long as names are kept. */
  positionOfEvent(event: {
    readonly workspace: number;
    readonly source: string;
    readonly id: string;
  }): Promise<number | undefined>;
  /** Those of these shards that are looked at. */
  loadLookingProbes(shards: readonly number[]): Promise<ProbeRow[]>;
}
