/**
 * Calls back after two turns of the event loop, many at once. A child writes its output before its result, but to another
 * pipe: after two turns, all that was in the pipes when the result came has been read.
 */
export class TurnBarrier {
  readonly #done: () => void;
  #first: (() => void)[] = [];
  #second: (() => void)[] = [];
  #scheduled = false;

  /** `done` follows each group of callbacks. */
  constructor(done: () => void) {
    this.#done = done;
  }

  pass(callback: () => void): void {
    this.#first.push(callback);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const ready = this.#second;
    this.#second = this.#first;
    this.#first = [];
    for (const callback of ready) callback();
    if (ready.length > 0) this.#done();
    if (this.#second.length > 0) this.#schedule();
  }
}
