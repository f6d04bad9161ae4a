/**
 * The clock of a testbed, and what is due by it. It stands still until the test moves it.
 *
 * V1: it never goes back.
 * V2: what is due is taken in the order of its instants, and of its making among equals; the clock then shows that instant.
 * V3: instants within one millisecond belong together: who moves the clock to a millisecond has reached all of it.
 */
import { Heap, MillraceError, parseDuration, type Duration } from "@millrace/core";

export interface Alarm {
  cancel(): void;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  isGone: boolean;
}

export class VirtualTime {
  #now: number;
  #order = 0;
  readonly #entries = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  constructor(now: number) {
    this.#now = now;
  }

  /** ms since 1970; a fraction tells instants of one millisecond apart. */
  now(): number {
    return this.#now;
  }

  set(at: number, callback: () => void): Alarm {
    const entry = { at, order: (this.#order += 1), callback, isGone: false };
    this.#entries.push(entry);
    return { cancel: () => void (entry.isGone = true) };
  }

  /** When the next callback is due. */
  nextDue(): number | undefined {
    for (let first = this.#entries.first(); first; first = this.#entries.first()) {
      if (!first.isGone) return first.at;
      this.#entries.pop();
    }
    return undefined;
  }

  /** Takes the next callback that is due by now (V2). */
  takeDue(): (() => void) | undefined {
    const at = this.nextDue();
    if (at === undefined || at > this.#now) return undefined;
    return this.#entries.pop()?.callback;
  }

  /** Throws MILLRACE_TEST_CLOCK (V1). */
  requireAhead(target: number): void {
    if (target >= Math.floor(this.#now)) return;
    const now = new Date(this.#now).toISOString();
    throw new MillraceError("MILLRACE_TEST_CLOCK", {
      message: `The clock is at ${now} and can't go back to ${new Date(target).toISOString()}.`,
      fields: { now },
    });
  }

  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }
}

/** An instant as tests write it. Throws MILLRACE_TEST_CLOCK. */
export function readInstant(given: Date | string | number, what: string): number {
  const at = given instanceof Date ? given.getTime() : typeof given === "number" ? given : parseText(given);
  if (Number.isFinite(at)) return Math.floor(at);
  throw new MillraceError("MILLRACE_TEST_CLOCK", {
    message: `${what} is no time: ${JSON.stringify(given)}.`,
    advice:
      "Give a Date, milliseconds since 1970, or a text with its offset from UTC, such as 2026-01-31T06:00:00Z.",
  });
}

/** A day is that of UTC. A time without an offset would be another one on each machine. */
function parseText(text: unknown): number {
  const isSame =
    typeof text === "string" && (/^\d{4}-\d\d-\d\d$/.test(text) || /(?:Z|[+-]\d\d:?\d\d)$/i.test(text));
  return isSame ? Date.parse(text) : Number.NaN;
}

/** A span as tests write it, in ms. Throws MILLRACE_TEST_CLOCK. */
export function readSpan(given: Duration, what: string): number {
  const ms = parseDuration(given);
  if (ms !== undefined) return ms;
  throw new MillraceError("MILLRACE_TEST_CLOCK", {
    message: `${what} is no span of time: ${JSON.stringify(given)}.`,
    advice: 'Give milliseconds, or a text such as "90s", "1h30m" or "7d".',
  });
}

export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
