/**
 * Brings what is live at other servers to the readers of this one: log lines and progress of attempts whose worker is
 * connected elsewhere. It owns which runs are watched here and, by what others said, which are watched there.
 *
 * V1: nothing is said while nobody watches, nor by a server that is alone: one that has readers of a run says so, again each
 *     `watchRenewMs`, and is told of that run for `watchLeaseMs`.
 * V2: lines are told after they are stored, by the name of their chunk; whoever watches reads them from the table.
 * V3: notifications may be lost. What was stored before others heard of a watch, while the connection was away, or by a
 *     server that could not say it, is read once more: all chunks since the last such reading.
 * V4: before the end of a run is told, the others store what they have of it (`settled`), and what is there is read. A
 *     server that does not answer is waited for `settleMs`.
 * V5: a server that steps a run which is watched elsewhere says that it changed, after the commit of that.
 */
import { unreachable } from "@millrace/core";
import {
  announceLive,
  readChunks,
  readLogs,
  type Database,
  type LogChunk,
  type StoredChunk,
} from "@millrace/store";
import type { DispatchToken, Progress } from "@millrace/protocol";
import type { Alarm, Clock } from "../engine/clock.ts";
import type { EngineLog } from "../engine/engine-options.ts";
import { workspaceId } from "../engine/workspace.ts";
import {
  chunksUnreadMax,
  chunksReadMax,
  liveGatherMs,
  notesMax,
  settleMs,
  watchLeaseMs,
  watchRenewMs,
} from "./limits.ts";
import {
  progressNote,
  readLiveNote,
  textsOf,
  type ChunkName,
  type LiveNote,
  type NoteHead,
  type ProgressNote,
} from "./live-note.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { LogSink } from "./log-sink.ts";

export interface LiveRelayOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly logs: LogSink;
  readonly progress: LiveProgress;
  /** Database time, in ms. */
  readonly now: () => number;
  /** Servers with a lease, this one included. */
  readonly liveServers: () => number;
  /** Names this process among the servers. */
  readonly id: string;
  /** Resolves when all that was decided here until now is committed. */
  readonly committed: () => Promise<void>;
  /** Runs of these pipelines changed at another server. */
  readonly onActivity: (pipelines: readonly string[]) => void;
}

/** Stands for all runs where one is watched: its watchers are told of activity, and of nothing else. */
const allRuns = "*";

/** A run that is watched here. */
interface Watched {
  readonly runId: string;
  readers: number;
  /** All that was stored before this instant was read. */
  from: number;
  unread: ChunkName[];
  /** Told when another server says that the run changed (V5). */
  readonly onChanged: Set<() => void>;
  /** Readings of the table, one after the other. */
  reading: Promise<void>;
}

interface Round {
  left: number;
  readonly resolve: () => void;
}

/** Times of chunks are those of their servers' clocks, and a statement may take 15 s to commit. */
const slackMs = 20_000;
const retryMs = 500;

export class LiveRelay {
  readonly #options: LiveRelayOptions;
  readonly #watched = new Map<string, Watched>();
  /** Runs that others watch: by whom, and until when by the local clock. */
  readonly #elsewhere = new Map<string, Map<string, number>>();
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;
  #chunks: ChunkName[] = [];
  readonly #changed = new Set<string>();
  readonly #activity = new Set<string>();
  readonly #progress = new Map<string, ProgressNote>();
  readonly #missed = new Set<string>();
  #gathering: Alarm | undefined;
  #sending = false;
  #renewal: Alarm | undefined;
  #stopped = false;

  constructor(options: LiveRelayOptions) {
    this.#options = options;
  }

  // --- for readers here ---------------------------------------------------------------------------------------------

  /** No other server steps runs: what nobody says here did not happen. */
  get isAlone(): boolean {
    return this.#options.liveServers() <= 1;
  }

  /** Somebody listens to activity here, until what it returns is called. */
  watchAll(): () => void {
    return this.watch(allRuns);
  }

