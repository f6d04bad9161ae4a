/** The last progress that attempts told, in memory only. Bounded: the oldest is forgotten. */
import type { DispatchToken, Progress } from "@millrace/protocol";
import { progressMax } from "./limits.ts";

export interface ProgressValue {
  readonly fraction: number;
  readonly message?: string;
}

type Watcher = (token: DispatchToken, value: ProgressValue) => void;

export class LiveProgress {
  readonly #values = new Map<string, { readonly token: DispatchToken; readonly value: ProgressValue }>();
  readonly #watchers = new Map<string, Set<Watcher>>();

  set(message: Progress): void {
    const { token, fraction, message: text } = message;
    const value = text === undefined ? { fraction } : { fraction, message: text };
    const name = nameOf(token);
    this.#values.delete(name);
    this.#values.set(name, { token, value });
    if (this.#values.size > progressMax) {
      const [oldest] = this.#values.keys();
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    for (const watcher of this.#watchers.get(token.runId) ?? []) watcher(token, value);
  }

  /** Of the dispatch that is under way. */
  get(token: DispatchToken): ProgressValue | undefined {
    return this.#values.get(nameOf(token))?.value;
  }

  /** The attempt has ended. */
  forget(token: DispatchToken): void {
    if (this.#values.size > 0) this.#values.delete(nameOf(token));
  }

  /** What is remembered of a run. */
  *ofRun(runId: string): Iterable<{ readonly token: DispatchToken; readonly value: ProgressValue }> {
    for (const known of this.#values.values()) if (known.token.runId === runId) yield known;
  }

  watch(runId: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(runId) ?? new Set();
    this.#watchers.set(runId, watchers);
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(runId);
    };
  }
}

function nameOf(token: DispatchToken): string {
  return `${token.runId}/${token.node}/${token.item}/${token.generation}/${token.dispatch}`;
}
