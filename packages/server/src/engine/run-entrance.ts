/**
 * How runs come under way: new ones, queued ones, those of shards that were taken over, the next generation of ended
 * ones.
 *
 * T1: a new run begins at once if this node has room and its pipeline no limit; else it is a queued row first.
 * T2: a run with an idempotency key is made once, whoever asks and however often.
 * T5: a rerun asks for nothing and begins nothing before it is committed: of two servers that make one generation at
 *     once, the one that is refused has left no trace under the other's name.
 */
import {
  currentTaskRun,
  MillraceError,
  type Graph,
  type Reason,
  type RunMessage,
  type StoredValue,
} from "@millrace/core";
import type { LimitKey, LiveRun, LoadedRun, QueuedRun, TaskRunRow, WaitingRun } from "@millrace/store";
import { activeRunHolder, Admission, activeRunsKey } from "./admission.ts";
import type { Arrivals, Placed } from "./arrivals.ts";
import type { ActivePipeline } from "./definitions.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { InboxContent, RunInboxMessage } from "./inbox-message.ts";
import { FirstShard } from "./first-shard.ts";
import { backlogMax, recallMax } from "./limits.ts";
import { Recall } from "./recall.ts";
import { isKnownKey, isKnownRun, refusedError, withContent } from "./run-refusal.ts";
import { runSuperseded } from "./own-events.ts";
import { workspaceId } from "./workspace.ts";
import { newRunId } from "./run-id.ts";
import { labelsOfChild } from "./run-partition.ts";

export interface StartRun {
  readonly pipeline: ActivePipeline;
  /** A blob's content must be at hand. */
  readonly params: StoredValue;
  readonly labels: { readonly [name: string]: string };
  readonly idempotencyKey?: string;
}

export interface StartedRun {
  readonly run: LiveRun;
  readonly created: boolean;
}

/** A run that a trigger starts. */
export type FiredRun = Pick<LiveRun, "id" | "params" | "firing" | "labels" | "causes" | "isGated">;

export interface Rerun {
  readonly identity: LiveRun;
  readonly graph: Graph;
  readonly kept: readonly TaskRunRow[];
}

export interface RunEntranceOptions {
  readonly parts: EngineParts;
  readonly arrivals: Arrivals;
  readonly activeRunsMax: number;
  readonly ownedShards: () => readonly number[];
  /** Whether runs are taken now. */
  readonly isReady: () => boolean;
  /** A run's own row, live or ended. */
  readonly findRun: (id: string) => Promise<LiveRun | undefined>;
  readonly send: (shard: number, message: InboxContent) => void;
}

export class RunEntrance {
  readonly admission = new Admission();
  readonly #options: RunEntranceOptions;
  readonly #binding = new Map<string, Promise<StartedRun>>();
  /** Runs that are due and wait for room. */
  readonly #due = new Map<string, WaitingRun>();
  /** Queued runs, and those that are due, that are being loaded. */
  #beginning = 0;
  /** New runs that the database refused, until their caller is told. */
  readonly #refusals = new Map<string, unknown>();

  readonly #firstShard = new FirstShard();
  readonly #recall: Recall;

  constructor(options: RunEntranceOptions) {
    this.#options = options;
    const { parts, arrivals } = options;
    this.#recall = new Recall({ parts, arrivals, knows: (runId) => this.knows(runId) });
  }

