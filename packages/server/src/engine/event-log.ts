/**
 * The event log of this node: the sequencer where the node owns the log's shard, else the way to it; and what there is to
 * hear of the log on every node.
 *
 * Who owns what: the rows of the log are appended by the node that holds shard `logShard` alone, in its flushes. The
 * database gives positions and tells repeats (`sql/000005_event_log.sql`).
 *
 * Q1: what `append` answers is committed: an event is in the log, or on its way there in the inbox.
 * Q2: an event from the inbox enters the log in the flush that deletes its message.
 * Q3: what waits here has a bound. Beyond it `append` takes nothing of what it was given, and says so.
 * Q4: listeners hear committed entries only, each once, in the order of positions, on every node (W1, W2).
 * Q5: `recordedAt` is the node's estimate of database time, never less than the log's clock; the clock goes on with
 *     each flush that has events and with `advanceClock`.
 */
import {
  eventDataText,
  liveLane,
  MillraceError,
  type EventDraft,
  type EventOutcome,
  type LogEvent,
} from "@millrace/core";
import { inlineBytesMax } from "@millrace/protocol";
import type { EventRow, FlushBatch, LogChange, LogHead, LogPage } from "@millrace/store";
import type { EngineParts } from "./engine-parts.ts";
import type { EventsInboxMessage } from "./inbox-message.ts";
import {
  eventBacklogBytesMax,
  eventBacklogMax,
  eventsPendingMax,
  eventsPerFlush,
  logPageMax,
} from "./limits.ts";
import { LogFollower, type NewEntries } from "./log-follower.ts";
import { workspaceId } from "./workspace.ts";

/** The log is an entity of this shard. */
export const logShard = 0;

/** What an entry costs besides its data, in bytes, roughly. */
const entryBytes = 300;

export interface EventLogOptions {
  readonly parts: Pick<EngineParts, "store" | "clock" | "log" | "commit" | "values" | "eventTypes">;
  readonly owns: (shard: number) => boolean;
  readonly liveNodes: () => number;
  readonly send: (shard: number, message: EventsInboxMessage) => void;
}

/** Events that were given together. */
interface Append {
  readonly rows: readonly EventRow[];
  readonly bytes: number;
  /** From another node, which has told its caller that they were accepted. */
  readonly isForeign?: true;
  /** Nobody waits for what came by the inbox, or was emitted. */
  readonly settle?: (outcomes: EventOutcome[]) => void;
  readonly refuse?: (error: Error) => void;
}

export class EventLog {
  readonly #options: EventLogOptions;
  /** Not in a batch yet. */
  #queue: Append[] = [];
  /** In the batch that is being put together, in its order; and in the flush under way. */
  #placed: Append[] = [];
  #sealed: Append[] = [];
  /** Emitted here while another node owns the log: one message for each flush. */
  #leaving: EventRow[] = [];
  #waiting = { events: 0, bytes: 0 };
  #advanceTo = Number.NEGATIVE_INFINITY;
  readonly #followers = new Set<LogFollower>();
  /** Hears for all others; they read by themselves only until they have caught up with it. */
  #tail: LogFollower | undefined;
  /** Up to which position it has told the others. */
  #told = 0;
  #isWaking = false;
  #wakeAgain = false;
  #knownHead = 0;
  #stopped = false;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  // --- appending ----------------------------------------------------------------------------------------------------

  /**
   * An event as a row, judged by the declaration of its type: large data goes into the blob store first. Throws
   * MILLRACE_EVENT_TOO_LARGE, and MILLRACE_EVENT_INVALID where data nests too deeply. `json`: the text that the data was read
   * from, within its bounds, where that is what is to be kept.
   */
  prepare(draft: EventDraft, json?: string): EventRow | Promise<EventRow> {
    const { data } = draft;
    // Before anything walks over it.
    const dataText =
      data.blob !== undefined || data.value === null
        ? undefined
        : (json ?? eventDataText(draft.id, data.value));
    const invalid = this.#options.parts.eventTypes.invalidOf(draft);
    const base = { ...draft, workspace: workspaceId, invalid };
    if (dataText === undefined || data.blob !== undefined) return { ...base, dataText: undefined };
    if (dataText.length <= inlineBytesMax) return { ...base, dataText };
    return this.#options.parts.values
      .store(data.value, dataText)
      .then((stored) => ({ ...base, data: stored, dataText: undefined }));
  }

