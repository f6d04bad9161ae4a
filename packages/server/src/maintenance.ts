/**
 * Hourly upkeep of the database and the blobs: partitions ahead of time, retention. Each part is bounded and may fail
 * alone; the next hour tries again.
 *
 * M1: a blob goes only when no row refers to it and it was last put longer ago than the retention.
 */
import {
  blobsInUse,
  type BlobStore,
  type Database,
  keepPartitions,
  sweepNodes,
  sweepRecords,
} from "@millrace/store";
import type { Alarm, Clock } from "./engine/clock.ts";
import type { EngineLog } from "./engine/engine-options.ts";

export interface MaintenanceOptions {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: EngineLog;
  /** Database time, in ms. */
  readonly now: () => number;
  readonly retentionDays: number;
}

const everyMs = 3_600_000;
const dayMs = 86_400_000;
/** Blobs that are looked at together. */
const blobBatch = 500;
/** Blobs removed in one hour at most. */
const blobsPerPassMax = 100_000;

export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #stopping = new AbortController();
  #alarm: Alarm | undefined;
  #pass: Promise<void> | undefined;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** The first pass begins at once, the others follow each hour. */
  start(): void {
    this.#pass = this.run().finally(() => {
      if (!this.#stopping.signal.aborted)
        this.#alarm = this.#options.clock.after(everyMs, () => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#alarm?.cancel();
    await this.#pass;
  }

  /** One pass. What fails is logged. */
  async run(): Promise<void> {
    const { database, now, retentionDays } = this.#options;
    const { signal } = this.#stopping;
    await this.#keepPartitions(undefined);
    await this.#try("old records could not be swept", () =>
      sweepRecords(database, { now: now(), retentionDays }, signal),
    );
    await this.#try("old servers could not be forgotten", () => sweepNodes(database, now()));
    await this.#try("old blobs could not be swept", () => this.#sweepBlobs());
  }

  /**
   * Makes the partitions that the first flushes need, in a moment when nothing writes. Those of the next days, which nobody
   * writes to yet, are made by the first pass: all together they are a good part of a first start.
   */
  async prepare(): Promise<void> {
    await this.#keepPartitions(1);
  }

  async #keepPartitions(daysAhead: number | undefined): Promise<void> {
    const { database, now, retentionDays, log } = this.#options;
    await this.#try("partitions could not be kept", async () => {
      const ahead = daysAhead === undefined ? {} : { daysAhead };
      const { made, dropped } = await keepPartitions(database, { now: now(), retentionDays, ...ahead });
      if (made.length + dropped.length > 0) log.info({ made, dropped }, "partitions were made and dropped");
    });
  }

  async #try(what: string, work: () => Promise<unknown>): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      await work();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.log.warn({ err: error }, what);
    }
  }

  async #sweepBlobs(): Promise<void> {
    const { blobs, now, retentionDays } = this.#options;
    // A day more than the rows: a partition goes with its whole day.
    const before = now() - (retentionDays + 1) * dayMs;
    let batch: string[] = [];
    let removed = 0;
    for await (const blob of blobs.list()) {
      if (this.#stopping.signal.aborted || removed >= blobsPerPassMax) return;
      if (blob.putAt >= before) continue;
      batch.push(blob.hash);
      if (batch.length < blobBatch) continue;
      removed += await this.#removeUnused(batch, before);
      batch = [];
    }
    await this.#removeUnused(batch, before);
  }

  async #removeUnused(hashes: readonly string[], putBefore: number): Promise<number> {
    if (hashes.length === 0) return 0;
    const { blobs, database } = this.#options;
    const used = await blobsInUse(database, hashes);
    let removed = 0;
    for (const hash of hashes) if (!used.has(hash) && (await blobs.delete(hash, putBefore))) removed += 1;
    return removed;
  }
}
