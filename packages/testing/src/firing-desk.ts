/**
 * What becomes of the firings of a testbed: their runs, and where they stand at their triggers' gates. The core decides, as it does
 * for the server (`core/trigger/policy.ts`, `causes.ts`, `merged-firing.ts`).
 *
 * F1: a firing starts one run, or says why none could begin, or waits at its trigger's gate; none is dropped.
 * F2: a firing that would go on with a loop of triggers starts no run, and the log says so (L2 of the core's causes).
 * F3: a firing at a gate has the id of its run from the beginning: runs are numbered by their firings.
 */
import {
  admitFiring,
  causesAttribute,
  causesOfFiring,
  countedValue,
  endGatedRun,
  errorCodeOf,
  firedEvent,
  firingId,
  firingValue,
  gateKeyOf,
  heavierCauses,
  listedMembersMax,
  listedValue,
  loopedEvent,
  loopLimitDefault,
  loopOf,
  loopReason,
  memberValue,
  mergeCounted,
  mergedReason,
  MillraceError,
  parseCauses,
  partitionOfValue,
  supersededReason,
  unreachable,
  type Causes,
  type DecidedFiring,
  type FiredEvent,
  type Firing,
  type FiringPolicy,
  type Gate,
  type GatedFiring,
  type GateStep,
  type Json,
  type Member,
  type NamedFiring,
  type Reason,
} from "@millrace/core";
import type { BedPipeline } from "./definitions.ts";
import type { EventBook } from "./event-book.ts";
import type { NewRun, RunDesk, RunEntry } from "./run-desk.ts";
import type { BedTrigger } from "./trigger-watch.ts";

/** Where a firing stands: as a server's API calls it. */
export type FiringState = "started" | "waiting" | "merged" | "superseded" | "refused";

/** A firing, and what came of it. */
export interface FiringRecord {
  readonly trigger: BedTrigger;
  readonly firing: Firing;
  /** Of the last entry that was told before it was decided. */
  readonly position: number;
  /** Of the run that it has, or will have. */
  readonly runId: string | undefined;
  /** Those of the firings that were merged into it included. */
  readonly members: Member[];
  state: FiringState;
  run: RunEntry | undefined;
  reason: Reason | undefined;
  /** The one that it was merged into. */
  into?: FiringRecord;
}

/** A firing at the gate of its trigger. */
interface Standing extends GatedFiring, NamedFiring {
  readonly record: FiringRecord;
  /** Its value, with counts in place of its members. */
  counted: Json;
  causes: Causes;
}

export class FiringDesk {
  readonly firings: FiringRecord[] = [];
  readonly #log: EventBook;
  readonly #runs: RunDesk;
  readonly #gates = new Map<BedTrigger, Gate<Standing>>();

  constructor(log: EventBook, runs: RunDesk) {
    this.#log = log;
    this.#runs = runs;
  }

