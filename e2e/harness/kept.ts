/** A command that is started again whenever it ends, as a service manager would. */
import type { Command } from "./command.ts";

export class Kept {
  readonly #start: () => Command;
  #command: Command;
  #isStopping = false;
  #starts = 1;
  readonly #kept: Promise<void>;

  constructor(start: () => Command) {
    this.#start = start;
    this.#command = start();
    this.#kept = this.#keep();
  }

  get command(): Command {
    return this.#command;
  }

  get starts(): number {
    return this.#starts;
  }

  async kill(): Promise<void> {
    await this.#command.kill();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#command.stop();
    await this.#kept;
  }

  /** Lets it end without a successor. */
  release(): void {
    this.#isStopping = true;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#command.ended;
      if (this.#isStopping) return;
      this.#command = this.#start();
      this.#starts += 1;
    }
  }
}
