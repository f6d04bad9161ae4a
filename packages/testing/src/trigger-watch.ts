/**
 * The triggers of a testbed: told the log as the server's evaluator tells it, by the same functions of the core.
 *
 * W1: entries are told in their order, each once; time is told only up to where all entries were (P1 of the core).
 * W2: a firing starts one run, or says why none could begin.
 * W3: a firing that would go on with a loop of triggers starts none (L2 of the core's causes).
 */
import {
  causesAttribute,
  causesOfFiring,
  conditionEventOf,
  decideResume,
  dueOf,
  errorCodeOf,
  firedEvent,
  firingValue,
  firstState,
  Heap,
  isStateless,
  isTellable,
  loopedEvent,
  loopLimitDefault,
  loopOf,
  loopReason,
  MillraceError,
  never,
  parseCauses,
  tellKey,
  tellKeyDue,
  TriggerIndex,
  type CatchUp,
  type Causes,
  type ConditionEvent,
  type DecidedFiring,
  type FiredEvent,
  type Firing,
  type HeldTrigger,
  type Json,
  type JudgedTrigger,
  type KeyState,
  type LogPlace,
  type LogEvent,
  type Program,
  type Reason,
  type Telling,
} from "@millrace/core";
import type { BedPipeline } from "./definitions.ts";
import type { EventBook } from "./event-book.ts";
import type { RunDesk, RunEntry } from "./run-desk.ts";

export interface BedTrigger extends JudgedTrigger {
  readonly row: HeldTrigger["row"] & { readonly activated: LogPlace; paused: LogPlace | undefined };
  readonly program: Program;
  readonly pipeline: BedPipeline;
}

/** A firing, and what came of it. */
export interface FiringRecord {
  readonly trigger: BedTrigger;
  readonly firing: Firing;
  /** Of the last entry that was told before it was decided. */
  readonly position: number;
  readonly value: Json;
  readonly run: RunEntry | undefined;
  readonly reason: Reason | undefined;
}

interface Due {
  readonly at: number;
  readonly trigger: BedTrigger;
  readonly state: KeyState;
}

/** Told after an entry recorded at its very instant (P1): the bound of what is told lies a little later. */
export const instantMs = 0.001;

export class TriggerWatch {
  readonly firings: FiringRecord[] = [];
  readonly triggers = new Map<string, BedTrigger>();
  readonly #index = new TriggerIndex<BedTrigger>();
  readonly #dues = new Heap<Due>((a, b) => a.at < b.at);
  readonly #log: EventBook;
  readonly #runs: RunDesk;
  #told = 0;

  constructor(log: EventBook, runs: RunDesk) {
    this.#log = log;
    this.#runs = runs;
  }

  /** The entry of the log with which the trigger begins has been recorded. */
  hold(pipeline: BedPipeline, entry: LogEvent): void {
    const { definition, program } = pipeline;
    if (!definition.trigger || !program) return;
    const { position, recordedAt } = entry;
    const place = { position, recordedAt };
    const trigger: BedTrigger = {
      row: {
        pipeline: definition.name,
        version: 1,
        definition: definition.trigger,
        activated: place,
        paused: definition.paused ? place : undefined,
      },
      program,
      pipeline,
      keys: new Map(),
    };
    this.triggers.set(definition.name, trigger);
    this.#index.add(trigger);
    const state = firstState(trigger, entry);
    if (!state) return;
    trigger.keys.set("", state);
    this.#noteDue(trigger, state);
  }

  /** The trigger of a pipeline. Throws MILLRACE_TRIGGER_UNKNOWN. */
  trigger(pipeline: string): BedTrigger {
    const found = this.triggers.get(pipeline);
    if (found) return found;
    throw new MillraceError("MILLRACE_TRIGGER_UNKNOWN", {
      message: `The pipeline "${pipeline}" has no trigger: it runs when somebody starts it.`,
      fields: { pipeline },
    });
  }

  /** While it is paused it is told nothing; the log keeps what comes. */
  pause(trigger: BedTrigger, { position, recordedAt }: LogEvent): void {
    trigger.row.paused ??= { position, recordedAt };
  }

  /** Tells what came while it was paused, and lets those firings begin that the policy names (C8). */
  async resume(trigger: BedTrigger, entry: LogEvent, onResume: CatchUp | undefined): Promise<void> {
    const { paused, definition } = trigger.row;
    if (!paused || !definition) return;
    trigger.row.paused = undefined;
    const { position: to, recordedAt: at } = entry;
    const how = onResume ?? definition.onResume;
    const log = this.#log;
    const firings = await decideResume(
      trigger,
      { from: paused.position, to, at, position: to - 1, how },
      {
        async *entries(after, until) {
          for await (const { events } of log.pages(after, until)) yield events;
        },
        asEvent: (event) => Promise.resolve(conditionEventOf(event, event.data.value ?? null)),
        load: () => Promise.resolve(),
        loadOverdue: () => Promise.resolve(),
        keep: (state) => void trigger.keys.set(state.key, state),
        touched: () => {},
      },
    );
    for (const decided of firings) this.begin(decided);
    for (const state of trigger.keys.values()) {
      state.notedDue = undefined;
      this.#noteDue(trigger, state);
    }
  }

