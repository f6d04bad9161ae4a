/** Instants of database time at which something is due, behind one alarm of the clock. */
import { Heap } from "@millrace/core";
import type { Alarm, Clock, DatabaseClock } from "./clock.ts";

interface Due {
  readonly at: number;
  readonly sequence: number;
  readonly callback: () => void;
  cancelled: boolean;
  rung: boolean;
}

/** Cancelled instants that may lie around before they are dropped. */
const compactAt = 1_000;

export class Alarms {
  readonly #clock: Clock;
  readonly #database: DatabaseClock;
  readonly #heap = new Heap<Due>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));
  #sequence = 0;
  #cancelled = 0;
  #alarm: { readonly at: number; readonly alarm: Alarm } | undefined;
  #stopped = false;

  constructor(clock: Clock, database: DatabaseClock) {
    this.#clock = clock;
    this.#database = database;
  }

  /** Calls `callback` when database time has reached `at`. */
  set(at: number, callback: () => void): Alarm {
    const due: Due = { at, callback, sequence: (this.#sequence += 1), cancelled: false, rung: false };
    if (!this.#stopped) this.#heap.push(due);
    this.#arm();
    return {
      cancel: () => {
        if (due.cancelled || due.rung) return;
        due.cancelled = true;
        this.#cancelled += 1;
        if (this.#cancelled > compactAt && this.#cancelled > this.#heap.size / 2) this.#compact();
      },
    };
  }

  /** What is set from now on never rings. */
  stop(): void {
    this.#stopped = true;
    this.#alarm?.alarm.cancel();
    this.#alarm = undefined;
    while (this.#heap.size > 0) this.#heap.pop();
  }

  /** Drops what was cancelled, so that memory follows what is really awaited. */
  #compact(): void {
    const kept: Due[] = [];
    for (let due = this.#heap.pop(); due; due = this.#heap.pop()) if (!due.cancelled) kept.push(due);
    for (const due of kept) this.#heap.push(due);
    this.#cancelled = 0;
  }

  #arm(): void {
    const first = this.#heap.first();
    if (!first || (this.#alarm && this.#alarm.at <= first.at)) return;
    this.#alarm?.alarm.cancel();
    const alarm = this.#clock.after(first.at - this.#database.now(), () => this.#ring());
    this.#alarm = { at: first.at, alarm };
  }

  #ring(): void {
    this.#alarm = undefined;
    for (
      let first = this.#heap.first();
      first && first.at <= this.#database.now();
      first = this.#heap.first()
    ) {
      this.#heap.pop();
      first.rung = true;
      if (first.cancelled) this.#cancelled -= 1;
      else first.callback();
    }
    this.#arm();
  }
}
