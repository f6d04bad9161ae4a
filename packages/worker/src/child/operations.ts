/**
 * Owns the steps and waits of one attempt: what its function has asked for, what runs, what is recorded; and it notices the
 * moment at which nothing but waits is left.
 *
 * O1: an operation is known by its name and by how often that was asked for before; whatever kind it is.
 * O2: results are delivered one per turn of the event loop: first the recorded ones in the order in which they were committed,
 *     then those of steps that ran here, in the order in which they ended. So a race has the same winner each time.
 * O3: a step's promise settles after the server has said that the step is recorded.
 * O4: an attempt is suspended when it has a wait and no step, none of its results is on the way, and for some turns nothing was
 *     asked for. What the function has under way beside (a timer, a socket) is given a bounded time.
 * O5: after the function's end or its suspension nothing begins and nothing recorded is delivered; steps that run then are
 *     recorded before the attempt's result.
 */
import { describeOperation, MillraceError, type AttemptError, type Json } from "@millrace/core";
import { recordsMax } from "@millrace/protocol";
import { limits } from "../limits.ts";
import type { LocalRecord, LocalValue, ProducedStep, ProducedWait } from "../pool/child-message.ts";
import { errorFromRecord } from "./recorded-error.ts";
import { nextSymbol } from "./attempt-error.ts";

/** What the operations of an attempt need of its process. */
export interface OperationsHost {
  /** False: a step that is not recorded is not begun, and counts as a wait. */
  readonly beginsSteps: boolean;
  /** Whether `records` will be asked for what was recorded here. */
  readonly keepsRecords: boolean;
  /** Says that a step ended; `recorded` is called when that is committed. */
  post(step: ProducedStep): void;
  read(value: LocalValue): Json;
  nextTurn(callback: () => void): void;
  later(ms: number, callback: () => void): void;
  /** ms of a clock that only goes forward. */
  now(): number;
  /** Whether the function has nothing under way that this process can see. */
  isQuiet(): boolean;
  /** Whether an event is being recorded at once. */
  isEmitting(): boolean;
  suspend(waits: readonly ProducedWait[]): void;
  warn(text: string): void;
  /** The function does something that no record speaks of. */
  wentOn(): void;
  /** A recorded result is delivered: an earlier dispatch has seen what came before it. `isLast`: no other one is left. */
  repeats(isLast: boolean): void;
}

export interface Operation {
  readonly kind: "step" | "wait";
  readonly name: string;
  readonly occurrence: number;
  /** Holds the stack of the call. */
  readonly mark: Error;
}

/** What a step gave, ready to travel, and as the function sees it. */
export type StepEnd =
  | { readonly kind: "value"; readonly step: ProducedStep; readonly value: Json }
  | { readonly kind: "error"; readonly step: ProducedStep; readonly error: AttemptError }
  /** The attempt is being stopped: what a step throws then says nothing about the step. */
  | { readonly kind: "stopped"; readonly thrown: unknown };

/** A wait's answer; `undefined`: its timeout came first. */
type Answer = Json | undefined;

