/**
 * The triggers of a testbed: told the log as the server's evaluator tells it, by the same functions of the core.
 *
 * W1: entries are told in their order, each once; time is told only up to where all entries were (P1 of the core).
 * W2: the end of a run opens its trigger's gate where the log tells it: after what that entry fires itself.
 */
import {
  conditionEventOf,
  decideResume,
  dueOf,
  endedRunOf,
  firstStates,
  Heap,
  isStateless,
  isTellable,
  MillraceError,
  never,
  tellKey,
  tellKeyDue,
  TriggerIndex,
  type CatchUp,
  type ConditionEvent,
  type DecidedFiring,
  type HeldTrigger,
  type JudgedTrigger,
  type KeyState,
  type LogPlace,
  type LogEvent,
  type Program,
  type Telling,
} from "@millrace/core";
import type { BedPipeline } from "./definitions.ts";
import type { EventBook } from "./event-book.ts";
import { policyOf, type FiringDesk } from "./firing-desk.ts";

export interface BedTrigger extends JudgedTrigger {
  readonly row: HeldTrigger["row"] & { readonly activated: LogPlace; paused: LogPlace | undefined };
  readonly program: Program;
  readonly pipeline: BedPipeline;
}

interface Due {
  readonly at: number;
  readonly trigger: BedTrigger;
  readonly state: KeyState;
}

/** Told after an entry recorded at its very instant (P1): the bound of what is told lies a little later. */
export const instantMs = 0.001;

export class TriggerWatch {
  readonly triggers = new Map<string, BedTrigger>();
  readonly #index = new TriggerIndex<BedTrigger>();
  readonly #dues = new Heap<Due>((a, b) => a.at < b.at);
  readonly #log: EventBook;
  readonly #desk: FiringDesk;
  #told = 0;

  constructor(log: EventBook, desk: FiringDesk) {
    this.#log = log;
    this.#desk = desk;
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
    for (const state of firstStates(trigger, entry)) {
      trigger.keys.set(state.key, state);
      this.#noteDue(trigger, state);
    }
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
    const { paused } = trigger.row;
    if (!paused) return;
    trigger.row.paused = undefined;
    for (const decided of await this.#decideResume(trigger, { from: paused, to: entry }, onResume))
      this.#desk.begin(decided);
    for (const state of trigger.keys.values()) {
      state.notedDue = undefined;
      this.#noteDue(trigger, state);
    }
  }

  /** What a resume at this moment would let begin: the same decision, on states that are thrown away. */
  async previewResume(
    trigger: BedTrigger,
    at: number,
    onResume: CatchUp | undefined,
  ): Promise<readonly DecidedFiring<BedTrigger>[]> {
    const { paused } = trigger.row;
    if (!paused) return [];
    const keys = new Map(
      [...trigger.keys].map(([key, state]) => [key, { ...state, instance: structuredClone(state.instance) }]),
    );
    const to = { position: this.#log.position + 1, recordedAt: at };
    return this.#decideResume({ ...trigger, keys }, { from: paused, to }, onResume);
  }

  #decideResume(
    trigger: BedTrigger,
    { from, to }: { readonly from: LogPlace; readonly to: LogPlace },
    onResume: CatchUp | undefined,
  ): Promise<readonly DecidedFiring<BedTrigger>[]> {
    const how = onResume ?? trigger.row.definition?.onResume ?? "all";
    const gap = { from: from.position, to: to.position, at: to.recordedAt, position: to.position - 1, how };
    const log = this.#log;
    return decideResume(trigger, gap, {
      async *entries(after, until) {
        for await (const { events } of log.pages(after, until)) yield events;
      },
      asEvent: (event) => Promise.resolve(conditionEventOf(event, event.data.value ?? null)),
      load: () => Promise.resolve(),
      loadOverdue: () => Promise.resolve(),
      keep: (state) => void trigger.keys.set(state.key, state),
      touched: () => {},
    });
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
    if (isTellable(entry) && this.#index.wants(entry.type)) {
      const event = conditionEventOf(entry, entry.data.value ?? null);
      for (const { trigger, key } of this.#concernsOf(event)) {
        if (trigger.row.paused || entry.position <= trigger.row.activated.position) continue;
        const telling = tellKey(trigger, key, event);
        if (telling.touched && !isStateless(trigger)) trigger.keys.set(key, telling.state);
        this.#take(trigger, telling);
      }
    }
    const endedRun = endedRunOf(entry);
    const gated = endedRun === undefined ? undefined : this.triggers.get(entry.subject ?? "");
    if (endedRun !== undefined && gated && policyOf(gated) !== "each") this.#desk.runEnded(gated, endedRun);
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
    for (const decided of firings) this.#desk.begin(decided);
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
}
