/**
 * How one trigger is told the log, whoever tells it: the evaluator, a resume and its preview, a simulation, an explanation.
 * What changes is in the states alone; who tells commits it, or throws it away.
 */
import {
  firingOf,
  inheritInstance,
  tellEvent,
  tellTime,
  type ConditionEvent,
  type InstanceStep,
  type LogEvent,
} from "@millrace/core";
import type { LogPage } from "@millrace/store";
import { logPageMax } from "../limits.ts";
import type { Values } from "../values.ts";
import { beginKey, isStateless, type KeyState, type LoadedTrigger } from "./loaded-trigger.ts";
import type { DecidedFiring } from "./page-turn.ts";

/** Other lanes, and what does not fit its type's declaration, concern no trigger. */
export function isTellable({ lane, invalid }: LogEvent): boolean {
  return lane === "live" && invalid === undefined;
}

export function isTypeOf({ program }: LoadedTrigger, type: string): boolean {
  return (program?.events ?? []).some((use) =>
    use.isPrefix ? type.startsWith(use.type) : type === use.type,
  );
}

export async function asConditionEvent(
  values: Pick<Values, "loaded">,
  { data, extensions, ...event }: LogEvent,
): Promise<ConditionEvent> {
  const { value } = await values.loaded(data);
  const { position, recordedAt, type, source, id, subject, time } = event;
  return {
    position,
    recordedAt,
    type,
    source,
    id,
    ...(subject === undefined ? {} : { subject }),
    time,
    data: value ?? null,
    attributes: extensions,
  };
}

/** What a trigger was told, and what came of it. */
export interface Telling {
  readonly firings: readonly DecidedFiring[];
  readonly state: KeyState;
  readonly touched: boolean;
}

/** Tells one key of an event that concerns it. A state that begins with it is to be kept when it was touched. */
export function tellKey(trigger: LoadedTrigger, key: string, event: ConditionEvent): Telling {
  const { program } = trigger;
  if (!program) throw new Error("invariant broken: a trigger that an event concerns has a condition");
  const state = trigger.keys.get(key) ?? beginKey(program, key, event.recordedAt, event.position);
  const step = tellEvent(program, state.instance, event);
  const firings = takeStep(trigger, state, step, { at: event.recordedAt, position: event.position });
  return { firings, state, touched: step.touched };
}

/** Tells one key that the log is read up to `clock`; `position`: of the last entry before. */
export function tellKeyDue(
  trigger: LoadedTrigger,
  state: KeyState,
  { clock, position }: { readonly clock: number; readonly position: number },
): Telling {
  const firings: DecidedFiring[] = [];
  let touched = false;
  for (let hasMore = trigger.program !== undefined; hasMore;) {
    const step = tellTime(trigger.program!, state.instance, clock);
    firings.push(...takeStep(trigger, state, step, { at: clock, position }));
    touched ||= step.touched;
    ({ hasMore } = step);
  }
  return { firings, state, touched };
}

/** The state with which a trigger without keys begins; nothing where it needs none. `before`: its earlier version. */
export function firstState(
  trigger: LoadedTrigger,
  { recordedAt, position }: { readonly recordedAt: number; readonly position: number },
  before?: LoadedTrigger,
): KeyState | undefined {
  const { program } = trigger;
  if (!program || program.isKeyed || isStateless(trigger)) return undefined;
  const state = { ...beginKey(program, "", recordedAt, position), firings: 0 };
  const earlier = before?.keys.get("");
  if (before?.program && !before.program.isKeyed && earlier)
    inheritInstance(
      { program, instance: state.instance },
      { program: before.program, instance: earlier.instance },
    );
  return state;
}

/** Pages of the log after one position, up to and with another. */
export async function* pagesBetween(
  read: (after: number, limit: number) => Promise<LogPage>,
  { after, until }: { readonly after: number; readonly until: number },
): AsyncGenerator<LogPage> {
  for (let from = after; from < until;) {
    const page = await read(from, Math.min(logPageMax, until - from));
    yield page;
    // Beyond it there is nothing yet.
    if (page.until <= from) return;
    from = page.until;
  }
}

function takeStep(
  trigger: LoadedTrigger,
  state: KeyState,
  step: InstanceStep,
  { at, position }: { readonly at: number; readonly position: number },
): DecidedFiring[] {
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
