/**
 * Tells the waits of some of this node's shards the log in its order, and commits how they end.
 *
 * J4: a wait is told everything from where it looks back to, once: what came before it when it is registered, what comes later
 *     page by page. No page is told while a wait looks back. None begins before the reader of a shard that has just come has read
 *     what was in the log by then: it begins behind the shard's position, after which the next owner reads on.
 * J5: the rows of waits and the shards' position change in one flush. Entries behind the position are told again after a crash:
 *     they find those waits alone which they did not change.
 * J6: a wait that ends is taken by its run in the flush that says so; where its run can't come into memory for that, the end
 *     stays in its row until it has, and takes it.
 * J7: time is told only as far as no earlier entry can come (as X3 of the triggers).
 */
import { isTellable, never, type ConditionEvent, type LogEvent, type LookBack } from "@millrace/core";
import type { LoadedWaits, LogHead, LogPage, WaitEnd, WaitRow, WaitShape } from "@millrace/store";
import type { Alarm } from "../clock.ts";
import type { EngineParts } from "../engine-parts.ts";
import {
  cursorEntriesMax,
  cursorMs,
  lookBackPageMax,
  readAnewMs,
  recallMax,
  waitDueMs,
  waitPageMax,
} from "../limits.ts";
import { asConditionEvent } from "../trigger/telling.ts";
import { workspaceId } from "../workspace.ts";
import { RecentEntries } from "./recent-entries.ts";
import { ShapeSweep } from "./shape-sweep.ts";
import { ToldWait } from "./told-wait.ts";
import { WaitShapes } from "./wait-shapes.ts";

/** A wait that begins. */
export interface BeginningWait {
  readonly told: ToldWait;
  readonly shapes: readonly WaitShape[];
  readonly lookBack: LookBack;
  /** Not before everything up to here was told: what looks back by time alone would hear what was recorded before. */
  readonly notBefore: number;
  /** Whether its run still waits for it. */
  readonly isWanted: () => boolean;
  /** Its row is part of the next flush. */
  readonly onPlaced: () => void;
  /** Once: it is over. Its row is committed, or there will be none. */
  readonly onSettled: () => void;
}

/**
 * Gives a wait's end to its run, in this very turn, where the run is in memory; else the end stays in the row. `position`: up to
 * where the wait has heard the log.
 */
export type DeliverEnd = (wait: ToldWait, position: number) => boolean;

export interface WaitEvaluatorOptions {
  readonly parts: EngineParts;
  readonly shards: readonly number[];
  readonly loaded: LoadedWaits;
  /** The log's, read after `loaded`. */
  readonly head: LogHead;
  /** What the value of a wait's end is made of is read before it is given. */
  readonly prepare: (waits: readonly ToldWait[], recent: RecentEntries) => Promise<void>;
  /** Brings the runs of waits that ended into memory, as far as there is room for them. */
  readonly bringIn: (rows: readonly WaitRow[]) => Promise<void>;
  readonly deliver: DeliverEnd;
  readonly endOf: (wait: ToldWait, position: number) => WaitEnd;
  /** The end of a wait of this run is in its row. */
  readonly onLeft: (row: WaitRow) => void;
  /** In which time all shapes are looked at. */
  readonly shapeSweepMs?: number | undefined;
}

const instantMs = 0.01;

export class WaitEvaluator {
  readonly #options: WaitEvaluatorOptions;
  readonly #shards: Set<number>;
  readonly #shapes = new WaitShapes();
  readonly #sweep: ShapeSweep;
  readonly #recent: RecentEntries;
  /** Waits whose rows are not committed yet: no reading finds them. */
  readonly #fresh = new Map<number, ToldWait>();
  #beginning: BeginningWait[] = [];
  #position: number;
  #written: { position: number; at: number };
  #nextDue = Number.NEGATIVE_INFINITY;
  #dueToldAt = Number.NEGATIVE_INFINITY;
  #alarm: Alarm | undefined;
  #stopFollowing: (() => void) | undefined;
  /** One thing at a time: a page, or waits that begin (J4). */
  #turn: Promise<void> = Promise.resolve();
  #isBusy = false;

