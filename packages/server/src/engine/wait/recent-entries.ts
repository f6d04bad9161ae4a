/** The entries of the log that were told last, for waits that begin soon after them. */
import type { LogEvent, LookBack } from "@millrace/core";
import { recentEntriesMax } from "../limits.ts";

export class RecentEntries {
  #entries: LogEvent[] = [];
  /** Everything that came later is held here. */
  #start: { position: number; recordedAt: number };

  constructor(position: number, clock: number) {
    this.#start = { position, recordedAt: clock };
  }

  add(entries: readonly LogEvent[]): void {
    for (const entry of entries) this.#entries.push(entry);
    if (this.#entries.length <= 2 * recentEntriesMax) return;
    const gone = this.#entries.length - recentEntriesMax;
    const last = this.#entries[gone - 1]!;
    this.#start = { position: last.position, recordedAt: last.recordedAt };
    this.#entries = this.#entries.slice(gone);
  }

  /** The entries of a span of the past; `undefined` where some of them are not held any more. */
  since({ after, since }: LookBack): readonly LogEvent[] | undefined {
    if (after < this.#start.position && since <= this.#start.recordedAt) return undefined;
    const last = this.#entries.at(-1);
    if (!last || last.position <= after || last.recordedAt < since) return [];
    return this.#entries.filter(({ position, recordedAt }) => position > after && recordedAt >= since);
  }

  /** The position of the last entry that was recorded by then, of those that were told; `undefined` where it is not held any more. */
  lastBy(recordedAt: number): number | undefined {
    if (recordedAt <= this.#start.recordedAt) return undefined;
    return (
      this.#entries.findLast((entry) => entry.recordedAt <= recordedAt)?.position ?? this.#start.position
    );
  }

  /** Those of these positions that are held. */
  at(positions: ReadonlySet<number>): LogEvent[] {
    return this.#entries.filter(({ position }) => positions.has(position));
  }
}
