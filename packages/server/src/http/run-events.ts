/**
 * `GET /runs/:id/events`: what happens to a run, as server-sent events.
 *
 * V1: an event tells of what is committed.
 * V4: changes of one task run within `eventGatherMs` are told as one: its newest state. The run's end is told at once.
 * V2: a run in this server's memory is listened to; one elsewhere is looked at each `eventPollMs`, while somebody
 *     watches.
 * V3: a reader that does not read is cut, with a mark, once `eventBufferBytesMax` wait for it.
 */
import { isRunEnded, MillraceError, type TaskRun } from "@millrace/core";
import type { LogEntry, RunDetail, RunEvent, RunSummary, TaskRunView } from "@millrace/protocol";
import type { FastifyReply } from "fastify";
import type { ServerResponse } from "node:http";
import type { Alarm } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { liveRowOf, taskRunRowOf, type RunEntry } from "../engine/run-entry.ts";
import type { ApiContext } from "./api-context.ts";
import {
  eventBufferBytesMax,
  eventGatherMs,
  eventHeartbeatMs,
  eventPollMs,
  eventStreamsMax,
} from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { findCurrent } from "./run-commands.ts";
import { summaryOf } from "./run-summary.ts";
import { runDetail, taskRunView } from "./run-view.ts";

const openStreams = new WeakMap<ApiContext, Set<EventStream>>();
/** Nodes of a run elsewhere are looked at each so many polls of its row. */
const pollsPerNodes = 4;

export async function streamEvents(
  context: ApiContext,
  request: ApiRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const streams = openStreams.get(context) ?? new Set();
  openStreams.set(context, streams);
  if (streams.size >= eventStreamsMax) {
    throw new MillraceError("MILLRACE_OVERLOADED", {
      message: `${streams.size} readers of events are connected; this server takes no more.`,
    });
  }
  const withLogs = request.flag("logs");
  const stream = new EventStream(context, request.part("id"), withLogs);
  streams.add(stream);
  request.raw.raw.once("close", () => streams.delete(stream));
  try {
    await stream.prepare();
  } catch (error) {
    streams.delete(stream);
    stream.close();
    throw error;
  }
  reply.hijack();
  stream.begin(reply.raw, () => streams.delete(stream));
  return reply;
}

class EventStream {
  readonly #context: ApiContext;
  readonly #id: string;
  readonly #withLogs: boolean;
  #response: ServerResponse | undefined;
  #snapshot: RunDetail | undefined;
  /** Events before the snapshot is written. */
  #early: RunEvent[] = [];
  #engine: Engine | undefined;
  #unwatch: (() => void)[] = [];
  #unwatchEngine: (() => void) | undefined;
  /** What changed since the last events, in order; `undefined` stands for the run itself. */
  #changed = new Set<TaskRun | undefined>();
  #gathering: Alarm | undefined;
  #gatheredAt = Number.NEGATIVE_INFINITY;
  #alarm: Alarm | undefined;
  #ticks = 0;
  #polling = false;
  /** What was told of each node, while the run is elsewhere. */
  #told = new Map<string, string>();
  #toldRun = "";
  #closed = false;
  #onClosed: () => void = () => {};

  constructor(context: ApiContext, id: string, withLogs: boolean) {
    this.#context = context;
    this.#id = id;
    this.#withLogs = withLogs;
  }

  /** Listens, then takes the snapshot: nothing falls between. Throws when there is no such run. */
  async prepare(): Promise<void> {
    const { logs, progress } = this.#context;
    this.#listen();
    this.#unwatch.push(
      progress.watch(this.#id, (token, value) =>
        this.#send({ kind: "progress", node: token.node, item: token.item, ...value }),
      ),
    );
    if (this.#withLogs) this.#unwatch.push(logs.watch(this.#id, (entries) => this.#sendLogs(entries)));
    this.#snapshot = await runDetail(this.#context, this.#id, undefined);
  }

  begin(response: ServerResponse, onClosed: () => void): void {
    const snapshot = this.#snapshot!;
    this.#response = response;
    this.#onClosed = onClosed;
    response.on("close", () => this.close());
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#note(snapshot);
    const early = this.#early;
    this.#early = [];
    this.#send({ kind: "snapshot", detail: snapshot });
    this.#sendBatch(early);
    if (isRunEnded(snapshot.run.state)) return this.#end(plainSummary(snapshot));
    // It may have ended between the snapshot's parts.
    if (!this.#engine?.entry(this.#id)) void this.#poll();
    this.#tickLater();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm?.cancel();
    this.#gathering?.cancel();
    this.#unwatchEngine?.();
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch = [];
    this.#response?.end();
    this.#onClosed();
  }

  /** To the engine of now; it may be another one than before. */
  #listen(): void {
    const engine = this.#context.host.running;
    if (engine === this.#engine) return;
    this.#unwatchEngine?.();
    this.#engine = engine;
    this.#changed.clear();
    this.#unwatchEngine = engine?.watchers.watch(this.#id, (entry, taskRun) =>
      this.#gather(engine, entry, taskRun),
    );
  }

