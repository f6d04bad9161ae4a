/**
 * `GET /events/follow`: entries of the event log as they come, as server-sent events. An event's id is its position, so
 * that a reader which was cut goes on by Last-Event-ID without a gap.
 *
 * W1: an event tells of what is committed; entries come once each, in the order of positions.
 * W2: a reader that does not read holds its own stream back, and nothing else: one page waits for it.
 */
import { MillraceError, type LogEvent } from "@millrace/core";
import type { LogPage } from "@millrace/store";
import type { FastifyReply } from "fastify";
import type { ServerResponse } from "node:http";
import type { Alarm } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { ApiContext } from "./api-context.ts";
import { eventView } from "./event-view.ts";
import { eventHeartbeatMs, eventStreamsMax, followCheckMs } from "./limits.ts";
import type { ApiRequest } from "./route.ts";

const openStreams = new WeakMap<ApiContext, Set<FollowStream>>();

interface Filter {
  readonly type: string | undefined;
  readonly subject: string | undefined;
  readonly source: string | undefined;
  readonly onlyInvalid: boolean;
}

export async function followEvents(
  context: ApiContext,
  request: ApiRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const streams = openStreams.get(context) ?? new Set();
  openStreams.set(context, streams);
  if (streams.size >= eventStreamsMax) {
    throw new MillraceError("MILLRACE_OVERLOADED", {
      message: `${streams.size} readers follow the event log; this server takes no more.`,
    });
  }
  const filter = {
    type: request.text("type"),
    subject: request.text("subject"),
    source: request.text("source"),
    onlyInvalid: request.flag("invalid"),
  };
  const head = (await context.host.engine.events.head()).position;
  const after = startOf(request) ?? head;
  if (after > head) throw beyondLog(after, head);
  const stream = new FollowStream({ context, filter, after, onClosed: () => streams.delete(stream) });
  streams.add(stream);
  reply.hijack();
  stream.begin(reply.raw);
  return reply;
}

function startOf(request: ApiRequest): number | undefined {
  const header = request.raw.headers["last-event-id"];
  if (typeof header === "string" && /^\d{1,15}$/.test(header)) return Number(header);
  return request.integer("after", 0, Number.MAX_SAFE_INTEGER);
}

/** Nobody was ever told of such a position: a slip, or a place in another log, whose reader would wait without a word. */
function beyondLog(after: number, head: number): MillraceError {
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The event log ends at position ${head}; nothing can be followed after ${after}.`,
    advice: "Leave `after` out to hear what comes from now on.",
    fields: { after, head },
  });
}

interface StreamOptions {
  readonly context: ApiContext;
  readonly filter: Filter;
  readonly after: number;
  readonly onClosed: () => void;
}

class FollowStream {
  readonly #options: StreamOptions;
  #response!: ServerResponse;
  #after: number;
  #toldAfter = -1;
  #engine: Engine | undefined;
  #unlisten: (() => void) | undefined;
  #alarm: Alarm | undefined;
  #checks = 0;
  #closed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#after = options.after;
  }

  begin(response: ServerResponse): void {
    this.#response = response;
    response.on("close", () => this.#close());
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    // An id without data is remembered by readers, and no event.
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
  #take({ events, until }: LogPage): void | Promise<void> {
    if (this.#closed) return;
    let text = "";
    for (const event of events) {
      if (this.#isWanted(event))
        text += `id: ${event.position}\ndata: ${JSON.stringify(eventView(event))}\n\n`;
    }
    this.#after = Math.max(this.#after, until);
    if (text === "" || this.#response.write(text)) return;
    return new Promise((resolve) => {
      this.#response.once("drain", resolve);
      this.#response.once("close", resolve);
    });
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
    const place = this.#after === this.#toldAfter ? "" : `id: ${this.#after}\n`;
    this.#toldAfter = this.#after;
    this.#response.write(`${place}: still here\n\n`);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm?.cancel();
    this.#unlisten?.();
    this.#response.end();
    this.#options.onClosed();
  }
}

/** As the list takes it: a star at the end means all types that begin so. */
function isOfType({ type }: LogEvent, asked: string): boolean {
  return type === asked || (asked.endsWith("*") && type.startsWith(asked.slice(0, -1)));
}
