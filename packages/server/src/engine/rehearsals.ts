/**
 * Learns what functions ask for on their records with the code of another bundle: a connected worker runs them so far, and begins
 * no step.
 *
 * D1: a rehearsal is answered once, or given up after `rehearsalMs`; what comes later is nobody's.
 */
import {
  compareOperations,
  describeDivergence,
  findTaskRun,
  isEndState,
  operationKey,
  type AskedOperation,
  type Graph,
} from "@millrace/core";
import type { Rehearse, Rehearsed } from "@millrace/protocol";
import type { LoadedRun, TaskRunRow } from "@millrace/store";
import type { ConnectedWorker } from "./dispatcher.ts";
import type { EngineParts } from "./engine-parts.ts";
import { rehearsalMs } from "./limits.ts";
import { workspaceId } from "./workspace.ts";

/** What became of one open task run whose function has recorded something. */
export interface RehearsedTask {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  /** Of the last record that it was rehearsed with. */
  readonly seq: number;
  /** Why its records don't fit the other code; nothing: they do. */
  readonly faults: readonly string[];
}

export class Rehearsals {
  readonly #parts: EngineParts;
  readonly #waiting = new Map<number, (answer: Rehearsed) => void>();
  #last = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  answered(answer: Rehearsed): void {
    this.#waiting.get(answer.number)?.(answer);
  }

  /** Of all open task runs of a run that have recorded steps or waits, with the code of `bundle`. */
  async rehearse(runId: string, bundle: string, graph: Graph): Promise<RehearsedTask[]> {
    const { commit, store } = this.#parts;
    await commit.drained();
    const loaded = await store.loadRun({ workspace: workspaceId, id: runId });
    if (!loaded) return [];
    const open = loaded.taskRuns.filter(({ state, code }) => code !== undefined && !isEndState(state));
    return Promise.all(open.map((row) => this.#one(loaded, row, { bundle, graph })));
  }

  async #one(
    loaded: LoadedRun,
    row: TaskRunRow,
    { bundle, graph }: { readonly bundle: string; readonly graph: Graph },
  ): Promise<RehearsedTask> {
    const { node, item, generation } = row;
    const answer = (faults: readonly string[]): RehearsedTask => ({
      node,
      item,
      generation,
      seq: row.code!.seq,
      faults,
    });
    const { runs, readiness, values } = this.#parts;
    const run = loaded.run;
    const params = await values.loaded(run.params);
    const firing = run.firing && (await values.loaded(run.firing));
    const taskRuns = await Promise.all(
      loaded.taskRuns.map(async (one) =>
        one.output?.blob === undefined ? one : { ...one, output: await values.loaded(one.output) },
      ),
    );
    const entry = runs.rebuild(
      { identity: { ...run, params, firing, bundle }, graph },
      { taskRuns, waits: [] },
    );
    const graphNode = graph.byId.get(node);
    const taskRun = graphNode && findTaskRun(entry.run.root, graphNode, item);
    // What is not there is told of the graph.
    if (!graphNode || !taskRun || taskRun.state !== row.state) return answer([]);
    const { queue } = graphNode.definition.options;
    const dispatch = await readiness.rehearsal(entry, taskRun);
    const told = await this.#ask(queue, (number) => ({ kind: "rehearse", number, dispatch }));
    if (!told) return answer([`no worker that serves the queue "${queue}" could try the other code here`]);
    if (!told.asked) return answer([`the other code could not be tried: ${told.error?.message ?? ""}`]);
    const before: AskedOperation[] = (dispatch.records ?? []).map(({ kind, name, occurrence }) => ({
      kind,
      name,
      occurrence,
    }));
    const recorded = new Set(before.map(operationKey));
    for (const { name, occurrence } of row.code!.open)
      if (!recorded.has(operationKey({ name, occurrence }))) before.push({ kind: "wait", name, occurrence });
    const all = compareOperations(before, told.asked);
    // What is new is what comes next.
    const found = all.filter(({ kind }) => kind !== "new");
    // Where another kind is asked for, the function ends: the rest is missing by that.
    const first = found.filter(({ kind }) => kind === "kind_differs");
    if (first.length > 0 || found.length === 0) return answer(first.map(describeDivergence));
    // Records don't know their lines: what is asked for in the place of the missing shows where to look.
    const instead = all.find(({ kind }) => kind === "new");
    return answer([...found, ...(instead ? [instead] : [])].map(describeDivergence));
  }

  /** The answer of a connected worker; `undefined` when there is none, or it does not answer. */
  #ask(queue: string, message: (number: number) => Rehearse): Promise<Rehearsed | undefined> {
    const { alarms, clock, dispatcher } = this.#parts;
    const link = linkOf(dispatcher.workers.values(), queue);
    if (!link) return Promise.resolve(undefined);
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve) => {
      const alarm = alarms.set(clock.now() + rehearsalMs, () => settle(undefined));
      const settle = (answer: Rehearsed | undefined): void => {
        alarm.cancel();
        this.#waiting.delete(number);
        resolve(answer);
      };
      this.#waiting.set(number, settle);
      link.send(message(number));
    });
  }
}

/** Of the worker with the most free slots. */
function linkOf(workers: Iterable<ConnectedWorker>, queue: string): ConnectedWorker["link"] {
  let best: ConnectedWorker | undefined;
  for (const worker of workers) {
    if (!worker.link || worker.draining || !worker.info.queues.includes(queue)) continue;
    if (!best || worker.info.slots - worker.busy.size > best.info.slots - best.busy.size) best = worker;
  }
  return best?.link;
}
