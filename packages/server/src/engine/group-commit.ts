/**
 * Collects what entities decided and commits it in flushes, one at a time.
 *
 * G1: what `afterCommit` was given runs only once the flush that carries the decisions made before it has committed.
 * G2: one flush is under way at most; the next one starts as soon as it ends, with everything that gathered meanwhile.
 * G3: after a lost connection nothing is committed anew before the store told whether the last flush landed.
 * G4: a fenced node commits nothing more: `onFenced` is called once, callbacks of lost decisions never run, and who waits
 *     in `drained` is refused.
 */
import { isRunEnded, MillraceError, type TaskRun } from "@millrace/core";
import {
  emptyBatch,
  type EngineStore,
  type FlushBatch,
  type FlushOutcome,
  type LogChange,
} from "@millrace/store";
import type { Clock } from "./clock.ts";
import { siftBatch, type Sifted } from "./poison.ts";
import { endRowOf, liveRowOf, taskRunRowOf, type RunEntry } from "./run-entry.ts";

export interface GroupCommitOptions {
  readonly store: EngineStore;
  readonly nodeId: number;
  readonly clock: Clock;
  /** Called in the turn in which a flush is put together: the last chance to add to it. */
  readonly beforeFlush: () => void;
  readonly onFenced: () => void;
  /** A flush that changed the log is committed; called before its callbacks. */
  readonly onLogChanged: (batch: FlushBatch, change: LogChange) => void;
  /** The database refuses these rows for good: of runs that were changed, and of new ones, whose entries are new again. */
  readonly onPoison: (refused: RefusedRows, error: unknown) => void;
  /** The store does not answer; it is asked again until it does. */
  readonly onStoreTrouble: (error: unknown) => void;
}

export interface RefusedRows {
  readonly entries: readonly RunEntry[];
  readonly batch: FlushBatch;
}

type Callback = () => void;

interface Flush {
  readonly batch: FlushBatch;
  readonly callbacks: readonly Callback[];
  readonly runs: readonly RunEntry[];
}

