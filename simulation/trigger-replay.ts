/**
 * What the log alone says that should have fired: each trigger's condition, told entry by entry by the pure core, without
 * pages, shards, rows or crashes.
 */
import {
  beginInstance,
  canonicalTrigger,
  chooseFirings,
  compileCondition,
  dueOf,
  inheritInstance,
  isSuccessor,
  firingOf,
  nextTick,
  nextTickOf,
  parseCatchUp,
  parseTrigger,
  previousTick,
  tellEvent,
  tellTime,
  type CatchUp,
  type ConditionEvent,
  type ConditionInstance,
  type Firing,
  type InstanceStep,
  type Json,
  type LogEvent,
  type Program,
  type TriggerDefinition,
} from "@millrace/core";

interface Key {
  readonly key: string;
  instance: ConditionInstance;
  firings: number;
}

interface Trigger {
  readonly pipeline: string;
  readonly version: number;
  readonly definition: TriggerDefinition | undefined;
  readonly program: Program | undefined;
  paused: LogEvent | undefined;
  readonly keys: Map<string, Key>;
}

/** All firings that follow from these entries and from the time up to `clock`. `valueOf` gives an entry's data. */
export function replayTriggers(
  entries: readonly LogEvent[],
  clock: number,
  valueOf: (entry: LogEvent) => Json,
): Firing[] {
  const replay = new Replay(entries, valueOf);
  for (const entry of entries) replay.tell(entry);
  replay.end(clock);
  return replay.fired;
}

class Replay {
  readonly fired: Firing[] = [];
  readonly #entries: readonly LogEvent[];
  readonly #valueOf: (entry: LogEvent) => Json;
  readonly #triggers = new Map<string, Trigger>();

  constructor(entries: readonly LogEvent[], valueOf: (entry: LogEvent) => Json) {
    this.#entries = entries;
    this.#valueOf = valueOf;
  }

