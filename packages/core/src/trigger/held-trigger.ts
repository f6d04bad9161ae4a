/** A trigger in memory: its name, its compiled condition, and the states of its keys that are at hand. */
import type { Program } from "../condition/compile.ts";
import { beginInstance, dueOf, type ConditionInstance } from "../condition/instance.ts";
import { never } from "../condition/operator/operator.ts";
import { keyIdleMs } from "../limits.ts";
import type { Firing } from "./firing.ts";
import type { TriggerDefinition } from "./trigger.ts";

/** A place in the log. */
export interface LogPlace {
  readonly position: number;
  readonly recordedAt: number;
}

/** The state of one key. */
export interface KeyState {
  readonly key: string;
  instance: ConditionInstance;
  /** The number of its last firing. */
  firings: number;
  touchedAt: number;
  /** The instant at which it is looked at next, as far as that is known. */
  notedDue?: number | undefined;
}

export interface HeldTrigger {
  readonly row: {
    readonly pipeline: string;
    readonly version: number;
    /** Absent: the pipeline has none any more. */
    readonly definition: TriggerDefinition | undefined;
  };
  /** Absent where the pipeline has no trigger any more. */
  readonly program: Program | undefined;
  /** The one that was touched longest ago first. */
  readonly keys: Map<string, KeyState>;
}

/** A firing that is decided, and that nobody has committed yet. */
export interface DecidedFiring<Trigger extends HeldTrigger = HeldTrigger> {
  readonly trigger: Trigger;
  readonly firing: Firing;
  /** Of the last entry that was told before. */
  readonly position: number;
}

/** An event alone leaves nothing behind: its firings are named by their positions. */
export function isStateless({ program }: HeldTrigger): boolean {
  return program?.condition.kind === "event";
}

/** `position`: of the entry that begins it. Numbers of firings go on from there, so that none is given twice. */
export function beginKey(program: Program, key: string, at: number, position: number): KeyState {
  return { key, instance: beginInstance(program, key, at), firings: position, touchedAt: at };
}

/** After when its key is forgotten, if nothing touches it; nothing where it has no key, or time will touch it. */
export function forgottenAt({ program }: Pick<HeldTrigger, "program">, state: KeyState): number | undefined {
  if (!program?.isKeyed || dueOf(program, state.instance) !== never) return undefined;
  return state.touchedAt + keyIdleMs;
}
