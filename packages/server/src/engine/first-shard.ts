/** A server that has just joined holds no shard until others have given it some. */
import type { Alarms } from "./alarms.ts";
import type { DatabaseClock } from "./clock.ts";
import { firstShardMs } from "./limits.ts";

export class FirstShard {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when a shard comes, or after the time in which one should. */
  wait({ alarms, clock }: { readonly alarms: Alarms; readonly clock: DatabaseClock }): Promise<void> {
    return new Promise((resolve) => {
      const alarm = alarms.set(clock.now() + firstShardMs, resolve);
      this.#waiting.push(() => {
        alarm.cancel();
        resolve();
      });
    });
  }

  came(): void {
    for (const goOn of this.#waiting.splice(0)) goOn();
  }
}
