/**
 * What the system tells of one folder and all below.
 *
 * Its watcher follows a new folder from the moment on in which it learns of it, and not the folders that are in it by then:
 * after `mkdir -p a/b/c`, or when a tree is moved in. These have watchers of their own, until all is watched anew.
 */
import { join } from "node:path";
import type { Directory, Watching } from "./directory.ts";
import { isOfFileSystem } from "./problems.ts";
import { below } from "./rules.ts";

/** Of folders in new folders. What changes in further ones is found by looking through the whole folder. */
const innerMax = 200;

export interface WatchesOptions {
  readonly directory: Directory;
  readonly folder: string;
  readonly ignore: readonly string[];
  /** Paths below the folder; the empty one is the folder itself. */
  readonly onChanges: (paths: readonly string[]) => void;
  readonly onLost: (error: unknown) => void;
}

export class FolderWatches {
  readonly #options: WatchesOptions;
  #whole: Watching | undefined;
  readonly #inner = new Map<string, Watching>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#whole !== undefined;
  }

  /** Some folders have watchers of their own. */
  get isPieced(): boolean {
    return this.#inner.size > 0;
  }

  /** Throws what keeps the system from telling. */
  async start(): Promise<void> {
    const { directory, folder, ignore, onChanges, onLost } = this.#options;
    this.#whole = await directory.watch(folder, { ignore, onChanges, onLost });
  }

  /** Of the folders in a new one. */
  async startWithin(folder: string, isWanted: (key: string) => boolean): Promise<void> {
    const { directory, folder: whole } = this.#options;
    try {
      for await (const entries of directory.list(join(whole, folder)))
        for (const { name, kind } of entries) {
          if (kind !== "folder" || name === undefined) continue;
          const key = below(folder, name);
          if (isWanted(key)) await this.#startInner(key);
        }
    } catch (error) {
      // Whoever looks through it next tells what is wrong with it.
      if (!isOfFileSystem(error)) throw error;
    }
  }

  async #startInner(key: string): Promise<void> {
    if (!this.isOn || this.#inner.has(key) || this.#inner.size >= innerMax) return;
    const { directory, folder, onChanges, onLost } = this.#options;
    try {
      // What is ignored is named from the whole folder on: here it would be something else.
      const watching = await directory.watch(join(folder, key), {
        ignore: [],
        onChanges: (paths) => onChanges(paths.map((path) => (path === "" ? key : `${key}/${path}`))),
        onLost,
      });
      this.#inner.set(key, watching);
    } catch {
      // It is gone again, or there is no room: when all is watched anew, that is told.
    }
  }

  async stop(): Promise<void> {
    const all = [...this.#inner.values(), ...(this.#whole ? [this.#whole] : [])];
    this.#inner.clear();
    this.#whole = undefined;
    // What watched a folder that is gone may be gone itself.
    await Promise.all(all.map((watching) => watching.stop().catch(() => undefined)));
  }
}
