/**
 * One source on the node that holds its shard: its reader, what that remembers, and how it does.
 *
 * R1: an event, the memory of the thing that it tells, and the source's count are put into one batch in one turn: they are
 *     committed together, or none of them is.
 * R2: events are numbered in the order in which they are found; the number is part of an event's name, and its row keeps it.
 * R3: a reader that throws is called again, 0.25 s to 5 s later, for as long as the source is wanted here.
 * R4: while the log has no room, nothing is taken and the reader waits; half of the room is left to other doors.
 * R5: what a stopped reader finds is not taken, however long it goes on.
 */
import {
  catalogue,
  errorCodeOf,
  MillraceError,
  ownSource,
  sourceUri,
  type Finding,
  type MillraceErrorDetails,
  type SourceConnector,
  type SourceDefinition,
  type SourceDetail,
  type SourceProblem,
  type SourceTask,
} from "@millrace/core";
import { isStorable } from "@millrace/protocol";
import type { EventRow, SourceRow, SourceState } from "@millrace/store";
import type { Alarm, Clock } from "../clock.ts";
import type { EngineParts } from "../engine-parts.ts";
import { logShard, ownEvent } from "../event-log.ts";
import {
  eventBacklogMax,
  eventsPendingMax,
  sourceDetailMs,
  sourceFindingsMax,
  sourceRetryMsMax,
  sourceRetryMsMin,
  sourceRoomMs,
  sourceStopMs,
} from "../limits.ts";
import { workspaceId } from "../workspace.ts";

/** A source starts to read, stops, fails, goes on. Its subject is the source's name. */
export const sourceChanged = "millrace.source.changed";

export interface SourceRunOptions {
  readonly parts: Pick<EngineParts, "store" | "clock" | "log" | "commit" | "events">;
  readonly clock: Clock;
  readonly owns: (shard: number) => boolean;
  readonly definition: SourceDefinition;
  readonly connector: SourceConnector;
  readonly shard: number;
  readonly root: string;
}

export class SourceRun {
  readonly #options: SourceRunOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #row: SourceRow | undefined;
  /** What the log was told last. */
  #told: SourceState = "stopped";
  #hasReported = false;
  #detailAlarm: Alarm | undefined;

  constructor(options: SourceRunOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#supervise();
  }

