/**
 * Entries of the event log as they come (`GET /events/follow`, `GET /live`). An event's id is its position, so that a reader
 * which was cut goes on by Last-Event-ID without a gap.
 *
 * W1: an event tells of what is committed; entries come once each, in the order of positions.
 * W2: a reader that does not read holds its own stream back, and nothing else: one page waits for it.
 */
import type { Operations } from "@millrace/protocol";
import { MillraceError, type LogEvent } from "@millrace/core";
import type { LogPage } from "@millrace/store";
import type { FastifyReply } from "fastify";
import type { Alarm } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { ApiContext } from "./api-context.ts";
import { EventChannel, type Sink } from "./event-channel.ts";
import { eventView } from "./event-view.ts";
import { eventHeartbeatMs, followCheckMs } from "./limits.ts";
import type { ApiRequest } from "./route.ts";

interface Filter {
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly source: string | undefined;
  readonly onlyInvalid: boolean;
}

export async function followEvents(
  context: ApiContext,
  request: ApiRequest<Operations["followEvents"]>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  EventChannel.requireRoom(context);
  const filter = {
    type: request.query.type,
    subject: request.query.subject,
    source: request.query.source,
    onlyInvalid: request.query.invalid,
  };
  const after = await startOf(context, request);
  const channel = new EventChannel(context, reply);
  const feed = new LogFeed({ context, filter, after, sink: channel });
  channel.onClosed(() => feed.close());
  feed.begin();
  return reply;
}

/** Where a reader was, where it wants to begin, or the head of the log. Throws where the log has not come to that. */
export async function startOf(
  context: ApiContext,
  request: ApiRequest<Operations["followEvents" | "watch"]>,
): Promise<number> {
  const head = (await context.host.engine.events.head()).position;
  const after = askedStart(request) ?? head;
  if (after > head) throw beyondLog(after, head);
  return after;
}

function askedStart(request: ApiRequest<Operations["followEvents" | "watch"]>): number | undefined {
  const header = request.raw.headers["last-event-id"];
  if (typeof header === "string" && /^\d{1,15}$/.test(header)) return Number(header);
  return request.query.after;
}

/** Nobody was ever told of such a position: a slip, or a place in another log, whose reader would wait without a word. */
function beyondLog(after: number, head: number): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The event log ends at position ${head}; nothing can be followed after ${after}.`,
    advice: "Leave `after` out to hear what comes from now on.",
    fields: { after, head },
  });
}

interface LogFeedOptions {
  readonly context: ApiContext;
  readonly filter: Filter;
  readonly after: number;
  readonly sink: Sink;
}

export class LogFeed {
  readonly #options: LogFeedOptions;
  #after: number;
  #toldAfter = -1;
  #engine: Engine | undefined;
  #unlisten: (() => void) | undefined;
  #alarm: Alarm | undefined;
  #checks = 0;
  #closed = false;

  constructor(options: LogFeedOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  begin(): void {
    this.#tellPlace();
    this.#listen();
    this.#checkLater();
  }

  /** To the engine of now; after a lost lease it is another one than before. */
  #listen(): void {
    const engine = this.#options.context.host.running;
    if (engine === this.#engine) return;
    this.#unlisten?.();
    this.#engine = engine;
    this.#unlisten = engine?.events.onAppended(this.#after, (page) => this.#take(page));
  }

  /** Resolves when the reader has room again. */
  #take({ events, until }: LogPage): Promise<void> | undefined {
    if (this.#closed) return undefined;
    const { sink } = this.#options;
    for (const event of events) if (this.#isWanted(event)) sink.send(eventView(event), event.position);
    this.#after = Math.max(this.#after, until);
    return sink.drained();
  }

  #isWanted(event: LogEvent): boolean {
    const { type, subject, source, onlyInvalid } = this.#options.filter;
    return (
      (type === undefined || isOfType(event, type)) &&
      (subject === undefined || event.subject === subject) &&
      (source === undefined || event.source === source) &&
      (!onlyInvalid || event.invalid !== undefined)
    );
  }

  #checkLater(): void {
    if (this.#closed) return;
    this.#alarm = this.#options.context.clock.after(followCheckMs, () => {
      this.#checks += 1;
      this.#listen();
      if ((this.#checks * followCheckMs) % eventHeartbeatMs === 0) this.#tellPlace();
      this.#checkLater();
    });
  }

  /** Entries that were filtered out need not be looked through again. */
  #tellPlace(): void {
    if (this.#after !== this.#toldAfter) this.#options.sink.place(this.#after);
    this.#toldAfter = this.#after;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm?.cancel();
    this.#unlisten?.();
  }
}

/** As the list takes it: a star at the end means all types that begin so. */
function isOfType({ type }: LogEvent, asked: string): boolean {
  return type === asked || (asked.endsWith("*") && type.startsWith(asked.slice(0, -1)));
}