interface Asked {
  readonly operation: Operation;
  readonly resolve: (value: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface LiveStep {
  readonly asked: Asked;
  readonly end: Exclude<StepEnd, { kind: "stopped" }>;
  isRecorded: boolean;
}

export class Operations {
  readonly #host: OperationsHost;
  readonly #before: readonly LocalRecord[];
  readonly #recordedHere: Omit<LocalRecord, "seq">[] = [];
  readonly #records = new Map<string, LocalRecord>();
  /** Recorded and not delivered, by `seq`. */
  readonly #undelivered: LocalRecord[];
  readonly #occurrences = new Map<string, number>();
  /** Asked for, recorded, not delivered. */
  readonly #repeating = new Map<string, Asked>();
  readonly #waits = new Map<string, ProducedWait>();
  /** Steps that ended here, in that order. */
  readonly #ended: LiveStep[] = [];
  readonly #asked: Operation[] = [];
  /** Records up to this `seq` hold up nothing: they were not asked for when they should have been. */
  #passedSeq = 0;
  #running = 0;
  #turnIsDue = false;
  #isLookDue = false;
  #hasDelivered = false;
  #quietTurns = 0;
  #lastCallAt: number;
  #whenIdle: (() => void) | undefined;
  #isOver = false;

  constructor(records: readonly LocalRecord[], host: OperationsHost) {
    this.#host = host;
    this.#before = records;
    this.#undelivered = records.toSorted((a, b) => a.seq - b.seq);
    for (const record of records) this.#records.set(keyOf(record), record);
    this.#lastCallAt = host.now();
  }

  /** What was asked for, in that order. */
  get asked(): readonly Operation[] {
    return this.#asked;
  }

  /** Runs a step, or gives what it recorded. Settles as O2 and O3 say. */
  step(name: string, mark: Error, run: (operation: Operation) => Promise<StepEnd>): Promise<Json> {
    return this.#ask({ kind: "step", name, mark }, (asked) => {
      if (!this.#host.beginsSteps) return this.#awaits(asked, { kind: "sleep", ms: 0 });
      this.#running += 1;
      this.#host.wentOn();
      void run(asked.operation).then((end) => this.#stepEnded(asked, end));
    }) as Promise<Json>;
  }

  /** Waits, or gives the recorded answer; `undefined` when the timeout came first. */
  wait(name: string, mark: Error, op: ProducedWait["op"]): Promise<Answer> {
    return this.#ask({ kind: "wait", name, mark }, (asked) => this.#awaits(asked, op));
  }

  /** The server has committed these steps. */
  recorded(steps: readonly { readonly name: string; readonly occurrence: number }[]): void {
    const keys = new Set(steps.map(keyOf));
    for (const live of this.#ended) if (keys.has(keyOf(live.asked.operation))) live.isRecorded = true;
    this.#called();
    // Without waiting for a turn, where this one has delivered nothing: a chain of steps costs no turns.
    if (!this.#hasDelivered && this.#deliverNext()) this.#hasDelivered = true;
    this.#turnSoon();
  }

  /** The function has ended; `then` is called when its steps have ended too and are recorded. */
  functionEnded(then: () => void): void {
    if (this.#isOver) return;
    this.#whenIdle = then;
    this.#endWhenIdle();
  }

  /** Nothing settles any more. */
  stop(): void {
    this.#isOver = true;
  }

  /** All that is recorded by now, with what was recorded here. */
  get records(): readonly LocalRecord[] {
    let seq = Math.max(0, ...this.#before.map((record) => record.seq));
    return [...this.#before, ...this.#recordedHere.map((record) => ({ ...record, seq: (seq += 1) }))];
  }

  /** What was recorded and not asked for this time. */
  notAsked(): LocalRecord[] {
    const asked = new Set(this.#asked.map(keyOf));
    return [...this.#records.values()].filter((record) => !asked.has(keyOf(record)));
  }

  #awaits({ operation }: Asked, op: ProducedWait["op"]): void {
    const { name, occurrence } = operation;
    this.#waits.set(keyOf(operation), { name, occurrence, op });
  }

  #ask(wanted: Pick<Operation, "kind" | "name" | "mark">, begin: (asked: Asked) => void): Promise<Answer> {
    // O5: what leads nowhere is not begun.
    if (this.#isOver || this.#whenIdle) return new Promise(() => {});
    const occurrence = (this.#occurrences.get(wanted.name) ?? 0) + 1;
    const operation = { ...wanted, occurrence };
    const record = this.#records.get(keyOf(operation));
    if (record && record.kind !== wanted.kind) {
      this.#asked.push(operation);
      throw kindDiffers(operation, record);
    }
    if (this.#asked.length >= recordsMax) throw tooMany(operation);
    this.#occurrences.set(wanted.name, occurrence);
    this.#asked.push(operation);
    this.#called();
    return new Promise((resolve, reject) => {
      const asked = { operation, resolve, reject };
      if (record) this.#repeating.set(keyOf(operation), asked);
      else begin(asked);
      this.#turnSoon();
    });
  }

  #stepEnded(asked: Asked, end: StepEnd): void {
    this.#running -= 1;
    this.#called();
    if (end.kind === "stopped") asked.reject(end.thrown);
    else if (!this.#isOver) {
      this.#ended.push({ asked, end, isRecorded: false });
      this.#host.post(end.step);
    }
    this.#endWhenIdle();
    this.#turnSoon();
  }

  #called(): void {
    this.#quietTurns = 0;
    this.#lastCallAt = this.#host.now();
  }

  #turnSoon(): void {
    if (this.#turnIsDue || this.#isOver) return;
    this.#turnIsDue = true;
    this.#host.nextTurn(() => {
      this.#turnIsDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    this.#hasDelivered = false;
    if (this.#isOver) return;
    if (this.#deliverNext()) {
      this.#hasDelivered = true;
      this.#called();
      this.#turnSoon();
      return;
    }
    const isHeld = this.#isHeld();
    if (!isHeld && !this.#mayBeSuspended()) return;
    if (!this.#isStill(isHeld ? limits.replayHoldMs : limits.suspendHoldMs)) return;
    if (isHeld) {
      this.#passOver();
      this.#turnSoon();
    } else this.#suspend();
  }

  /** Whether nothing has moved for long enough; else it looks again later. */
  #isStill(holdMs: number): boolean {
    const host = this.#host;
    const isOverdue = host.now() - this.#lastCallAt >= holdMs;
    if (host.isEmitting() || (!isOverdue && !host.isQuiet())) {
      this.#quietTurns = 0;
      this.#lookLater();
      return false;
    }
    this.#quietTurns += 1;
    if (this.#quietTurns >= limits.quietTurns) return true;
    this.#turnSoon();
    return false;
  }

  #lookLater(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    this.#host.later(limits.quietPollMs, () => {
      this.#isLookDue = false;
      this.#turn();
    });
  }

  /** O2. */
  #deliverNext(): boolean {
    for (const [index, record] of this.#undelivered.entries()) {
      const key = keyOf(record);
      const asked = this.#whenIdle ? undefined : this.#repeating.get(key);
      if (asked) {
        this.#undelivered.splice(index, 1);
        this.#repeating.delete(key);
        this.#host.repeats(this.#undelivered.length === 0);
        this.#repeat(asked, record);
        return true;
      }
      if (record.seq > this.#passedSeq && !this.#whenIdle) return false;
    }
    const live = this.#ended[0];
    if (!live?.isRecorded) return false;
    this.#ended.shift();
    if (this.#host.keepsRecords) this.#recordedHere.push(recordOf(live));
    if (live.end.kind === "value") live.asked.resolve(live.end.value);
    else live.asked.reject(errorFromRecord(live.end.error));
    this.#endWhenIdle();
    return true;
  }

  #repeat(asked: Asked, record: LocalRecord): void {
    const { outcome } = record;
    try {
      if (outcome.kind === "value") asked.resolve(this.#host.read(outcome.value));
      else if (outcome.kind === "timeout") asked.resolve(undefined);
      else asked.reject(errorFromRecord(outcome.error));
    } catch (error) {
      asked.reject(error);
    }
  }

  /** There is a result, but an earlier one is not asked for. */
  #isHeld(): boolean {
    return this.#repeating.size > 0 || this.#ended[0]?.isRecorded === true;
  }

  /** What should have been asked for by now holds up nothing any more. */
  #passOver(): void {
    this.#called();
    const first = this.#undelivered.find((record) => this.#repeating.has(keyOf(record)));
    this.#passedSeq = first ? first.seq - 1 : (this.#undelivered.at(-1)?.seq ?? 0);
    this.#host.wentOn();
  }

  /** O4, but for the quiet. */
  #mayBeSuspended(): boolean {
    return this.#waits.size > 0 && this.#running === 0 && this.#ended.length === 0 && !this.#whenIdle;
  }

  #suspend(): void {
    this.#isOver = true;
    this.#host.wentOn();
    this.#warnOfNotAsked();
    this.#host.suspend([...this.#waits.values()]);
  }

  #endWhenIdle(): void {
    if (!this.#whenIdle || this.#isOver || this.#running > 0 || this.#ended.length > 0) return;
    this.#isOver = true;
    this.#host.wentOn();
    this.#warnOfNotAsked();
    this.#whenIdle();
  }

  #warnOfNotAsked(): void {
    const missing = this.notAsked();
    if (missing.length === 0) return;
    const shown = missing
      .slice(0, namesShown)
      .map((record) => describeOperation(record))
      .join(", ");
    const more = missing.length > namesShown ? ` and ${missing.length - namesShown} more` : "";
    this.#host.warn(
      `Recorded before, and not asked for this time: ${shown}${more}. The function has gone another way.`,
    );
  }
}

const namesShown = 5;

function recordOf({ asked, end }: LiveStep): Omit<LocalRecord, "seq"> {
  const { name, occurrence } = asked.operation;
  const outcome = end.kind === "value" ? ({ kind: "value", value: { value: end.value } } as const) : end;
  return { kind: "step", name, occurrence, outcome };
}

function keyOf(one: { readonly name: string; readonly occurrence: number }): string {
  return `${one.occurrence}\n${one.name}`;
}

function kindDiffers(operation: Operation, record: LocalRecord): Error {
  const error = new MillraceError("MILLRACE_REPLAY_DIVERGED", {
    message: `The function asks for the ${describeOperation(operation)}; recorded is a ${describeOperation(record)}.`,
    fields: {
      name: operation.name,
      occurrence: operation.occurrence,
      asked: operation.kind,
      recorded: record.kind,
    },
  });
  // The next attempt has the same records.
  return Object.assign(error, { [nextSymbol]: { kind: "fatal" } });
}

function tooMany(operation: Operation): Error {
  return new MillraceError("MILLRACE_STEPS_TOO_MANY", {
    message: `The ${describeOperation(operation)} would be more than the ${recordsMax} steps and waits of a task run.`,
    fields: { name: operation.name, max: recordsMax },
  });
}
