/** Brings runs back into memory that wait outside of it (H4): one, or many that are read together. */
import type { LiveRun, LoadedRun } from "@millrace/store";
import type { Arrivals, Placed } from "./arrivals.ts";
import type { EngineParts } from "./engine-parts.ts";
import { workspaceId } from "./workspace.ts";

export interface RecallOptions {
  readonly parts: EngineParts;
  readonly arrivals: Arrivals;
  /** Whether a run of this name waits or is under way here. */
  readonly knows: (runId: string) => boolean;
}

export class Recall {
  readonly #options: RecallOptions;

  constructor(options: RecallOptions) {
    this.#options = options;
  }

  get #parts(): EngineParts {
    return this.#options.parts;
  }

  /** Reads those that are not here, all at once. */
  async all(runs: readonly Placed[]): Promise<void> {
    const away = runs.filter(({ id }) => !this.#options.knows(id) && !this.#options.arrivals.of(id));
    if (away.length === 0) return;
    const loading = this.#loadTogether(away);
    await Promise.all(away.map((run) => this.#bringEvicted(run, loading)));
  }

  async #loadTogether(runs: readonly Placed[]): Promise<ReadonlyMap<string, LoadedRun> | undefined> {
    const { commit, store } = this.#parts;
    try {
      await commit.drained();
      const loaded = await store.loadRuns(
        workspaceId,
        runs.map(({ id }) => id),
      );
      return new Map(loaded.map((one) => [one.run.id, one]));
    } catch {
      // Each is tried alone, as often as it takes.
      return undefined;
    }
  }

  /** Brings a run back that waits outside of memory; does nothing for one that is here, has ended or is queued. */
  async one(run: Placed): Promise<void> {
    if (this.#options.knows(run.id)) return;
    await (this.#options.arrivals.of(run.id) ?? this.#bringEvicted(run, Promise.resolve(undefined)));
  }

  /** `together`: what was read of it and of others; else it is read alone. */
  #bringEvicted(run: Placed, together: Promise<ReadonlyMap<string, LoadedRun> | undefined>): Promise<void> {
    const evicted = {
      workspace: run.workspace,
      id: run.id,
      shard: run.shard,
      startedAt: undefined as LiveRun["startedAt"],
    };
    let isFirst = true;
    return this.#options.arrivals.bring(evicted, async () => {
      const all = isFirst ? await together : undefined;
      isFirst = false;
      const loaded = all ? all.get(run.id) : await this.#loadAlone(evicted);
      if (loaded?.run.wakeAt === undefined) return;
      evicted.startedAt = loaded.run.startedAt;
      await this.#options.arrivals.putUnderWay(loaded);
    });
  }

  async #loadAlone(run: Placed): Promise<LoadedRun | undefined> {
    // It may have ended here a moment ago: its row would still say that it waits.
    await this.#parts.commit.drained();
    return this.#parts.store.loadRun(run);
  }
}
