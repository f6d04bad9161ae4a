/**
 * That runs changed, of which pipelines: for pages that show lists of runs. It is told of all of them together, at most each
 * `activityGatherMs`; those who hear of it read again what they show.
 *
 * Y1: it tells of what is committed.
 * Y2: it costs nothing while nobody listens, here or at another server.
 */
import type { Alarm, Clock } from "../engine/clock.ts";
import { activityGatherMs, activityNamesMax } from "./limits.ts";

/** Stands for no pipeline: workers came, went or drain. */
export const ofWorkers = "";

export interface ActivityOptions {
  readonly clock: Clock;
  /** Resolves when all that was decided until now is committed. */
  readonly committed: () => Promise<void>;
  /** Somebody listens at another server. */
  readonly isAwaitedElsewhere: () => boolean;
  readonly tellOthers: (pipelines: readonly string[]) => void;
}

/** Names of pipelines; `undefined` where there are too many to be told. */
export type ActivityListener = (pipelines: readonly string[] | undefined) => void;

export class Activity {
  readonly #options: ActivityOptions;
  readonly #listeners = new Set<ActivityListener>();
  #names = new Set<string>();
  #gathering: Alarm | undefined;

  constructor(options: ActivityOptions) {
    this.#options = options;
  }

  listen(listener: ActivityListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A run of this pipeline changed at this server; or its workers did. */
  changed(pipeline: string): void {
    if (this.#listeners.size === 0 && !this.#options.isAwaitedElsewhere()) return;
    this.#names.add(pipeline);
    this.#gathering ??= this.#options.clock.after(activityGatherMs, () => void this.#tell());
  }

  /** Runs of another server changed. */
  heard(pipelines: readonly string[]): void {
    const told = pipelines.length > activityNamesMax ? undefined : pipelines;
    for (const listener of this.#listeners) listener(told);
  }

  async #tell(): Promise<void> {
    const names = [...this.#names];
    this.#names.clear();
    try {
      await this.#options.committed();
    } catch {
      // The engine lost its lease: what came of it is told by whoever takes its runs over.
    }
    this.#gathering = undefined;
    this.heard(names);
    if (this.#options.isAwaitedElsewhere()) this.#options.tellOthers(names.slice(0, activityNamesMax + 1));
    if (this.#names.size > 0)
      this.#gathering = this.#options.clock.after(activityGatherMs, () => void this.#tell());
  }

  stop(): void {
    this.#gathering?.cancel();
    this.#listeners.clear();
  }
}
