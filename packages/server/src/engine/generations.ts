/**
 * The next generation of a run that has ended, as people's reruns and late marks make it.
 *
 * B1: it is made from one consistent view of history; of two servers that make one at once, the second is refused by the
 *     database (`RunEntrance.rerun`).
 * B2: a quarantined run's rows go to history first.
 * B3: what led to the run led to each of its generations: a loop of triggers is counted on through reruns.
 */
import {
  isRunEnded,
  MillraceError,
  nearestName,
  planMark,
  planRerun,
  previewPlan,
  type ChangePreview,
  type Graph,
  type LateMark,
  type Reason,
  type RerunScope,
  type TaskRunRecord,
} from "@millrace/core";
import type { EndedRun, FoundRunRows, LiveRun, StoredOutput, TaskRunName, TaskRunRow } from "@millrace/store";
import type { Definitions } from "./definitions.ts";
import { mayHaveLostItems, newestRows, outputName, rowsInLists } from "./generation-rows.ts";
import type { Rerun } from "./run-entrance.ts";
import type { Values } from "./values.ts";
import { workspaceId } from "./workspace.ts";

/** Where runs are found, live or ended, whoever owns them. */
export interface RunArchive {
  /** A run's own row: live, else of its newest generation. */
  findRun(id: string): Promise<LiveRun | undefined>;
  /** One consistent view; task runs of ended generations come newest first, without outputs. */
  findRunRows(id: string): Promise<FoundRunRows>;
  findOutputs(id: string, names: readonly TaskRunName[]): Promise<readonly StoredOutput[]>;
  /** Moves a quarantined run to history as failed; false when it is not quarantined. */
  endQuarantined(id: string, end: { readonly now: number; readonly openReason: Reason }): Promise<boolean>;
}

export interface RerunWish extends RerunScope {
  /** The bundle that the last generation ran with, in place of the newest. */
  readonly sameBundle: boolean;
}

export interface GenerationsOptions {
  readonly archive: RunArchive;
  readonly definitions: Definitions;
  readonly values: Values;
  readonly now: () => number;
  readonly enter: (rerun: Rerun) => Promise<void>;
}

/** What the next generation would do. */
export interface GenerationPreview extends ChangePreview {
  readonly generation: number;
  readonly bundle: string;
  readonly bundleBefore: string;
}

type Planner = (last: LiveRun | EndedRun, rows: readonly TaskRunRow[]) => Promise<Plan>;

interface Plan {
  readonly graph: Graph;
  readonly bundle: string;
  readonly project: string;
  readonly kept: readonly TaskRunRecord[];
}

interface LastGeneration<Last> {
  readonly last: Last;
  readonly rows: readonly TaskRunRow[];
}

const quarantinedReason: Reason = {
  code: "MILLRACE_RUN_QUARANTINED",
  message: "It was open when its run was quarantined.",
};

export class Generations {
  readonly #options: GenerationsOptions;
  /** Runs whose next generation is being made here: a second request for one is refused. */
  readonly #inMaking = new Set<string>();

  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  /** Resolves once the next generation is committed. Throws MILLRACE_RUN_STATE_CONFLICT when there is nothing to rerun. */
  rerun(id: string, wish: RerunWish): Promise<void> {
    return this.#make(id, this.#rerunPlan(id, wish));
  }

  /** What `rerun` would do; refuses what it would refuse. */
  previewRerun(id: string, wish: RerunWish): Promise<GenerationPreview> {
    return this.#preview(id, this.#rerunPlan(id, wish));
  }

