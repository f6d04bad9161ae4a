/**
 * Something that many ask for at once, and that is made once for all of them.
 *
 * D1: what is answered was begun after it was asked for.
 * D2: it is made by one at a time, and begins `pauseMs` after the last time at the earliest: a thousand open pages cost what one
 *     does.
 */
import type { Clock } from "../../engine/clock.ts";

export class Coalesced<Answer> {
  readonly #make: () => Promise<Answer>;
  readonly #clock: Clock;
  readonly #pauseMs: number;
  #last = Number.NEGATIVE_INFINITY;
  #underWay: Promise<unknown> | undefined;
  #next: Promise<Answer> | undefined;

  constructor(make: () => Promise<Answer>, clock: Clock, pauseMs: number) {
    this.#make = make;
    this.#clock = clock;
    this.#pauseMs = pauseMs;
  }

  ask(): Promise<Answer> {
    this.#next ??= this.#begin(this.#underWay);
    return this.#next;
  }

  async #begin(before: Promise<unknown> | undefined): Promise<Answer> {
    await before?.catch(() => undefined);
    const waitMs = this.#last + this.#pauseMs - this.#clock.monotonic();
    if (waitMs > 0) await new Promise<void>((resolve) => void this.#clock.after(waitMs, resolve));
    this.#last = this.#clock.monotonic();
    const answer = this.#make();
    this.#underWay = answer;
    this.#next = undefined;
    return answer;
  }
}
