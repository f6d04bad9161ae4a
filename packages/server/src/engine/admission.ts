/**
 * Which queued runs begin: as many as this node may have under way, fairly between pipelines, each with the grant of
 * its pipeline's `maxActiveRuns` if it has one.
 *
 * A1: a queued run is a row; here stands only its name.
 * A2: a run begins once: it leaves this queue in the turn in which it begins.
 */
import { MillraceError } from "@millrace/core";
import type { LimitKey, QueuedRun } from "@millrace/store";
import { FairQueue } from "./fair-queue.ts";
import { queuedRunsMax } from "./limits.ts";

export interface Waiting extends QueuedRun {
  readonly priority: number;
}

export class Admission {
  readonly #queue = new FairQueue<Waiting>();
  readonly #byId = new Map<string, Waiting>();
  /** Runs that wait for their pipeline's limit. */
  readonly #limited = new Map<string, Waiting>();

  get size(): number {
    return this.#byId.size;
  }

  get(runId: string): QueuedRun | undefined {
    return this.#byId.get(runId);
  }

  has(runId: string): boolean {
    return this.#byId.has(runId);
  }

  get hasRoom(): boolean {
    return this.#byId.size < queuedRunsMax;
  }

  requireRoom(): void {
    if (this.hasRoom) return;
    throw new MillraceError("MILLRACE_OVERLOADED", {
      message: `${this.#byId.size} runs are queued on this server; it takes no more.`,
    });
  }

  /** A run that needs no grant, or has it. */
  add(run: QueuedRun): void {
    const waiting = this.#note(run);
    this.#limited.delete(run.id);
    this.#queue.push(waiting);
  }

  /** A run that waits for its grant. */
  addLimited(run: QueuedRun): void {
    this.#limited.set(run.id, this.#note(run));
  }

  #note(run: QueuedRun): Waiting {
    const known = this.#byId.get(run.id);
    if (known) return known;
    const waiting = { ...run, priority: 0 };
    this.#byId.set(run.id, waiting);
    return waiting;
  }

  /** Its limit was granted. What does not wait for it stays as it is. */
  granted(runId: string): void {
    const waiting = this.#limited.get(runId);
    if (!waiting) return;
    this.#limited.delete(runId);
    this.#queue.push(waiting);
  }

  next(): QueuedRun | undefined {
    const waiting = this.#queue.pop();
    if (waiting) this.#byId.delete(waiting.id);
    return waiting;
  }

  remove(runId: string): boolean {
    const waiting = this.#byId.get(runId);
    if (!waiting) return false;
    this.#byId.delete(runId);
    this.#limited.delete(runId);
    this.#queue.remove(waiting);
    return true;
  }

  drop(shards: ReadonlySet<number>): void {
    for (const waiting of this.#byId.values()) if (shards.has(waiting.shard)) this.remove(waiting.id);
  }
}

/** In whose name a run holds that limit: a late release of an earlier generation must not mean the next one's grant. */
export function activeRunHolder({ id, generation }: Pick<QueuedRun, "id" | "generation">): string {
  return `${id}/${generation}`;
}

/** The limit of a pipeline's active runs. */
export function activeRunsKey(workspace: number, pipeline: string): LimitKey {
  return { workspace, kind: "pipeline", name: pipeline };
}
