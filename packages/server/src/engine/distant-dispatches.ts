/**
 * Dispatches of this node's runs whose worker is connected to another node, or to none for the moment: taken over with
 * a shard, or given away as offers.
 *
 * K2: such a dispatch is lost when its worker has been connected to no living node for a whole worker lease, or when the
 *     node that its worker is connected to does not know of it.
 */
import type { AttemptError, Json, TaskRun } from "@millrace/core";
import { tokenKey, type DispatchToken } from "@millrace/protocol";
import type { Alarm, Clock } from "./clock.ts";
import type { EngineParts } from "./engine-parts.ts";
import { workerLeaseMs } from "./limits.ts";
import { isKnown } from "./offers.ts";
import type { RunEntry } from "./run-entry.ts";
import { revokedText } from "./task-input.ts";

export interface DistantDispatch {
  readonly entry: RunEntry;
  readonly taskRun: TaskRun;
  readonly token: DispatchToken;
}

interface Watched extends DistantDispatch {
  readonly worker: string;
  /** By the local clock. */
  checkAt: number;
}

const lostError: AttemptError = {
  name: "MILLRACE_WORKER_LOST",
  code: "MILLRACE_WORKER_LOST",
  message: "Its worker is connected to no server any more.",
};

export class DistantDispatches {
  readonly #parts: EngineParts;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();
  #alarm: Alarm | undefined;

  constructor(parts: EngineParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  watch(dispatch: DistantDispatch): void {
    const worker = dispatch.taskRun.worker ?? "";
    this.#watched.set(tokenKey(dispatch.token), {
      ...dispatch,
      worker,
      checkAt: this.#clock.monotonic() + workerLeaseMs,
    });
    this.#arm();
  }

  /** Its worker came here, or its result did. */
  take(token: DispatchToken): DistantDispatch | undefined {
    const key = tokenKey(token);
    const known = this.#watched.get(key);
    this.#watched.delete(key);
    return known;
  }

  has(token: DispatchToken): boolean {
    return this.#watched.has(tokenKey(token));
  }

  forget(entries: ReadonlySet<RunEntry>): void {
    for (const [key, watched] of this.#watched) if (entries.has(watched.entry)) this.#watched.delete(key);
  }

  stop(): void {
    this.#alarm?.cancel();
    this.#watched.clear();
  }

  #arm(): void {
    if (this.#watched.size === 0) return;
    this.#alarm ??= this.#clock.after(workerLeaseMs, () => {
      this.#alarm = undefined;
      void this.#check()
        .catch((error: unknown) =>
          this.#parts.log.warn({ err: error }, "distant workers could not be checked"),
        )
        .finally(() => this.#arm());
    });
  }

  /** Asks where the worker is connected whether it runs this; false when that is here, and it does not. */
  async #ask({ token, worker, entry }: Watched): Promise<boolean> {
    const connected = this.#parts.dispatcher.workers.get(worker);
    if (connected) return isKnown(connected, token);
    const { shard } = entry.identity;
    const message = { kind: "asked", workerId: worker, token, shard } as unknown as Json;
    return this.#parts.store.sendToWorker(worker, message);
  }

  async #check(): Promise<void> {
    const now = this.#clock.monotonic();
    const due = [...this.#watched].filter(([, watched]) => watched.checkAt <= now + 1);
    if (due.length === 0) return;
    const workers = [...new Set(due.map(([, watched]) => watched.worker))];
    const alive = new Set(await this.#parts.store.liveWorkers(workers));
    for (const [key, watched] of due) {
      if (this.#watched.get(key) !== watched) continue;
      if (alive.has(watched.worker) && (await this.#ask(watched))) {
        watched.checkAt = this.#clock.monotonic() + workerLeaseMs;
        // Its cancel may not have arrived.
        if (watched.taskRun.revoked)
          this.#parts.revokeDistant(watched.worker, watched.token, revokedText(watched.taskRun));
        continue;
      }
      if (this.#watched.get(key) !== watched) continue;
      this.#watched.delete(key);
      if (this.#parts.runs.get(watched.entry.identity.id) !== watched.entry) continue;
      this.#parts.runs.step(watched.entry, {
        kind: "lost",
        token: watched.token,
        blame: false,
        error: lostError,
      });
    }
    this.#parts.commit.request();
  }
}
