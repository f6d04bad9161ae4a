/**
 * The part of a run's log that is in hand: pages of lines that follow each other, read on at either end, however long the log is.
 *
 * P1: lines stand in the order in which they were stored; at the log's end what comes live follows them.
 * P2: what is in hand is bounded: pages at the far end are let go, and read again when one comes back.
 * P3: live lines since the last look at the end are kept, some thousand of them: if there are more, the end is looked at anew,
 *     or, if the reader is elsewhere, the end is not in hand any more.
 */
import type { LogEntry, LogLinesView } from "@millrace/protocol";
import { logKey } from "./use-run.ts";

export interface LinesQuery {
  readonly order: "forward" | "backward";
  readonly cursor?: string;
  readonly limit: number;
}

export interface LogState {
  readonly lines: readonly LogEntry[];
  /** Number of the first line in hand: it falls as earlier ones are read, and rises as some are let go. */
  readonly first: number;
  /** Rises when other lines are in hand, none of which need be one of those before. */
  readonly epoch: number;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  readonly isReading: boolean;
  /** Until when it looked, while it has not found enough. */
  readonly lookedAt: string | undefined;
  readonly error: Error | undefined;
  /** Lines that came since the end was left. */
  readonly fresh: number;
}

export interface LogWindowOptions {
  readonly read: (query: LinesQuery, signal: AbortSignal) => Promise<LogLinesView>;
  /** Of lines that come live. */
  readonly isWanted: (entry: LogEntry) => boolean;
  readonly onChange: () => void;
}

interface Stretch {
  readonly items: readonly LogEntry[];
  readonly before: string;
  readonly after: string;
}

const pageLines = 1_000;
/** With a filter, one reads on until there is this much to see. */
const enough = 200;
const pagesMax = 20;
const liveMax = 4_000;

export class LogWindow {
  readonly #options: LogWindowOptions;
  #pages: Stretch[] = [];
  /** Since the end was looked at last. */
  #live: LogEntry[] = [];
  #known = new Set<string>();
  #isFollowed = true;
  #reading: AbortController | undefined;
  state: LogState = {
    lines: [],
    first: 0,
    epoch: 0,
    hasBefore: false,
    hasAfter: false,
    isReading: true,
    lookedAt: undefined,
    error: undefined,
    fresh: 0,
  };

  constructor(options: LogWindowOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#reading?.abort();
  }

