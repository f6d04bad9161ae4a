/** A bound on how often something happens: so many a second on average, and two seconds' worth at once. */
const burstSeconds = 2;

export class Rate {
  #left: number;
  #at: number;

  constructor(perSecond: number, nowMs: number) {
    this.#left = perSecond * burstSeconds;
    this.#at = nowMs;
  }

  /** False when there is none left. `nowMs` never goes back. */
  take(perSecond: number, nowMs: number): boolean {
    const gained = ((nowMs - this.#at) / 1_000) * perSecond;
    this.#left = Math.min(perSecond * burstSeconds, this.#left + gained);
    this.#at = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