  /** Somebody watches a run here, until what it returns is called. `onChanged`: another server says that it changed. */
  watch(runId: string, onChanged?: () => void): () => void {
    let watched = this.#watched.get(runId);
    if (!watched) {
      watched = {
        runId,
        readers: 0,
        from: this.#options.now(),
        unread: [],
        onChanged: new Set(),
        reading: Promise.resolve(),
      };
      this.#watched.set(runId, watched);
      this.#say(textsOf(this.#watchHead(0), [runId]));
      this.#renewLater();
    }
    const own = watched;
    own.readers += 1;
    if (onChanged) own.onChanged.add(onChanged);
    return () => {
      if (onChanged) own.onChanged.delete(onChanged);
      own.readers -= 1;
      if (own.readers === 0) this.#watched.delete(runId);
    };
  }

  /** Resolves when all that was logged of a watched run, wherever, was told here (V4). */
  async settled(runId: string): Promise<void> {
    const watched = this.#watched.get(runId);
    const others = this.#options.liveServers() - 1;
    if (!watched || others <= 0 || this.#stopped) return;
    const round = (this.#lastRound += 1);
    await new Promise<void>((resolve) => {
      const alarm = this.#options.clock.after(settleMs, resolve);
      const done = (): void => {
        alarm.cancel();
        resolve();
      };
      this.#rounds.set(round, { left: others, resolve: done });
      this.#say(textsOf(this.#watchHead(round), [runId]));
    });
    this.#rounds.delete(round);
    await this.#catchUp(watched);
  }

  /** The connection that hears the others was made again. */
  catchUp(): void {
    for (const watched of this.#watched.values()) {
      if (watched.runId === allRuns) continue;
      void this.#catchUp(watched);
      for (const tell of watched.onChanged) tell();
    }
    if (this.#watched.has(allRuns)) this.#options.onActivity([]);
  }

  #watchHead(round: number): NoteHead {
    return { kind: "watch", by: this.#options.id, round };
  }

  #renewLater(): void {
    this.#renewal ??= this.#options.clock.after(watchRenewMs, () => {
      this.#renewal = undefined;
      if (this.#watched.size === 0 || this.#stopped) return;
      this.#say(textsOf(this.#watchHead(0), [...this.#watched.keys()]));
      this.#renewLater();
    });
  }

  // --- what happens here --------------------------------------------------------------------------------------------

  /** A run that this server steps changed; it need not be committed yet. */
  runChanged(runId: string): void {
    if (this.#elsewhere.size === 0 || !this.#isWatchedElsewhere(runId)) return;
    this.#changed.add(runId);
    this.#sendLater(liveGatherMs);
  }

  /** Somebody listens to activity at another server. */
  get isActivityAwaited(): boolean {
    return this.#elsewhere.size > 0 && this.#isWatchedElsewhere(allRuns);
  }

  tellActivity(pipelines: readonly string[]): void {
    for (const name of pipelines) this.#activity.add(name);
    this.#sendLater(liveGatherMs);
  }

  /** A worker of this server told its progress. */
  progressTold({ token, ...value }: Progress): void {
    if (!this.#isWatchedElsewhere(token.runId)) return;
    this.#noteProgress(token, value);
  }

  #noteProgress(token: DispatchToken, value: { readonly fraction: number; readonly message?: string }): void {
    const note = progressNote(token, value);
    this.#progress.set(note.slice(0, 5).join("/"), note);
    this.#sendLater(liveGatherMs);
  }

  /** Lines that came from workers of this server are stored. */
  chunksStored(chunks: readonly LogChunk[]): void {
    if (this.#elsewhere.size === 0) return;
    for (const { runId, node, item, generation, attempt, dispatch, position } of chunks) {
      if (!this.#isWatchedElsewhere(runId)) continue;
      if (this.#chunks.length < notesMax)
        this.#chunks.push([runId, node, item, generation, attempt, dispatch, position]);
      else this.#missed.add(runId);
    }
    if (this.#chunks.length > 0) this.#sendLater(liveGatherMs);
  }

  #isWatchedElsewhere(runId: string): boolean {
    const by = this.#elsewhere.get(runId);
    if (!by) return false;
    const now = this.#options.clock.monotonic();
    for (const [server, until] of by) if (until < now) by.delete(server);
    if (by.size === 0) this.#elsewhere.delete(runId);
    return by.size > 0;
  }

  #sendLater(delayMs: number): void {
    if (this.#sending || this.#stopped) return;
    this.#gathering ??= this.#options.clock.after(delayMs, () => {
      this.#gathering = undefined;
      void this.#send();
    });
  }

  /** One after the other, in order. What can't be said is found in the table by those who hear of it later (V3). */
  async #send(): Promise<void> {
    const by = this.#options.id;
    const [chunks, progress, missed] = [this.#chunks, [...this.#progress.values()], [...this.#missed]];
    const [changed, activity] = [[...this.#changed], [...this.#activity]];
    this.#changed.clear();
    this.#activity.clear();
    this.#chunks = [];
    this.#progress.clear();
    this.#missed.clear();
    this.#sending = true;
    let isSaid = true;
    try {
      if (changed.length > 0) await this.#options.committed();
      for (const text of [
        ...textsOf({ kind: "changed", by }, changed),
        ...textsOf({ kind: "activity", by }, activity),
        ...textsOf({ kind: "missed", by }, missed),
        ...textsOf({ kind: "chunks", by }, chunks),
        ...textsOf({ kind: "progress", by }, progress),
      ])
        await announceLive(this.#options.database, text);
    } catch (error) {
      isSaid = false;
      this.#warn(error);
      for (const [runId] of chunks) this.#missed.add(runId);
      for (const runId of missed) this.#missed.add(runId);
    }
    this.#sending = false;
    const left = [
      this.#chunks.length,
      this.#progress.size,
      this.#missed.size,
      this.#changed.size,
      this.#activity.size,
    ];
    if (left.some((count) => count > 0)) this.#sendLater(isSaid ? liveGatherMs : retryMs);
  }

  // --- what others say ----------------------------------------------------------------------------------------------

  hear(text: string): void {
    const note = readLiveNote(text);
    if (!note || note.by === this.#options.id || this.#stopped) return;
    switch (note.kind) {
      case "watch":
        return this.#heardWatch(note);
      case "heard":
        return this.#heardAnswer(note);
      case "missed":
        return this.#catchUpOf(note.of);
      case "changed":
        for (const runId of note.of) for (const tell of this.#watched.get(runId)?.onChanged ?? []) tell();
        return;
      case "activity":
        return this.#options.onActivity(note.of);
      case "chunks":
        return this.#heardChunks(note.of);
      case "progress":
        for (const [runId, node, item, generation, dispatch, fraction, message] of note.of) {
          if (!this.#watched.has(runId)) continue;
          const token = { runId, node, item, generation, dispatch };
          this.#options.progress.set({
            kind: "progress",
            token,
            fraction,
            ...(message === undefined ? {} : { message }),
          });
        }
        return;
      default:
        return unreachable(note);
    }
  }

  /** Whoever is new is told what there is; all that comes is told from now on. */
  #heardWatch({ by, round, of }: Extract<LiveNote, { kind: "watch" }>): void {
    const now = this.#options.clock.monotonic();
    for (const runId of this.#elsewhere.keys()) this.#isWatchedElsewhere(runId);
    const fresh = of.filter((runId) => {
      const watchers = this.#elsewhere.get(runId) ?? new Map<string, number>();
      this.#elsewhere.set(runId, watchers);
      const isNew = !watchers.has(by);
      watchers.set(by, now + watchLeaseMs);
      return isNew;
    });
    for (const runId of fresh)
      for (const { token, value } of this.#options.progress.ofRun(runId)) this.#noteProgress(token, value);
    const asked = (round > 0 ? of : fresh).filter((runId) => runId !== allRuns);
    if (asked.length > 0) void this.#answer(by, round, asked);
  }

  async #answer(to: string, round: number, runIds: readonly string[]): Promise<void> {
    const { logs, id } = this.#options;
    await Promise.all(runIds.map((runId) => logs.stored(runId)));
    this.#say(textsOf({ kind: "heard", by: id, to, round }, runIds));
  }

  #heardAnswer({ to, round, of }: Extract<LiveNote, { kind: "heard" }>): void {
    if (to !== this.#options.id) return;
    if (round === 0) return this.#catchUpOf(of);
    const waiting = this.#rounds.get(round);
    if (!waiting) return;
    waiting.left -= 1;
    if (waiting.left <= 0) waiting.resolve();
  }

  #catchUpOf(runIds: readonly string[]): void {
    for (const runId of runIds) {
      const watched = this.#watched.get(runId);
      if (watched) void this.#catchUp(watched);
    }
  }

  #heardChunks(names: readonly ChunkName[]): void {
    for (const name of names) {
      const watched = this.#watched.get(name[0]);
      if (!watched) continue;
      watched.unread.push(name);
      if (watched.unread.length === 1) void this.#read(watched, () => this.#readUnread(watched));
    }
  }

  // --- reading ------------------------------------------------------------------------------------------------------

  #read(watched: Watched, work: () => Promise<void>): Promise<void> {
    watched.reading = watched.reading.then(work).catch((error: unknown) => this.#warn(error));
    return watched.reading;
  }

  async #readUnread(watched: Watched): Promise<void> {
    const names = watched.unread;
    watched.unread = [];
    if (names.length > chunksUnreadMax) return this.#readAll(watched);
    for (let at = 0; at < names.length; at += chunksReadMax) {
      const chunks = await readChunks(this.#options.database, workspaceId, {
        runId: watched.runId,
        since: watched.from - slackMs,
        names: names
          .slice(at, at + chunksReadMax)
          .map(([, node, item, generation, attempt, dispatch, position]) => ({
            node,
            item,
            generation,
            attempt,
            dispatch,
            position,
          })),
      });
      this.#tell(watched, chunks);
    }
  }

  #catchUp(watched: Watched): Promise<void> {
    return this.#read(watched, () => this.#readAll(watched));
  }

  /** V3. */
  async #readAll(watched: Watched): Promise<void> {
    const { database, now } = this.#options;
    const began = now();
    const since = watched.from - slackMs;
    let from = { createdAt: since, node: "", item: "", generation: 0, dispatch: 0, position: 0 };
    for (;;) {
      const chunks = await readLogs(database, workspaceId, {
        runId: watched.runId,
        since,
        node: undefined,
        item: undefined,
        attempt: undefined,
        generation: undefined,
        from,
        limit: chunksReadMax,
      });
      this.#tell(watched, chunks);
      const last = chunks.at(-1);
      if (!last || chunks.length < chunksReadMax) break;
      from = { ...last, position: last.position + 1 };
    }
    watched.from = began;
  }

  #tell({ runId }: Watched, chunks: readonly StoredChunk[]): void {
    for (const chunk of chunks) this.#options.logs.tellStored(runId, chunk);
  }

  // --- speaking -----------------------------------------------------------------------------------------------------

  #say(texts: readonly string[]): void {
    if (this.#stopped || this.#options.liveServers() <= 1) return;
    for (const text of texts)
      void announceLive(this.#options.database, text).catch((error: unknown) => this.#warn(error));
  }

  #warn(error: unknown): void {
    if (!this.#stopped)
      this.#options.log.warn({ err: error }, "what is live could not be exchanged with other servers");
  }

  stop(): void {
    this.#stopped = true;
    this.#gathering?.cancel();
    this.#renewal?.cancel();
    for (const { resolve } of this.#rounds.values()) resolve();
  }
}
