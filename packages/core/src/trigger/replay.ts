/**
 * Tells one trigger a part of the log from the beginning, in states of its own: what a simulation and an explanation do. Its
 * firings are those of a trigger that was activated at that place.
 */
import type { ConditionEvent } from "../condition/condition-event.ts";
import { dueOf } from "../condition/instance.ts";
import type { LogEvent } from "../event/event.ts";
import {
  isStateless,
  type DecidedFiring,
  type HeldTrigger,
  type KeyState,
  type LogPlace,
} from "./held-trigger.ts";
import { decideMissed } from "./missed-ticks.ts";
import { firstStates, tellKey, tellKeyDue } from "./telling.ts";
import { logResumed, readTriggerEvent } from "./trigger-event.ts";

export class TriggerReplay<Trigger extends HeldTrigger = HeldTrigger> {
  readonly trigger: Trigger;
  #position: number;

  /** `trigger` has no states yet, and belongs to the replay alone. */
  constructor(trigger: Trigger, from: LogPlace) {
    this.trigger = trigger;
    this.#position = from.position;
    for (const state of firstStates(trigger, from)) trigger.keys.set(state.key, state);
  }

  /** Tells an event to the keys that it concerns, or to the one that is named, where it is among them. */
  tell(event: ConditionEvent, only?: string): DecidedFiring<Trigger>[] {
    this.#position = event.position;
    const keys = this.trigger.program?.keysOf(event) ?? [];
    return keys.flatMap((key) => {
      if (only !== undefined && key !== only) return [];
      const { firings, state, touched } = tellKey(this.trigger, key, event);
      if (touched && !isStateless(this.trigger)) this.trigger.keys.set(key, state);
      return firings;
    });
  }

  /** Where the entry says that no server was up before it. */
  tellOutage(entry: LogEvent): readonly DecidedFiring<Trigger>[] {
    if (entry.type !== logResumed) return [];
    const change = readTriggerEvent(entry);
    if (change?.kind !== "outage") return [];
    const told = this.tellTime(change.clock);
    const state = this.trigger.keys.get("");
    return [...told, ...((state && decideMissed(this.trigger, state, entry)) ?? [])];
  }

  /** Tells that all entries recorded before `clock` were told. */
  tellTime(clock: number): DecidedFiring<Trigger>[] {
    const { program, keys } = this.trigger;
    if (!program) return [];
    return [...keys.values()].flatMap((state) =>
      dueOf(program, state.instance) < clock ? this.#tellDue(state, clock) : [],
    );
  }

  state(key: string): KeyState | undefined {
    return this.trigger.keys.get(key);
  }

  #tellDue(state: KeyState, clock: number): readonly DecidedFiring<Trigger>[] {
    return tellKeyDue(this.trigger, state, { clock, position: this.#position }).firings;
  }
}
