/**
 * Moves runs that wait to another bundle.
 *
 * M1: a run is moved while it is outside of memory, and nobody brings it back meanwhile: no state of it knows the old graph.
 * M2: it is moved only if all that it has done has its place in the other graph (`findMoveFaults`), judged by the rows that the
 *     move is about.
 * M3: one that is moved to where its pipeline has no `maxActiveRuns` gives its slot back in the flush that moves it: its end, which
 *     goes by the graph that it has then, would not.
 */
import { findMoveFaults, isRunEnded, type Graph, type MoveFault } from "@millrace/core";
import type { LiveRun, LoadedRun, TaskRunRow } from "@millrace/store";
import { activeRunHolder, activeRunsKey } from "./admission.ts";
import type { Arrivals } from "./arrivals.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { MoveInboxMessage, RehearsedName } from "./inbox-message.ts";
import type { RunEntrance } from "./run-entrance.ts";
import type { Values } from "./values.ts";
import { workspaceId } from "./workspace.ts";

export interface RunMovesOptions {
  readonly parts: EngineParts;
  readonly arrivals: Arrivals;
  readonly entrance: () => RunEntrance;
}

export class RunMoves {
  readonly #options: RunMovesOptions;

  constructor(options: RunMovesOptions) {
    this.#options = options;
  }

  /** One that can't be moved stays as it is: who asked looks at the run. `taken` is called once. */
  async receive(message: MoveInboxMessage, shard: number, taken: () => void): Promise<void> {
    const { runs, commit } = this.#options.parts;
    const { arrivals, entrance } = this.#options;
    const { runId, generation } = message;
    const placed = { workspace: workspaceId, id: runId, shard };
    for (let arrival = arrivals.of(runId); arrival; arrival = arrivals.of(runId)) await arrival;
    if (!arrivals.isOurs(placed)) return;
    const entry = runs.get(runId);
    if (entry && (entry.identity.generation !== generation || !runs.evict(entry))) return taken();
    let isTaken = false;
    await arrivals.bring(placed, async () => {
      await commit.drained();
      if (!isTaken) taken();
      isTaken = true;
      // It was stepped meanwhile, or waits for its turn; or it has ended while its row was written, which says that it waits.
      if (entrance().knows(runId) || (entry && isRunEnded(entry.run.state))) return;
      await this.#move(placed, message);
    });
  }

  async #move(
    placed: { readonly workspace: number; readonly id: string; readonly shard: number },
    { generation, bundle, rehearsed }: MoveInboxMessage,
  ): Promise<void> {
    const { commit, store, definitions, limits, log } = this.#options.parts;
    const { arrivals } = this.#options;
    const loaded = await store.loadRun(placed);
    if (loaded?.run.wakeAt === undefined) return;
    const { run } = loaded;
    const to = await definitions.graph(run.workspace, bundle, run.pipeline);
    const from = (await definitions.graph(run.workspace, run.bundle, run.pipeline)) ?? to;
    const isMovable =
      run.generation === generation &&
      from !== undefined &&
      to !== undefined &&
      (await this.#faults(loaded, { from, to }, rehearsed)).length === 0;
    if (isMovable && arrivals.isOurs(placed)) {
      commit.batch.runsMoved.push({ workspace: run.workspace, id: run.id, generation, bundle });
      commit.request();
      if (isLimited(from) && !isLimited(to))
        limits.release(activeRunsKey(run.workspace, run.pipeline), activeRunHolder(run));
      await commit.drained();
      log.info({ run: run.id, from: run.bundle, to: bundle }, "a run goes on with another bundle");
    }
    // It is decided again what can be decided, by what its row says now.
    const now = await store.loadRun(placed);
    if (now?.run.wakeAt !== undefined) await arrivals.putUnderWay(now);
  }

  async #faults(
    { run, taskRuns }: LoadedRun,
    graphs: { readonly from: Graph; readonly to: Graph },
    rehearsed: readonly RehearsedName[],
  ): Promise<MoveFault[]> {
    const { values } = this.#options.parts;
    return moveFaults(values, { ...graphs, run, rows: withoutRehearsed(taskRuns, rehearsed) });
  }
}

function isLimited({ definition }: Graph): boolean {
  return definition.maxActiveRuns !== undefined;
}

/** The records of those fit the other code, unless there are more by now. */
export function withoutRehearsed(
  rows: readonly TaskRunRow[],
  rehearsed: readonly RehearsedName[],
): TaskRunRow[] {
  return rows.map((row) => {
    const { node, item, generation, code } = row;
    const fits = rehearsed.some(
      (one) =>
        one.node === node && one.item === item && one.generation === generation && one.seq === code?.seq,
    );
    return fits ? { ...row, code: undefined } : row;
  });
}

/** What keeps a run from going on with `to`, judged by its rows. */
export async function moveFaults(
  values: Values,
  {
    from,
    to,
    run,
    rows,
  }: {
    readonly from: Graph;
    readonly to: Graph;
    readonly run: LiveRun;
    readonly rows: readonly TaskRunRow[];
  },
): Promise<MoveFault[]> {
  const loaded = await Promise.all(
    rows.map(async (row) =>
      row.output?.blob !== undefined && to.byId.get(row.node)?.structural
        ? { ...row, output: await values.loaded(row.output) }
        : row,
    ),
  );
  const params = await values.loaded(run.params);
  const firing = run.firing && (await values.loaded(run.firing));
  const cancel = run.cancel && { ...run.cancel };
  const record = { ...run, params, firing, cancel, endedAt: undefined, output: undefined };
  return findMoveFaults(from, to, { record, rows: loaded });
}
