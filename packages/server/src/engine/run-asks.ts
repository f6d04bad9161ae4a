/**
 * Which starts and successes of runs and nodes the log tells: those that deployed triggers and waits in graphs ask for, and those
 * that a wait of this node's shards does.
 *
 * R1: where the log's owner has put a trigger's change into the log, it tells from then on what that trigger asks for: it learns
 *     what is asked for before the change gets its position (`trigger/outbox.ts`).
 * R2: other servers tell it from when they have heard of the deploy.
 * R3: a wait in code asks from its registration on, of what its own server ends; when no wait asks any more, that ends within
 *     minutes (J9).
 * R4: telling what nobody asks for harms nothing.
 */
import type { RunAsk, RunNewsType } from "@millrace/core";

export class RunAsks {
  readonly #read: () => Promise<readonly RunAsk[]>;
  readonly #ofWaits: (type: string) => boolean;
  #asked: ReadonlySet<string> = new Set();
  #reads = 0;
  #applied = 0;

  constructor(read: () => Promise<readonly RunAsk[]>, ofWaits: (type: string) => boolean) {
    this.#read = read;
    this.#ofWaits = ofWaits;
  }

  /** Reads anew what is asked for. */
  async refresh(): Promise<void> {
    this.#reads += 1;
    const number = this.#reads;
    const asks = await this.#read();
    // One that began later and is there has read what this one has, and maybe more.
    if (number < this.#applied) return;
    this.#applied = number;
    this.#asked = new Set(asks.map(({ type, subject }) => nameOf(type, subject)));
  }

  /** Cheaper than `wants`, where the subject would have to be made. */
  mayWant(type: RunNewsType): boolean {
    return this.#asked.size > 0 || this.#ofWaits(type);
  }

  wants(type: RunNewsType, subject: string): boolean {
    if (this.#ofWaits(type)) return true;
    if (this.#asked.size === 0) return false;
    return this.#asked.has(nameOf(type, subject)) || this.#asked.has(nameOf(type, undefined));
  }
}

/** No subject is empty. */
function nameOf(type: string, subject: string | undefined): string {
  return `${type}\n${subject ?? ""}`;
}
