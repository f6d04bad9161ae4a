/** Files that are watched until they stay as they are. */

interface Settling {
  readonly fingerprint: string;
  readonly dueAt: number;
}

/** Each is some 200 bytes; who finds one more waits. */
const settlingMax = 20_000;

/** In the order in which they are due: each waits for one and the same time. */
export class SettlingFiles {
  readonly #files = new Map<string, Settling>();

  get size(): number {
    return this.#files.size;
  }

  hasRoomFor(count: number): boolean {
    return this.#files.size + count <= settlingMax;
  }

  get(key: string): Settling | undefined {
    return this.#files.get(key);
  }

  /** From now on it is due as the last one. */
  put(key: string, settling: Settling): void {
    this.#files.delete(key);
    this.#files.set(key, settling);
  }

  drop(key: string): void {
    this.#files.delete(key);
  }

  /** Those that are due, `limit` at most. */
  due(now: number, limit: number): string[] {
    const keys: string[] = [];
    for (const [key, { dueAt }] of this.#files) {
      if (dueAt > now || keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  get nextDueAt(): number {
    for (const { dueAt } of this.#files.values()) return dueAt;
    return Number.POSITIVE_INFINITY;
  }
}