  // --- entries ------------------------------------------------------------------------------------------------------

  /** Tells the entries that were not told yet; true when there were any. */
  work(): boolean {
    if (this.#told === this.#log.position) return false;
    while (this.#told < this.#log.position) {
      this.#told += 1;
      this.#tell(this.#log.at(this.#told)!);
    }
    return true;
  }

  #tell(entry: LogEvent): void {
    if (!isTellable(entry) || !this.#index.wants(entry.type)) return;
    const event = conditionEventOf(entry, entry.data.value ?? null);
    for (const { trigger, key } of this.#concernsOf(event)) {
      if (trigger.row.paused || entry.position <= trigger.row.activated.position) continue;
      const telling = tellKey(trigger, key, event);
      if (telling.touched && !isStateless(trigger)) trigger.keys.set(key, telling.state);
      this.#take(trigger, telling);
    }
  }

  #concernsOf(event: ConditionEvent): { readonly trigger: BedTrigger; readonly key: string }[] {
    const concerns: { readonly trigger: BedTrigger; readonly key: string }[] = [];
    for (const { trigger, use } of this.#index.matching(event)) {
      const key = trigger.program.isKeyed ? use.key(event) : "";
      if (key === undefined) continue;
      if (concerns.some((one) => one.trigger === trigger && one.key === key)) continue;
      concerns.push({ trigger, key });
    }
    return concerns;
  }

  #take(trigger: BedTrigger, { firings, state, touched }: Telling<BedTrigger>): void {
    if (touched && !isStateless(trigger)) this.#noteDue(trigger, state);
    for (const decided of firings) this.begin(decided);
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  /** When time alone changes something next. */
  nextDue(): number | undefined {
    for (let first = this.#dues.first(); first; first = this.#dues.first()) {
      const { trigger, state, at } = first;
      const due = trigger.row.paused ? never : dueOf(trigger.program, state.instance);
      if (due === at) return at;
      this.#dues.pop();
      state.notedDue = undefined;
      if (!trigger.row.paused) this.#noteDue(trigger, state);
    }
    return undefined;
  }

  /** Tells that it is `at` now, and that all entries up to it were told. */
  tellTime(at: number): void {
    const before = at + instantMs;
    this.#log.close(before);
    for (let due = this.nextDue(); due !== undefined && due < before; due = this.nextDue()) {
      const { trigger, state } = this.#dues.pop()!;
      state.notedDue = undefined;
      this.#take(trigger, tellKeyDue(trigger, state, { clock: before, position: this.#told }));
      this.#noteDue(trigger, state);
    }
  }

  #noteDue(trigger: BedTrigger, state: KeyState): void {
    const at = dueOf(trigger.program, state.instance);
    if (at === never || (state.notedDue !== undefined && state.notedDue <= at)) return;
    state.notedDue = at;
    this.#dues.push({ at, trigger, state });
  }

  // --- firings ------------------------------------------------------------------------------------------------------

  /** Makes the run of a firing (W2). */
  begin({ trigger, firing, position }: DecidedFiring<BedTrigger>): void {
    const eventAt = (at: number): FiredEvent => {
      const entry = this.#log.at(at)!;
      return firedEvent(entry, entry.data.value ?? null);
    };
    const value = firingValue(trigger.program, firing, eventAt, this.#revisedRun(firing));
    const { pipeline } = trigger;
    let run: RunEntry | undefined;
    let reason: Reason | undefined;
    const causes = causesOfFiring(firing.pipeline, this.#causesOfMembers(firing));
    const loop = loopOf(causes, firing.pipeline, trigger.row.definition?.loopLimit ?? loopLimitDefault);
    try {
      if (loop) reason = loopReason(causes, loop);
      else {
        const params = pipeline.checkParams({});
        run = this.#runs.start(pipeline, { params, firing: value, partition: firing.partition?.key, causes });
      }
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      reason = { code, message: (error as MillraceError).message };
    }
    this.firings.push({ trigger, firing, position, value, run, reason });
    if (loop) this.#log.append(loopedEvent(firing, causes, loop));
  }

  /** Those of the runs that emitted its members. */
  #causesOfMembers({ members }: Firing): Causes[] {
    return members.flatMap((member) => {
      if (member.kind !== "event") return [];
      return [parseCauses(this.#log.at(member.position)?.extensions[causesAttribute])];
    });
  }

  /** The run of the revision before. */
  #revisedRun({ pipeline, key, occurrence, revision }: Firing): string | null {
    if (revision === 1) return null;
    const before = this.firings.findLast(
      ({ firing, run }) =>
        run !== undefined &&
        firing.pipeline === pipeline &&
        firing.key === key &&
        firing.occurrence === occurrence &&
        firing.revision < revision,
    );
    return before?.run?.run.id ?? null;
  }
}
