/** Time as the engine sees it. Everything that reads a clock or waits takes one of these. */
export interface Clock {
  /** Milliseconds that never go back; their zero means nothing. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`; it must not throw. */
  after(delayMs: number, callback: () => void): Alarm;
}

export interface Alarm {
  cancel(): void;
}

/** The longest delay that timers of the platform take. */
const delayMsMax = 2_000_000_000;

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), delayMsMax));
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * The node's estimate of database time: its own monotonic clock plus the offset measured at each lease renewal. It never
 * goes back, so that transitions of one node are never out of order.
 */
export class DatabaseClock {
  readonly #clock: Clock;
  #offset = 0;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a reading: the database said `databaseNow` between the local instants `before` and `after`. */
  adjust(databaseNow: number, before: number, after: number): void {
    this.#offset = databaseNow - (before + after) / 2;
  }

  /** ms since 1970, in whole microseconds. */
  now(): number {
    const estimate = Math.floor((this.#clock.monotonic() + this.#offset) * 1000) / 1000;
    this.#last = Math.max(this.#last, estimate);
    return this.#last;
  }
}