  /** F1. */
  begin({ trigger, firing, position }: DecidedFiring<BedTrigger>): void {
    const causes = causesOfFiring(firing.pipeline, this.#causesOfMembers(firing));
    const loop = loopOf(causes, firing.pipeline, trigger.row.definition?.loopLimit ?? loopLimitDefault);
    const refusal = loop ? loopReason(causes, loop) : refusalOf(trigger.pipeline);
    const { members } = firing;
    const base = { trigger, firing, position, run: undefined };
    if (refusal) {
      this.firings.push({
        ...base,
        members: [...members],
        runId: undefined,
        state: "refused",
        reason: refusal,
      });
      if (loop) this.#log.append(loopedEvent(firing, causes, loop));
      return;
    }
    const previousRun = this.#revisedRun(firing);
    const runId = this.#runs.newRunId();
    const record: FiringRecord = {
      ...base,
      members: [...members],
      runId,
      state: "waiting",
      reason: undefined,
    };
    this.firings.push(record);
    const { program } = trigger;
    const gate = this.#gateOf(trigger);
    if (!gate) {
      const value =
        members.length > listedMembersMax
          ? countedValue(program, firing, previousRun)
          : firingValue(program, firing, (at) => this.#eventAt(at), previousRun);
      return this.#start(record, { value, causes, isGated: false });
    }
    const standing: Standing = {
      record,
      runId,
      id: firingId(firing),
      version: firing.version,
      key: gateKeyOf(firing.key, firing.partition?.key),
      members: members.length,
      counted: countedValue(program, firing, previousRun),
      causes,
    };
    for (const step of admitFiring(gate, policyOf(trigger), standing)) this.#take(step);
  }

  /** The log tells that a run has ended: what waits for its slot may begin. */
  runEnded(trigger: BedTrigger, runId: string): void {
    const gate = this.#gates.get(trigger);
    if (!gate?.active.has(runId)) return;
    for (const step of endGatedRun(gate, policyOf(trigger), runId)) this.#take(step);
  }

  /** The gate as it stands, to be thrown away; nothing where each firing has its run at once. */
  copyOfGate(trigger: BedTrigger): Gate<GatedFiring> | undefined {
    const gate = this.#gateOf(trigger);
    if (!gate) return undefined;
    const waiting = gate.waiting.map(({ runId, version, key, members }) => ({
      runId,
      version,
      key,
      members,
    }));
    return { ...gate, active: new Set(gate.active), waiting };
  }

  /** What tasks see of a firing's members, operand by operand. */
  memberValues({ trigger, members }: FiringRecord): { readonly [operand: string]: readonly Json[] } {
    const lists = Object.fromEntries(
      trigger.program.operands.map((operand): [string, Json[]] => [operand, []]),
    );
    for (const member of members)
      (lists[member.operand] ??= []).push(memberValue(member, (at) => this.#eventAt(at)));
    return lists;
  }

  #gateOf(trigger: BedTrigger): Gate<Standing> | undefined {
    if (policyOf(trigger) === "each") return undefined;
    const limit = trigger.pipeline.definition.maxActiveRuns ?? Number.POSITIVE_INFINITY;
    const gate = this.#gates.get(trigger) ?? { limit, active: new Set(), waiting: [], hasMore: false };
    this.#gates.set(trigger, gate);
    return gate;
  }

  #take(step: GateStep<Standing>): void {
    switch (step.kind) {
      case "start": {
        const { record, counted, causes } = step.firing;
        const { members } = record;
        const value =
          members.length > listedMembersMax
            ? counted
            : listedValue(counted, members, (at) => this.#eventAt(at));
        return this.#start(record, { value, causes, isGated: true });
      }
      case "wait":
        return;
      case "merge":
        return merge(step.into, step.firing);
      case "supersede":
        return this.#supersede(step.firing, step.by);
      default:
        return unreachable(step);
    }
  }

  #start(
    record: FiringRecord,
    { value, ...parts }: { readonly value: Json; readonly causes: Causes; readonly isGated: boolean },
  ): void {
    record.state = "started";
    record.run = this.#runs.start(record.trigger.pipeline, this.#newRun(record, value, parts));
  }

  /** Its run is made as it ends. */
  #supersede({ record, counted, causes }: Standing, by: Standing): void {
    record.state = "superseded";
    record.reason = supersededReason(by);
    const made = this.#newRun(record, counted, { causes });
    record.run = this.#runs.enterSuperseded(record.trigger.pipeline, made, record.reason);
  }

  #newRun(record: FiringRecord, value: Json, parts: Pick<NewRun, "causes" | "isGated">): NewRun {
    const { trigger, runId } = record;
    return {
      ...parts,
      id: runId,
      params: trigger.pipeline.checkParams({}),
      firing: value,
      partition: partitionOfValue(value),
      firedMembers: () => this.memberValues(record),
    };
  }

  #eventAt(position: number): FiredEvent {
    const entry = this.#log.at(position)!;
    return firedEvent(entry, entry.data.value ?? null);
  }

  /** Those of the runs that emitted its members. */
  #causesOfMembers({ members }: Firing): Causes[] {
    return members.flatMap((member) => {
      if (member.kind !== "event") return [];
      return [parseCauses(this.#log.at(member.position)?.extensions[causesAttribute])];
    });
  }

  /** The run of the revision before: the one that it will have, where that waits. */
  #revisedRun({ pipeline, key, occurrence, revision }: Firing): string | null {
    if (revision === 1) return null;
    const before = this.firings.findLast(
      ({ firing, runId, into }) =>
        runId !== undefined &&
        into === undefined &&
        firing.pipeline === pipeline &&
        firing.key === key &&
        firing.occurrence === occurrence &&
        firing.revision < revision,
    );
    return before?.runId ?? null;
  }
}

export function policyOf({ row }: BedTrigger): FiringPolicy {
  return row.definition?.policy ?? "each";
}

function merge(into: Standing, { record, counted, causes }: Standing): void {
  const { record: whole } = into;
  whole.members.push(...record.members);
  into.counted = mergeCounted(into.counted, counted);
  into.causes = heavierCauses(whole.firing.pipeline, into.causes, causes);
  record.state = "merged";
  record.reason = mergedReason(into);
  record.into = whole;
}

/** Why none of its firings can start a run. */
function refusalOf(pipeline: BedPipeline): Reason | undefined {
  try {
    pipeline.checkParams({});
    return undefined;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === undefined) throw error;
    return { code, message: (error as MillraceError).message };
  }
}
