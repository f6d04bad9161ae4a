/**
 * People who move runs that wait to another bundle, as `packages/server/src/http/run-move.ts` does it: a wish with what was rehearsed
 * for it, at any node. The functions of simulated tasks come to the same with each bundle. Now and then nothing was rehearsed.
 */
import type { LiveRun } from "@millrace/store";
import { keyOf, type MemoryTables, type SeededRandom } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { Journal } from "./journal.ts";
import { recordedOf, type MoveChecker, type MoveWish } from "./move-checker.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";

export interface MoverOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly book: DefinitionsBook;
  readonly tables: MemoryTables;
  readonly checker: MoveChecker;
}

export class Mover {
  readonly #options: MoverOptions;
  readonly #everyMs: number;

  constructor(options: MoverOptions) {
    this.#options = options;
    this.#everyMs = options.random.pick([100, 500, 2_000]);
  }

  start(until: number): void {
    const { random, scheduler } = this.#options;
    scheduler.after(random.next() * 2 * this.#everyMs, () => {
      if (scheduler.now > until - 1_000) return;
      this.#move();
      this.start(until);
    });
  }

  #move(): void {
    const { random, nodes, tables, book, journal } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    const waiting = [...tables.runs.values()].filter(
      ({ state }) => state === "waiting" || (state === "running" && random.chance(0.1)),
    );
    if (ready.length === 0 || waiting.length === 0) return;
    const run = random.pick(waiting);
    const bundles = book.bundlesOf(run.pipeline).filter((name) => name !== run.bundle);
    if (bundles.length === 0) return;
    const wish = this.#wish(run, random.chance(0.7) ? bundles.at(-1)! : random.pick(bundles));
    journal.count("moves asked for");
    this.#send(random.pick(ready), wish);
    if (random.chance(0.2)) this.#send(random.pick(ready), wish);
  }

  #wish({ id, generation }: LiveRun, bundle: string): MoveWish {
    const { random, tables } = this.#options;
    const rows = [...(tables.taskRuns.get(keyOf(1, id))?.values() ?? [])];
    const rehearsed = rows.flatMap((row) => {
      const recorded = recordedOf(tables, row);
      return recorded
        ? [{ node: row.node, item: row.item, generation: row.generation, seq: recorded.seq }]
        : [];
    });
    return { runId: id, generation, bundle, rehearsed: random.chance(0.85) ? rehearsed : [] };
  }

  #send(node: ServerNode, wish: MoveWish): void {
    const { journal, checker } = this.#options;
    journal.note(`${node.name} is asked to move ${wish.runId} to ${wish.bundle}`);
    checker.asks(wish);
    node
      .engine!.moveRun(wish)
      .catch((error: unknown) => journal.note(`a move was refused: ${String(error)}`));
  }
}
