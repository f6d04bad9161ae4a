/** Virtual time: what happens next is decided by instants and the order of asking, never by the machine. */
import { Heap } from "@millrace/core";

/** When a simulation begins, by the database's clock: ms since 1970. */
export const epochMs = 1_800_000_000_000;

interface Entry {
  readonly at: number;
  readonly sequence: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface Scheduled {
  cancel(): void;
}

export class Scheduler {
  readonly #heap = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));
  #sequence = 0;
  #now = 0;
  events = 0;

  /** Virtual milliseconds since the simulation's start. */
  get now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): Scheduled {
    const entry = {
      at: this.#now + Math.max(0, delayMs),
      sequence: (this.#sequence += 1),
      run,
      cancelled: false,
    };
    this.#heap.push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs events until `isOver` says so or nothing is left before `until`. */
  async run(until: number, isOver: () => boolean): Promise<void> {
    await allMicrotasks();
    for (let next = this.#heap.first(); next && next.at <= until && !isOver(); next = this.#heap.first()) {
      this.#heap.pop();
      if (next.cancelled) continue;
      this.#now = next.at;
      this.events += 1;
      next.run();
      await allMicrotasks();
    }
    if (!isOver()) this.#now = Math.max(this.#now, until);
  }
}

/** Lets all that follows from the last event happen: promises settle before the next turn of the event loop. */
function allMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