  #rerunPlan(id: string, { sameBundle, kind, nodes }: RerunWish): Planner {
    return async (last, rows) => {
      const { graph, bundle, project } = sameBundle
        ? await this.#sameVersion(last)
        : await this.#newestVersion(last);
      if (kind === "nodes") for (const node of nodes) requireNode(graph, node);
      const kept = planRerun(graph, rows, { kind, nodes });
      if (kind === "failed" && rows.length > 0 && kept.length === rows.length) {
        throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
          message: `Nothing of the run ${id} failed: there is nothing to run again.`,
          advice: "Rerun a node (`--node NAME`), or the whole run (`--all`).",
        });
      }
      return { graph, bundle, project, kept };
    };
  }

  /** A person's verdict on a task run of a run that has ended. Resolves once it is committed. */
  mark(id: string, mark: LateMark): Promise<void> {
    return this.#make(id, this.#markPlan(mark));
  }

  previewMark(id: string, mark: LateMark): Promise<GenerationPreview> {
    return this.#preview(id, this.#markPlan(mark));
  }

  #markPlan(mark: LateMark): Planner {
    return async (last, rows) => {
      const version = await this.#sameVersion(last);
      requireNode(version.graph, mark.node);
      return { ...version, kept: planMark(version.graph, rows, mark, last.generation + 1) };
    };
  }

  async #preview(id: string, plan: Planner): Promise<GenerationPreview> {
    const { last, rows } = await this.#lookAtGeneration(id);
    const { graph, bundle, kept } = await plan(last, rows);
    const preview = previewPlan(graph, rows, kept);
    return { ...preview, generation: last.generation + 1, bundle, bundleBefore: last.bundle };
  }

  async #make(id: string, plan: Planner): Promise<void> {
    if (this.#inMaking.has(id)) {
      throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
        message: `The run ${id} is being rerun at this moment.`,
      });
    }
    this.#inMaking.add(id);
    try {
      const { last, rows } = await this.#lastGeneration(id);
      const { graph, bundle, project, kept } = await plan(last, rows);
      const identity = await this.#nextIdentity(last, { bundle, project });
      const keptRows = kept.map((row) => ({ ...row, workspace: workspaceId, runId: id }));
      const carried = keptRows.filter((row) => row.carried);
      await this.#options.enter({ identity, graph, kept: await this.#withOutputs(graph, keptRows, carried) });
    } finally {
      this.#inMaking.delete(id);
    }
  }

  async #lastGeneration(id: string): Promise<LastGeneration<EndedRun>> {
    const { archive, now } = this.#options;
    const current = await archive.findRun(id);
    if (current?.state === "quarantined")
      await archive.endQuarantined(id, { now: now(), openReason: quarantinedReason });
    return this.#endedGeneration(id, current);
  }

  /** The same, with everything left as it is. */
  async #lookAtGeneration(id: string): Promise<LastGeneration<LiveRun | EndedRun>> {
    const current = await this.#options.archive.findRun(id);
    return current?.state === "quarantined" ? this.#asIfEnded(id) : this.#endedGeneration(id, current);
  }

  async #endedGeneration(id: string, current: LiveRun | undefined): Promise<LastGeneration<EndedRun>> {
    if (current && current.state !== "quarantined" && !isRunEnded(current.state)) {
      throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
        message: `The run ${id} is ${current.state}: it can be rerun when it has ended.`,
        fields: { run: id, state: current.state },
      });
    }
    const found = await this.#options.archive.findRunRows(id);
    const [last] = found.ended;
    if (found.live || !last) {
      throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
        message: `The run ${id} has begun its next generation meanwhile.`,
      });
    }
    return { last, rows: await this.#rowsOf(last, newestRows(found.endedTaskRuns, last.generation)) };
  }

  /** A quarantined run's rows as `endQuarantined` would leave them (B2). */
  async #asIfEnded(id: string): Promise<LastGeneration<LiveRun>> {
    const { live, liveTaskRuns, endedTaskRuns } = await this.#options.archive.findRunRows(id);
    if (live?.state !== "quarantined") {
      throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", {
        message: `The run ${id} is being rerun at this moment.`,
      });
    }
    const own = liveTaskRuns
      .filter((row) => !row.carried)
      .map((row) => (row.endedAt === undefined ? { ...row, state: "cancelled" as const } : row));
    return { last: live, rows: newestRows([...own, ...endedTaskRuns], live.generation) };
  }

  /** Where lists became shorter, earlier generations have rows of items that are no more. */
  async #rowsOf(last: EndedRun, rows: readonly TaskRunRow[]): Promise<readonly TaskRunRow[]> {
    const { definitions, values } = this.#options;
    const graph = await definitions.graph(last.workspace, last.bundle, last.pipeline);
    if (!graph || !mayHaveLostItems(graph, rows, last.generation)) return rows;
    const structural = rows.filter((row) => graph.byId.get(row.node)?.structural === true);
    const full = await this.#withOutputs(graph, rows, structural);
    const params = await values.loaded(last.params);
    const firing = last.firing && (await values.loaded(last.firing));
    const present = new Set(rowsInLists(graph, { ...last, params, firing }, full).map(outputName));
    return rows.filter((row) => present.has(outputName(row)));
  }

  async #nextIdentity(last: EndedRun, version: Pick<Plan, "bundle" | "project">): Promise<LiveRun> {
    return {
      workspace: last.workspace,
      id: last.id,
      lane: last.lane,
      shard: last.shard,
      pipeline: last.pipeline,
      ...version,
      generation: last.generation + 1,
      state: "queued",
      reason: undefined,
      depth: last.depth,
      parent: undefined,
      labels: last.labels,
      params: await this.#options.values.loaded(last.params),
      firing: last.firing && (await this.#options.values.loaded(last.firing)),
      ...(last.causes === undefined ? {} : { causes: last.causes }),
      cancel: undefined,
      createdAt: last.createdAt,
      startedAt: undefined,
      wakeAt: undefined,
    };
  }

  /** `rows` with the outputs of `some` from history; what the machine reads of them itself is at hand. */
  async #withOutputs(
    graph: Graph,
    rows: readonly TaskRunRow[],
    some: readonly TaskRunRow[],
  ): Promise<TaskRunRow[]> {
    const { archive, values } = this.#options;
    const wanted = some.filter((row) => row.state === "succeeded");
    const found = wanted[0] ? await archive.findOutputs(wanted[0].runId, wanted) : [];
    const outputs = new Map(found.map(({ name, output }) => [outputName(name), output]));
    return Promise.all(
      rows.map(async (row) => {
        const output = outputs.get(outputName(row)) ?? row.output;
        if (output?.blob === undefined || !graph.byId.get(row.node)?.structural) return { ...row, output };
        return { ...row, output: await values.loaded(output) };
      }),
    );
  }

  async #newestVersion(last: LiveRun | EndedRun): Promise<Omit<Plan, "kept">> {
    const { definitions } = this.#options;
    const active = await definitions.active(workspaceId, last.pipeline);
    if (active) return { graph: definitions.graphOf(active), bundle: active.bundle, project: active.project };
    throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
      message: `The pipeline "${last.pipeline}" is not deployed any more.`,
      advice: "Rerun it with the bundle that it ran with (`--same-bundle`).",
    });
  }

  async #sameVersion({
    id,
    workspace,
    bundle,
    project,
    pipeline,
  }: LiveRun | EndedRun): Promise<Omit<Plan, "kept">> {
    const graph = await this.#options.definitions.graph(workspace, bundle, pipeline);
    if (graph) return { graph, bundle, project };
    throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
      message: `The bundle ${bundle} that the run ${id} ran with is gone.`,
    });
  }
}

/** Throws MILLRACE_NODE_UNKNOWN with the nearest name. */
export function requireNode(graph: Graph, node: string): void {
  if (graph.byId.has(node)) return;
  const near = nearestName(node, graph.byId.keys());
  throw new MillraceError("MILLRACE_NODE_UNKNOWN", {
    message: `The pipeline "${graph.definition.name}" has no node "${node}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { nodes: [node] },
  });
}
