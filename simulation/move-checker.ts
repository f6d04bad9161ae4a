/**
 * Judges moves of runs to other bundles.
 *
 * M1: a run is moved by the owner of its shard while it waits outside of memory: nothing of it runs or is queued.
 * M2: a move was asked for, and all that its run has done and waits for has its place in the other graph; functions that have
 *     recorded something were rehearsed, and have recorded nothing since.
 * M3: one that is moved to where its pipeline has no `maxActiveRuns` gives its slot back with that.
 * That each later dispatch has the other bundle, and no other one, is C17; that the run ends as that graph allows is C10.
 */
import { isEndState, type Graph } from "@millrace/core";
import { activeRunHolder } from "@millrace/server";
import type { FlushBatch, TaskRunRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { GenerationChecker } from "./generation-checker.ts";
import type { Journal } from "./journal.ts";

export interface MoveWish {
  readonly runId: string;
  readonly generation: number;
  readonly bundle: string;
  readonly rehearsed: readonly {
    readonly node: string;
    readonly item: string;
    readonly generation: number;
    readonly seq: number;
  }[];
}

export interface MoveCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly generations: GenerationChecker;
}

type Move = FlushBatch["runsMoved"][number];

export class MoveChecker {
  readonly #options: MoveCheckerOptions;
  readonly #wishes = new Map<string, MoveWish[]>();

  constructor(options: MoveCheckerOptions) {
    this.#options = options;
  }

  asks(wish: MoveWish): void {
    const name = nameOf({ id: wish.runId, ...wish });
    this.#wishes.set(name, [...(this.#wishes.get(name) ?? []), wish]);
  }

  onFlush(nodeId: number, batch: FlushBatch): void {
    for (const move of batch.runsMoved) this.#moved(nodeId, move, batch);
  }

  #violate(rule: string, detail: string): void {
    this.#options.journal.violate(rule, detail);
  }

  #moved(nodeId: number, move: Move, batch: FlushBatch): void {
    const { tables, journal, generations, book } = this.#options;
    const { id, generation, bundle } = move;
    const run = tables.runs.get(keyOf(1, id));
    if (run?.generation !== generation || run.bundle !== bundle)
      return this.#violate("M1 what is moved is there", `${id} ${generation} to ${bundle}`);
    const before = generations.placeOf(id, generation).bundle;
    journal.count(before === bundle ? "moves to where it was" : "moves");
    journal.note(`node ${nodeId} moves ${id} ${generation} from ${before} to ${bundle}`);
    const rows = [...(tables.taskRuns.get(keyOf(1, id))?.values() ?? [])];
    const busy = rows.filter(({ state }) => state === "running" || state === "queued");
    if (tables.shards[run.shard]?.nodeId !== nodeId)
      this.#violate("M1 only the owner moves", `node ${nodeId} moved ${id}`);
    if (run.wakeAt === undefined || busy.length > 0)
      this.#violate("M1 what is moved only waits", `${id}: ${busy.map(({ node }) => node).join()}`);
    const graphs = { from: book.graph(before, run.pipeline), to: book.graph(bundle, run.pipeline) };
    const faults = (this.#wishes.get(nameOf(move)) ?? []).map((wish) => this.#faultOf(wish, rows, graphs));
    if (faults.every((fault) => fault !== undefined))
      this.#violate(
        "M2 what is moved has its place there",
        `${id} to ${bundle}: ${faults[0] ?? "nobody asked"}`,
      );
    this.#checkSlot(move, batch);
    generations.moved(move, rows);
  }

  /** It is gone, or a message to the limit's owner says so. */
  #checkSlot({ id, generation, bundle }: Move, batch: FlushBatch): void {
    const { tables, book } = this.#options;
    const { pipeline } = tables.runs.get(keyOf(1, id))!;
    if (book.definition(bundle, pipeline).maxActiveRuns !== undefined) return;
    const holder = activeRunHolder({ id, generation });
    const isHeld = [...tables.grants.values()].some(
      (row) => row.kind === "pipeline" && row.holder === holder,
    );
    const isGivenBack = [...batch.messagesSent, ...tables.inbox.values()].some(({ message }) => {
      const { kind, holder: of } = message as { readonly kind?: string; readonly holder?: string };
      return kind === "limit_release" && of === holder;
    });
    if (isHeld && !isGivenBack) this.#violate("M3 no slot without a limit", `${holder} of ${pipeline}`);
  }

  #faultOf(
    { rehearsed }: MoveWish,
    rows: readonly TaskRunRow[],
    { from, to }: { readonly from: Graph; readonly to: Graph },
  ): string | undefined {
    for (const row of rows) {
      const name = `${row.node}[${row.item}]`;
      const after = to.byId.get(row.node);
      if (!after) return `${name} is not there`;
      if (isEndState(row.state)) continue;
      const before = from.byId.get(row.node);
      if (before && before.definition.kind !== after.definition.kind) return `${name} is of another kind`;
      const recorded = recordedOf(this.#options.tables, row);
      const isRehearsed = rehearsed.some(
        ({ node, item, generation, seq }) =>
          node === row.node && item === row.item && generation === row.generation && seq === recorded?.seq,
      );
      if (recorded && !isRehearsed) return `${name} has recorded ${recorded.seq}`;
    }
    return undefined;
  }
}

/** What a function that goes on has recorded and waits for; nothing: it has not come to anything. */
export function recordedOf(
  { steps, codes }: MemoryTables,
  { workspace, runId, node, item, generation, state, dispatch }: TaskRunRow,
): { readonly seq: number } | undefined {
  if (isEndState(state) || dispatch === 0) return undefined;
  const seqs = [...steps.values()]
    .filter(
      (row) => row.runId === runId && row.node === node && row.item === item && row.generation === generation,
    )
    .map(({ seq }) => seq);
  const seq = Math.max(0, ...seqs);
  const open = codes.get(keyOf(workspace, runId, node, item))?.code.open.length ?? 0;
  return seq + open === 0 ? undefined : { seq };
}

function nameOf({ id, generation, bundle }: Pick<Move, "id" | "generation" | "bundle">): string {
  return keyOf(id, generation, bundle);
}
