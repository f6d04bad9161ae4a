/** Questions at a terminal. */
import { createInterface, type Interface } from "node:readline/promises";

/** Somebody sits there, and sees what is asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks one question after the other; on stderr, as what is asked is no result. */
export class Questions implements Disposable {
  readonly #lines: Interface;
  readonly #gone = new AbortController();

  constructor() {
    this.#lines = createInterface({ input: process.stdin, output: process.stderr });
    this.#lines.on("close", () => this.#gone.abort());
    this.#lines.on("SIGINT", () => this.#lines.close());
  }

  /** `undefined` when the person leaves: Ctrl-C, Ctrl-D. */
  async ask(question: string): Promise<string | undefined> {
    if (this.#gone.signal.aborted) return undefined;
    try {
      return (await this.#lines.question(question, { signal: this.#gone.signal })).trim();
    } catch (error) {
      if (this.#gone.signal.aborted) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}
