/**
 * What happens to a run (`GET /runs/:id/events`, `GET /live`).
 *
 * V1: an event tells of what is committed.
 * V5: a quarantined run's stream ends, as an ended one's: nothing more happens until a person reruns it.
 * V4: changes of one task run within `eventGatherMs` are told as one: its newest state. The run's end is told at once.
 * V2: a run in this server's memory is listened to; one elsewhere is looked at when its server says that it changed
 *     (`LiveRelay`), each `eventLookMs` at most and its nodes each `eventNodesMs`, or as often as takes a tenth of the time; and
 *     each `eventLookAnywayMs` where there are others, as what they say may be lost. Log and progress of all workers come by `LiveRelay`.
 * V3: a reader that does not read is cut, with a mark, once `eventBufferBytesMax` wait for it.
 */
import { findTaskRun, isRunEnded, type TaskRun } from "@millrace/core";
import type {
  LogEntry,
  Operations,
  RunDetail,
  RunEvent,
  RunState,
  RunSummary,
  TaskRunView,
} from "@millrace/protocol";
import type { TaskRunRow } from "@millrace/store";
import type { FastifyReply } from "fastify";
import type { Alarm } from "../engine/clock.ts";
import type { Engine } from "../engine/engine.ts";
import { liveRowOf, taskRunRowOf, type RunEntry } from "../engine/run-entry.ts";
import type { ApiContext } from "./api-context.ts";
import { EventChannel, type Sink } from "./event-channel.ts";
import {
  eventGatherMs,
  eventLookAnywayMs,
  eventLookMs,
  eventNodesMs,
  eventNodesShare,
  followCheckMs,
  nodesToldMax,
} from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { findCurrent } from "./run-commands.ts";
import { summaryOf } from "./run-summary.ts";
import { snapshotOf } from "./run-snapshot.ts";
import { detailOf, ownAttempt, taskRunView, viewsOf } from "./run-view.ts";
import { waitsOfRun, withWaits } from "./wait-view.ts";

export async function streamEvents(
  context: ApiContext,
  request: ApiRequest<Operations["watchRun"]>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  EventChannel.requireRoom(context);
  const feed = new RunFeed({ context, id: request.path.id, withLogs: request.query.logs });
  await feed.prepare();
  const channel = new EventChannel(context, reply);
  channel.onClosed(() => feed.close());
  feed.begin(channel);
  return reply;
}

interface RunFeedOptions {
  readonly context: ApiContext;
  readonly id: string;
  readonly withLogs: boolean;
}

export class RunFeed {
  readonly #context: ApiContext;
  readonly #id: string;
  readonly #withLogs: boolean;
  #sink: Sink | undefined;
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
  /** When its rows were looked at last, and the look that comes. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Alarm | undefined;
  #isLooking = false;
  /** It changed while it was looked at. */
  #isStale = false;
  /** What was told of each node, while the run is elsewhere; and when they are looked at again. */
  #nodesAt = 0;
  #told = new Map<string, string>();
  #toldRun = "";
  /** Nodes that wait, and of which it was not told for what. */
  readonly #untold = new Map<string, TaskRunView>();
  #ending = false;
  #closed = false;

  constructor({ context, id, withLogs }: RunFeedOptions) {
    this.#context = context;
    this.#id = id;
    this.#withLogs = withLogs;
  }

