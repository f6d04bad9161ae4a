/**
 * Takes log lines from workers, tells those who watch, and stores them in batches beside the engine's flushes.
 *
 * O1: lines of one attempt are stored once and in their order; what a worker repeats is left out by its position.
 * O2: at most `logBufferBytesMax` wait; while the database does not take them, further lines are dropped with a mark.
 */
import type { Json } from "@millrace/core";
import type { DispatchToken, LogEntry, LogLine, Logs } from "@millrace/protocol";
import { appendLogs, type Database, type LogChunk, type StoredChunk } from "@millrace/store";
import type { Alarm, Clock } from "../engine/clock.ts";
import type { EngineLog } from "../engine/engine-options.ts";
import { workspaceId } from "../engine/workspace.ts";
import { logBatchMax, logBufferBytesMax, logPositionsMax } from "./limits.ts";

export interface LogSinkOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: EngineLog;
  /** Database time, in ms. */
  readonly now: () => number;
  /** Called with what was committed. */
  readonly onStored?: (chunks: readonly LogChunk[]) => void;
}

type Watcher = (entries: readonly LogEntry[]) => void;

/** A run that somebody watches. */
interface Watched {
  readonly watchers: Set<Watcher>;
  /** The position after the last line that was told, by attempt: lines come by two ways, and twice after a reconnect. */
  readonly told: Map<string, number>;
}

interface Waiting {
  readonly chunk: LogChunk;
  readonly bytes: number;
}

/** A statement carries at most this much. */
const batchBytesMax = 4 * 1024 * 1024;
const retryMs = 500;

export class LogSink {
  readonly #options: LogSinkOptions;
  readonly #watched = new Map<string, Watched>();
  /** The position after the last line that was taken, by attempt. */
  readonly #next = new Map<string, number>();
  readonly #dropped = new Set<string>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #storing: Promise<void> | undefined;
  #pause: { readonly alarm: Alarm; readonly wake: () => void } | undefined;
  #stopping = false;
  /** The last try to store failed. */
  #troubled = false;
  /** Called after each try to store. */
  #readers: (() => void)[] = [];

  constructor(options: LogSinkOptions) {
    this.#options = options;
  }

  take(message: Logs): void {
    const { token, attempt } = message;
    const name = attemptName(token);
    const next = this.#next.get(name) ?? 0;
    const known = this.#next.has(name) ? Math.max(0, next - message.from) : 0;
    const lines = known === 0 ? message.lines : message.lines.slice(known);
    if (lines.length === 0) return;
    const from = message.from + known;
    this.#remember(name, from + lines.length);
    this.#tell(token, attempt, from, lines);
    this.#keep(name, { token, attempt, from, lines });
  }

  #remember(name: string, next: number): void {
    this.#next.delete(name);
    this.#next.set(name, next);
    if (this.#next.size <= logPositionsMax) return;
    const [oldest] = this.#next.keys();
    if (oldest !== undefined) this.#next.delete(oldest);
  }

  #tell(token: DispatchToken, attempt: number, from: number, lines: readonly LogLine[]): void {
    const watched = this.#watched.get(token.runId);
    if (!watched) return;
    const { node, item, generation } = token;
    const name = attemptName(token);
    const known = Math.max(0, (watched.told.get(name) ?? 0) - from);
    if (known >= lines.length) return;
    watched.told.set(name, from + lines.length);
    const entries = lines.slice(known).map((line, index) => ({
      ...line,
      node,
      item,
      generation,
      attempt,
      position: from + known + index,
    }));
    for (const watcher of watched.watchers) watcher(entries);
  }

  /** Tells those who watch what another server stored; what was told before is left out. */
  tellStored(runId: string, { lines, attempt, position, ...name }: StoredChunk): void {
    this.#tell({ ...name, runId }, attempt, position, lines as unknown as readonly LogLine[]);
  }

  #keep(
    name: string,
    part: { token: DispatchToken; attempt: number; from: number; lines: readonly LogLine[] },
  ): void {
    let { lines } = part;
    let bytes = bytesOf(lines);
    if (this.#waitingBytes + bytes > logBufferBytesMax) {
      if (this.#dropped.has(name)) return;
      this.#dropped.add(name);
      lines = [droppedMark(lines[0]!)];
      bytes = bytesOf(lines);
    } else this.#dropped.delete(name);
    const { runId, node, item, generation, dispatch } = part.token;
    this.#waiting.push({
      chunk: {
        workspace: workspaceId,
        runId,
        node,
        item,
        generation,
        attempt: part.attempt,
        dispatch,
        position: part.from,
        lines: lines as unknown as readonly Json[],
      },
      bytes,
    });
    this.#waitingBytes += bytes;
    this.#store();
  }

  /** Calls `watcher` with each piece of the run's log as it comes in here, or is found stored by others. */
  watch(runId: string, watcher: Watcher): () => void {
    const watched = this.#watched.get(runId) ?? { watchers: new Set(), told: new Map() };
    this.#watched.set(runId, watched);
    watched.watchers.add(watcher);
    return () => {
      watched.watchers.delete(watcher);
      if (watched.watchers.size === 0) this.#watched.delete(runId);
    };
  }

  /**
   * Resolves when what was taken of a run so far is stored: whoever reads the log of an attempt that has ended sees all
   * of it. Does not wait for a database that refuses lines.
   */
  async stored(runId: string): Promise<void> {
    const last = this.#waiting.findLast((waiting) => waiting.chunk.runId === runId);
    if (!last) return;
    while (!this.#troubled && this.#waiting.includes(last)) {
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
  }

  /** Resolves when all that was taken so far is stored, or could not be. */
  async drained(): Promise<void> {
    await this.#storing;
  }

  /** Stores what waits, once; what the database does not take then is lost. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#pause?.alarm.cancel();
    this.#pause?.wake();
    await this.#storing;
  }

  #store(): void {
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = undefined;
      if (this.#waiting.length > 0 && !this.#stopping) this.#store();
    });
  }

  async #storeAll(): Promise<void> {
    // Lines that come in this turn go with the first ones.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const chunks = batch.map((waiting) => waiting.chunk);
      try {
        await appendLogs(this.#options.database, chunks, this.#options.now());
      } catch (error) {
        this.#options.log.warn({ err: error }, "log lines could not be stored; trying again");
        this.#tried(true);
        if (this.#stopping) return;
        await this.#wait(retryMs);
        continue;
      }
      this.#waiting.splice(0, batch.length);
      for (const waiting of batch) this.#waitingBytes -= waiting.bytes;
      this.#options.onStored?.(chunks);
      this.#tried(false);
    }
  }

  #tried(troubled: boolean): void {
    this.#troubled = troubled;
    for (const reader of this.#readers.splice(0)) reader();
  }

  #nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if (batch.length === logBatchMax || (batch.length > 0 && bytes + waiting.bytes > batchBytesMax)) break;
      batch.push(waiting);
      bytes += waiting.bytes;
    }
    return batch;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = { alarm: this.#options.clock.after(delayMs, resolve), wake: resolve };
    });
  }
}

function attemptName(token: DispatchToken): string {
  return `${token.runId}/${token.node}/${token.item}/${token.generation}/${token.dispatch}`;
}

function bytesOf(lines: readonly LogLine[]): number {
  let bytes = 0;
  for (const line of lines) bytes += line.text.length + 100;
  return bytes;
}

function droppedMark(first: LogLine): LogLine {
  return {
    at: first.at,
    stream: "system",
    level: "warn",
    text: "Lines are missing here: the database did not take the log fast enough.",
  };
}
