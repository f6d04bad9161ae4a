/**
 * Makes runs of firings: what their tasks will see is put together first, then run and firing are made in one turn.
 *
 * Y4: a firing starts one run, or says why none could begin, or waits at its trigger's gate; it is never dropped for want of
 *     room.
 * Y6: a firing that goes on with a loop of triggers starts no run, and the log says so (L2).
 */
import {
  causesAttribute,
  causesOfFiring,
  countedValue,
  errorCodeOf,
  firingId,
  formatCauses,
  gateKeyOf,
  loopedEvent,
  loopLimitDefault,
  loopOf,
  loopReason,
  MillraceError,
  parseCauses,
  partitionOfValue,
  type Causes,
  type FiringName,
  type FiringPolicy,
  type Json,
  type LogEvent,
  type Reason,
  type StoredValue,
} from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { FiringRow, LiveRun } from "@millrace/store";
import type { ActivePipeline } from "../definitions.ts";
import type { EngineParts } from "../engine-parts.ts";
import { ownEvent } from "../event-log.ts";
import { firingRoomMs } from "../limits.ts";
import type { RunEntrance } from "../run-entrance.ts";
import { workspaceId } from "../workspace.ts";
import { FiringGate, type GateFiring, type GateOutcome } from "./firing-gate.ts";
import { FiringValues } from "./firing-values.ts";
import type { DecidedFiring, LoadedTrigger } from "./loaded-trigger.ts";
import type { PageTurn } from "./page-turn.ts";

export interface FiringDeskOptions {
  readonly parts: EngineParts;
  readonly entrance: () => RunEntrance;
  /** Parameters with their defaults. Throws MILLRACE_PARAMS_INVALID. */
  readonly checkParams: (pipeline: ActivePipeline, params: Json) => Json;
}

export interface PreparedFiring {
  readonly shard: number;
  /** Makes the run and the firing's row: part of the flush of this turn. */
  readonly begin: () => void;
}

type Start =
  | { readonly pipeline: ActivePipeline; readonly params: StoredValue; readonly reason?: undefined }
  | { readonly reason: Reason };

interface AskedGate {
  readonly keys: Set<string>;
  opensAll: boolean;
  hasPartitions: boolean;
}

type Turn = Pick<PageTurn, "firings" | "gateEvents">;

export class FiringDesk {
  readonly #options: FiringDeskOptions;
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(options: FiringDeskOptions) {
    this.#options = options;
  }