  /** Listens, then takes the snapshot: nothing falls between. Throws, and is closed, when there is no such run. */
  async prepare(): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const { logs, progress, live } = this.#context;
    this.#listen();
    this.#unwatch.push(live.watch(this.#id, () => this.#lookLater()));
    this.#unwatch.push(
      progress.watch(this.#id, (token, value) =>
        this.#send({ kind: "progress", node: token.node, item: token.item, ...value }),
      ),
    );
    if (this.#withLogs) this.#unwatch.push(logs.watch(this.#id, (entries) => this.#sendLogs(entries)));
    const snapshot = await snapshotOf(this.#context, this.#id, undefined);
    for (const row of snapshot.taskRuns) this.#told.set(nameOf(row), printOf(row));
    this.#snapshot = await detailOf(this.#context, snapshot);
  }

  begin(sink: Sink): void {
    const snapshot = this.#snapshot!;
    this.#sink = sink;
    this.#toldRun = JSON.stringify(plainSummary(snapshot));
    const early = this.#early;
    this.#early = [];
    this.#send({ kind: "snapshot", detail: snapshot });
    this.#sendBatch(early);
    if (isLastState(snapshot.run.state)) return this.#end(plainSummary(snapshot));
    // It may have ended between the snapshot's parts.
    if (!this.#engine?.entry(this.#id)) this.#lookLater();
    this.#tickLater();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm?.cancel();
    this.#looking?.cancel();
    this.#gathering?.cancel();
    this.#unwatchEngine?.();
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch = [];
  }

  /** To the engine of now; it may be another one than before. */
  #listen(): void {
    const engine = this.#context.host.running;
    if (engine === this.#engine) return;
    this.#unwatchEngine?.();
    this.#engine = engine;
    // What the one before did not come to tell is in the rows.
    this.#lookLater();
    this.#changed.clear();
    this.#unwatchEngine = engine?.watchers.watch(this.#id, (entry, taskRun) =>
      this.#gather(engine, entry, taskRun),
    );
  }

  #gather(engine: Engine, entry: RunEntry, taskRun: TaskRun | undefined): void {
    this.#changed.add(taskRun);
    if (!taskRun && isLastState(entry.run.state)) return void this.#tellChanged(engine, entry);
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
      // The engine lost its lease: what its rows say is told by the next one, or found by a look.
      return;
    }
    if (this.#engine !== engine || this.#closed) return;
    this.#sendBatch(events);
    await this.#tellWaits(engine, entry, events);
  }

  /** What task runs wait for is in rows: it is told once these are there, of those that still wait then. */
  async #tellWaits(engine: Engine, entry: RunEntry, events: readonly RunEvent[]): Promise<void> {
    for (const event of events)
      if (event.kind === "node" && event.node.state === "waiting")
        this.#untold.set(nameOf({ node: event.node.id, item: event.node.item }), event.node);
    if (this.#untold.size === 0) return;
    try {
      const waits = await waitsOfRun(this.#context, this.#id, [...this.#untold.values()]);
      if (this.#closed || engine.entry(this.#id) !== entry) return;
      for (const [name, node] of this.#untold) {
        const graphNode = entry.run.graph.byId.get(node.id);
        const taskRun = graphNode && findTaskRun(entry.run.root, graphNode, node.item);
        const isSame = taskRun?.state === "waiting" && taskRun.dispatch === node.attempts.at(-1)?.dispatch;
        const told = withWaits(node, waits);
        if (isSame && told === node && graphNode!.definition.kind !== "call") continue;
        this.#untold.delete(name);
        if (isSame && told !== node) this.#send({ kind: "node", node: told });
      }
    } catch (error) {
      this.#context.log.warn({ err: error, run: this.#id }, "what a watched run waits for could not be read");
    }
  }

  #eventOf(entry: RunEntry, taskRun: TaskRun | undefined): RunEvent {
    if (taskRun) {
      const row = taskRunRowOf(entry, taskRun);
      const isSuspended = taskRun.state === "waiting" && taskRun.code !== undefined;
      return { kind: "node", node: taskRunView(this.#context, row, ownAttempt(row, isSuspended)) };
    }
    const { endedAt } = entry.run;
    const run = summaryOf({ ...liveRowOf(entry), ...(endedAt === undefined ? {} : { endedAt }) });
    return { kind: "run", run };
  }

  #sendBatch(events: readonly RunEvent[]): void {
    for (const event of events) this.#send(event);
    const last = events.findLast((event) => event.kind === "run");
    if (last && isLastState(last.run.state)) this.#end(last.run);
  }

  #sendLogs(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#send({ kind: "log", entry });
  }

  #send(event: RunEvent): void {
    const sink = this.#sink;
    if (this.#closed) return;
    if (!sink) {
      // The snapshot tells what came before it; only what it does not hold is kept.
      if (event.kind === "log" && this.#early.length < 1_000) this.#early.push(event);
      else if (event.kind !== "log") this.#early.push(event);
      return;
    }
    if (!sink.isFull) {
      sink.send(event);
      return;
    }
    this.#context.log.warn({ run: this.#id }, "a reader of events is too slow and is cut");
    this.close();
    sink.cut();
  }

  /** The log comes first, wherever its lines are. */
  #end(run: RunSummary): void {
    if (this.#closed || !this.#sink || this.#ending) return;
    this.#ending = true;
    const settled = this.#withLogs ? this.#context.live.settled(this.#id) : undefined;
    const end = (): void => {
      this.#send({ kind: "end", run });
      this.close();
      this.#sink?.end();
    };
    if (settled) void settled.then(end);
    else end();
  }

  #tickLater(): void {
    if (this.#closed) return;
    const { clock } = this.#context;
    this.#alarm = clock.after(this.#untold.size > 0 ? eventLookMs : followCheckMs, () => {
      this.#listen();
      const entry = this.#engine?.entry(this.#id);
      if (entry && this.#engine) void this.#tellWaits(this.#engine, entry, []);
      const isDue = clock.monotonic() >= this.#lookedAt + eventLookAnywayMs;
      if (!entry && isDue && !this.#context.live.isAlone) this.#lookLater();
      this.#tickLater();
    });
  }

  #lookLater(): void {
    if (this.#closed || this.#looking || !this.#sink) return;
    const { clock } = this.#context;
    const waitMs = Math.max(0, this.#lookedAt + eventLookMs - clock.monotonic());
    this.#looking = clock.after(waitMs, () => {
      this.#looking = undefined;
      if (this.#isLooking) this.#isStale = true;
      else void this.#look();
    });
  }

  /** The run is not in this server's memory: its rows tell. A database that is away is asked again. */
  async #look(): Promise<void> {
    const { clock, log } = this.#context;
    if (this.#engine?.entry(this.#id)) return;
    this.#isLooking = true;
    this.#lookedAt = clock.monotonic();
    try {
      // It may have ended here a moment before anybody listened, and its rows not be there yet.
      await this.#engine?.committed();
      const run = summaryOf(await findCurrent(this.#context, this.#id));
      const ended = isLastState(run.state);
      if (ended || this.#lookedAt >= this.#nodesAt) await this.#tellNodes();
      // Its nodes are due later: by then nobody may say again that it changed.
      else this.#context.clock.after(this.#nodesAt - this.#lookedAt, () => this.#lookLater());
      const text = JSON.stringify(run);
      if (text !== this.#toldRun) {
        this.#toldRun = text;
        this.#send({ kind: "run", run });
      }
      if (ended) this.#end(run);
    } catch (error) {
      log.warn({ err: error, run: this.#id }, "a watched run could not be read");
      clock.after(followCheckMs, () => this.#lookLater());
    } finally {
      this.#isLooking = false;
      if (this.#isStale) this.#lookLater();
      this.#isStale = false;
    }
  }

  /** Tells all nodes that changed since they were told last, as fast as they are read (V3). */
  async #tellNodes(): Promise<void> {
    const { clock } = this.#context;
    const began = clock.monotonic();
    const snapshot = await snapshotOf(this.#context, this.#id, undefined);
    const changed = snapshot.taskRuns.filter((row) => this.#told.get(nameOf(row)) !== printOf(row));
    for (let at = 0; at < changed.length && !this.#closed; at += nodesToldMax) {
      const rows = changed.slice(at, at + nodesToldMax);
      for (const node of await viewsOf(this.#context, snapshot, rows)) this.#send({ kind: "node", node });
      for (const row of rows) this.#told.set(nameOf(row), printOf(row));
      await this.#sink?.drained();
    }
    const tookMs = clock.monotonic() - began;
    this.#nodesAt = began + Math.max(eventNodesMs, eventNodesShare * tookMs);
  }
}

/** V5. */
function isLastState(state: RunState): boolean {
  return isRunEnded(state) || state === "quarantined";
}

function nameOf(row: Pick<TaskRunRow, "node" | "item">): string {
  return `${row.node}\n${row.item}`;
}

/** What of a task run's row changes with each of its transitions. */
function printOf(row: TaskRunRow): string {
  const { state, generation, attempt, dispatch, startedAt, endedAt, resumeAt, childRunId, reason } = row;
  return [
    state,
    generation,
    attempt,
    dispatch,
    startedAt,
    endedAt,
    resumeAt,
    childRunId,
    reason?.code,
  ].join();
}

function plainSummary(detail: RunDetail): RunSummary {
  const { params: _params, output: _output, ...summary } = detail.run;
  return summary;
}
