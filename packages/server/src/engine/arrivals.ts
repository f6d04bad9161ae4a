/**
 * The way of runs from their rows into memory: loading what the machine needs of them, again until it succeeds.
 *
 * T3: a run that is on its way into memory gets its messages once it is there; trouble of the store delays it only.
 */
import { errorCodeOf, MillraceError, type Graph } from "@millrace/core";
import type { LoadedRun, RunChange, RunKey, TaskRunRow } from "@millrace/store";
import type { EngineParts } from "./engine-parts.ts";
import type { RunEntry } from "./run-entry.ts";
import { parentToken } from "./task-input.ts";
import type { WorkerHub } from "./worker-hub.ts";

/** A run and where it stands; `startedAt` if it has begun. */
export interface Placed extends RunKey {
  readonly shard: number;
  readonly startedAt?: number | undefined;
}

export interface ArrivalsOptions {
  readonly parts: EngineParts;
  readonly hub: () => WorkerHub;
  readonly ownedShards: () => readonly number[];
  readonly isStopped: () => boolean;
}

const delayMsMin = 50;
const delayMsMax = 5_000;
/** What repeating won't cure: a bundle or a value that is gone, a run that its machine can't read. */
const hopeless: ReadonlySet<string> = new Set(["MILLRACE_BUNDLE_UNKNOWN", "MILLRACE_INTERNAL"]);

export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  get #parts(): EngineParts {
    return this.#options.parts;
  }

  /** Settles when a run that is on its way has arrived; nothing when it is not on its way. */
  of(runId: string): Promise<void> | undefined {
    return this.#underWay.get(runId);
  }

  /**
   * Brings a run in by `work`, again until it succeeds, while its shard is ours; sets it aside when it never can (T3). One
   * after the other, where a run of this name is on its way already.
   */
  bring(run: Placed, work: () => Promise<void>): Promise<void> {
    const before = this.#underWay.get(run.id);
    const trying = before ? before.then(() => this.#tryToBring(run, work)) : this.#tryToBring(run, work);
    const arriving = trying.finally(() => {
      if (this.#underWay.get(run.id) === arriving) this.#underWay.delete(run.id);
    });
    this.#underWay.set(run.id, arriving);
    return arriving;
  }

  async #tryToBring(run: Placed, work: () => Promise<void>): Promise<void> {
    const { alarms, clock, log } = this.#parts;
    for (let delayMs = delayMsMin; this.isOurs(run); delayMs = Math.min(2 * delayMs, delayMsMax)) {
      try {
        await work();
        return;
      } catch (error) {
        if (hopeless.has(errorCodeOf(error) ?? "") && (await this.#setAside(run, error))) return;
        log.warn({ run: run.id, err: error }, "a run could not be loaded; trying again");
      }
      await new Promise<void>((resolve) => {
        alarms.set(clock.now() + delayMs, resolve);
      });
    }
  }

  /** Its caller waits no longer; false when the store does not say who that is. */
  async #setAside(run: Placed, cause: unknown): Promise<boolean> {
    const { commit, log, random, store, tellParent } = this.#parts;
    const found = await store.loadRun(run).catch(() => "unknown" as const);
    if (found === "unknown" || !this.isOurs(run)) return false;
    log.error({ run: run.id, err: cause }, "a run can't be put under way and is quarantined");
    const row = setAsideRow(run, cause);
    commit.batch.runsChanged.push(row);
    commit.request();
    const parent = found?.run.parent;
    if (!parent) return true;
    tellParent(parent, {
      kind: "child_ended",
      token: parentToken(parent),
      wait: parent.wait,
      childRunId: run.id,
      state: row.state,
      output: { value: null },
      reason: row.reason,
      random: random(),
    });
    return true;
  }

  /** Whether this node still steps what stands in the run's shard. */
  isOurs(run: Placed): boolean {
    return !this.#options.isStopped() && this.#options.ownedShards().includes(run.shard);
  }

  /** Lets a run begin or go on. */
  async putUnderWay(loaded: LoadedRun): Promise<void> {
    const { run } = loaded;
    const entry = await this.rebuild(loaded);
    const held = await this.#parts.readiness.heldBy(entry);
    if (this.#parts.runs.get(run.id) || !this.isOurs(run)) return;
    this.#parts.runs.restore(entry, held);
    this.#options.hub().adopt(entry);
  }

  /** A run as its rows say, with what its machine reads of them; not in memory yet. */
  async rebuild({ run, taskRuns, waits }: LoadedRun): Promise<RunEntry> {
    const graph = await this.#parts.definitions.graph(run.workspace, run.bundle, run.pipeline);
    if (!graph) {
      const message = `The run ${run.id} needs the bundle ${run.bundle}, which is gone.`;
      throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", { message });
    }
    const rows = await Promise.all(taskRuns.map((row) => this.#withOutput(graph, row)));
    const params = await this.#parts.values.loaded(run.params);
    const firing = run.firing && (await this.#parts.values.loaded(run.firing));
    try {
      return this.#parts.runs.rebuild(
        { identity: { ...run, params, firing }, graph },
        { taskRuns: rows, waits },
      );
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new MillraceError("MILLRACE_INTERNAL", { message, cause });
    }
  }

  /** The machine reads outputs of structural nodes itself, so they must be at hand. */
  async #withOutput(graph: Graph, row: TaskRunRow): Promise<TaskRunRow> {
    if (row.output?.blob === undefined || !graph.byId.get(row.node)?.structural) return row;
    return { ...row, output: await this.#parts.values.loaded(row.output) };
  }
}

function setAsideRow(run: Placed, error: unknown): RunChange {
  const text = error instanceof Error ? error.message : String(error);
  return {
    workspace: run.workspace,
    id: run.id,
    state: "quarantined",
    reason: { code: "MILLRACE_RUN_QUARANTINED", message: `The engine broke on this run: ${text}` },
    cancel: undefined,
    startedAt: run.startedAt,
    wakeAt: undefined,
  };
}