  /** Throws MILLRACE_LEASE_LOST when the engine stops meanwhile. */
  async prepare(turn: Turn, page: readonly LogEvent[]): Promise<PreparedFiring[]> {
    if (turn.firings.length + turn.gateEvents.length === 0) return [];
    const values = new FiringValues(this.#options.parts, page);
    await values.load(turn.firings.flatMap(({ firing }) => firing.members));
    const revised = new RevisedRuns((name) => this.#options.parts.store.revisedRun(workspaceId, name));
    const sitting = new Sitting(await this.#starts(turn), values, revised);
    const gates = await this.#gates(turn, sitting);
    const events = turn.gateEvents.values();
    let event = events.next();
    for (const [at, decided] of turn.firings.entries()) {
      for (; !event.done && event.value.after <= at; event = events.next())
        this.#gateEvent(gates, event.value);
      await this.#admit(sitting, gates.get(decided.firing.pipeline), decided);
    }
    for (; !event.done; event = events.next()) this.#gateEvent(gates, event.value);
    for (const [pipeline, gate] of gates)
      for (const outcome of gate.close()) await this.#settle(sitting, pipeline, outcome);
    await this.#waitForRoom();
    return sitting.prepared;
  }

  /** What waits for room waits no longer. */
  stop(): void {
    this.#stopped = true;
    for (const settle of this.#waiting) settle();
    this.#waiting.clear();
  }

  async #starts({ firings, gateEvents }: Turn): Promise<Map<string, Start & { readonly shard: number }>> {
    const starts = new Map<string, Start & { readonly shard: number }>();
    for (const { trigger } of [...firings, ...gateEvents]) {
      const { pipeline, shard } = trigger.row;
      if (!starts.has(pipeline)) starts.set(pipeline, { ...(await this.#startOf(pipeline)), shard });
    }
    return starts;
  }

  /** Of those triggers whose firings may wait. */
  async #gates({ firings, gateEvents }: Turn, { starts }: Sitting): Promise<Map<string, FiringGate>> {
    const asked = new Map<string, AskedGate>();
    const ask = ({ row }: LoadedTrigger): AskedGate => {
      const known = asked.get(row.pipeline) ?? { keys: new Set(), opensAll: false, hasPartitions: false };
      asked.set(row.pipeline, known);
      return known;
    };
    for (const { trigger } of gateEvents) {
      const gate = ask(trigger);
      if (policyOf(trigger) === "each") gate.opensAll = true;
    }
    for (const { trigger, firing } of firings) {
      if (policyOf(trigger) === "each") continue;
      const gate = ask(trigger);
      gate.keys.add(firing.key);
      if (firing.partition) gate.hasPartitions = true;
    }
    const gates = new Map<string, FiringGate>();
    for (const [pipeline, { keys, ...how }] of asked) {
      const start = starts.get(pipeline);
      const limit =
        start?.reason === undefined
          ? (start?.pipeline.definition.maxActiveRuns ?? Number.POSITIVE_INFINITY)
          : Number.POSITIVE_INFINITY;
      const { store } = this.#options.parts;
      gates.set(pipeline, await FiringGate.load(store, { pipeline, limit, keys: [...keys], ...how }));
    }
    return gates;
  }

  #gateEvent(
    gates: ReadonlyMap<string, FiringGate>,
    { trigger, endedRun }: Turn["gateEvents"][number],
  ): void {
    const gate = gates.get(trigger.row.pipeline);
    if (endedRun === undefined) gate?.opened(policyOf(trigger));
    else gate?.ended(policyOf(trigger), endedRun);
  }

  async #admit(sitting: Sitting, gate: FiringGate | undefined, decided: DecidedFiring): Promise<void> {
    const { trigger, firing, position } = decided;
    const { program } = trigger;
    if (!program) throw new Error("invariant broken: what fired has a condition");
    const { pipeline } = firing;
    const causes = causesOfFiring(pipeline, causesOfMembers(sitting.values, decided));
    const isPlain = causes.length === 1 && causes[0]!.times === 1;
    const row: FiringRow = {
      ...firing,
      workspace: workspaceId,
      position,
      runId: undefined,
      reason: undefined,
      value: undefined,
      ...(isPlain ? {} : { causes: formatCauses(causes) }),
    };
    const loop = loopOf(causes, pipeline, trigger.row.definition?.loopLimit ?? loopLimitDefault);
    const start = sitting.starts.get(pipeline)!;
    if (loop) return this.#refuseLoop(sitting, row, loop);
    if (start.reason !== undefined)
      return this.#push(sitting, pipeline, { kind: "row", row: { ...row, reason: start.reason } });
    const at: GateFiring = {
      runId: this.#options.entrance().newRunId(),
      id: firingId(firing),
      version: firing.version,
      key: gateKeyOf(firing.key, firing.partition?.key),
      members: firing.members.length,
      counted: countedValue(program, firing, await sitting.revised.before(firing)),
      causes,
      stored: 0,
      fresh: [...firing.members],
    };
    const named = { ...row, runId: at.runId };
    if (!gate || gate.admit(decided, at, named)) sitting.revised.note(firing, at.runId);
    if (!gate) await this.#settle(sitting, pipeline, { kind: "start", firing: at, row: named });
  }

  /** Makes what a gate decided into rows and runs of this turn. */
  async #settle(sitting: Sitting, pipeline: string, outcome: GateOutcome): Promise<void> {
    if (outcome.kind !== "start") return this.#push(sitting, pipeline, outcome);
    const { firing, row } = outcome;
    const start = sitting.starts.get(pipeline)!;
    const { runId } = firing;
    if (start.reason !== undefined)
      return this.#push(sitting, pipeline, {
        kind: "change",
        change: { workspace: workspaceId, runId, gate: undefined, reason: start.reason },
      });
    const { values } = this.#options.parts;
    const value = await values.loaded(await values.store(await sitting.values.valueOf(firing)));
    const causes = row ? row.causes : formatCauses(firing.causes);
    const isGated = row?.gate === "started" || !row;
    sitting.prepare(start.shard, () => {
      const { batch } = this.#options.parts.commit;
      const stored = withoutContent(value);
      if (row) batch.firings.push({ ...row, value: stored });
      else batch.firingChanges.push({ workspace: workspaceId, runId, gate: "started", value: stored });
      this.#options.entrance().enterFired(start.pipeline, {
        id: runId,
        params: start.params,
        firing: value,
        labels: labelsOf(firing),
        ...(causes === undefined ? {} : { causes }),
        ...(isGated ? { isGated } : {}),
      });
    });
  }

  #push(sitting: Sitting, pipeline: string, outcome: Exclude<GateOutcome, { kind: "start" }>): void {
    const start = sitting.starts.get(pipeline)!;
    sitting.prepare(start.shard, () => {
      const { batch } = this.#options.parts.commit;
      if (outcome.kind === "row") batch.firings.push(outcome.row);
      else if (outcome.kind === "change") batch.firingChanges.push(outcome.change);
      else {
        const { firing, reason } = outcome;
        const { runId, causes } = firing;
        batch.firingChanges.push({ workspace: workspaceId, runId, gate: undefined, reason });
        if (start.reason !== undefined) return;
        this.#options.entrance().enterSuperseded(
          start.pipeline,
          {
            id: runId,
            params: start.params,
            firing: { value: firing.counted },
            labels: labelsOf(firing),
            causes: formatCauses(causes),
          },
          reason,
        );
      }
    });
  }

  #refuseLoop(sitting: Sitting, row: FiringRow, loop: readonly string[]): void {
    const { pipeline } = row;
    const causes = parseCauses(row.causes);
    const reason = loopReason(causes, loop);
    const path = loop.join(" → ");
    const event = ownEvent(loopedEvent(row, causes, loop));
    sitting.prepare(sitting.starts.get(pipeline)!.shard, () => {
      const { parts } = this.#options;
      parts.log.warn({ pipeline, path }, `a loop of triggers was stopped: ${path}`);
      parts.commit.batch.firings.push({ ...row, reason });
      parts.events.emit([event]);
    });
  }

  async #startOf(name: string): Promise<Start> {
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

  async #waitForRoom(): Promise<void> {
    const { alarms, clock } = this.#options.parts;
    while (!this.#stopped && !this.#options.entrance().hasRoom)
      await new Promise<void>((resolve) => {
        const alarm = alarms.set(clock.now() + firingRoomMs, () => settle());
        const settle = (): void => {
          alarm.cancel();
          this.#waiting.delete(settle);
          resolve();
        };
        this.#waiting.add(settle);
      });
    if (this.#stopped)
      throw new MillraceError("MILLRACE_LEASE_LOST", {
        message: "The server stopped before its firings had room.",
      });
  }
}

