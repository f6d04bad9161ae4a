/**
 * Makes runs of firings: what their tasks will see is put together first, then run and firing are made in one turn.
 *
 * Y4: a firing starts one run, or says why none could begin; it is never dropped for want of room.
 */
import {
  errorCodeOf,
  firedEvent,
  firingValue,
  MillraceError,
  type FiredEvent,
  type FiringName,
  type Json,
  type LogEvent,
  type Reason,
  type StoredValue,
} from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { LiveRun } from "@millrace/store";
import type { ActivePipeline } from "../definitions.ts";
import type { EngineParts } from "../engine-parts.ts";
import { firingRoomMs } from "../limits.ts";
import type { RunEntrance } from "../run-entrance.ts";
import { workspaceId } from "../workspace.ts";
import type { DecidedFiring } from "./loaded-trigger.ts";

export interface FiringDeskOptions {
  readonly parts: EngineParts;
  readonly entrance: () => RunEntrance;
  /** Parameters with their defaults. Throws MILLRACE_PARAMS_INVALID. */
  readonly checkParams: (pipeline: ActivePipeline, params: Json) => Json;
}

export interface PreparedFiring {
  readonly decided: DecidedFiring;
  /** Makes the run and the firing's row: part of the flush of this turn. */
  readonly begin: () => void;
}

export class FiringDesk {
  readonly #options: FiringDeskOptions;

  constructor(options: FiringDeskOptions) {
    this.#options = options;
  }

  async prepare(firings: readonly DecidedFiring[], page: readonly LogEvent[]): Promise<PreparedFiring[]> {
    if (firings.length === 0) return [];
    const events = await this.#eventsOf(firings, page);
    const prepared: PreparedFiring[] = [];
    const revised = new RevisedRuns((name) => this.#options.parts.store.revisedRun(workspaceId, name));
    for (const decided of firings) prepared.push(await this.#prepare(decided, events, revised));
    await this.#waitForRoom();
    return prepared;
  }

  async #prepare(
    decided: DecidedFiring,
    events: ReadonlyMap<number, FiredEvent>,
    revised: RevisedRuns,
  ): Promise<PreparedFiring> {
    const { values, commit } = this.#options.parts;
    const { trigger, firing, position } = decided;
    const { program } = trigger;
    if (!program) throw new Error("invariant broken: what fired has a condition");
    const previousRun = await revised.before(firing);
    const given = firingValue(program, firing, (at) => events.get(at) ?? goneEvent(at), previousRun);
    const value = await values.loaded(await values.store(given));
    const start = await this.#startOf(firing.pipeline);
    const labels: LiveRun["labels"] = firing.partition ? { [partitionLabel]: firing.partition.key } : {};
    const runId = this.#options.entrance().newRunId();
    if (!("reason" in start)) revised.note(firing, runId);
    const row = { ...firing, workspace: workspaceId, position };
    return {
      decided,
      begin: () => {
        if ("reason" in start) {
          commit.batch.firings.push({ ...row, runId: undefined, reason: start.reason, value: undefined });
          return;
        }
        const entrance = this.#options.entrance();
        commit.batch.firings.push({ ...row, runId, reason: undefined, value: withoutContent(value) });
        entrance.enterFired(start.pipeline, { id: runId, params: start.params, firing: value, labels });
      },
    };
  }

  async #startOf(
    name: string,
  ): Promise<
    { readonly pipeline: ActivePipeline; readonly params: StoredValue } | { readonly reason: Reason }
  > {
    const { log, values } = this.#options.parts;
    const pipeline = await this.#options.entrance().activePipeline(name);
    try {
      if (!pipeline) {
        const message = `The pipeline "${name}" is not deployed any more.`;
        throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", { message });
      }
      return { pipeline, params: await values.store(this.#options.checkParams(pipeline, {})) };
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      const { message } = error as MillraceError;
      log.warn({ err: error, pipeline: name }, "a firing could not start a run");
      return { reason: { code, message } };
    }
  }

  /** The members' events: of this page, and earlier ones from the log. */
  async #eventsOf(
    firings: readonly DecidedFiring[],
    page: readonly LogEvent[],
  ): Promise<ReadonlyMap<number, FiredEvent>> {
    const { store, values } = this.#options.parts;
    const wanted = new Set<number>();
    for (const { firing } of firings)
      for (const member of firing.members) if (member.kind === "event") wanted.add(member.position);
    const found = page.filter(({ position }) => wanted.delete(position));
    const earlier = wanted.size === 0 ? [] : await store.readEntries(workspaceId, [...wanted]);
    const events = new Map<number, FiredEvent>();
    for (const event of [...found, ...earlier]) {
      const { value } = await values.loaded(event.data);
      events.set(event.position, firedEvent(event, value ?? null));
    }
    return events;
  }

  async #waitForRoom(): Promise<void> {
    const { alarms, clock } = this.#options.parts;
    while (!this.#options.entrance().hasRoom)
      await new Promise<void>((resolve) => {
        alarms.set(clock.now() + firingRoomMs, resolve);
      });
  }
}

/** The runs of earlier revisions: those of this page, whose flush is yet to come, and those of the database. */
class RevisedRuns {
  readonly #find: (name: FiringName) => Promise<string | undefined>;
  readonly #noted = new Map<string, string>();

  constructor(find: (name: FiringName) => Promise<string | undefined>) {
    this.#find = find;
  }

  /** Firings come in the order of their revisions. */
  note(firing: FiringName, runId: string): void {
    this.#noted.set(revisedName(firing), runId);
  }

  async before(firing: FiringName): Promise<string | null> {
    if (firing.revision === 1) return null;
    return this.#noted.get(revisedName(firing)) ?? (await this.#find(firing)) ?? null;
  }
}

function revisedName({ pipeline, version, key, occurrence }: FiringName): string {
  return JSON.stringify([pipeline, version, key, occurrence]);
}

/** Its retention has ended before its condition fired. */
export function goneEvent(position: number): FiredEvent {
  return { position, type: "", source: "", id: "", subject: null, time: "", recordedAt: "", data: null };
}

/** A row refers to its blob. */
export function withoutContent(value: StoredValue): StoredValue {
  return value.blob === undefined ? value : { blob: value.blob, bytes: value.bytes };
}
