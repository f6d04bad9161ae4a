/** A clock that stands still until the test moves it; due callbacks run in the order of their times. */
export interface ManualClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once the clock has been moved to `at`; returns a function that takes it back. */
  schedule(at: number, callback: () => void): () => void;
  /** Moves the clock and runs what becomes due on the way, each at its own time. */
  advance(ms: number): void;
  advanceTo(at: number): void;
  /** When the next callback is due. */
  nextDue(): number | undefined;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export function manualClock(start: number): ManualClock {
  let current = start;
  let order = 0;
  const entries = new Set<Entry>();

  const next = (): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of entries) {
      if (
        first === undefined ||
        entry.at < first.at ||
        (entry.at === first.at && entry.order < first.order)
      ) {
        first = entry;
      }
    }
    return first;
  };

  const advanceTo = (at: number): void => {
    if (at < current) throw new Error(`the clock is at ${current} and does not go back to ${at}`);
    for (let due = next(); due !== undefined && due.at <= at; due = next()) {
      entries.delete(due);
      current = Math.max(current, due.at);
      due.callback();
    }
    current = at;
  };

  return {
    now: () => current,
    schedule: (at, callback) => {
      const entry = { at, order: (order += 1), callback };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    advance: (ms) => advanceTo(current + ms),
    advanceTo,
    nextDue: () => next()?.at,
  };
}