  tell(entry: LogEvent): void {
    for (const trigger of this.#triggers.values())
      if (!trigger.paused) this.fired.push(...this.#event(trigger, entry));
    if (entry.source === "millrace") this.#change(entry);
  }

  end(clock: number): void {
    for (const trigger of this.#triggers.values())
      if (!trigger.paused) this.fired.push(...this.#time(trigger, clock));
  }

  #event(trigger: Trigger, entry: LogEvent): Firing[] {
    const { program } = trigger;
    if (!program || entry.lane !== "live" || entry.invalid !== undefined) return [];
    const { position, recordedAt, type, source, id, subject, time } = entry;
    const event: ConditionEvent = {
      position,
      recordedAt,
      type,
      source,
      id,
      time,
      data: this.#valueOf(entry),
      attributes: entry.extensions,
      ...(subject === undefined ? {} : { subject }),
    };
    return program.keysOf(event).flatMap((key) => {
      const state = trigger.keys.get(key) ?? {
        key,
        instance: beginInstance(program, key, recordedAt),
        firings: position,
      };
      const step = tellEvent(program, state.instance, event);
      if (step.touched) trigger.keys.set(key, state);
      return this.#noted(trigger, state, step);
    });
  }

  #time(trigger: Trigger, before: number): Firing[] {
    const { program } = trigger;
    if (!program) return [];
    const fired: Firing[] = [];
    for (const state of trigger.keys.values())
      for (let hasMore = true; hasMore;) {
        const step = tellTime(program, state.instance, before);
        fired.push(...this.#noted(trigger, state, step));
        ({ hasMore } = step);
      }
    return fired;
  }

  #noted(trigger: Trigger, state: Key, { decided }: InstanceStep): Firing[] {
    return decided.map((one) => {
      const firing = firingOf(trigger.program!, trigger, state.key, one, state.firings);
      state.firings += 1;
      return firing;
    });
  }

  // --- what changes triggers ----------------------------------------------------------------------------------------

  #change(entry: LogEvent): void {
    const data = (this.#valueOf(entry) ?? {}) as { readonly [name: string]: Json };
    if (entry.type === "millrace.log.resumed") return this.#outage(entry, Number(data["clock"]));
    const known = this.#triggers.get(entry.subject!);
    // Deadlines before an entry come before it.
    if (known && !known.paused) this.fired.push(...this.#time(known, entry.recordedAt));
    if (entry.type === "millrace.trigger.changed") this.#define(entry, data, known);
    else if (known && entry.type === "millrace.trigger.paused") known.paused ??= entry;
    else if (known?.paused && entry.type === "millrace.trigger.resumed")
      this.#resume(known, entry, data["onResume"] === undefined ? undefined : parseCatchUp(data["onResume"]));
  }

  #define(entry: LogEvent, data: { readonly [name: string]: Json }, known: Trigger | undefined): void {
    const definition = data["trigger"] ? parseTrigger(data["trigger"]) : undefined;
    const text = (one: TriggerDefinition | undefined): string => (one ? canonicalTrigger(one) : "none");
    if (text(definition) === text(known?.definition)) return;
    const pipeline = entry.subject!;
    const program = definition && compileCondition(definition.condition, pipeline);
    const trigger: Trigger = {
      pipeline,
      version: (known?.version ?? 0) + (definition ? 1 : 0),
      definition,
      program,
      paused: definition && (data["paused"] === true || known?.paused) ? entry : undefined,
      keys: new Map(),
    };
    if (program && !program.isKeyed) {
      const instance = beginInstance(program, "", entry.recordedAt);
      const before = known?.keys.get("");
      if (known?.program && !known.program.isKeyed && before)
        inheritInstance({ program, instance }, { program: known.program, instance: before.instance });
      trigger.keys.set("", { key: "", instance, firings: 0 });
    } else if (program && known?.program && isSuccessor(program, known.program)) {
      for (const before of known.keys.values()) {
        const instance = beginInstance(program, before.key, entry.recordedAt);
        inheritInstance({ program, instance }, { program: known.program, instance: before.instance });
        trigger.keys.set(before.key, { key: before.key, instance, firings: entry.position });
      }
    }
    this.#triggers.set(pipeline, trigger);
  }

  #resume(trigger: Trigger, entry: LogEvent, onResume: CatchUp | undefined): void {
    const from = trigger.paused!.position;
    trigger.paused = undefined;
    if (!trigger.definition) return;
    const how = onResume ?? trigger.definition.onResume;
    const ticks = this.#missedTicks(trigger, Math.ceil(entry.recordedAt) - 1, how);
    if (ticks) return void this.fired.push(...ticks((dueMs) => dueMs));
    const fired: Firing[] = [];
    if (how !== "none")
      for (const missed of this.#entries.slice(from, entry.position - 1))
        fired.push(...this.#event(trigger, missed));
    fired.push(...this.#time(trigger, entry.recordedAt));
    this.fired.push(...chooseFirings(inOrder(fired), how));
  }

  /** Ticks up to the log's clock as it was before were told as ever; of those that came after it the policy chooses. */
  #outage(entry: LogEvent, clock: number): void {
    for (const trigger of this.#triggers.values()) {
      const { program, definition } = trigger;
      const state = trigger.keys.get("");
      if (program?.condition.kind !== "schedule" || !definition || !state || trigger.paused) continue;
      this.fired.push(...this.#time(trigger, clock));
      const ticks = this.#missedTicks(trigger, Math.floor(entry.recordedAt), definition.catchUp);
      this.fired.push(...(ticks?.(() => entry.recordedAt) ?? []));
    }
  }

  /** Of a schedule: what counts of the ticks that are due up to `dueMs`, each fired at the instant that is given by its due one. */
  #missedTicks(
    trigger: Trigger,
    dueMs: number,
    how: CatchUp,
  ): ((at: (dueMs: number) => number) => Firing[]) | undefined {
    const { program } = trigger;
    const state = trigger.keys.get("");
    if (program?.condition.kind !== "schedule" || !state) return undefined;
    const { schedule } = program.condition;
    const waitsFor = (tick: number): ConditionInstance => beginInstance(program, "", tick - 1);
    const ticks: number[] = [];
    for (let tick = nextTickOf(program, state.instance); tick !== undefined && tick <= dueMs;) {
      if (dueOf(program, waitsFor(tick)) > dueMs) break;
      ticks.push(tick);
      tick = nextTick(schedule, tick);
    }
    const [first] = ticks;
    if (first === undefined) return () => [];
    const start = previousTick(schedule, first) ?? first;
    const counting = chooseFirings(ticks, how);
    const last = ticks.at(-1)!;
    return (at) => {
      state.instance = beginInstance(program, "", last);
      return counting.map((tick, place) => {
        const members = [
          {
            kind: "tick" as const,
            operand: program.operands[0]!,
            from: counting[place - 1] ?? start,
            at: tick,
          },
        ];
        const now = at(dueOf(program, waitsFor(tick)));
        const match = { from: now, to: now, members };
        const firing = firingOf(program, trigger, "", { at: now, match }, state.firings);
        state.firings += 1;
        return firing;
      });
    };
  }
}

/** In the order of log time, where that is equal of keys, and of windows that one key fires at once. */
function inOrder(firings: readonly Firing[]): Firing[] {
  return firings.toSorted(
    (a, b) => a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.occurrence - b.occurrence,
  );
}
