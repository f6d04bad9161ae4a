/**
 * How many entries of the log came in each stretch of time.
 *
 * E1: the position at an instant of the past never changes, as times of the log never go back: it is looked up once.
 */
import { positionsAt, type Database } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import { positionsKeptMax } from "../limits.ts";

export class EventPace {
  readonly #database: Database;
  readonly #known = new Map<number, number>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** `instants` rise. Positions up to `settledAt` are remembered: the log's clock has passed it. */
  async positions(instants: readonly number[], settledAt: number): Promise<number[]> {
    const missing = instants.filter((at) => !this.#known.has(at));
    const found = missing.length === 0 ? [] : await positionsAt(this.#database, workspaceId, missing);
    const fresh = new Map(missing.map((at, index) => [at, found[index] ?? 0]));
    for (const [at, position] of fresh) if (at <= settledAt) this.#known.set(at, position);
    const positions = instants.map((at) => fresh.get(at) ?? this.#known.get(at) ?? 0);
    for (const at of this.#known.keys()) {
      if (this.#known.size <= positionsKeptMax) break;
      this.#known.delete(at);
    }
    return positions;
  }
}