  constructor(options: WaitEvaluatorOptions) {
    const { parts, shards, loaded, head } = options;
    this.#options = options;
    this.#shards = new Set(shards);
    for (const shape of loaded.shapes) this.#shapes.load(shape);
    this.#sweep = new ShapeSweep({
      parts,
      shapes: this.#shapes,
      isOurs: (shard) => this.#shards.has(shard),
      everyMs: options.shapeSweepMs,
    });
    this.#position = Math.min(...loaded.cursors.map(({ position }) => position));
    // What is between the cursor and the log's head is told as a page.
    this.#recent = new RecentEntries(this.#position, head.clock);
    this.#written = { position: this.#position, at: parts.clock.now() };
  }

  /** The position up to which its waits were told the log. */
  get toldTo(): number {
    return this.#position;
  }

  get shards(): ReadonlySet<number> {
    return this.#shards;
  }

  start(): void {
    this.#stopFollowing = this.#options.parts.events.onAppended(this.#position, (page) =>
      this.#serially(async () => {
        await this.#hear(page);
        await this.#beginAll();
      }),
    );
    void this.#serially(() => this.#findNextDue());
    this.#sweep.start();
  }

  drop(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#shards.delete(shard);
    for (const [id, { row }] of this.#fresh) if (shards.has(row.shard)) this.#fresh.delete(id);
    if (this.#shards.size === 0) this.stop();
  }

  stop(): void {
    this.#stopFollowing?.();
    this.#sweep.stop();
    this.#alarm?.cancel();
    this.#shards.clear();
    for (const { onSettled } of this.#beginning.splice(0)) onSettled();
  }

  #serially(work: () => Promise<void>): Promise<void> {
    const { log } = this.#options.parts;
    const done = this.#turn.then(async () => {
      if (this.#shards.size === 0) return;
      this.#isBusy = true;
      try {
        await work();
      } catch (error) {
        if (this.#shards.size > 0) log.warn({ err: error }, "waits could not be told; trying again");
        throw error;
      } finally {
        this.#isBusy = false;
      }
    });
    this.#turn = done.catch(() => undefined);
    return this.#turn;
  }

  // --- waits that begin ---------------------------------------------------------------------------------------------

  /** At once, where nothing has to be read for it; else after what is being told. */
  begin(asked: BeginningWait): void {
    const wait = settledOnce(asked);
    const isFirst = this.#beginning.length === 0;
    if (!this.#isBusy && isFirst && this.#mayBegin(wait) && this.#beginNow(wait)) return;
    this.#beginning.push(wait);
    if (isFirst) void this.#serially(() => this.#beginAll());
  }

  /** Pages up to there are on their way. */
  #mayBegin({ lookBack, notBefore }: BeginningWait): boolean {
    return this.#position >= Math.max(this.#options.head.position, lookBack.after, notBefore);
  }

  /** False when entries of the past must be read first. */
  #beginNow(wait: BeginningWait): boolean {
    const past = wait.told.program ? this.#recent.since(wait.lookBack) : [];
    if (!past || past.some((entry) => concerns(wait.told, entry))) return false;
    this.#place(wait);
    return true;
  }

  async #beginAll(): Promise<void> {
    for (let [first] = this.#beginning; first && this.#mayBegin(first); [first] = this.#beginning) {
      try {
        await this.#beginOne(first);
      } catch (error) {
        await this.#pause(error);
        // It was told of a part of the past: it begins once more.
        this.#beginning[0] = { ...first, told: new ToldWait(first.told.row) };
        continue;
      }
      this.#beginning.shift();
    }
  }

  async #beginOne(wait: BeginningWait): Promise<void> {
    const { told, isWanted, onSettled } = wait;
    const isOurs = (): boolean => this.#shards.has(told.row.shard) && isWanted();
    if (!isOurs()) return onSettled();
    for await (const event of this.#past(wait)) told.tell(event, true);
    if (told.ended) await this.#options.prepare([told], this.#recent);
    if (!isOurs()) return onSettled();
    if (!told.ended) return this.#place(wait);
    if (this.#options.deliver(told, this.#heardTo(told))) this.#noteMembers(told);
    return onSettled();
  }

  /** Up to where a wait that has ended heard the log: the next one of its name hears what follows. Never too far. */
  #heardTo({ toldTo, overAt }: ToldWait): number {
    return overAt === undefined ? toldTo : Math.max(toldTo, this.#recent.lastBy(overAt) ?? 0);
  }

  async *#past({ told, lookBack }: BeginningWait): AsyncIterable<ConditionEvent> {
    const { parts } = this.#options;
    if (!told.program) return;
    const recent = this.#recent.since(lookBack);
    if (recent) {
      for (const entry of recent)
        if (concerns(told, entry)) yield await asConditionEvent(parts.values, entry);
      return;
    }
    for (let { after } = lookBack; after < this.#position && !told.ended;) {
      const page = await this.#readPast(told, { ...lookBack, after });
      for (const entry of page.entries)
        if (concerns(told, entry)) yield await asConditionEvent(parts.values, entry);
      after = page.until;
    }
  }

  async #readPast(
    { program }: ToldWait,
    { after, since }: LookBack,
  ): Promise<{ readonly entries: readonly LogEvent[]; readonly until: number }> {
    const { store } = this.#options.parts;
    const uses = program?.events ?? [];
    if (uses.some(({ isPrefix }) => isPrefix)) {
      const page = await store.readLog(workspaceId, after, lookBackPageMax);
      const entries = page.events.filter(({ recordedAt }) => recordedAt >= since);
      return {
        entries: entries.filter(({ position }) => position <= this.#position),
        until: page.until > after ? page.until : this.#position,
      };
    }
    const types = [...new Set(uses.map(({ type }) => type))];
    const span = { types, after, since, until: this.#position };
    const entries = await store.readTypes(workspaceId, span, lookBackPageMax);
    return {
      entries,
      until: entries.length < lookBackPageMax ? this.#position : entries.at(-1)!.position,
    };
  }

  /** From here on pages find it: in memory until its row is committed, then by its keys. */
  #place({ told, shapes, onPlaced, onSettled }: BeginningWait): void {
    const { commit } = this.#options.parts;
    told.noteTold(this.#position);
    const row = told.asRow();
    const { shard } = row;
    for (const shape of shapes)
      if (this.#shapes.place(shape, shard)) commit.batch.waitShapes.push({ ...shape, shard });
    this.#fresh.set(row.id, told);
    commit.batch.waits.push(row);
    onPlaced();
    commit.afterCommit(() => {
      this.#fresh.delete(row.id);
      onSettled();
    });
    this.#noteDue(row.dueAt);
  }

  /** Its run waits for these no more. */
  forget(isGone: (row: WaitRow) => boolean): void {
    for (const [id, { row }] of this.#fresh) if (isGone(row)) this.#fresh.delete(id);
  }

  // --- pages of the log ---------------------------------------------------------------------------------------------

  async #hear(page: LogPage): Promise<void> {
    for (;;) {
      try {
        await this.#tell(page);
        return;
      } catch (error) {
        if (this.#shards.size === 0) return;
        await this.#pause(error);
      }
    }
  }

  async #pause(error: unknown): Promise<void> {
    const { alarms, clock, log } = this.#options.parts;
    log.warn({ err: error }, "waits could not be told; trying again");
    await new Promise<void>((resolve) => {
      alarms.set(clock.now() + readAnewMs, resolve);
    });
  }

  wants(type: string): boolean {
    return this.#shapes.wants(type);
  }

  async #tell(page: LogPage): Promise<void> {
    const wanted = page.events.filter(
      (entry) => entry.position > this.#position && isTellable(entry) && this.#shapes.wants(entry.type),
    );
    await this.#tellEntries(wanted, page.until);
    this.#recent.add(page.events.filter(({ position }) => position > this.#position));
    this.#position = Math.max(this.#position, page.until);
    if (page.until >= page.head.position) await this.#tellTime(page.head.clock);
    this.#writeCursor(false);
  }

  async #tellEntries(entries: readonly LogEvent[], until: number): Promise<void> {
    if (entries.length === 0) return;
    const { store, values } = this.#options.parts;
    const byKey = new Map<string, ConditionEvent[]>();
    for (const entry of entries) {
      const event = await asConditionEvent(values, entry);
      for (const key of this.#shapes.keysOf(event)) {
        const known = byKey.get(key);
        if (known) known.push(event);
        else byKey.set(key, [event]);
      }
    }
    if (byKey.size === 0) return;
    // Before the rows are read: one that is committed meanwhile is found twice, and told once.
    const fresh = [...this.#fresh.values()].filter(({ row }) => row.matchKeys.some((key) => byKey.has(key)));
    const seen = new Set(fresh.map(({ row }) => row.id));
    let found = await store.findWaits([...this.#shards], [...byKey.keys()], undefined, waitPageMax);
    let waits = fresh;
    for (;;) {
      for (const row of found.waits) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        waits.push(new ToldWait(row));
      }
      for (const wait of waits) {
        for (const event of eventsFor(wait.row, byKey)) wait.tell(event);
        wait.noteTold(until);
      }
      await this.#commit(waits.filter((wait) => wait.isChanged));
      if (!found.next) return;
      waits = [];
      found = await store.findWaits([...this.#shards], [...byKey.keys()], found.next, waitPageMax);
    }
  }

  // --- time ---------------------------------------------------------------------------------------------------------

  async #tellTime(clock: number): Promise<void> {
    if (this.#nextDue >= clock) return;
    const { store, commit } = this.#options.parts;
    this.#dueToldAt = this.#options.parts.clock.now();
    for (let isWhole = false; !isWhole;) {
      // What the last part changed is in the rows that are read.
      await commit.drained();
      const fresh = [...this.#fresh.values()].filter(({ dueAt = never }) => dueAt < clock);
      const seen = new Set(fresh.map(({ row }) => row.id));
      const rows = await store.loadDueWaits([...this.#shards], clock, waitPageMax);
      isWhole = rows.length < waitPageMax;
      const waits = [...fresh, ...rows.filter(({ id }) => !seen.has(id)).map((row) => new ToldWait(row))];
      for (const wait of waits) {
        wait.tellTime(clock);
        wait.noteTold(this.#position);
      }
      await this.#commit(waits);
    }
    await this.#findNextDue();
  }

  async #findNextDue(): Promise<void> {
    const { store, commit } = this.#options.parts;
    await commit.drained();
    const stored = await store.nextWaitDue([...this.#shards]);
    const fresh = [...this.#fresh.values()].map(({ dueAt = never }) => dueAt);
    this.#nextDue = Math.min(stored ?? never, ...fresh);
    this.#arm();
  }

  #noteDue(dueAt: number | undefined): void {
    if (dueAt === undefined || dueAt >= this.#nextDue) return;
    this.#nextDue = dueAt;
    this.#arm();
  }

  /** A page comes when something is due: with the clock that says so. */
  #arm(): void {
    this.#alarm?.cancel();
    const { alarms, clock, events, log } = this.#options.parts;
    if (this.#nextDue === never || this.#nextDue === Number.NEGATIVE_INFINITY || this.#shards.size === 0)
      return;
    const due = this.#nextDue;
    this.#alarm = alarms.set(Math.max(due, clock.now(), this.#dueToldAt + waitDueMs), () => {
      void events
        .advanceClock(due + instantMs)
        .catch((error: unknown) => log.warn({ err: error }, "the log's clock could not be advanced"));
    });
  }

  // --- the commit ---------------------------------------------------------------------------------------------------

  /** Ends are given to runs in memory, or left in rows; in one turn, with the position (J5, J6). */
  async #commit(waits: readonly ToldWait[]): Promise<void> {
    if (waits.length === 0) return;
    const { prepare, bringIn } = this.#options;
    const { ended = [], open = [] } = Object.groupBy(waits, (wait) => (wait.ended ? "ended" : "open"));
    await prepare(ended, this.#recent);
    const { commit } = this.#options.parts;
    for (const wait of open) {
      if (!this.#shards.has(wait.row.shard)) continue;
      commit.batch.waitsChanged.push(wait.asChange(undefined));
      this.#noteDue(wait.dueAt);
    }
    const left: WaitRow[] = [];
    for (let from = 0; from < ended.length; from += recallMax) {
      const some = ended.slice(from, from + recallMax);
      await bringIn(some.map(({ row }) => row));
      for (const wait of some) if (!this.#give(wait)) left.push(wait.row);
    }
    this.#writeCursor(true);
    await commit.drained();
    for (const row of left) this.#options.onLeft(row);
  }

  /** False when its end is left in its row. */
  #give(wait: ToldWait): boolean {
    const { parts, deliver, endOf } = this.#options;
    const position = this.#heardTo(wait);
    if (!this.#shards.has(wait.row.shard)) return true;
    this.#fresh.delete(wait.row.id);
    this.#noteMembers(wait);
    if (deliver(wait, position)) return true;
    parts.commit.batch.waitsChanged.push(wait.asChange(endOf(wait, position)));
    return false;
  }

  /** In the flush of its end. */
  #noteMembers(wait: ToldWait): void {
    const { clock, commit } = this.#options.parts;
    for (const row of wait.endedBy(clock.now())) commit.batch.waitMembers.push(row);
  }

  #writeCursor(isChanged: boolean): void {
    const { clock, commit } = this.#options.parts;
    const behind = this.#position - this.#written.position;
    if (behind === 0) return;
    if (!isChanged && behind < cursorEntriesMax && clock.now() - this.#written.at < cursorMs) return;
    this.#written = { position: this.#position, at: clock.now() };
    for (const shard of this.#shards) commit.batch.waitCursors.push({ shard, position: this.#position });
    commit.request();
  }
}

/** One that is being told its past when its shards go is over then, and once more when it has been told. */
function settledOnce(wait: BeginningWait): BeginningWait {
  let isOver = false;
  const onSettled = (): void => {
    if (!isOver) wait.onSettled();
    isOver = true;
  };
  return { ...wait, onSettled };
}

function concerns({ program }: ToldWait, entry: LogEvent): boolean {
  if (!isTellable(entry)) return false;
  return (program?.events ?? []).some(({ type, isPrefix }) =>
    isPrefix ? entry.type.startsWith(type) : entry.type === type,
  );
}

/** In the order of their positions. */
function eventsFor(
  { matchKeys }: WaitRow,
  byKey: ReadonlyMap<string, readonly ConditionEvent[]>,
): readonly ConditionEvent[] {
  const lists = matchKeys.flatMap((key) => {
    const events = byKey.get(key);
    return events ? [events] : [];
  });
  if (lists.length === 1) return lists[0]!;
  const events = new Map(lists.flat().map((event) => [event.position, event]));
  return [...events.values()].toSorted((a, b) => a.position - b.position);
}
