/**
 * One wait while it is told the log: its row, its condition, how it ended. What it is told follows P1 of the conditions.
 *
 * J2: it ends once: by its condition, or by its timeout. An entry recorded at the very instant of the timeout comes before it.
 * J3: an entry is told once: those up to `toldTo` were told, or changed nothing.
 */
import {
  beginInstance,
  compileCondition,
  dueOf,
  firingOf,
  never,
  parseCondition,
  tellEvent,
  tellPast,
  tellTime,
  type ConditionEvent,
  type ConditionInstance,
  type Decided,
  type Firing,
  type Json,
  type Program,
} from "@millrace/core";
import type { WaitChange, WaitEnd, WaitRow } from "@millrace/store";

/** Deadlines are told when the log is read up to a little later. */
const instantMs = 0.01;

export type HowEnded = { readonly kind: "fired"; readonly decided: Decided } | { readonly kind: "timeout" };

export class ToldWait {
  readonly row: WaitRow;
  readonly program: Program | undefined;
  /** Only of a wait with a condition. */
  readonly #instance: ConditionInstance | undefined;
  #touched = false;
  #toldTo: number;
  #ended: HowEnded | undefined;

  constructor(row: WaitRow) {
    this.row = row;
    this.#toldTo = row.toldTo;
    if (row.condition === undefined) return;
    this.program = compileWait(JSON.parse(row.condition) as Json, waitIdentity(row));
    this.#instance =
      row.state === undefined
        ? beginInstance(this.program, undefined, row.beganAt)
        : { key: undefined, state: JSON.parse(row.state) as object };
  }

  get ended(): HowEnded | undefined {
    return this.#ended;
  }

  /** Whether its row says less than is known here. */
  get isChanged(): boolean {
    return this.#touched || this.#ended !== undefined;
  }

  /** When time alone may end or change it. */
  get dueAt(): number | undefined {
    if (this.#ended) return undefined;
    const own = this.program && this.#instance ? dueOf(this.program, this.#instance) : never;
    const due = Math.min(own, this.row.timeoutAt ?? never);
    return due === never ? undefined : due;
  }

  /** Tells an entry of the log. `isEarlier`: it came before the wait, which its deadlines do not know. */
  tell(event: ConditionEvent, isEarlier = false): void {
    if (this.#ended || event.position <= this.#toldTo || !this.program || !this.#instance) return;
    if (!isEarlier) this.tellTime(event.recordedAt);
    if (this.#ended) return;
    const tell = isEarlier ? tellPast : tellEvent;
    const step = tell(this.program, this.#instance, event);
    this.#take(step.decided, step.touched);
  }

  /** Tells that the log is read up to `before`. */
  tellTime(before: number): void {
    const { timeoutAt } = this.row;
    const until = timeoutAt === undefined ? before : Math.min(before, timeoutAt + instantMs);
    for (let hasMore = this.program !== undefined; hasMore && !this.#ended;) {
      const step = tellTime(this.program!, this.#instance!, until);
      this.#take(step.decided, step.touched);
      ({ hasMore } = step);
    }
    if (!this.#ended && timeoutAt !== undefined && timeoutAt < before) this.#ended = { kind: "timeout" };
  }

  #take(decided: readonly Decided[], touched: boolean): void {
    this.#touched ||= touched;
    const [first] = decided;
    if (first) this.#ended = { kind: "fired", decided: first };
  }

  /** Everything up to a position was told. */
  noteTold(position: number): void {
    this.#toldTo = Math.max(this.#toldTo, position);
  }

  /** What its run sees of it. */
  firing(): Firing | undefined {
    if (this.#ended?.kind !== "fired" || !this.program) return undefined;
    return firingOf(this.program, { pipeline: "", version: 0 }, "", this.#ended.decided, 0);
  }

  /** Its row as of now; `toldTo` is written where something changed only (J3). */
  asRow(): WaitRow {
    return { ...this.row, state: this.#state(), toldTo: this.#toldTo, dueAt: this.dueAt };
  }

  asChange(end: WaitEnd | undefined): WaitChange {
    return {
      id: this.row.id,
      state: this.#state(),
      toldTo: this.#toldTo,
      dueAt: this.dueAt,
      end,
      endedKeys: end ? this.row.matchKeys : [],
    };
  }

  #state(): string | undefined {
    if (this.#ended || !this.#instance) return undefined;
    return this.#touched || this.row.state !== undefined ? JSON.stringify(this.#instance.state) : undefined;
  }
}

/** Throws MILLRACE_CONDITION_INVALID. */
export function compileWait(condition: Json, identity: string): Program {
  return compileCondition(parseCondition(condition, ["condition"]), identity);
}

/** Spreads the jitter of schedules. */
function waitIdentity({ runId, node, item }: WaitRow): string {
  return `${runId}/${node}/${item}`;
}
