/**
 * What one key of a trigger went through: the log is told again to a state of its own (`replay.ts`), and each entry or deadline
 * that changed it is a moment, with the tree of its operands as it stood afterwards.
 */
import type { ConditionEvent } from "../condition/condition-event.ts";
import type { Explanation } from "../condition/explanation.ts";
import { dueOf, explainInstance } from "../condition/instance.ts";
import type { Member } from "../condition/match.ts";
import { never } from "../condition/operator/operator.ts";
import type { LogEvent } from "../event/event.ts";
import { beginKey, type DecidedFiring, type HeldTrigger, type LogPlace } from "./held-trigger.ts";
import { TriggerReplay } from "./replay.ts";

export interface TriggerMoment<Trigger extends HeldTrigger = HeldTrigger> {
  readonly at: number;
  /** Of the entry that was told; absent where time alone decided. */
  readonly position: number | undefined;
  /** Those whose filter and key the entry fits, or whose time it was. */
  readonly operands: readonly string[];
  readonly firings: readonly DecidedFiring<Trigger>[];
  readonly state: Explanation;
}

interface HistoryOptions {
  readonly key: string;
  /** The newest are kept. */
  readonly momentsMax: number;
  /** Earlier ones are told, and not kept. */
  readonly since: number;
}

/** Deadlines that are told one by one: beyond, those up to the next entry are one moment. */
const deadlinesMax = 20_000;
/** A deadline is over right after it; times are whole microseconds. */
const microsecond = 0.001;

export class TriggerHistory<Trigger extends HeldTrigger = HeldTrigger> {
  readonly #replay: TriggerReplay<Trigger>;
  readonly #options: HistoryOptions;
  readonly #from: LogPlace;
  readonly #moments: TriggerMoment<Trigger>[] = [];
  #deadlines = 0;
  #left = 0;

  /** `trigger` has no states yet, and belongs to the history alone. */
  constructor(trigger: Trigger, from: LogPlace, options: HistoryOptions) {
    this.#replay = new TriggerReplay(trigger, from);
    this.#from = from;
    this.#options = options;
  }

  /** In the order of time. */
  get moments(): readonly TriggerMoment<Trigger>[] {
    return this.#moments;
  }

  /** How many fell out, as newer ones came. */
  get left(): number {
    return this.#left;
  }

  tell(event: ConditionEvent): void {
    const { key } = this.#options;
    const uses = this.#uses(event);
    if (uses.length === 0) return;
    this.tellTime(event.recordedAt);
    const firings = this.#replay.tell(event, key);
    this.#note(event.recordedAt, event.position, uses, firings);
  }

  /** Where the entry says that no server was up before it. */
  tellOutage(entry: LogEvent): void {
    const firings = this.#replay.tellOutage(entry);
    if (firings.length > 0) this.#note(entry.recordedAt, entry.position, [], firings);
  }

  /** Tells that all entries recorded before `clock` were told: each deadline until then is a moment. */
  tellTime(clock: number): void {
    const { since } = this.#options;
    // What comes before is not kept: it needs no look at each.
    if (since < clock) this.#replay.tellTime(since);
    for (let due = this.#due(); due < clock && due !== never; due = this.#due()) {
      this.#deadlines += 1;
      const isOne = this.#deadlines <= deadlinesMax && due >= since;
      const told = isOne ? Math.min(clock, due + microsecond) : clock;
      const firings = this.#replay.tellTime(told);
      this.#note(isOne ? due : clock, undefined, timedBy(due, firings, this.state()), firings);
      if (this.#due() === due) return;
    }
  }

  /** As it stands now. */
  state(): Explanation {
    const { program } = this.#replay.trigger;
    if (!program) throw new Error("invariant broken: a trigger with a history has a condition");
    const { key } = this.#options;
    const state =
      this.#replay.state(key) ?? beginKey(program, key, this.#from.recordedAt, this.#from.position);
    return explainInstance(program, state.instance);
  }

  #due(): number {
    const { program } = this.#replay.trigger;
    const state = this.#replay.state(this.#options.key);
    return program && state ? dueOf(program, state.instance) : never;
  }

  #uses(event: ConditionEvent): string[] {
    const uses = (this.#replay.trigger.program?.events ?? []).filter(
      (use) => use.matches(event) && use.key(event) === this.#options.key,
    );
    return [...new Set(uses.map(({ operand }) => operand))];
  }

  #note(
    at: number,
    position: number | undefined,
    operands: readonly string[],
    firings: readonly DecidedFiring<Trigger>[],
  ): void {
    if (at < this.#options.since) return;
    this.#moments.push({ at, position, operands, firings, state: this.state() });
    if (this.#moments.length <= this.#options.momentsMax) return;
    this.#moments.shift();
    this.#left += 1;
  }
}

/** Operands that have a tick or a silence that ends at the instant. */
function timedBy(at: number, firings: readonly DecidedFiring[], state: Explanation): string[] {
  const within = ({ members = [], of = [] }: Explanation): Member[] => [...members, ...of.flatMap(within)];
  const members = [...firings.flatMap(({ firing }) => firing.members), ...within(state)];
  const own = members.filter((member) => member.kind !== "event" && member.at === at);
  return [...new Set(own.map(({ operand }) => operand))];
}