  /** It does not read; that is told. */
  pause(): void {
    this.#running ??= this.#untilLoaded().then((isLoaded) => {
      if (isLoaded) this.#enter("paused", undefined);
    });
  }

  /** `state`: what it is from now on, where that is told. Resolves when its reader has ended, or is given up. */
  async stop(state?: "stopped"): Promise<void> {
    this.#stopping.abort();
    this.#detailAlarm?.cancel();
    const given = new Promise<"given up">((resolve) => {
      const alarm = this.#options.clock.after(sourceStopMs, () => resolve("given up"));
      void this.#running?.finally(() => alarm.cancel());
    });
    const outcome = await Promise.race([this.#running, given]);
    const { log } = this.#options.parts;
    if (outcome === "given up")
      log.warn({ source: this.#name }, "the reader of a source does not end; it is left behind");
    if (state !== undefined && this.#row) this.#enter(state, undefined);
  }

  get #name(): string {
    return this.#options.definition.name;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  // --- life ---------------------------------------------------------------------------------------------------------

  async #supervise(): Promise<void> {
    for (let delayMs = sourceRetryMsMin; !this.#isStopped;) {
      this.#hasReported = false;
      try {
        await this.#load();
        if (this.#isStopped) return;
        if (this.#row?.state !== "failing") this.#enter("starting", undefined);
        await this.#options.connector.read(this.#task());
        if (!this.#isStopped)
          throw new MillraceError("MILLRACE_SOURCE_FAILED", { message: "The reader ended by itself." });
      } catch (error) {
        if (this.#isStopped) return;
        this.#fail(error);
      }
      delayMs = this.#hasReported ? sourceRetryMsMin : Math.min(delayMs * 2, sourceRetryMsMax);
      await this.#wait(delayMs);
    }
  }

  /** The database may not answer: then it is asked again. */
  async #untilLoaded(): Promise<boolean> {
    for (
      let delayMs = sourceRetryMsMin;
      !this.#isStopped;
      delayMs = Math.min(delayMs * 2, sourceRetryMsMax)
    ) {
      try {
        await this.#load();
        return !this.#isStopped;
      } catch (error) {
        this.#options.parts.log.warn({ err: error, source: this.#name }, "a source could not be read");
        await this.#wait(delayMs);
      }
    }
    return false;
  }

  async #load(): Promise<void> {
    if (this.#row) return;
    const { parts, definition, connector, shard } = this.#options;
    // What an earlier reader of it, which was left behind, put under way here counts (R2).
    await this.#committed();
    const found = await fromStore(() => parts.store.loadSource(this.#sourceName));
    if (this.#isStopped) return;
    const place = connector.placeOf(definition);
    const isMoved = found !== undefined && found.place !== "" && found.place !== place;
    this.#told = found?.state ?? "stopped";
    const fresh = { workspace: workspaceId, name: this.#name, events: 0, lastEventAt: undefined };
    const detail = isMoved ? undefined : found?.detail;
    const begun = { state: "stopped" as const, changedAt: parts.clock.now(), error: undefined };
    this.#row = { ...fresh, ...begun, ...found, shard, place, detail };
    if (!isMoved) return;
    parts.commit.batch.sourcesForgotten.push(this.#sourceName);
    this.#write({});
    await this.#committed();
  }

  get #sourceName(): { readonly workspace: number; readonly source: string } {
    return { workspace: workspaceId, source: this.#name };
  }

  #fail(error: unknown): void {
    const code = errorCodeOf(error);
    // The database's trouble, and ours: no news of the source.
    if (code === "MILLRACE_DATABASE_UNREACHABLE" || code === "MILLRACE_LEASE_LOST") {
      this.#options.parts.log.warn({ err: error, source: this.#name }, "a source waits for the database");
      return;
    }
    const problem = problemOf(error);
    const before = this.#row?.error;
    if (before?.code !== problem.code || before.message !== problem.message)
      this.#options.parts.log.warn({ err: error, source: this.#name }, `the source ${this.#name} fails`);
    this.#enter("failing", problem);
  }

  #wait(delayMs: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        alarm.cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const alarm = this.#options.clock.after(delayMs, done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  // --- what a reader is given ---------------------------------------------------------------------------------------

  #task(): SourceTask {
    const { parts, clock, definition, root } = this.#options;
    const { store } = parts;
    const source = this.#sourceName;
    return {
      definition,
      root,
      signal: this.#stopping.signal,
      reported: this.#row?.detail,
      clock: { now: () => parts.clock.now(), after: (delayMs, callback) => clock.after(delayMs, callback) },
      recall: async (keys) => {
        const things = await fromStore(() => store.recallThings(source, keys));
        return new Map(things.map(({ key, fingerprint, version }) => [key, { fingerprint, version }]));
      },
      recallPage: (after, limit) => fromStore(() => store.recallPage(source, { after, limit })),
      countRemembered: () => fromStore(() => store.countThings(source)),
      record: (findings) => this.#record(findings),
      begun: () => this.#begin(),
      report: (detail) => this.#report(detail),
    };
  }

  async #record(findings: readonly Finding[]): Promise<void> {
    for (let at = 0; at < findings.length; at += sourceFindingsMax) {
      const part = findings.slice(at, at + sourceFindingsMax);
      for (const finding of part) requireSound(finding);
      await this.#waitForRoom(part.length);
      if (this.#isStopped) throw stopped();
      this.#take(part);
      await this.#committed();
    }
  }

  /** In one turn (R1). */
  #take(findings: readonly Finding[]): void {
    const { batch } = this.#options.parts.commit;
    const now = this.#options.parts.clock.now();
    const events: EventRow[] = [];
    let number = this.#row!.events;
    for (const { key, remember, event } of findings) {
      const thing = { ...this.#sourceName, key };
      if (remember) batch.thingsRemembered.push({ ...thing, ...remember, toldAt: now });
      else batch.thingsForgotten.push(thing);
      if (!event) continue;
      number += 1;
      const { type, subject, time, data } = event;
      const name = { source: sourceUri(this.#name), id: String(number) };
      events.push(ownEvent({ ...name, type, subject, time, data: { value: data } }));
    }
    this.#write(events.length === 0 ? {} : { events: number, lastEventAt: now });
    this.#options.parts.events.emit(events);
  }

  async #waitForRoom(count: number): Promise<void> {
    const { parts, owns } = this.#options;
    while (!this.#isStopped) {
      const hasRoom = owns(logShard)
        ? parts.events.backlog + count <= eventBacklogMax / 2
        : (await fromStore(() => parts.store.countPending(logShard, eventsPendingMax / 2))) <
          eventsPendingMax / 2;
      if (hasRoom) return;
      await this.#wait(sourceRoomMs);
    }
  }

  #committed(): Promise<void> {
    return this.#options.parts.commit.drained();
  }

  // --- how it does --------------------------------------------------------------------------------------------------

  #begin(): void {
    if (!this.#isStopped && this.#row?.state === "failing") this.#enter("starting", undefined);
  }

  #report(detail: SourceDetail): void {
    if (this.#isStopped || !this.#row) return;
    this.#hasReported = true;
    const isSame = JSON.stringify(detail) === JSON.stringify(this.#row.detail);
    if (this.#row.state !== "running") {
      this.#row = { ...this.#row, detail };
      this.#enter("running", undefined);
    } else if (!isSame) {
      this.#row = { ...this.#row, detail };
      this.#detailAlarm ??= this.#options.clock.after(sourceDetailMs, () => {
        this.#detailAlarm = undefined;
        if (!this.#isStopped) this.#write({});
      });
    }
  }

  #enter(state: SourceState, error: SourceProblem | undefined): void {
    const row = this.#row!;
    const isSame =
      row.state === state && row.error?.code === error?.code && row.error?.message === error?.message;
    if (isSame) return;
    const now = this.#options.parts.clock.now();
    this.#write({ state, error, ...(row.state === state ? {} : { changedAt: now }) });
    if (state === "starting" || state === this.#told) return;
    this.#told = state;
    this.#options.parts.events.emit([this.#changedEvent(state, error, now)]);
  }

  #changedEvent(state: SourceState, error: SourceProblem | undefined, now: number): EventRow {
    const { kind } = this.#options.definition;
    const told = error === undefined ? {} : { error: { code: error.code, message: error.message } };
    return ownEvent({
      source: ownSource,
      id: `source/${this.#name}/${state}/${Math.round(now * 1_000)}`,
      type: sourceChanged,
      subject: this.#name,
      data: { value: { source: this.#name, kind, state, ...told } },
    });
  }

  /** A batch has one row of a source. */
  #write(change: Partial<SourceRow>): void {
    const { commit } = this.#options.parts;
    const row = { ...this.#row!, ...change };
    this.#row = row;
    const at = commit.batch.sources.findIndex(({ name }) => name === row.name);
    if (at < 0) commit.batch.sources.push(row);
    else commit.batch.sources[at] = row;
    commit.request();
  }
}

/** What the database would refuse must not reach a flush: there it would tear event and memory apart. */
function requireSound({ key, event }: Finding): void {
  if ([key, event?.type ?? "", event?.subject ?? ""].every(isStorable)) return;
  throw new MillraceError("MILLRACE_SOURCE_FAILED", {
    message: `The reader found ${JSON.stringify(key.slice(0, 100))}, which has a character that can't be stored.`,
  });
}

async function fromStore<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    const message = `The database did not answer a source: ${cause instanceof Error ? cause.message : String(cause)}.`;
    throw new MillraceError("MILLRACE_DATABASE_UNREACHABLE", { message, cause });
  }
}

function stopped(): MillraceError {
  return new MillraceError("MILLRACE_LEASE_LOST", { message: "The source is read here no more." });
}

const messageMax = 1_000;

function problemOf(error: unknown): SourceProblem {
  const code = errorCodeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const message = text.slice(0, messageMax);
  if (code === undefined)
    return { code: "MILLRACE_SOURCE_FAILED", message, advice: catalogue.MILLRACE_SOURCE_FAILED.advice };
  const { advice } = error as MillraceErrorDetails;
  return { code, message, advice: advice ?? catalogue[code].advice };
}
