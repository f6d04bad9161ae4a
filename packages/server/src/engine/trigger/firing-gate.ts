/**
 * The gate of one trigger for one page: what the pure core decides of its firings (`core/trigger/policy.ts`), from the rows
 * that stand at it, as changes of rows.
 *
 * Y5: what stands at a gate is in rows: a page's decisions are part of the flush that moves the trigger's position (X1).
 */
import {
  admitFiring,
  endGatedRun,
  firingId,
  formatCauses,
  gateKeyOf,
  heavierCauses,
  mergeCounted,
  mergedReason,
  openGate,
  parseCauses,
  partitionOfValue,
  streamedMembersOf,
  supersededReason,
  unreachable,
  type Causes,
  type FiringPolicy,
  type Gate,
  type GatedFiring,
  type GateStep,
  type Json,
  type Member,
  type Reason,
} from "@millrace/core";
import type { EngineStore, FiringChange, FiringRow } from "@millrace/store";
import { gateOldestMax } from "../limits.ts";
import { workspaceId } from "../workspace.ts";
import type { DecidedFiring } from "./loaded-trigger.ts";

/** A firing at the gate. */
export interface GateFiring extends GatedFiring {
  /** Its name below its pipeline. */
  readonly id: string;
  /** With counts in place of its members. */
  counted: Json;
  causes: Causes;
  /** How many of its members are stored, and those that this page has added. */
  readonly stored: number;
  readonly fresh: Member[];
}

/** What becomes of one firing: for those that start, a value is put together before anything is committed. */
export type GateOutcome =
  | { readonly kind: "row"; readonly row: FiringRow }
  | { readonly kind: "start"; readonly firing: GateFiring; readonly row: FiringRow | undefined }
  | { readonly kind: "superseded"; readonly firing: GateFiring; readonly reason: Reason }
  | { readonly kind: "change"; readonly change: FiringChange };

export class FiringGate {
  readonly outcomes: GateOutcome[] = [];
  readonly #pipeline: string;
  readonly #gate: Gate<GateFiring>;
  /** Firings that wait and have taken others in this page. */
  readonly #grown = new Set<GateFiring>();

  private constructor(pipeline: string, gate: Gate<GateFiring>) {
    this.#pipeline = pipeline;
    this.#gate = gate;
  }

  /** `opensAll`: nothing will wait any more. `hasPartitions`: of one key several wait. */
  static async load(
    store: Pick<EngineStore, "loadGate">,
    asked: {
      readonly pipeline: string;
      readonly limit: number;
      readonly keys: readonly string[];
      readonly opensAll: boolean;
      readonly hasPartitions: boolean;
    },
  ): Promise<FiringGate> {
    const { pipeline, limit, keys, opensAll, hasPartitions } = asked;
    const wanted = hasPartitions ? gateOldestMax : Math.min(Math.max(limit, 1), gateOldestMax);
    const oldest = opensAll ? Number.MAX_SAFE_INTEGER : wanted;
    const { active, waiting, hasMore } = await store.loadGate({
      workspace: workspaceId,
      pipeline,
      keys,
      oldest,
    });
    return new FiringGate(pipeline, {
      limit,
      active: new Set(active),
      waiting: waiting.map((row) => {
        const members = streamedMembersOf(row.value) ?? 0;
        return {
          runId: row.runId,
          id: firingId(row),
          version: row.version,
          key: gateKeyOf(row.key, partitionOfValue(row.value)),
          members,
          counted: row.value,
          causes: parseCauses(row.causes ?? `${pipeline}*1`),
          stored: members,
          fresh: [],
        };
      }),
      hasMore,
    });
  }

  /** `row` is the firing's as it is without the gate. False: it was merged into another one, and will have no run of its own. */
  admit({ trigger, firing }: DecidedFiring, at: GateFiring, row: FiringRow): boolean {
    const policy: FiringPolicy = trigger.row.definition?.policy ?? "each";
    const steps = admitFiring(this.#gate, policy, at);
    for (const step of steps) this.#take(step, at, row, firing.members);
    return steps.every(({ kind }) => kind !== "merge");
  }

  ended(policy: FiringPolicy, runId: string): void {
    // One that a person started, or that began when its trigger had no gate.
    if (!this.#gate.active.has(runId)) return;
    this.#leave(runId);
    for (const step of endGatedRun(this.#gate, policy, runId)) this.#takeWaiting(step);
  }

  /** The trigger is another one. Where its firings do not wait any more, the gate forgets what is under way. */
  opened(policy: FiringPolicy): void {
    for (const step of openGate(this.#gate, policy)) this.#takeWaiting(step);
    if (policy !== "each") return;
    for (const runId of this.#gate.active) this.#leave(runId);
    this.#gate.active.clear();
  }

  /** What has grown is told once for the page. */
  close(): readonly GateOutcome[] {
    for (const { runId, counted, causes } of this.#grown)
      this.#change({ runId, gate: "waiting", value: { value: counted }, causes: formatCauses(causes) });
    return this.outcomes;
  }

  #take(step: GateStep<GateFiring>, at: GateFiring, row: FiringRow, members: readonly Member[]): void {
    switch (step.kind) {
      case "start":
        if (step.firing === at)
          this.outcomes.push({ kind: "start", firing: at, row: { ...row, gate: "started" } });
        else this.#takeWaiting(step);
        return;
      case "wait":
        this.outcomes.push({ kind: "row", row: { ...row, gate: "waiting", value: { value: at.counted } } });
        return;
      case "merge":
        return this.#merge(step.into, at, row, members);
      case "supersede":
        return this.#supersede(step.firing, step.by);
      default:
        return unreachable(step);
    }
  }

  #takeWaiting(step: GateStep<GateFiring>): void {
    if (step.kind !== "start") throw new Error("invariant broken: a gate that opens lets firings start");
    this.#grown.delete(step.firing);
    this.outcomes.push({ kind: "start", firing: step.firing, row: undefined });
  }

  #merge(into: GateFiring, merged: GateFiring, row: FiringRow, members: readonly Member[]): void {
    const { runId } = into;
    const from = into.stored + into.fresh.length;
    into.fresh.push(...members);
    into.counted = mergeCounted(into.counted, merged.counted);
    into.causes = heavierCauses(this.#pipeline, into.causes, merged.causes);
    this.#grown.add(into);
    const reason = mergedReason(into);
    this.outcomes.push({
      kind: "row",
      row: { ...row, runId: undefined, value: undefined, reason, into: { runId, from } },
    });
  }

  #supersede(firing: GateFiring, by: GateFiring): void {
    this.#grown.delete(firing);
    this.outcomes.push({ kind: "superseded", firing, reason: supersededReason(by) });
  }

  #leave(runId: string): void {
    this.#change({ runId, gate: undefined });
  }

  #change(change: Omit<FiringChange, "workspace">): void {
    this.outcomes.push({ kind: "change", change: { ...change, workspace: workspaceId } });
  }
}
