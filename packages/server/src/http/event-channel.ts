/**
 * An answer that stays open: server-sent events.
 *
 * E1: a silent stream says that it is still there each `eventHeartbeatMs`, so that proxies keep it open.
 * E2: a reader that does not read is cut, with a mark, by whoever may not wait for it (`cut`); others wait for room (`drained`). What waits
 *     for all readers together has a bound, too: each has its share.
 * E3: a server has `eventStreamsMax` of them at most: one more is refused with MILLRACE_OVERLOADED.
 */
import { MillraceError } from "@millrace/core";
import type { FastifyReply } from "fastify";
import type { ServerResponse } from "node:http";
import type { Alarm } from "../engine/clock.ts";
import { answerHeaders } from "./answers.ts";
import type { ApiContext } from "./api-context.ts";
import { eventBufferBytesMax, eventBuffersBytesMax, eventHeartbeatMs, eventStreamsMax } from "./limits.ts";

/** Where a feed tells what it has. */
export interface Sink {
  /** `id`: where a reader that comes again goes on. */
  send(data: unknown, id?: number): void;
  /** A reader that comes again goes on here, though it was told of nothing. */
  place(id: number): void;
  /** More waits for the reader than it may: no feed that can't wait sends more. */
  readonly isFull: boolean;
  /** Resolves when the reader has room, or is gone. */
  drained(): Promise<void>;
  /** Nothing more comes. */
  end(): void;
  /** As the reader is too slow. */
  cut(): void;
}

const openChannels = new WeakMap<ApiContext, Set<EventChannel>>();

export class EventChannel implements Sink {
  readonly #context: ApiContext;
  readonly #response: ServerResponse;
  readonly #onClosed: (() => void)[] = [];
  #heartbeat: Alarm | undefined;
  #isClosed = false;

  /** Throws MILLRACE_OVERLOADED (E3). Called before a channel is made: that answers. */
  static requireRoom(context: ApiContext): void {
    const open = openChannels.get(context)?.size ?? 0;
    if (open < eventStreamsMax) return;
    throw new MillraceError("MILLRACE_OVERLOADED", {
      message: `${open} readers of events are connected; this server takes no more.`,
    });
  }

  constructor(context: ApiContext, reply: FastifyReply) {
    this.#context = context;
    this.#response = reply.raw;
    const channels = openChannels.get(context) ?? new Set();
    openChannels.set(context, channels.add(this));
    this.#onClosed.push(() => channels.delete(this));
    reply.hijack();
    this.#response.on("close", () => this.end());
    this.#response.writeHead(200, {
      ...answerHeaders,
      "content-type": "text/event-stream",
      "x-accel-buffering": "no",
    });
    // Headers alone tell the reader that it is connected.
    this.#response.flushHeaders();
    this.#beatLater();
    // It may have gone while its feeds were prepared.
    if (this.#response.destroyed) this.end();
  }

  /** Once the reader is gone, or nothing more comes. */
  onClosed(callback: () => void): void {
    if (this.#isClosed) callback();
    else this.#onClosed.push(callback);
  }

  get isFull(): boolean {
    const open = openChannels.get(this.#context)?.size ?? 1;
    return this.#response.writableLength > Math.min(eventBufferBytesMax, eventBuffersBytesMax / open);
  }

  send(data: unknown, id?: number): void {
    this.#write(`${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  /** An id without data is remembered by readers, and no event. */
  place(id: number): void {
    this.#write(`id: ${id}\n: still here\n\n`);
  }

  async drained(): Promise<void> {
    if (this.#isClosed || !this.#response.writableNeedDrain) return;
    const response = this.#response;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        // A slow reader is waited for very often.
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      response.on("drain", done);
      response.on("close", done);
    });
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    for (const callback of this.#onClosed) callback();
    this.#response.end();
  }

  cut(): void {
    if (this.#isClosed) return;
    this.#write(": cut, as the reader is too slow; connect again\n\n");
    this.end();
    this.#context.clock.after(eventHeartbeatMs, () => this.#response.destroy());
  }

  #write(text: string): void {
    if (!this.#isClosed) this.#response.write(text);
  }

  #beatLater(): void {
    this.#heartbeat = this.#context.clock.after(eventHeartbeatMs, () => {
      this.#write(": still here\n\n");
      this.#beatLater();
    });
  }
}