  /**
   * Gives events to the log; resolves once they are committed (Q1). Throws MILLRACE_EVENTS_OVERLOADED (none of them was
   * taken) and MILLRACE_LEASE_LOST (some of them may have been).
   */
  async append(rows: readonly EventRow[]): Promise<EventOutcome[]> {
    if (rows.length === 0) return [];
    if (this.#stopped) throw leaseLost();
    if (!this.#options.owns(logShard)) return this.#appendElsewhere(rows);
    const bytes = bytesOf(rows);
    if (
      this.#waiting.events + rows.length > eventBacklogMax ||
      (this.#waiting.events > 0 && this.#waiting.bytes + bytes > eventBacklogBytesMax)
    ) {
      throw overloaded(this.#waiting.events);
    }
    return new Promise<EventOutcome[]>((resolve, reject) => {
      const append = { rows, bytes, settle: resolve, refuse: reject };
      this.#count(append, 1);
      this.#queue.push(append);
      this.#options.parts.commit.request();
    });
  }

  async #appendElsewhere(rows: readonly EventRow[]): Promise<EventOutcome[]> {
    const message = { kind: "events", events: rows } as const;
    const isLeft = await this.#options.parts.store.sendBounded(
      { shard: logShard, message: JSON.parse(JSON.stringify(message)) as never },
      eventsPendingMax,
    );
    if (!isLeft) throw overloaded(undefined);
    return rows.map(() => ({ kind: "accepted" }));
  }

  /** Commits events with whatever else this turn decided. */
  emit(rows: readonly EventRow[]): void {
    if (rows.length === 0) return;
    if (this.#options.owns(logShard)) this.#place({ rows, bytes: bytesOf(rows) });
    else this.#leaving.push(...rows);
    this.#options.parts.commit.request();
  }

  /** The run never was: neither was what it told since the last flush. */
  forget(runId: string): void {
    const { events } = this.#options.parts.commit.batch;
    for (let at = events.length - 1; at >= 0; at -= 1) if (events[at]!.runId === runId) events.splice(at, 1);
    this.#leaving = this.#leaving.filter((row) => row.runId !== runId);
  }

  /** From other nodes, in the turn that takes the message (Q2). */
  receive(message: EventsInboxMessage): void {
    if (message.kind === "log_clock") this.#noteClock(message.to);
    else {
      // What they tell is committed there: it does not fall with a run of that name which is refused here.
      const rows = message.events.map((row): EventRow => ({ ...row, runId: undefined }));
      this.#place({ rows, bytes: bytesOf(rows), isForeign: true });
    }
  }

  /** Resolves once no later entry can have a `recordedAt` before `to`; where another node owns the log, once it is told. */
  async advanceClock(to: number): Promise<void> {
    if (this.#options.owns(logShard)) this.#noteClock(to);
    else this.#options.send(logShard, { kind: "log_clock", to });
    return this.#options.parts.commit.drained();
  }

  #noteClock(to: number): void {
    this.#advanceTo = Math.max(this.#advanceTo, to);
    this.#options.parts.commit.request();
  }

  #place(append: Append): void {
    const { commit } = this.#options.parts;
    this.#placed.push(append);
    if (!append.settle) this.#count(append, 1);
    for (const row of append.rows) commit.batch.events.push(row);
    commit.request();
  }

  /** Last in the turn in which a flush is put together. */
  seal(): void {
    const { commit, clock } = this.#options.parts;
    const { batch } = commit;
    if (this.#leaving.length > 0) {
      this.#options.send(logShard, { kind: "events", events: this.#leaving });
    }
    this.#leaving = [];
    while (this.#queue.length > 0 && batch.events.length < eventsPerFlush) this.#place(this.#queue.shift()!);
    this.#sealed = this.#placed;
    this.#placed = [];
    if (batch.events.length === 0 && this.#advanceTo === Number.NEGATIVE_INFINITY) return;
    batch.clocks.push({ workspace: workspaceId, at: Math.max(clock.now(), this.#advanceTo) });
    this.#advanceTo = Number.NEGATIVE_INFINITY;
  }

  /** A flush that had a clock is committed. Rows that the database refused are not in `batch`. */
  onFlushed(batch: FlushBatch, change: LogChange): void {
    const outcomes = outcomesOf(batch.events.length, change);
    let next = 0;
    for (const append of this.#sealed) {
      this.#count(append, -1);
      const own: EventOutcome[] = [];
      let isWhole = true;
      for (const row of append.rows) {
        if (batch.events[next] === row) own.push(outcomes[next++]!);
        else isWhole = false;
      }
      if (isWhole) append.settle?.(own);
      else append.refuse?.(refusedByDatabase());
      if (append.isForeign) this.#noteConflicts(append.rows, own);
    }
    this.#sealed = [];
    if (this.#options.liveNodes() > 1) this.#wakeOthers();
    const head = { position: change.first + change.count - 1, clock: change.clock };
    this.#knownHead = Math.max(this.#knownHead, head.position);
    const after = change.first - 1;
    if (this.#tail) this.#tail.offer({ after, events: entriesOf(batch.events, outcomes, change), head });
  }

  /** Who sent them was told that they were accepted, before anybody could know. */
  #noteConflicts(rows: readonly EventRow[], outcomes: readonly EventOutcome[]): void {
    const at = outcomes.findIndex(({ kind }) => kind === "conflict");
    if (at < 0) return;
    const { source, id } = rows[at]!;
    this.#options.parts.log.warn(
      { source, id, events: outcomes.filter(({ kind }) => kind === "conflict").length },
      "events that were accepted elsewhere are in the log with other content, and are left out",
    );
  }

  /** The log's shard goes to another node: what waits is committed with what else is. */
  onRelease(): void {
    for (const append of this.#queue.splice(0)) this.#place(append);
  }

  stop(): void {
    this.#stopped = true;
    for (const append of [...this.#sealed, ...this.#placed, ...this.#queue]) append.refuse?.(leaseLost());
    this.#sealed = this.#placed = this.#queue = [];
    for (const follower of this.#followers) follower.stop();
    this.#followers.clear();
    this.#tail?.stop();
    this.#tail = undefined;
  }

  get backlog(): number {
    return this.#waiting.events;
  }

  #count({ rows, bytes }: Append, sign: 1 | -1): void {
    this.#waiting.events += sign * rows.length;
    this.#waiting.bytes += sign * bytes;
  }

  // --- listening ----------------------------------------------------------------------------------------------------

  /** The last position that this node knows of; listeners may not have heard it yet. On the owner's node it is the last one. */
  get knownHead(): number {
    return this.#knownHead;
  }

  head(): Promise<LogHead> {
    return this.#options.parts.store.logHead(workspaceId);
  }

  read(after: number, limit: number = logPageMax): Promise<LogPage> {
    return this.#options.parts.store.readLog(workspaceId, after, limit);
  }

  /**
   * Calls `listener` with every entry after position `after`, page by page (Q4): with those that are there at once, then
   * with what is committed. Where a page reaches the head, no later entry has a `recordedAt` before `head.clock`. A
   * page's promise holds the next one back. Returns how to end it.
   */
  onAppended(after: number, listener: (page: LogPage) => void | Promise<void>): () => void {
    const follower = this.#follower(after, listener);
    this.#followers.add(follower);
    if (!this.#tail) {
      this.#told = after;
      this.#tail = this.#follower(after, (page) => this.#distribute(page));
    }
    this.#tail.catchUp();
    if (this.#tail.after !== after) follower.catchUp();
    return () => {
      follower.stop();
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#tail?.stop();
      this.#tail = undefined;
    };
  }

  /** The log may have grown: another node says so, or this one took the log over. */
  hear(): void {
    this.#tail?.catchUp();
  }

  tick(): void {
    if (this.#options.liveNodes() > 1 && !this.#options.owns(logShard)) this.hear();
    for (const follower of [this.#tail, ...this.#followers]) if (follower?.isBehind) follower.catchUp();
  }

  #follower(after: number, onPage: (page: LogPage) => void | Promise<void>): LogFollower {
    return new LogFollower({
      after,
      onPage,
      read: (from) => this.read(from),
      onTrouble: (error) =>
        this.#options.parts.log.warn({ err: error }, "the event log could not be read to a listener"),
    });
  }

  #distribute({ events, until, head }: LogPage): void {
    this.#knownHead = Math.max(this.#knownHead, head.position);
    const clock = until >= head.position ? head.clock : (events.at(-1)?.recordedAt ?? 0);
    const after = this.#told;
    this.#told = until;
    const news: NewEntries = { after, events, head: { position: until, clock } };
    for (const follower of this.#followers) follower.offer(news);
  }

  /** One notification is under way at most; what happens meanwhile makes one more. */
  #wakeOthers(): void {
    if (this.#isWaking) {
      this.#wakeAgain = true;
      return;
    }
    this.#isWaking = true;
    void this.#options.parts.store
      .wakeLog()
      .catch((error: unknown) =>
        this.#options.parts.log.warn({ err: error }, "other servers could not be told of events"),
      )
      .finally(() => {
        this.#isWaking = false;
        if (!this.#wakeAgain || this.#stopped) return;
        this.#wakeAgain = false;
        this.#wakeOthers();
      });
  }
}

/** One outcome for each of `count` events. */
function outcomesOf(count: number, { first, others }: LogChange): EventOutcome[] {
  const outcomes: EventOutcome[] = [];
  let other = 0;
  let position = first;
  for (let at = 0; at < count; at += 1) {
    const found = others[other];
    if (found?.at === at) {
      outcomes.push({ kind: found.kind, position: found.position });
      other += 1;
    } else {
      outcomes.push({ kind: "recorded", position });
      position += 1;
    }
  }
  return outcomes;
}

function entriesOf(
  rows: readonly EventRow[],
  outcomes: readonly EventOutcome[],
  { clock }: LogChange,
): LogEvent[] {
  const entries: LogEvent[] = [];
  for (let at = 0; at < rows.length; at += 1) {
    const outcome = outcomes[at]!;
    if (outcome.kind === "recorded") entries.push(entryOf(rows[at]!, outcome.position, clock));
  }
  return entries;
}

/** Member by member: this is done for each event, and copying a row without some members takes a microsecond. */
function entryOf(row: EventRow, position: number, recordedAt: number): LogEvent {
  return {
    workspace: row.workspace,
    position,
    recordedAt,
    lane: row.lane,
    source: row.source,
    id: row.id,
    type: row.type,
    subject: row.subject,
    time: row.time ?? recordedAt,
    data: row.data,
    isBinary: row.isBinary,
    contentType: row.contentType,
    dataSchema: row.dataSchema,
    extensions: row.extensions,
    invalid: row.invalid,
  };
}

/** An event of Millrace's own. */
export function ownEvent(
  event: Pick<EventDraft, "source" | "id" | "type" | "subject" | "data"> & Partial<EventDraft>,
): EventRow {
  return {
    lane: liveLane,
    time: undefined,
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
    ...event,
    workspace: workspaceId,
    dataText: undefined,
  };
}

function bytesOf(rows: readonly EventRow[]): number {
  let bytes = 0;
  for (const { dataText } of rows) bytes += entryBytes + (dataText?.length ?? 0);
  return bytes;
}

function overloaded(waiting: number | undefined): MillraceError {
  const what = waiting === undefined ? "Too many events" : `${waiting} events`;
  return new MillraceError("MILLRACE_EVENTS_OVERLOADED", {
    message: `${what} wait to be recorded; this server takes no more at this moment.`,
  });
}

function leaseLost(): MillraceError {
  return new MillraceError("MILLRACE_LEASE_LOST", {
    message: "The server stopped before the events were known to be recorded; send them again.",
  });
}

function refusedByDatabase(): MillraceError {
  return new MillraceError("MILLRACE_EVENT_INVALID", {
    message: "The database refused an event of these; the others of the request are recorded.",
    fields: { path: "" },
  });
}
