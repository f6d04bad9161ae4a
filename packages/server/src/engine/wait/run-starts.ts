/**
 * Where runs of this node's memory began in the log: their first waits look back to there.
 *
 * B1: what is told stands in the run's row since the flush that made it: all nodes know the same, also after a crash.
 * B2: one reading is under way at most; what is asked meanwhile is read together, next.
 */
import { errorCodeOf, lookBackToStart, type LookBack } from "@millrace/core";
import type { EngineParts } from "../engine-parts.ts";
import { readAnewMs, recallMax } from "../limits.ts";
import type { RunEntry } from "../run-entry.ts";
import { workspaceId } from "../workspace.ts";

export class RunStarts {
  readonly #parts: EngineParts;
  readonly #known = new WeakMap<RunEntry, LookBack>();
  /** Who waits for what is not read yet. */
  readonly #asked = new Map<RunEntry, (() => void)[]>();
  #isReading = false;
  #stopped = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Absent: it has to be asked for. */
  find(entry: RunEntry): LookBack | undefined {
    return this.#known.get(entry);
  }

  /** Calls `known` once it is found. */
  ask(entry: RunEntry, known: () => void): void {
    const asked = this.#asked.get(entry);
    if (asked) asked.push(known);
    else this.#asked.set(entry, [known]);
    if (this.#isReading) return;
    void this.#read();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #read(): Promise<void> {
    const { alarms, clock, log } = this.#parts;
    this.#isReading = true;
    while (this.#asked.size > 0 && !this.#stopped) {
      const entries = [...this.#asked.keys()].slice(0, recallMax);
      try {
        await this.#readSome(entries);
      } catch (error) {
        if (this.#stopped || errorCodeOf(error) === "MILLRACE_LEASE_LOST") return;
        log.warn({ err: error }, "where runs began could not be read; trying again");
        await new Promise<void>((resolve) => {
          alarms.set(clock.now() + readAnewMs, resolve);
        });
      }
    }
    // In this very turn: whoever asks next must find that nobody reads.
    this.#isReading = false;
  }

  async #readSome(entries: readonly RunEntry[]): Promise<void> {
    const { commit, store } = this.#parts;
    // Of a run that has just begun the row is part of a flush that is under way.
    await commit.drained();
    const rows = await store.loadRunPositions(
      workspaceId,
      entries.map(({ identity }) => identity.id),
    );
    const positions = new Map(rows.map(({ id, position }) => [id, position]));
    for (const entry of entries) {
      const asked = this.#asked.get(entry) ?? [];
      this.#asked.delete(entry);
      // Of one that is gone nobody asks any more what it waits for.
      this.#known.set(entry, lookBackToStart(entry.run, positions.get(entry.identity.id)));
      for (const known of asked) known();
    }
  }
}
