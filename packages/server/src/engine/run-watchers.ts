/** Who watches which run: told of each change once it is committed. */
import type { TaskRun } from "@millrace/core";
import type { RunEntry } from "./run-entry.ts";

export type RunWatcher = (entry: RunEntry, taskRun: TaskRun | undefined) => void;

export class RunWatchers {
  readonly #watchers = new Map<string, Set<RunWatcher>>();

  watched(runId: string): boolean {
    return this.#watchers.has(runId);
  }

  /** Calls `watcher` after each commit that changed the run, until what it returns is called. */
  watch(runId: string, watcher: RunWatcher): () => void {
    const watchers = this.#watchers.get(runId) ?? new Set();
    this.#watchers.set(runId, watchers);
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(runId);
    };
  }

  tell(entry: RunEntry, taskRun: TaskRun | undefined): void {
    for (const watcher of this.#watchers.get(entry.identity.id) ?? []) watcher(entry, taskRun);
  }
}
