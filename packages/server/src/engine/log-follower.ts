/**
 * One reader of the event log on this node: it hears every entry after its position once, in order, and none before its
 * commit. It is offered what is appended; what it missed it reads by position.
 *
 * W1: a page is given only where it follows what was given before.
 * W2: one page is being given at a time; what is offered meanwhile is read afterwards.
 */
import type { LogEvent } from "@millrace/core";
import type { LogHead, LogPage } from "@millrace/store";

export interface LogFollowerOptions {
  /** The position after which it begins. */
  readonly after: number;
  /** Takes a page; the next one waits for its promise. Pages may be without entries: then the clock went on. */
  readonly onPage: (page: LogPage) => void | Promise<void>;
  readonly read: (after: number) => Promise<LogPage>;
  readonly onTrouble: (error: unknown) => void;
}

/** Entries that were just committed: all after position `after` up to the head. */
export interface NewEntries {
  readonly after: number;
  readonly events: readonly LogEvent[];
  readonly head: LogHead;
}

export class LogFollower {
  readonly #options: LogFollowerOptions;
  #after: number;
  #clock = Number.NEGATIVE_INFINITY;
  #busy = false;
  #again = false;
  #stopped = false;
  /** The last reading failed. */
  isBehind = false;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  get after(): number {
    return this.#after;
  }

  offer({ after, events, head }: NewEntries): void {
    if (this.#stopped || (head.position <= this.#after && head.clock <= this.#clock)) return;
    if (this.#busy || after > this.#after) return this.catchUp();
    const fresh = after === this.#after ? events : events.filter(({ position }) => position > this.#after);
    const given = this.#give({ events: fresh, until: head.position, head });
    if (given) void this.#run(given);
  }

  /** Reads what it has not heard. */
  catchUp(): void {
    if (this.#stopped) return;
    this.#again = true;
    if (!this.#busy) void this.#run(undefined);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Waits for a page that is being given, then reads for as long as there is a reason to. */
  async #run(given: Promise<void> | undefined): Promise<void> {
    this.#busy = true;
    this.isBehind = false;
    try {
      await given;
      while (this.#again && !this.#stopped) {
        this.#again = false;
        for (let isAtEnd = false; !isAtEnd && !this.#stopped;) {
          const page = await this.#options.read(this.#after);
          isAtEnd = page.until >= page.head.position;
          if (!this.#stopped) await this.#give(page);
        }
      }
    } catch (error) {
      this.isBehind = true;
      this.#options.onTrouble(error);
    } finally {
      this.#busy = false;
    }
  }

  #give(page: LogPage): Promise<void> | undefined {
    const isNews = page.events.length > 0 || page.head.clock > this.#clock;
    this.#after = Math.max(this.#after, page.until);
    if (page.until >= page.head.position) this.#clock = Math.max(this.#clock, page.head.clock);
    return isNews ? (this.#options.onPage(page) ?? undefined) : undefined;
  }
}
