/** The shared limits of a testbed: pools, concurrency keys, active runs of a pipeline. The core's limit decides. */
import { createLimit, decideLimit, type Limit } from "@millrace/core";

export interface LimitName {
  readonly kind: "pool" | "key" | "pipeline";
  readonly name: string;
}

export interface LimitAsk {
  readonly holder: string;
  readonly runId: string;
  readonly slots: number;
  /** Priority as time: the smaller goes first. */
  readonly rank: number;
  readonly granted: () => void;
}

export class LimitBook {
  readonly #limits = new Map<string, Limit>();
  readonly #asks = new Map<string, () => void>();

  /** Calls `granted`, at once or when others have given back. */
  ask(name: LimitName, limitSlots: number, { granted, ...request }: LimitAsk): void {
    const key = keyOf(name);
    const known = this.#limits.get(key);
    const limit = known ?? createLimit(limitSlots);
    if (!known) this.#limits.set(key, limit);
    this.#asks.set(`${key}\n${request.holder}`, granted);
    this.#decide(key, limit, { kind: "request", request: { ...request, replyShard: 0 } });
  }

  /** Gives back a grant, or withdraws an ask. */
  release(name: LimitName, holder: string): void {
    const key = keyOf(name);
    const limit = this.#limits.get(key);
    this.#asks.delete(`${key}\n${holder}`);
    if (limit) this.#decide(key, limit, { kind: "release", holder });
  }

  #decide(key: string, limit: Limit, message: Parameters<typeof decideLimit>[1]): void {
    for (const effect of decideLimit(limit, message)) {
      if (effect.kind !== "granted") continue;
      const ask = `${key}\n${effect.request.holder}`;
      const granted = this.#asks.get(ask);
      this.#asks.delete(ask);
      granted?.();
    }
  }
}

function keyOf({ kind, name }: LimitName): string {
  return `${kind}/${name}`;
}