/** What one page's firings share while they are prepared. */
class Sitting {
  readonly prepared: PreparedFiring[] = [];
  readonly starts: ReadonlyMap<string, Start & { readonly shard: number }>;
  readonly values: FiringValues;
  readonly revised: RevisedRuns;

  constructor(
    starts: ReadonlyMap<string, Start & { readonly shard: number }>,
    values: FiringValues,
    revised: RevisedRuns,
  ) {
    this.starts = starts;
    this.values = values;
    this.revised = revised;
  }

  prepare(shard: number, begin: () => void): void {
    this.prepared.push({ shard, begin });
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

/** A run says by a label which partition it is for. */
function labelsOf({ counted }: GateFiring): LiveRun["labels"] {
  const partition = partitionOfValue(counted);
  return partition === undefined ? {} : { [partitionLabel]: partition };
}

function policyOf({ row }: LoadedTrigger): FiringPolicy {
  return row.definition?.policy ?? "each";
}

/** Those of the runs that emitted its members. */
function causesOfMembers(values: FiringValues, { firing }: DecidedFiring): Causes[] {
  const texts = new Set<string>();
  for (const member of firing.members) {
    const text =
      member.kind === "event" ? values.entry(member.position)?.extensions[causesAttribute] : undefined;
    if (typeof text === "string") texts.add(text);
  }
  return [...texts].map(parseCauses);
}

/** A row refers to its blob. */
export function withoutContent(value: StoredValue): StoredValue {
  return value.blob === undefined ? value : { blob: value.blob, bytes: value.bytes };
}