  get #parts(): EngineParts {
    return this.#options.parts;
  }

  newRunId(): string {
    return newRunId(this.#parts.clock.now(), this.#parts.random);
  }

  /** Whether a run of this name waits or is under way here. */
  knows(runId: string): boolean {
    return this.admission.has(runId) || this.#parts.runs.get(runId) !== undefined;
  }

  /**
   * A run may be active. The slot is given back when nothing of that generation is live; a run that has begun and waits
   * outside of memory, where an answer that is repeated finds nobody, holds it.
   */
  async grantedActive(key: LimitKey, holder: string, runId: string): Promise<void> {
    if (this.#granted(runId, holder)) return;
    const loaded = await this.#parts.store.loadRun({ workspace: workspaceId, id: runId });
    if (loaded && activeRunHolder(loaded.run) === holder) return;
    if (!this.#granted(runId, holder)) this.#parts.limits.release(key, holder);
  }

  /** False when nothing of that generation waits for it or is under way here. */
  #granted(runId: string, holder: string): boolean {
    const run = this.admission.get(runId) ?? this.#parts.runs.get(runId)?.identity;
    if (!run || activeRunHolder(run) !== holder) return false;
    this.admission.granted(runId);
    return true;
  }

  // --- new runs -----------------------------------------------------------------------------------------------------

  /** Makes a run; resolves when it is committed. Throws MILLRACE_OVERLOADED beyond the engine's bounds. */
  async start(request: StartRun): Promise<StartedRun> {
    this.#requireRoom();
    if (this.#options.ownedShards().length === 0) await this.#firstShard.wait(this.#parts);
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return this.#create(request, this.newRunId());
    const known = this.#binding.get(idempotencyKey);
    if (known) return { ...(await known), created: false };
    const started = this.#startWithKey(request, idempotencyKey);
    this.#binding.set(idempotencyKey, started);
    try {
      return await started;
    } finally {
      this.#binding.delete(idempotencyKey);
    }
  }

  /** The key is bound in the flush that makes the run: of two servers that do so at once one is refused. */
  async #startWithKey(request: StartRun, key: string): Promise<StartedRun> {
    const known = await this.#findByKey(key);
    if (known) return { run: known, created: false };
    const id = this.newRunId();
    try {
      const created = this.#create(request, id);
      const { clock, commit } = this.#parts;
      commit.batch.idempotencyKeys.push({ workspace: workspaceId, key, runId: id, createdAt: clock.now() });
      return await created;
    } catch (error) {
      const made = isKnownKey(error) ? await this.#findByKey(key) : undefined;
      if (made) return { run: made, created: false };
      throw error;
    }
  }

  async #findByKey(key: string): Promise<LiveRun | undefined> {
    const id = await this.#parts.store.findIdempotencyKey(workspaceId, key);
    return id === undefined ? undefined : this.#options.findRun(id);
  }

  /** The database refused a new run: one of this name is there, or its row breaks a rule. */
  refused(run: LiveRun, error: unknown): void {
    const { runs, limits, log } = this.#parts;
    const isKnown = isKnownRun(error);
    this.#refusals.set(run.id, error);
    log.warn({ run: run.id, err: error }, "a new run was refused");
    // What is here under this name is another server's generation, which came over meanwhile (T5).
    if (run.generation > 1) return;
    const entry = runs.get(run.id);
    if (entry) runs.discard(entry, isKnown);
    // Queued, or on its way from there.
    const isQueued = this.admission.remove(run.id) || this.#options.arrivals.of(run.id) !== undefined;
    if (isQueued && !isKnown)
      limits.release(activeRunsKey(run.workspace, run.pipeline), activeRunHolder(run));
  }

  /** Whether a firing may start a run now. */
  get hasRoom(): boolean {
    return this.#parts.commit.backlog <= backlogMax && this.admission.hasRoom;
  }

  #requireRoom(): void {
    if (!this.#options.isReady()) {
      throw new MillraceError("MILLRACE_OVERLOADED", { message: "The server is not ready to take runs." });
    }
    if (this.#parts.commit.backlog > backlogMax) {
      throw new MillraceError("MILLRACE_OVERLOADED", {
        message: "Too many decisions wait for the database.",
      });
    }
    this.admission.requireRoom();
  }

  #create(request: StartRun, id: string): Promise<StartedRun> {
    const { pipeline, params, labels } = request;
    const identity = this.#identityOf(pipeline, { id, params, labels, depth: 0, parent: undefined });
    this.#enter(identity, pipeline);
    return new Promise((resolve, reject) => {
      this.#parts.commit.afterCommit(() => {
        const refusal = this.#refusals.get(id);
        if (refusal === undefined) return resolve({ run: this.#rowOf(identity), created: true });
        this.#refusals.delete(id);
        reject(refusedError(id, refusal));
      });
    });
  }

  #identityOf(
    pipeline: ActivePipeline,
    parts: Pick<LiveRun, "id" | "params" | "firing" | "causes" | "isGated" | "labels" | "depth" | "parent">,
  ): LiveRun {
    return {
      ...parts,
      workspace: workspaceId,
      lane: "live",
      shard: this.#pickShard(),
      pipeline: pipeline.definition.name,
      project: pipeline.project,
      bundle: pipeline.bundle,
      generation: 1,
      state: "queued",
      reason: undefined,
      cancel: undefined,
      createdAt: this.#parts.clock.now(),
      startedAt: undefined,
      wakeAt: undefined,
    };
  }

  #pickShard(): number {
    const shards = this.#options.ownedShards();
    const shard = shards[Math.floor(this.#parts.random() * shards.length)];
    if (shard !== undefined) return shard;
    throw new MillraceError("MILLRACE_OVERLOADED", { message: "The server holds no shard yet." });
  }

  /** Begins a new run at once if it may, else queues it (T1). */
  #enter(identity: LiveRun, pipeline: ActivePipeline): void {
    const { runs, commit, definitions } = this.#parts;
    const { maxActiveRuns } = pipeline.definition;
    if (
      maxActiveRuns === undefined &&
      runs.activeSize < this.#options.activeRunsMax &&
      this.admission.size === 0
    ) {
      runs.begin({ identity, graph: definitions.graphOf(pipeline) });
      return;
    }
    commit.batch.runsCreated.push(identity);
    commit.request();
    this.#queue(identity, maxActiveRuns);
  }

  #queue(run: QueuedRun, maxActiveRuns: number | undefined): void {
    if (maxActiveRuns === undefined) {
      this.admission.add(run);
      this.#parts.commit.request();
      return;
    }
    this.admission.addLimited(run);
    this.#parts.limits.ask(
      activeRunsKey(run.workspace, run.pipeline),
      {
        holder: activeRunHolder(run),
        runId: run.id,
        slots: 1,
        rank: run.createdAt,
        replyShard: run.shard,
      },
      maxActiveRuns,
    );
  }

  #rowOf(identity: LiveRun): LiveRun {
    const entry = this.#parts.runs.get(identity.id);
    if (!entry) return identity;
    const { state, reason, startedAt } = entry.run;
    return { ...identity, state, reason, startedAt };
  }

  /**
   * The next generation of a run that has ended; its kept rows are part of the same flush. Throws
   * MILLRACE_RUN_STATE_CONFLICT when another server has made one meanwhile: two rows of one run can't be live.
   * Once it is committed, and so the only one (T5), it waits for room and for its pipeline's limit as a new run does.
   */
  async rerun({ identity: asked, graph, kept }: Rerun): Promise<void> {
    this.#requireRoom();
    if (this.#options.ownedShards().length === 0) await this.#firstShard.wait(this.#parts);
    const { commit } = this.#parts;
    const { arrivals } = this.#options;
    const identity = { ...asked, shard: this.#pickShard() };
    commit.batch.runsCreated.push(identity);
    commit.batch.taskRuns.push(...kept);
    const committed = commit.drained();
    const isMade = committed.then(
      () => !this.#refusals.has(identity.id),
      () => false,
    );
    // What is said to it from now on waits until it is queued (T3).
    void arrivals.bring(identity, async () => {
      if ((await isMade) && arrivals.isOurs(identity)) this.#queue(identity, graph.definition.maxActiveRuns);
    });
    await committed;
    const refusal = this.#refusals.get(identity.id);
    if (refusal === undefined) return;
    this.#refusals.delete(identity.id);
    if (!isKnownRun(refusal)) throw refusedError(identity.id, refusal);
    const message = `The run ${identity.id} was rerun by another server at this moment.`;
    throw new MillraceError("MILLRACE_RUN_STATE_CONFLICT", { message, cause: refusal });
  }

  // --- queued runs and those taken over -----------------------------------------------------------------------------

  /** Brings runs back that are due and begins queued ones, while there is room. */
  admit(): void {
    const due = this.#takeDue();
    if (due.length > 0) this.#enterLater(this.#recall.all(due), due.length);
    while (this.#room > 0 && this.#due.size === 0) {
      const queued = this.admission.next();
      if (!queued) return;
      this.#enterLater(
        this.#options.arrivals.bring(queued, () => this.#beginQueued(queued)),
        1,
      );
    }
  }

  get #room(): number {
    return this.#options.activeRunsMax - this.#parts.runs.activeSize - this.#beginning;
  }

  /** Those that have waited longest, as many as there is room for. */
  #takeDue(): WaitingRun[] {
    const taken: WaitingRun[] = [];
    for (const [id, run] of this.#due) {
      if (taken.length >= Math.min(this.#room, recallMax)) break;
      this.#due.delete(id);
      if (this.#options.arrivals.isOurs(run)) taken.push(run);
    }
    return taken;
  }

  #enterLater(entering: Promise<unknown>, count: number): void {
    this.#beginning += count;
    void entering.finally(() => {
      this.#beginning -= count;
      this.#parts.commit.request();
    });
  }

  /** Brings runs back that wait outside of memory, as many as there is room for, and resolves when they are here. */
  async bringIn(runs: readonly Placed[]): Promise<void> {
    const some = runs.slice(0, Math.max(0, this.#room));
    if (some.length === 0) return;
    const entering = this.#recall.all(some);
    this.#enterLater(entering, some.length);
    await entering;
  }

  async #beginQueued(queued: QueuedRun): Promise<void> {
    // The row of a new run is part of a flush that may still be under way.
    await this.#parts.commit.drained();
    const loaded = await this.#parts.store.loadRun(queued);
    if (loaded?.run.state === "queued") await this.#options.arrivals.putUnderWay(loaded);
  }

  /** A run that waits outside of memory is due: it comes back when there is room. */
  wake(run: WaitingRun): void {
    this.#due.set(run.id, run);
    this.#parts.commit.request();
  }

  /** Brings a run back that waits outside of memory; does nothing for one that is here, has ended or is queued. */
  recall(run: Placed): Promise<void> {
    return this.#recall.one(run);
  }

  /** Puts runs of shards that were taken over under way, or back into the queue. */
  takeOver(runs: readonly LoadedRun[], queued: readonly QueuedRun[]): void {
    this.#firstShard.came();
    for (const loaded of runs)
      void this.#options.arrivals.bring(loaded.run, () => this.#options.arrivals.putUnderWay(loaded));
    for (const run of queued) void this.#options.arrivals.bring(run, () => this.#requeue(run));
  }

  /**
   * A queued run of a shard that was taken over waits again, for the limit that its own bundle has: that is the one which
   * it gives back when it ends.
   */
  async #requeue(run: QueuedRun): Promise<void> {
    const graph = await this.#parts.definitions.graph(run.workspace, run.bundle, run.pipeline);
    if (this.admission.has(run.id) || this.#parts.runs.get(run.id) || !this.#options.arrivals.isOurs(run))
      return;
    this.#queue(run, graph?.definition.maxActiveRuns);
  }

  /** A message of another node, or of a run there; `taken` is called in the turn in which it is heard. */
  async receive(content: RunInboxMessage, shard: number, taken: () => void): Promise<void> {
    const { runId, message, generation } = content;
    const { runs, values } = this.#parts;
    const isMeant = (found: number): boolean => generation === undefined || generation === found;
    const whole = await withContent(values, message);
    for (let arrival = this.#options.arrivals.of(runId); arrival; arrival = this.#options.arrivals.of(runId))
      await arrival;
    await this.recall({ workspace: workspaceId, id: runId, shard });
    const queued = this.admission.get(runId);
    if (queued && !isMeant(queued.generation)) taken();
    else if (queued) await this.#tellQueued(queued, whole, taken);
    else {
      const entry = runs.get(runId);
      // Its shard went to another node meanwhile: so does the message.
      if (!entry && !this.#options.ownedShards().includes(shard)) return;
      taken();
      const isRecorded =
        entry && message.kind === "step" && currentTaskRun(entry.run, message.token)?.state === "running";
      if (entry && isMeant(entry.identity.generation)) runs.step(entry, whole);
      if (isRecorded && content.worker !== undefined) this.#sayRecorded(content.worker, runId, message);
    }
  }

  /** After the commit. */
  #sayRecorded(
    workerId: string,
    runId: string,
    { token, step }: Extract<RunInboxMessage["message"], { kind: "step" }>,
  ): void {
    const { commit, store, log } = this.#parts;
    const { name, occurrence } = step;
    const content = { kind: "recorded", workerId, token: { runId, ...token }, step: { name, occurrence } };
    commit.afterCommit(() => {
      void store
        .sendToWorker(workerId, content)
        .catch((error: unknown) => log.warn({ err: error }, "a recorded step could not be told"));
    });
  }

  /** A command to a queued run: it is brought into memory without being begun, and queued again if it did not end. */
  async #tellQueued(queued: QueuedRun, message: RunMessage, taken: () => void): Promise<void> {
    const { runs, store, commit } = this.#parts;
    this.admission.remove(queued.id);
    await this.#options.arrivals.bring(queued, async () => {
      await commit.drained();
      const loaded = await store.loadRun(queued);
      if (loaded?.run.state !== "queued") return taken();
      const entry = await this.#options.arrivals.rebuild(loaded);
      if (!this.#options.arrivals.isOurs(queued)) return;
      runs.hold(entry);
      taken();
      runs.step(entry, message);
      if (entry.run.state !== "queued") return;
      runs.letGo(entry);
      await commit.drained();
      await this.#requeue(queued);
    });
  }

  async activePipeline(name: string): Promise<ActivePipeline | undefined> {
    const { definitions } = this.#parts;
    return definitions.known(workspaceId, name) ?? definitions.active(workspaceId, name);
  }

  /** Makes the run of a firing, in the turn in which the firing is noted. */
  enterFired(pipeline: ActivePipeline, fired: FiredRun): void {
    this.#enter(this.#identityOf(pipeline, { ...fired, depth: 0, parent: undefined }), pipeline);
  }

  /** The run of a firing that waited for its slot until a later one took its place: it is made as it ends. */
  enterSuperseded(pipeline: ActivePipeline, fired: FiredRun, reason: Reason): void {
    const { commit, clock, events } = this.#parts;
    const identity = this.#identityOf(pipeline, { ...fired, depth: 0, parent: undefined });
    const { workspace, id } = identity;
    const end = { state: "superseded", reason, output: undefined, endedAt: clock.now() } as const;
    commit.batch.runsCreated.push(identity);
    commit.batch.runsEnded.push({ workspace, id, ...end, hasMoreRows: false });
    events.emit([runSuperseded(identity, reason)]);
  }

  /** Makes the run that a call stands for, in the turn in which the caller learns its id. */
  enterChild(
    pipeline: ActivePipeline,
    child: Pick<LiveRun, "params" | "labels" | "depth" | "parent">,
    onId: (id: string) => void,
  ): void {
    const labels = labelsOfChild(pipeline, child.labels);
    const identity = this.#identityOf(pipeline, { ...child, labels, id: this.newRunId() });
    onId(identity.id);
    this.#enter(identity, pipeline);
  }
}