/** Thrown while parts of a flush are tried: this node's time is over. */
const fenced = Symbol("fenced");
const retryDelayMsMin = 50;
const retryDelayMsMax = 2_000;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #batch = emptyBatch();
  #callbacks: Callback[] = [];
  readonly #dirtyRuns = new Set<RunEntry>();
  readonly #dirtyTaskRuns = new Map<TaskRun, RunEntry>();
  /** Task runs that have a row, of runs that were made here. */
  readonly #stored = new WeakSet<TaskRun>();
  #number = 0;
  readonly #draining = new Set<(error: Error) => void>();
  #scheduled = false;
  #underWay = false;
  #stopped = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** What the next flush carries besides runs and task runs. */
  get batch(): FlushBatch {
    return this.#batch;
  }

  /** Decisions that wait for a flush: what back-pressure looks at. */
  get backlog(): number {
    return this.#dirtyRuns.size + this.#dirtyTaskRuns.size + this.#callbacks.length;
  }

  markRun(entry: RunEntry): void {
    this.#dirtyRuns.add(entry);
    this.request();
  }

  markTaskRun(entry: RunEntry, taskRun: TaskRun): void {
    this.#dirtyTaskRuns.set(taskRun, entry);
    this.request();
  }

  /** Runs `callback` once everything decided so far is committed. */
  afterCommit(callback: Callback): void {
    this.#callbacks.push(callback);
    this.request();
  }

  /** Takes back what a run decided since the last flush: its machine broke. */
  forget(entry: RunEntry): void {
    this.#dirtyRuns.delete(entry);
    for (const [taskRun, owner] of this.#dirtyTaskRuns)
      if (owner === entry) this.#dirtyTaskRuns.delete(taskRun);
  }

  /** Makes sure that a flush follows in this turn, or after the one under way. */
  request(): void {
    if (this.#scheduled || this.#underWay || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#underWay && !this.#stopped) this.#start();
    });
  }

  /** Resolves when everything decided so far is committed. Throws MILLRACE_LEASE_LOST when it will not be by this node. */
  async drained(): Promise<void> {
    if (this.#stopped) throw leaseLost();
    await new Promise<void>((resolve, reject) => {
      this.#draining.add(reject);
      this.afterCommit(() => {
        this.#draining.delete(reject);
        resolve();
      });
    });
  }

  /** Commits nothing more. Callbacks that wait never run (G4). */
  stop(): void {
    this.#stopped = true;
    this.#callbacks = [];
    for (const reject of this.#draining) reject(leaseLost());
    this.#draining.clear();
  }

  #start(): void {
    this.#underWay = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#options.beforeFlush();
      const flush = this.#take();
      if (!flush) {
        // In this very turn: a request of the next one must find that nothing is under way.
        this.#underWay = false;
        return;
      }
      const outcome = await this.#commitNext(flush);
      if (this.#stopped) return;
      if (outcome === "fenced") {
        this.stop();
        this.#options.onFenced();
        return;
      }
      for (const callback of flush.callbacks) callback();
    }
  }

  #take(): Flush | undefined {
    const empty =
      this.#dirtyRuns.size === 0 && this.#dirtyTaskRuns.size === 0 && this.#callbacks.length === 0;
    if (empty && isEmpty(this.#batch)) return undefined;
    const batch = this.#batch;
    const runs = new Set<RunEntry>();
    const known = new Map<RunEntry, number>();
    for (const [taskRun, entry] of this.#dirtyTaskRuns) {
      runs.add(entry);
      batch.taskRuns.push(taskRunRowOf(entry, taskRun));
      if (this.#stored.has(taskRun)) known.set(entry, (known.get(entry) ?? 0) + 1);
      else this.#noteStored(entry, taskRun);
    }
    for (const entry of this.#dirtyRuns) {
      runs.add(entry);
      addRun(batch, entry, known.get(entry) ?? 0);
    }
    const flush = { batch, callbacks: this.#callbacks, runs: [...runs] };
    this.#dirtyRuns.clear();
    this.#dirtyTaskRuns.clear();
    this.#batch = emptyBatch();
    this.#callbacks = [];
    return flush;
  }

  /** A row that ends with its run is never stored. */
  #noteStored(entry: RunEntry, taskRun: TaskRun): void {
    if (entry.storedRows === undefined || isRunEnded(entry.run.state)) return;
    this.#stored.add(taskRun);
    entry.storedRows += 1;
  }

  /** A flush without rows needs no number: its callbacks only wait for their turn. */
  async #commitNext(flush: Flush): Promise<"committed" | "fenced"> {
    if (isEmpty(flush.batch)) return "committed";
    this.#number += 1;
    const outcome = await this.#commit(flush, this.#number);
    if (typeof outcome === "string") return outcome;
    if (!this.#stopped) this.#options.onLogChanged(flush.batch, outcome);
    return "committed";
  }

  /** Commits `flush` under `number`, however long it takes. */
  async #commit(flush: Flush, number: number): Promise<FlushOutcome> {
    const { store, nodeId } = this.#options;
    let delayMs = retryDelayMsMin;
    for (let attempt = 0; ; attempt += 1, delayMs = nextDelayMs(delayMs)) {
      try {
        const outcome = await store.flush(nodeId, number, flush.batch);
        if (attempt === 0) return outcome;
        this.#options.onStoreTrouble(undefined);
        if (outcome !== "fenced") return outcome;
        // The earlier try may have landed after the store was asked: then its number is why this one was refused.
        const landed = await this.#learnOutcome(number, 0);
        return landed === "not_landed" ? "fenced" : landed;
      } catch (error) {
        if (this.#stopped) return "fenced";
        if (store.isPoison(error)) {
          if (attempt > 0) this.#options.onStoreTrouble(undefined);
          return this.#commitWithoutPoison(flush, error);
        }
        this.#options.onStoreTrouble(error);
        const landed = await this.#learnOutcome(number, delayMs);
        if (landed !== "not_landed") return landed;
      }
    }
  }

  /**
   * Asks until the store answers whether flush `number` landed (G3). That it answers is no end of its trouble: a full
   * disk can be read.
   */
  async #learnOutcome(number: number, firstDelayMs: number): Promise<FlushOutcome | "not_landed"> {
    const { store, nodeId, clock } = this.#options;
    for (let delayMs = firstDelayMs; ; delayMs = nextDelayMs(delayMs)) {
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      if (this.#stopped) return "fenced";
      try {
        const last = await store.lastFlush(nodeId);
        if (last.number >= number) {
          this.#options.onStoreTrouble(undefined);
          return last.log ?? "committed";
        }
        return last.fenced ? "fenced" : "not_landed";
      } catch (error) {
        this.#options.onStoreTrouble(error);
      }
    }
  }

  /** Commits what the database takes of a flush that it refused, as one flush. */
  async #commitWithoutPoison(flush: Flush, error: unknown): Promise<"committed" | "fenced"> {
    // The number was not used.
    this.#number -= 1;
    let sifted: Sifted;
    try {
      sifted = await siftBatch(flush.batch, (batch) => this.#isTaken(batch));
    } catch (thrown) {
      if (thrown === fenced) return "fenced";
      throw thrown;
    }
    const { good, refused, refusedRuns } = sifted;
    const isRefused = ({ identity }: RunEntry): boolean => refusedRuns.has(identity.id);
    const runs = flush.runs.filter((entry) => !isRefused(entry));
    const outcome = await this.#commitNext({ batch: good, callbacks: [], runs });
    if (outcome === "fenced") return outcome;
    const entries = flush.runs.filter(isRefused);
    for (const entry of entries)
      if (refused.runsCreated.some(({ id }) => id === entry.identity.id)) entry.row = "none";
    this.#options.onPoison({ entries, batch: refused }, error);
    return outcome;
  }

  /** Asks until the store answers whether it would take these rows. Throws `fenced`. */
  async #isTaken(batch: FlushBatch): Promise<boolean> {
    if (isEmpty(batch)) return true;
    const { store, nodeId, clock } = this.#options;
    for (let delayMs = retryDelayMsMin; ; delayMs = nextDelayMs(delayMs)) {
      try {
        if ((await store.tryFlush(nodeId, this.#number + 1, batch)) === "fenced") throw fenced;
        this.#options.onStoreTrouble(undefined);
        return true;
      } catch (error) {
        if (error === fenced || this.#stopped) throw fenced;
        if (store.isPoison(error)) {
          // Where nothing of the flush is taken, nothing more is sent that could end the trouble of an earlier try.
          this.#options.onStoreTrouble(undefined);
          return false;
        }
        this.#options.onStoreTrouble(error);
      }
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    }
  }
}

function leaseLost(): MillraceError {
  return new MillraceError("MILLRACE_LEASE_LOST", {
    message: "The server stopped before this was known to be committed.",
  });
}

function nextDelayMs(delayMs: number): number {
  return Math.min(Math.max(delayMs * 2, retryDelayMsMin), retryDelayMsMax);
}

/** `known`: how many of the run's stored task runs are part of this batch. */
function addRun(batch: FlushBatch, entry: RunEntry, known: number): void {
  const hasMoreRows = entry.storedRows === undefined || entry.storedRows > known;
  const had = entry.row;
  entry.row = entry.run.startedAt === undefined ? "queued" : "started";
  if (had === "none") {
    // Rows are made queued or running; what else a new run has become is a change of that row in the same flush.
    const row = liveRowOf(entry);
    const ended = isRunEnded(row.state);
    const plain = row.state === "queued" || row.state === "running";
    batch.runsCreated.push(
      plain ? row : { ...row, state: row.startedAt === undefined ? "queued" : "running" },
    );
    if (!ended && (!plain || row.cancel)) batch.runsChanged.push(row);
    if (ended) batch.runsEnded.push(endRowOf(entry, hasMoreRows));
    return;
  }
  if (isRunEnded(entry.run.state)) {
    if (had === "queued" && entry.row === "started")
      batch.runsChanged.push({ ...liveRowOf(entry), state: "running", reason: undefined });
    batch.runsEnded.push(endRowOf(entry, hasMoreRows));
  } else batch.runsChanged.push(liveRowOf(entry));
}

function isEmpty(batch: FlushBatch): boolean {
  for (const rows of Object.values(batch) as unknown[][]) if (rows.length > 0) return false;
  return true;
}