  openEnd(): Promise<void> {
    return this.#begin(async (signal) => {
      this.#live = [];
      const { stretch, hasMore } = await this.#gather({ order: "backward" }, signal);
      this.#show([stretch], { hasBefore: hasMore, hasAfter: false });
    });
  }

  openBeginning(): Promise<void> {
    return this.#begin(async (signal) => {
      this.#live = [];
      const { stretch, hasMore } = await this.#gather({ order: "forward" }, signal);
      this.#show([stretch], { hasBefore: false, hasAfter: hasMore });
    });
  }

  /** Around a place: `before` or `after` of an answer. */
  openAt(cursor: string): Promise<void> {
    return this.#begin(async (signal) => {
      this.#live = [];
      const [back, on] = await Promise.all([
        this.#gather({ order: "backward", cursor }, signal),
        this.#gather({ order: "forward", cursor }, signal),
      ]);
      this.#show([back.stretch, on.stretch], {
        hasBefore: back.hasMore,
        hasAfter: on.hasMore,
        first: -back.stretch.items.length,
      });
    });
  }

  readBefore(): void {
    const [page] = this.#pages;
    if (!page || !this.state.hasBefore || this.state.isReading) return;
    void this.#begin(async (signal) => {
      const { stretch, hasMore } = await this.#gather({ order: "backward", cursor: page.before }, signal);
      this.#pages.unshift(stretch);
      let { hasAfter } = this.state;
      while (this.#pages.length > pagesMax) {
        this.#pages.pop();
        hasAfter = true;
        this.#live = [];
      }
      this.#put({ hasBefore: hasMore, hasAfter, first: this.state.first - stretch.items.length });
    });
  }

  readAfter(): void {
    const page = this.#pages.at(-1);
    if (!page || !this.state.hasAfter || this.state.isReading) return;
    void this.#begin(async (signal) => {
      this.#live = [];
      const { stretch, hasMore } = await this.#gather({ order: "forward", cursor: page.after }, signal);
      if (stretch.items.length > 0 || hasMore) this.#pages.push(stretch);
      let { first, hasBefore } = this.state;
      while (this.#pages.length > pagesMax) {
        first += this.#pages.shift()!.items.length;
        hasBefore = true;
      }
      this.#put({ hasBefore, hasAfter: hasMore, first, fresh: hasMore ? this.state.fresh : 0 });
    });
  }

  /** Whether the reader is at the end of what is in hand. */
  follow(isFollowed: boolean): void {
    this.#isFollowed = isFollowed;
    if (isFollowed && !this.state.hasAfter && this.state.fresh > 0) this.#put({ fresh: 0 });
  }

  take(entries: readonly LogEntry[]): void {
    const wanted = entries.filter((entry) => this.#options.isWanted(entry));
    if (wanted.length === 0) return;
    const fresh = this.#isFollowed && !this.state.hasAfter ? 0 : this.state.fresh + wanted.length;
    if (this.state.hasAfter) return this.#put({ fresh });
    this.#live.push(...wanted.filter((entry) => !this.#known.has(logKey(entry))));
    if (this.#live.length <= liveMax || this.#reading) return this.#put({ fresh });
    if (this.#isFollowed) return void this.openEnd();
    this.#live = [];
    this.#put({ hasAfter: true, fresh });
  }

  async #begin(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#tell({ isReading: true, error: undefined, lookedAt: undefined });
    try {
      await read(reading.signal);
      if (this.#reading !== reading) return;
      this.#reading = undefined;
      this.#tell({ isReading: false, lookedAt: undefined });
    } catch (error) {
      if (this.#reading !== reading || reading.signal.aborted) return;
      this.#reading = undefined;
      this.#tell({ isReading: false, error: error as Error, lookedAt: undefined });
    }
  }

  /** Reads on until there is something to see, or nothing more. */
  async #gather(
    { order, cursor }: Omit<LinesQuery, "limit">,
    signal: AbortSignal,
  ): Promise<{ readonly stretch: Stretch; readonly hasMore: boolean }> {
    let items: LogEntry[] = [];
    let place = cursor;
    let first: LogLinesView | undefined;
    for (;;) {
      const limit = pageLines - items.length;
      const view = await this.#options.read(
        { order, limit, ...(place === undefined ? {} : { cursor: place }) },
        signal,
      );
      signal.throwIfAborted();
      first ??= view;
      items = order === "forward" ? [...items, ...view.items] : [...view.items, ...items];
      place = order === "forward" ? view.after : view.before;
      if (!view.hasMore || items.length >= enough) {
        const [before, after] = order === "forward" ? [first.before, view.after] : [view.before, first.after];
        return { stretch: { items, before, after }, hasMore: view.hasMore };
      }
      this.#tell({ lookedAt: view.lookedAt });
    }
  }

  #show(
    pages: Stretch[],
    { first = 0, ...rest }: { hasBefore: boolean; hasAfter: boolean; first?: number },
  ): void {
    this.#pages = pages;
    this.#put({ ...rest, first, fresh: 0, epoch: this.state.epoch + 1 });
  }

  /** After pages or live lines changed. */
  #put(change: Partial<LogState>): void {
    const stored = this.#pages.flatMap(({ items }) => items);
    this.#known = new Set(this.#pages.slice(-4).flatMap(({ items }) => items.map(logKey)));
    const hasAfter = change.hasAfter ?? this.state.hasAfter;
    const live = hasAfter ? [] : this.#live.filter((entry) => !this.#known.has(logKey(entry)));
    this.#tell({ ...change, lines: live.length === 0 ? stored : [...stored, ...live] });
  }

  #tell(change: Partial<LogState>): void {
    this.state = { ...this.state, ...change };
    this.#options.onChange();
  }
}
