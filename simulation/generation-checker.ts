/**
 * Judges generations: what people's reruns and late marks make, and which code a generation runs.
 *
 * C16: generations of a run follow each other, each after the end of the one before; an accepted wish has made exactly
 *      one, a refused one none.
 * C17: a generation stays on its bundle unless it is moved, which was the newest for whoever made it, or that of the generation before.
 * C22: a cancel means the generation that it was asked for.
 * C18: what a generation keeps is what history says, and what its wish does not concern.
 */
import { tokenKey, type Dispatch, type DispatchToken } from "@millrace/protocol";
import type { FlushBatch, LiveRun, TaskRunRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { Journal } from "./journal.ts";

/** How old a node's view of what is deployed may be (`Deployments`). */
export const definitionsLagMsMax = 5_000;

export interface Wish {
  readonly runId: string;
  readonly kind: "all" | "failed" | "nodes" | "mark";
  readonly nodes: readonly string[];
  readonly sameBundle: boolean;
  readonly askedAt: number;
}

interface Moved {
  readonly generation: number;
  /** What it had before. */
  readonly bundle: string;
  /** The last dispatch with that, by task run. */
  readonly dispatches: ReadonlyMap<string, number>;
}

interface Known {
  readonly pipeline: string;
  /** The bundle of each generation, the first one's first. */
  readonly bundles: string[];
  /** Asked for and not answered: each may have made one, or may yet. */
  readonly wishes: Set<Wish>;
  accepted: number;
  readonly moves: Moved[];
  /** Generations that a person wanted to be cancelled. */
  readonly cancels: Set<number>;
}

export interface GenerationCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
}

export class GenerationChecker {
  readonly #options: GenerationCheckerOptions;
  readonly #runs = new Map<string, Known>();

  constructor(options: GenerationCheckerOptions) {
    this.#options = options;
  }

  asks(wish: Wish): void {
    this.#runs.get(wish.runId)?.wishes.add(wish);
  }

  accepted(wish: Wish): void {
    const run = this.#runs.get(wish.runId)!;
    run.wishes.delete(wish);
    run.accepted += 1;
    if (run.accepted >= run.bundles.length)
      this.#violate("C16 an accepted rerun has its generation", `${wish.runId} has ${run.bundles.length}`);
  }

  refused(wish: Wish): void {
    this.#runs.get(wish.runId)!.wishes.delete(wish);
  }

