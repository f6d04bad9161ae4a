/** Probes in the API. */
import type { Json } from "@millrace/core";
import type { Reason } from "./api.ts";
import type { LogLine } from "./worker.ts";

export interface ProbeView {
  /** Of the thing: its name, and a hash of its arguments. The subject of its events. */
  readonly id: string;
  readonly probe: string;
  readonly args: Json;
  /** `resting`: nobody waits, so nobody looks. `waiting`: a look is due, and no worker can take it. */
  readonly state: "looking" | "waiting" | "failing" | "resting";
  /** Why it is `waiting` or `failing`. */
  readonly reason?: Reason;
  /** From one look to the next, in ms; absent: no project has the probe any more. */
  readonly everyMs?: number;
  /** Waits that listen to it, and whether a trigger does. */
  readonly waiting: number;
  readonly triggers: boolean;
  readonly looks: number;
  readonly changes: number;
  /** `null`: nothing was there at the last look that succeeded. */
  readonly value: Json;
  readonly changedAt?: string;
  readonly lookedAt?: string;
  readonly nextAt?: string;
  readonly failures: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A line of a look's log. */
export interface ProbeLogEntry extends LogLine {
  /** Which look at the thing it was. */
  readonly look: number;
}
