/**
 * When runs that wait outside of memory are due: alarms for those of this node's shards that come next.
 *
 * U1: every such run is due by an alarm here, or after `#until`, when the next of them are read.
 * U2: what is read is bounded (`wakesMax`), however many runs wait.
 */
import type { WaitingRun } from "@millrace/store";
import type { Alarm } from "./clock.ts";
import type { EngineParts } from "./engine-parts.ts";
import { wakeHorizonMs, wakesMax } from "./limits.ts";

export interface WakesOptions {
  readonly parts: EngineParts;
  readonly ownedShards: () => readonly number[];
  /** Brings a run back; called once for each that is due. */
  readonly recall: (run: WaitingRun) => void;
}

const retryMs = 1_000;

export class Wakes {
  readonly #options: WakesOptions;
  readonly #alarms = new Map<string, Alarm>();
  #until = Number.NEGATIVE_INFINITY;
  #next: Alarm | undefined;
  #reading = false;
  #again = false;

  constructor(options: WakesOptions) {
    this.#options = options;
  }

  /** A run of ours left memory. */
  note(run: WaitingRun): void {
    if (run.wakeAt > this.#until) return;
    if (this.#alarms.size >= wakesMax) this.#shorten(run.wakeAt);
    else this.#set(run);
  }

  /** Reads what is due next: when shards were taken, and each time that the last reading's end is reached. */
  read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#next?.cancel();
    void this.#load().finally(() => {
      this.#reading = false;
      if (!this.#again) return;
      this.#again = false;
      this.read();
    });
  }

  async #load(): Promise<void> {
    const { store, clock, log } = this.#options.parts;
    const shards = this.#options.ownedShards();
    // What leaves memory while this is read is not part of it: it is noted.
    this.#until = clock.now() + wakeHorizonMs;
    let next = this.#until;
    try {
      const runs = await store.loadWaitingRuns(shards, this.#until, wakesMax);
      for (const run of runs) if (!this.#alarms.has(run.id)) this.#set(run);
      if (runs.length === wakesMax) next = Math.max(runs.at(-1)!.wakeAt, clock.now() + retryMs);
    } catch (error) {
      log.warn({ err: error }, "the runs that are due next could not be read; trying again");
      next = clock.now() + retryMs;
    }
    this.#shorten(next);
  }

  /** What is due after `until` is read then. */
  #shorten(until: number): void {
    const { alarms, clock } = this.#options.parts;
    this.#until = Math.min(this.#until, until);
    this.#next?.cancel();
    // A node that is leaving reads no more.
    if (this.#options.ownedShards().length === 0) return;
    this.#next = alarms.set(Math.max(until, clock.now()), () => this.read());
  }

  #set(run: WaitingRun): void {
    this.#alarms.get(run.id)?.cancel();
    const alarm = this.#options.parts.alarms.set(run.wakeAt, () => {
      this.#alarms.delete(run.id);
      this.#options.recall(run);
    });
    this.#alarms.set(run.id, alarm);
  }
}
