/** People who look after runs and deployments: they deploy, rerun what has ended, mark what failed, on any node. */
import { errorCodeOf } from "@millrace/core";
import { keyOf, type MemoryTables, type SeededRandom } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import { definitionsLagMsMax, type GenerationChecker, type Wish } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";

export interface OperatorOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly book: DefinitionsBook;
  readonly tables: MemoryTables;
  readonly generations: GenerationChecker;
}

/** After this answer the wish may still have been granted. */
const unsure = "MILLRACE_LEASE_LOST";

export class Operator {
  readonly #options: OperatorOptions;
  readonly #rerunEveryMs: number;
  readonly #deployEveryMs: number;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#rerunEveryMs = options.random.pick([1_000, 4_000, 20_000]);
    this.#deployEveryMs = options.random.pick([10_000, 40_000, 150_000]);
  }

  start(until: number): void {
    this.#repeat(this.#rerunEveryMs, until, () => this.#rerun());
    this.#repeat(this.#deployEveryMs, until, () => this.#deploy());
    this.#repeat(4 * this.#rerunEveryMs, until, () => this.#startOver());
  }

  #repeat(everyMs: number, until: number, act: () => void): void {
    const { random, scheduler } = this.#options;
    scheduler.after(random.next() * 2 * everyMs, () => {
      if (scheduler.now > until - 1_000) return;
      act();
      this.#repeat(everyMs, until, act);
    });
  }

  #deploy(): void {
    const { random, scheduler, journal, nodes, book } = this.#options;
    const bundle = book.deploy(random, scheduler.now);
    journal.count("deploys");
    journal.note(`${bundle} is deployed`);
    for (const node of nodes) {
      const life = node.incarnation;
      scheduler.after(random.next() * definitionsLagMsMax * 0.5, () =>
        life?.deliver(() => node.engine?.definitions.forgetActive()),
      );
    }
  }

  /** Cancels what goes on, and wants it again as soon as it has ended. */
  #startOver(): void {
    const { random, nodes, tables, journal, generations } = this.#options;
    const going = [...tables.runs.values()].filter(({ state }) => state !== "quarantined");
    const ready = nodes.filter((node) => node.isReady);
    if (going.length === 0 || ready.length === 0) return;
    const { id, generation } = random.pick(going);
    const reason = { code: "cancelled", message: "by a person" };
    journal.note(`cancel of ${id}, to be started over`);
    journal.count("started over");
    generations.cancelAsked(id, generation);
    random
      .pick(ready)
      .engine!.tellRun({ runId: id, generation }, { kind: "cancel", by: "user", reason })
      .catch((error: unknown) => journal.note(`a command was refused: ${String(error)}`));
    this.#again(id, generation, 20);
  }

  #again(id: string, generation: number, tries: number): void {
    const { random, scheduler, nodes, tables } = this.#options;
    scheduler.after(random.next() * 300, () => {
      const live = tables.runs.get(keyOf(1, id));
      const ready = nodes.filter((node) => node.isReady);
      if ((live && live.generation > generation) || tries === 0) return;
      if (!live && ready.length > 0) this.#ask(random.pick(ready), id);
      this.#again(id, generation, tries - 1);
    });
  }

  #rerun(): void {
    const { random, nodes, scheduler } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    const run = this.#pickRun();
    if (ready.length === 0 || run === undefined) return;
    this.#ask(random.pick(ready), run);
    // Another person, or the same one who got no answer.
    if (random.chance(0.3)) this.#ask(random.pick(ready), run);
    if (random.chance(0.2))
      scheduler.after(random.next() * 3, () => {
        const still = ready.filter((node) => node.isReady);
        if (still.length > 0) this.#ask(random.pick(still), run);
      });
  }

  /** Mostly one that has ended lately, now and then one that is quarantined or goes on. */
  #pickRun(): string | undefined {
    const { random, tables } = this.#options;
    const live = [...tables.runs.values()];
    const aside = live.filter(({ state }) => state === "quarantined");
    const ended = [...tables.runHistory.values()]
      .slice(-40)
      .filter(({ id }) => !tables.runs.has(keyOf(1, id)));
    const from = random.pick([ended, ended, ended, ended, aside, aside, live]);
    return from.length === 0 ? undefined : random.pick<{ readonly id: string }>(from).id;
  }

  #ask(node: ServerNode, id: string): void {
    const { random, scheduler, journal, generations } = this.#options;
    const wish = this.#makeWish(
      id,
      random.pick(["all", "failed", "failed", "nodes", "nodes", "mark"] as const),
    );
    generations.asks(wish);
    journal.note(
      `${node.name} is asked for a ${wish.kind} rerun of ${id}${wish.sameBundle ? ", same bundle" : ""}`,
    );
    journal.count(`rerun asked: ${wish.kind}`);
    this.#send(node, wish).then(
      () => {
        journal.count("rerun accepted");
        journal.note(`rerun of ${id} is accepted by ${node.name} at ${scheduler.now.toFixed(0)}`);
        generations.accepted(wish);
      },
      (error: unknown) => {
        const code = errorCodeOf(error) ?? "lost";
        journal.count(`rerun refused: ${code}`);
        journal.note(`rerun of ${id} at ${node.name} is refused: ${String(error)}`);
        if (code !== unsure) generations.refused(wish);
      },
    );
  }

  #makeWish(runId: string, wanted: Wish["kind"]): Wish {
    const { random, scheduler, tables } = this.#options;
    const rows = [...tables.taskRunHistory.values()].filter((row) => row.runId === runId);
    const kind = rows.length === 0 ? "all" : wanted;
    const nodes = kind === "nodes" || kind === "mark" ? [random.pick(rows).node] : [];
    const sameBundle = kind === "mark" || random.chance(0.4);
    return { runId, kind, nodes, sameBundle, askedAt: scheduler.now };
  }

  async #send(server: ServerNode, { runId, kind, nodes, sameBundle }: Wish): Promise<void> {
    const { random, tables } = this.#options;
    const { generations } = server.engine!;
    if (kind !== "mark") return generations.rerun(runId, { kind, nodes, sameBundle });
    const [marked] = nodes;
    const rows = [...tables.taskRunHistory.values()].filter(
      (row) => row.runId === runId && row.node === marked,
    );
    const { node: name, item } = random.pick(rows);
    const state = random.pick(["succeeded", "failed", "skipped"] as const);
    const reason = { code: "marked", message: "by a person" };
    const output = state === "succeeded" ? { value: { list: [{ at: 0, more: [1] }], value: 1 } } : undefined;
    return generations.mark(runId, { node: name, item, state, output, reason });
  }
}