  #violate(rule: string, detail: string): void {
    this.#options.journal.violate(rule, detail);
  }

  /** A run's row was made, with `rows` of task runs in the same flush. */
  created(run: LiveRun, rows: readonly TaskRunRow[]): void {
    const known = this.#runs.get(run.id) ?? {
      pipeline: run.pipeline,
      bundles: [],
      wishes: new Set<Wish>(),
      accepted: 0,
      moves: [],
      cancels: new Set<number>(),
    };
    this.#runs.set(run.id, known);
    const last = known.bundles.at(-1);
    known.bundles.push(run.bundle);
    if (run.generation !== known.bundles.length)
      this.#violate(
        "C16 generations follow each other",
        `${run.id} got generation ${run.generation} as its ${known.bundles.length}th`,
      );
    if (!this.#options.book.has(run.bundle, run.pipeline))
      this.#violate("C17 a generation has its bundle", `${run.id}: ${run.bundle} has no ${run.pipeline}`);
    if (run.generation === 1 || last === undefined) return;
    this.#options.journal.count("generations made");
    this.#options.journal.count(run.bundle === last ? "generation: same bundle" : "generation: newer bundle");
    const isEnded = [...this.#options.tables.runHistory.values()].some(
      ({ id, generation }) => id === run.id && generation === run.generation - 1,
    );
    if (!isEnded)
      this.#violate("C16 generations follow each other", `${run.id}: ${run.generation - 1} has not ended`);
    this.#checkKept(run, rows);
    const misfits = [...known.wishes].map((wish) => this.#misfit(wish, { run, last, rows }));
    if (known.wishes.size > 0 && misfits.every((misfit) => misfit !== undefined))
      this.#violate("C18 a generation is what was asked for", `${run.id}: ${misfits.join("; ")}`);
    if (known.wishes.size === 0)
      this.#violate("C16 a generation was asked for", `${run.id} got generation ${run.generation}`);
  }

  /** Why a generation is not what this wish wants; nothing when it is. */
  #misfit(
    wish: Wish,
    made: { readonly run: LiveRun; readonly last: string; readonly rows: readonly TaskRunRow[] },
  ): string | undefined {
    const { run, last, rows } = made;
    const kept = rows.filter(({ runId, carried }) => runId === run.id && carried);
    if (wish.sameBundle && run.bundle !== last) return `${run.bundle} in place of ${last}`;
    const isFresh = this.#options.book.wasActive(run.bundle, wish.askedAt - definitionsLagMsMax);
    if (!wish.sameBundle && !isFresh) return `${run.bundle} is not the newest bundle`;
    const wrong = kept.find(
      (row) =>
        wish.kind === "all" ||
        (wish.kind === "failed" && row.state !== "succeeded" && row.state !== "skipped") ||
        (wish.kind === "nodes" && wish.nodes.includes(row.node)),
    );
    if (wrong) return `${wish.kind} keeps ${wrong.node}[${wrong.item}] ${wrong.state}`;
    const missing = this.#untouched(wish, run, last).find((node) => !kept.some((row) => row.node === node));
    return missing && `${wish.kind} does not keep ${missing}`;
  }

  /** Nodes that have succeeded and that nothing could make run again: they read nothing and are no setup. */
  #untouched({ kind, nodes }: Wish, run: LiveRun, last: string): string[] {
    if (kind === "all" || run.bundle !== last) return [];
    const { taskRunHistory } = this.#options.tables;
    const graph = this.#options.book.graph(run.bundle, run.pipeline);
    return [...graph.byId.values()].flatMap((node) => {
      const { id } = node.definition;
      const isFree =
        node.parents.length === 0 && node.depth === 0 && !node.children.some(({ setup }) => setup);
      if (!isFree || nodes.includes(id)) return [];
      const rows = [...taskRunHistory.values()].filter((row) => row.runId === run.id && row.node === id);
      const newest = rows.toSorted((a, b) => a.generation - b.generation).at(-1);
      // Rows of items are of a bundle in which the node stood in a fan-out: they are none of what it is now.
      return newest?.state === "succeeded" && newest.item === "" ? [id] : [];
    });
  }

  #checkKept(run: LiveRun, rows: readonly TaskRunRow[]): void {
    for (const row of rows) {
      if (row.runId !== run.id || !row.carried) continue;
      this.#options.journal.count("task runs kept");
      const inHistory = [...this.#options.tables.taskRunHistory.values()].filter(
        ({ runId, node, item }) => runId === run.id && node === row.node && item === row.item,
      );
      const newest = inHistory.reduce((a, b) => (b.generation > a.generation ? b : a), inHistory[0]!);
      const isSame =
        newest?.generation === row.generation &&
        newest.state === row.state &&
        newest.dispatch === row.dispatch &&
        // A blob's content may be at hand in the one and not in the other.
        (newest.output?.blob ?? JSON.stringify(newest.output)) ===
          (row.output?.blob ?? JSON.stringify(row.output));
      if (!isSame)
        this.#violate(
          "C18 what is kept is what history says",
          `${run.id}/${row.node}/${row.item} ${row.generation} ${row.state}; history has ${newest?.generation} ${newest?.state}`,
        );
    }
  }

  /** A dispatch leaves a server. */
  dispatched({ token, bundle }: Dispatch): void {
    const own = this.bundleOf(token);
    if (own !== bundle)
      this.#violate("C17 a generation stays on its bundle", `${tokenKey(token)} with ${bundle}, not ${own}`);
  }

  cancelAsked(runId: string, generation: number): void {
    this.#runs.get(runId)?.cancels.add(generation);
  }

  cancelled(runId: string, generation: number): void {
    if (this.#runs.get(runId)?.cancels.has(generation)) return;
    this.#violate(
      "C22 a cancel means one generation",
      `nobody wanted ${runId} ${generation} to be cancelled`,
    );
  }

  /** A generation goes on with another bundle: what is dispatched from now on has that. */
  moved({ id, generation, bundle }: FlushBatch["runsMoved"][number], rows: readonly TaskRunRow[]): void {
    const { bundles, moves } = this.#runs.get(id)!;
    const dispatches = new Map(rows.map((row) => [keyOf(row.node, row.item), row.dispatch]));
    moves.push({ generation, bundle: bundles[generation - 1]!, dispatches });
    bundles[generation - 1] = bundle;
  }

  /** The bundles that a generation has had, in their order. */
  bundlesOf(runId: string, generation: number): readonly string[] {
    const { moves, bundles } = this.#runs.get(runId)!;
    const before = moves.filter((move) => move.generation === generation).map(({ bundle }) => bundle);
    return [...before, bundles[generation - 1]!];
  }

  /** With which bundle a dispatch runs. */
  bundleOf({ runId, node, item, generation, dispatch }: DispatchToken): string | undefined {
    const known = this.#runs.get(runId);
    const moved = known?.moves.find(
      (move) => move.generation === generation && dispatch <= (move.dispatches.get(keyOf(node, item)) ?? 0),
    );
    return moved?.bundle ?? known?.bundles[generation - 1];
  }

  /** Where a generation's nodes are defined, by now. */
  placeOf(runId: string, generation: number): { readonly bundle: string; readonly pipeline: string } {
    const { bundles, pipeline } = this.#runs.get(runId)!;
    return { bundle: bundles[generation - 1]!, pipeline };
  }

  checkEnd(): void {
    const { tables, journal } = this.#options;
    for (const [id, run] of this.#runs) {
      const made = run.bundles.length - 1;
      if (made > run.accepted + run.wishes.size || made < run.accepted)
        this.#violate(
          "C16 an accepted rerun makes one generation",
          `${id} has ${made} after ${run.accepted} accepted and ${run.wishes.size} unanswered reruns`,
        );
      journal.most("generations of one run, at most", run.bundles.length);
      const live = tables.runs.has(keyOf(1, id)) ? 1 : 0;
      const ended = [...tables.runHistory.values()].filter((row) => row.id === id);
      for (const { generation, bundle } of ended)
        if (run.bundles[generation - 1] !== bundle)
          this.#violate("C17 a generation stays on its bundle", `${id} ${generation} ended with ${bundle}`);
      if (ended.length + live !== run.bundles.length)
        this.#violate("C16 no generation is lost", `${id}: ${ended.length} of ${run.bundles.length} ended`);
    }
  }
}
