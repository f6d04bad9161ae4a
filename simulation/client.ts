/** People and programs outside: start runs (some with idempotency keys), cancel, mark, set pools, on any node. */
import { keyOf, type MemoryTables, type SeededRandom } from "@millrace/testkit";
import type { Engine } from "@millrace/server";
import type { LiveRun } from "@millrace/store";
import type { DefinitionsBook } from "./definitions-book.ts";
import { limitName } from "./definitions-book.ts";
import { definitionsLagMsMax, type GenerationChecker } from "./generation-checker.ts";
import type { FlushChecker } from "./flush-checker.ts";
import type { Journal } from "./journal.ts";
import { pools } from "./pipelines.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";

export interface ClientOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly book: DefinitionsBook;
  readonly tables: MemoryTables;
  readonly checker: FlushChecker;
  readonly generations: GenerationChecker;
}

export class Client {
  readonly #options: ClientOptions;
  /** Runs whose making was answered. */
  readonly accepted = new Set<string>();
  readonly #byKey = new Map<string, string>();
  #recent: string[] = [];
  #isOver = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#isOver;
  }

  start(until: number): void {
    const { random, scheduler } = this.#options;
    const everyMs = random.pick([500, 2_000, 8_000]);
    const next = (): void => {
      scheduler.after(random.next() * 2 * everyMs, () => {
        if (scheduler.now > until - 1_000) {
          this.#isOver = true;
          return;
        }
        this.#act();
        next();
      });
    };
    next();
  }

  #act(): void {
    const { random, nodes } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    if (ready.length === 0) return;
    const node = random.pick(ready);
    const what = random.below(20);
    if (what < 14) for (let left = random.pick([1, 1, 1, 5]); left > 0; left -= 1) this.#startRun(node);
    else if (what < 17) this.#command(node);
    else if (what < 18) this.#setPool(node);
    else this.#startTwice(ready);
  }

  #startRun(node: ServerNode, key?: string, name?: string): void {
    const { random, book, journal, tables } = this.#options;
    const askedAt = this.#options.scheduler.now;
    const params = { value: { n: random.below(5) } };
    const start = async (engine: Engine): Promise<{ readonly run: LiveRun; readonly created: boolean }> => {
      const pipeline = await engine.definitions.active(1, name ?? random.pick(book.activeNames));
      if (!pipeline) throw new Error("it is retired");
      const idempotencyKey = key === undefined ? {} : { idempotencyKey: key };
      return engine.startRun({ pipeline, params, labels: {}, ...idempotencyKey });
    };
    start(node.engine!).then(
      ({ run, created }) => {
        journal.count("runs accepted");
        if (created && !book.wasActive(run.bundle, askedAt - definitionsLagMsMax))
          journal.violate("C17 a run has the newest bundle", `${run.id} has ${run.bundle}`);
        this.accepted.add(run.id);
        this.#recent = [...this.#recent.slice(-30), run.id];
        const isDurable =
          tables.runs.has(keyOf(1, run.id)) ||
          [...tables.runHistory.values()].some(({ id }) => id === run.id);
        if (!isDurable)
          journal.violate("C13 what is answered is durable", `${run.id} was answered and is not there`);
        if (key === undefined) return;
        const known = this.#byKey.get(key);
        if (known !== undefined && known !== run.id)
          journal.violate("C13 a key names one run", `${key}: ${known} and ${run.id}`);
        this.#byKey.set(key, run.id);
      },
      (error: unknown) => {
        journal.count("runs refused");
        journal.note(`a run was refused: ${String(error)}`);
      },
    );
  }

  /** One key at two nodes, at once or after an answer was lost. */
  #startTwice(ready: readonly ServerNode[]): void {
    const { random, scheduler, book } = this.#options;
    const name = random.pick(book.activeNames);
    const key = `key-${random.below(1_000_000)}`;
    this.#startRun(random.pick(ready), key, name);
    const again = (): void => {
      const still = ready.filter((node) => node.isReady);
      if (still.length > 0) this.#startRun(random.pick(still), key, name);
    };
    if (random.chance(0.5)) again();
    scheduler.after(random.next() * 3_000, again);
  }

  #command(node: ServerNode): void {
    const { random, journal, tables, checker, generations } = this.#options;
    if (this.#recent.length === 0) return;
    const id = random.pick(this.#recent);
    const isCancel = random.chance(0.5);
    const reason = { code: isCancel ? "cancelled" : "marked", message: "by a person" };
    const run = tables.runs.get(keyOf(1, id));
    if (!run) return;
    const { nodes } = this.#options.book.definition(run.bundle, run.pipeline);
    if (!isCancel && nodes.length === 0) return;
    const marked = { node: isCancel ? "" : random.pick(nodes).id, item: random.pick(["", "", "0", "1"]) };
    const message = isCancel
      ? ({ kind: "cancel", by: "user", reason } as const)
      : random.chance(0.5)
        ? ({ kind: "cancel_node", ...marked, reason } as const)
        : ({
            kind: "mark",
            ...marked,
            state: random.pick(["succeeded", "failed", "skipped"] as const),
            output: { value: null },
            reason,
          } as const);
    journal.note(`${message.kind} of ${id}`);
    if (isCancel) generations.cancelAsked(id, run.generation);
    node.engine!.tellRun({ runId: id, generation: run.generation }, message).then(
      (isLive) => {
        journal.count(`command ${message.kind}`);
        if (!isCancel || !isLive) return;
        checker.noteInbox();
        const now = tables.runs.get(keyOf(1, id));
        const inInbox = [...tables.inbox.values()].some((row) => JSON.stringify(row.message).includes(id));
        const isSame = now !== undefined && now.generation === run.generation;
        if (isSame && now.state !== "quarantined" && !now.cancel && !inInbox)
          journal.violate(
            "C13 what is answered is durable",
            `the cancel of ${id} was answered and is nowhere`,
          );
      },
      (error: unknown) => journal.note(`a command was refused: ${String(error)}`),
    );
  }

  #setPool(node: ServerNode): void {
    const { random, book, checker } = this.#options;
    const name = random.pick([...pools.keys()]);
    const slots = 1 + random.below(6);
    book.setPool(name, slots);
    checker.loweredLimits.delete(limitName("pool", name));
    node.engine!.setPool(name, slots).catch(() => undefined);
  }
}
