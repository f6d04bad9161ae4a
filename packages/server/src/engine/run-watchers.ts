/** Who watches which run: told of each change as soon as it is decided, which may be before it is committed. */
import type { TaskRun } from "@millrace/core";
import type { RunEntry } from "./run-entry.ts";

export type RunWatcher = (entry: RunEntry, taskRun: TaskRun | undefined) => void;

export class RunWatchers {
  readonly #watchers = new Map<string, Set<RunWatcher>>();
  readonly #onChange: (entry: RunEntry) => void;

  /** `onChange` is told of each change of every run. */
  constructor(onChange: (entry: RunEntry) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Calls `watcher` with each change of a task run, or of the run itself, until what it returns is called. */
  watch(runId: string, watcher: RunWatcher): () => void {
    const watchers = this.#watchers.get(runId) ?? new Set();
    this.#watchers.set(runId, watchers);
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(runId);
    };
  }

  isWatched(runId: string): boolean {
    return this.#watchers.has(runId);
  }

  tell(entry: RunEntry, taskRun: TaskRun | undefined): void {
    this.#onChange(entry);
    for (const watcher of this.#watchers.get(entry.identity.id) ?? []) watcher(entry, taskRun);
  }
}
