/** What one page of the log changes in triggers: gathered while it is told, committed in one turn. */
import type { KeyState } from "@millrace/core";
import type { DecidedFiring, LoadedTrigger } from "./loaded-trigger.ts";

/** What happens at the gate of a trigger besides its firings. */
export interface GateEvent {
  readonly trigger: LoadedTrigger;
  /** The run that has ended; absent where the trigger is another one from here on. */
  readonly endedRun: string | undefined;
  /** How many firings of the page come before. */
  readonly after: number;
}

export class PageTurn {
  readonly firings: DecidedFiring[] = [];
  readonly gateEvents: GateEvent[] = [];
  /** Triggers whose row changed, by pipeline. */
  readonly triggers = new Map<string, LoadedTrigger>();
  /** Those of them whose earlier states are void. */
  readonly cleared = new Set<string>();
  readonly #keys = new Map<LoadedTrigger, Set<KeyState>>();

  touch(trigger: LoadedTrigger, state: KeyState): void {
    const touched = this.#keys.get(trigger);
    if (touched) touched.add(state);
    else this.#keys.set(trigger, new Set([state]));
  }

  openGate(trigger: LoadedTrigger, endedRun?: string): void {
    this.gateEvents.push({ trigger, endedRun, after: this.firings.length });
  }

  change(trigger: LoadedTrigger): void {
    this.triggers.set(trigger.row.pipeline, trigger);
  }

  /** The trigger begins anew: nothing of an earlier version counts. */
  begin(trigger: LoadedTrigger): void {
    this.change(trigger);
    this.cleared.add(trigger.row.pipeline);
  }

  /** The states that changed, of a trigger in its present version. */
  keysOf(trigger: LoadedTrigger): Iterable<KeyState> {
    return this.#keys.get(trigger) ?? [];
  }

  touched(): Iterable<LoadedTrigger> {
    return this.#keys.keys();
  }
}