  #gather(engine: Engine, entry: RunEntry, taskRun: TaskRun | undefined): void {
    this.#changed.add(taskRun);
    if (!taskRun && isRunEnded(entry.run.state)) return void this.#tellChanged(engine, entry);
    const { clock } = this.#context;
    const waitMs = Math.max(0, this.#gatheredAt + eventGatherMs - clock.monotonic());
    this.#gathering ??= clock.after(waitMs, () => void this.#tellChanged(engine, entry));
  }

  /** What memory says now may be ahead of the database: it is told after the next commit. */
  async #tellChanged(engine: Engine, entry: RunEntry): Promise<void> {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#gatheredAt = this.#context.clock.monotonic();
    const events = Array.from(this.#changed, (taskRun) => this.#eventOf(entry, taskRun));
    this.#changed.clear();
    try {
      await engine.committed();
    } catch {
      // The engine lost its lease: what its rows say is told by the next one, or by polling.
      return;
    }
    if (this.#engine === engine && !this.#closed) this.#sendBatch(events);
  }

  #eventOf(entry: RunEntry, taskRun: TaskRun | undefined): RunEvent {
    if (taskRun) return { kind: "node", node: taskRunView(this.#context, taskRunRowOf(entry, taskRun)) };
    const { endedAt } = entry.run;
    const run = summaryOf({ ...liveRowOf(entry), ...(endedAt === undefined ? {} : { endedAt }) });
    return { kind: "run", run };
  }

  #sendBatch(events: readonly RunEvent[]): void {
    for (const event of events) this.#send(event);
    const last = events.findLast((event) => event.kind === "run");
    if (last && isRunEnded(last.run.state)) this.#end(last.run);
  }

  #sendLogs(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#send({ kind: "log", entry });
  }

  #send(event: RunEvent): void {
    const response = this.#response;
    if (this.#closed) return;
    if (!response) {
      // The snapshot tells what came before it; only what it does not hold is kept.
      if (event.kind === "log" && this.#early.length < 1_000) this.#early.push(event);
      else if (event.kind !== "log") this.#early.push(event);
      return;
    }
    if (response.writableLength > eventBufferBytesMax) {
      this.#cut(response);
      return;
    }
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  }

  #cut(response: ServerResponse): void {
    this.#context.log.warn({ run: this.#id }, "a reader of events is too slow and is cut");
    response.write(": cut, as the reader is too slow; connect again\n\n");
    this.close();
    this.#context.clock.after(eventHeartbeatMs, () => response.destroy());
  }

  #end(run: RunSummary): void {
    if (this.#closed || !this.#response) return;
    this.#send({ kind: "end", run });
    this.close();
  }

  #tickLater(): void {
    if (this.#closed) return;
    this.#alarm = this.#context.clock.after(eventPollMs, () => {
      this.#ticks += 1;
      if ((this.#ticks * eventPollMs) % eventHeartbeatMs === 0) this.#response?.write(": still here\n\n");
      this.#listen();
      if (!this.#engine?.entry(this.#id) && !this.#polling) void this.#poll();
      this.#tickLater();
    });
  }

  /** The run is not in this server's memory: its rows tell. A database that is away is asked again. */
  async #poll(): Promise<void> {
    this.#polling = true;
    try {
      const run = summaryOf(await findCurrent(this.#context, this.#id));
      const ended = isRunEnded(run.state);
      if (ended || this.#ticks % pollsPerNodes === 0)
        this.#tellChanges(await runDetail(this.#context, this.#id, undefined));
      const text = JSON.stringify(run);
      if (text !== this.#toldRun) {
        this.#toldRun = text;
        this.#send({ kind: "run", run });
      }
      if (ended) this.#end(run);
    } catch (error) {
      this.#context.log.warn({ err: error, run: this.#id }, "a watched run could not be read");
    } finally {
      this.#polling = false;
    }
  }

  #tellChanges(detail: RunDetail): void {
    for (const node of detail.nodes) {
      const text = JSON.stringify(node);
      const name = nameOf(node);
      if (this.#told.get(name) === text) continue;
      this.#told.set(name, text);
      this.#send({ kind: "node", node });
    }
  }

  #note(detail: RunDetail): void {
    for (const node of detail.nodes) this.#told.set(nameOf(node), JSON.stringify(node));
    this.#toldRun = JSON.stringify(plainSummary(detail));
  }
}

function nameOf(node: TaskRunView): string {
  return `${node.id}\n${node.item}`;
}

function plainSummary(detail: RunDetail): RunSummary {
  const { params: _params, output: _output, ...summary } = detail.run;
  return summary;
}
