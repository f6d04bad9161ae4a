/**
 * One wait while it is told the log: its condition, its timeout, how it ended. What it is told follows P1 of the conditions.
 *
 * J2: it ends once: by its condition, or by its timeout. An entry recorded at the very instant of the timeout comes before it.
 * J3: an entry is told once: those up to `toldTo` were told, or changed nothing. What comes after its end is not: the next wait of
 *     its name hears that.
 */
import { compileCondition, type Program } from "../condition/compile.ts";
import type { ConditionEvent } from "../condition/condition-event.ts";
import type { Explanation } from "../condition/explanation.ts";
import {
  beginInstance,
  dueOf,
  explainInstance,
  never,
  tellEvent,
  tellPast,
  tellTime,
  type ConditionInstance,
  type Decided,
} from "../condition/instance.ts";
import { parseCondition } from "../condition/parse.ts";
import type { Json } from "../json.ts";
import { firingOf, type Firing } from "../trigger/firing.ts";

/** Deadlines are told when the log is read up to a little later. */
const instantMs = 0.001;

export type HowEnded = { readonly kind: "fired"; readonly decided: Decided } | { readonly kind: "timeout" };

export interface ConditionWaitOptions {
  /** Its condition as JSON; absent: only time ends it. */
  readonly condition: Json | undefined;
  /** Its condition's state, where it was told something before. */
  readonly state?: object | undefined;
  readonly beganAt: number;
  readonly timeoutAt: number | undefined;
  /** Whose it is, which spreads the jitter of schedules. */
  readonly identity: string;
  readonly toldTo: number;
}

export class ConditionWait {
  readonly program: Program | undefined;
  readonly #timeoutAt: number | undefined;
  /** Only of a wait with a condition. */
  readonly #instance: ConditionInstance | undefined;
  #touched = false;
  #toldTo: number;
  #ended: HowEnded | undefined;
  #overAt: number | undefined;

  /** Throws MILLRACE_CONDITION_INVALID. */
  constructor({ condition, state, beganAt, timeoutAt, identity, toldTo }: ConditionWaitOptions) {
    this.#timeoutAt = timeoutAt;
    this.#toldTo = toldTo;
    if (condition === undefined) return;
    this.program = compileCondition(parseCondition(condition, ["condition"]), identity);
    this.#instance = state ? { key: undefined, state } : beginInstance(this.program, undefined, beganAt);
  }

  get ended(): HowEnded | undefined {
    return this.#ended;
  }

  /** The instant whose passing ended it; absent where an entry did, that at `toldTo`. */
  get overAt(): number | undefined {
    return this.#overAt;
  }

  get isTouched(): boolean {
    return this.#touched;
  }

  get toldTo(): number {
    return this.#toldTo;
  }

  /** The state of its condition. */
  get state(): object | undefined {
    return this.#instance?.state;
  }

  /** What it has and waits for; nothing where only time ends it. */
  explain(): Explanation | undefined {
    return this.program && this.#instance ? explainInstance(this.program, this.#instance) : undefined;
  }

  /** When time alone may end or change it. */
  get dueAt(): number | undefined {
    if (this.#ended) return undefined;
    const own = this.program && this.#instance ? dueOf(this.program, this.#instance) : never;
    const due = Math.min(own, this.#timeoutAt ?? never);
    return due === never ? undefined : due;
  }

  /** Tells an entry of the log. `isEarlier`: it came before the wait, which its deadlines do not know. */
  tell(event: ConditionEvent, isEarlier = false): void {
    if (this.#ended || event.position <= this.#toldTo || !this.program || !this.#instance) return;
    if (!isEarlier) this.tellTime(event.recordedAt);
    if (this.#ended) return;
    const tell = isEarlier ? tellPast : tellEvent;
    const step = tell(this.program, this.#instance, event);
    this.#toldTo = event.position;
    this.#take(step.decided, step.touched);
  }

  /** Tells that the log is read up to `before`. */
  tellTime(before: number): void {
    const timeoutAt = this.#timeoutAt;
    const until = timeoutAt === undefined ? before : Math.min(before, timeoutAt + instantMs);
    for (let hasMore = this.program !== undefined; hasMore && !this.#ended;) {
      const step = tellTime(this.program!, this.#instance!, until);
      this.#take(step.decided, step.touched);
      this.#overAt = step.decided[0]?.at;
      ({ hasMore } = step);
    }
    if (this.#ended || timeoutAt === undefined || timeoutAt >= before) return;
    this.#ended = { kind: "timeout" };
    this.#overAt = timeoutAt;
  }

  #take(decided: readonly Decided[], touched: boolean): void {
    this.#touched ||= touched;
    const [first] = decided;
    if (first) this.#ended = { kind: "fired", decided: first };
  }

  /** Everything up to a position was told; nothing that came after its end. */
  noteTold(position: number): void {
    if (!this.#ended) this.#toldTo = Math.max(this.#toldTo, position);
  }

  /** What its run sees of it. */
  firing(): Firing | undefined {
    if (this.#ended?.kind !== "fired" || !this.program) return undefined;
    return firingOf(this.program, { pipeline: "", version: 0 }, "", this.#ended.decided, 0);
  }
}
