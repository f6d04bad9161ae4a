/**
 * How one trigger is told the log, whoever tells it: the evaluator, a resume and its preview, a simulation, an explanation, a
 * test. What changes is in the states alone; who tells commits it, or throws it away.
 */
import { assert } from "../assert.ts";
import type { ConditionEvent } from "../condition/condition-event.ts";
import {
  inheritInstance,
  isSuccessor,
  tellEvent,
  tellTime,
  type InstanceStep,
} from "../condition/instance.ts";
import { liveLane, type LogEvent } from "../event/event.ts";
import type { Json } from "../json.ts";
import { firingOf } from "./firing.ts";
import {
  beginKey,
  forgottenAt,
  isStateless,
  type DecidedFiring,
  type HeldTrigger,
  type KeyState,
} from "./held-trigger.ts";

/** Other lanes, and what does not fit its type's declaration, concern no trigger. */
export function isTellable({ lane, invalid }: Pick<LogEvent, "lane" | "invalid">): boolean {
  return lane === liveLane && invalid === undefined;
}

export function isTypeOf({ program }: Pick<HeldTrigger, "program">, type: string): boolean {
  return (program?.events ?? []).some((use) =>
    use.isPrefix ? type.startsWith(use.type) : type === use.type,
  );
}

/** What conditions read of an entry; `data` is its content, which may have been in the blob store. */
export function conditionEventOf(entry: LogEvent, data: Json): ConditionEvent {
  const { position, recordedAt, type, source, id, subject, time, extensions } = entry;
  return {
    position,
    recordedAt,
    type,
    source,
    id,
    ...(subject === undefined ? {} : { subject }),
    time,
    data,
    attributes: extensions,
  };
}

/** What a trigger was told, and what came of it. */
export interface Telling<Trigger extends HeldTrigger = HeldTrigger> {
  readonly firings: readonly DecidedFiring<Trigger>[];
  readonly state: KeyState;
  readonly touched: boolean;
  /** It is not the one that the trigger had of its key. */
  readonly isNew: boolean;
}

/**
 * Tells one key of an event that concerns it. A state that begins with it is to be kept when it was touched. One that was idle for too
 * long begins anew: by log time, so that it is the same whether its row was swept meanwhile, was read, or is in memory (C1).
 */
export function tellKey<Trigger extends HeldTrigger>(
  trigger: Trigger,
  key: string,
  event: ConditionEvent,
): Telling<Trigger> {
  const { program } = trigger;
  assert(program, "a trigger that an event concerns has a condition");
  const known = trigger.keys.get(key);
  const isForgotten = known !== undefined && event.recordedAt > (forgottenAt(trigger, known) ?? Infinity);
  const state = known && !isForgotten ? known : beginKey(program, key, event.recordedAt, event.position);
  const step = tellEvent(program, state.instance, event);
  const firings = takeStep(trigger, state, step, { at: event.recordedAt, position: event.position });
  return { firings, state, touched: step.touched, isNew: state !== known };
}

/** Tells one key that the log is read up to `clock`; `position`: of the last entry before. */
export function tellKeyDue<Trigger extends HeldTrigger>(
  trigger: Trigger,
  state: KeyState,
  { clock, position }: { readonly clock: number; readonly position: number },
): Telling<Trigger> {
  const firings: DecidedFiring<Trigger>[] = [];
  let touched = false;
  for (let hasMore = trigger.program !== undefined; hasMore;) {
    const step = tellTime(trigger.program!, state.instance, clock);
    firings.push(...takeStep(trigger, state, step, { at: clock, position }));
    touched ||= step.touched;
    ({ hasMore } = step);
  }
  return { firings, state, touched, isNew: false };
}

/** Whether keys of its earlier version go on: `firstStates` needs all of them, then. */
export function inheritsKeys(trigger: HeldTrigger, before: HeldTrigger | undefined): boolean {
  const { program } = trigger;
  return program?.isKeyed === true && before?.program !== undefined && isSuccessor(program, before.program);
}

/** The states with which a trigger begins: its own, where it needs one, or those of the keys of its earlier version that go on (C3). */
export function firstStates(
  trigger: HeldTrigger,
  { recordedAt, position }: { readonly recordedAt: number; readonly position: number },
  before?: HeldTrigger,
): KeyState[] {
  const { program } = trigger;
  if (!program || isStateless(trigger)) return [];
  const begin = (key: string, earlier: KeyState | undefined): KeyState => {
    const state = beginKey(program, key, recordedAt, position);
    if (before?.program && earlier)
      inheritInstance(
        { program, instance: state.instance },
        { program: before.program, instance: earlier.instance },
      );
    return state;
  };
  if (!program.isKeyed) {
    const earlier = before?.program?.isKeyed === false ? before.keys.get("") : undefined;
    return [{ ...begin("", earlier), firings: 0 }];
  }
  if (!before || !inheritsKeys(trigger, before)) return [];
  return [...before.keys.values()]
    .filter((earlier) => recordedAt <= (forgottenAt(before, earlier) ?? Infinity))
    .map((earlier) => ({ ...begin(earlier.key, earlier), touchedAt: earlier.touchedAt }));
}

function takeStep<Trigger extends HeldTrigger>(
  trigger: Trigger,
  state: KeyState,
  step: InstanceStep,
  { at, position }: { readonly at: number; readonly position: number },
): DecidedFiring<Trigger>[] {
  const { program, row } = trigger;
  if (!step.touched || !program) return [];
  state.touchedAt = at;
  return step.decided.map((decided) => {
    const { pipeline, version } = row;
    const firing = firingOf(program, { pipeline, version }, state.key, decided, state.firings);
    state.firings += 1;
    return { trigger, firing, position };
  });
}
