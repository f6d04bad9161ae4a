/** One engine under comparison, on a database of its own in one PostgreSQL server. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** Where the tasks run. */
  readonly isolation: string;
  /** 40 tasks one after the other, each given what the one before it made; resolves with the last one's output. */
  chain(): Promise<number>;
  /** 400 tasks at once and one that joins them; resolves with the join's output. */
  fanout(): Promise<number>;
}

export interface PeerDatabase {
  readonly name: string;
  /** As a URL: `postgresql://user@%2Fsocket%2Ffolder/database`. */
  readonly url: string;
}

export const chainLength = 40;
export const fanWidth = 400;

/** Those who wait for a run in this process. */
export class Waiters {
  readonly #waiting = new Map<string, (value: number) => void>();
  #count = 0;

  begin(): { readonly id: string; readonly ended: Promise<number> } {
    this.#count += 1;
    const id = `run-${this.#count}`;
    return { id, ended: new Promise((resolve) => this.#waiting.set(id, resolve)) };
  }

  end(id: string, value: number): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }
}
