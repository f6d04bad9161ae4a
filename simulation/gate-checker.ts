/**
 * Judges the gates of triggers by what is durable (`core/trigger/policy.ts`).
 *
 * R6: a firing that waits starts its run, is superseded by a later one of its key, or says why no run could begin; none waits
 *     for ever (C4 of the design).
 * R7: what is merged is merged into a firing that waits, of the same trigger, version and key, and comes after it; the run
 *     sees the members of all, in their order, exactly.
 * R8: while a trigger's firings wait, no more of its runs are under way than its pipeline may have.
 */
import { streamedMembersOf, type Json, type Member } from "@millrace/core";
import { byGateOrder, type FiringChange, type FiringRow, type FlushBatch } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";

export interface GateCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  /** The most runs that a pipeline could ever have under way; nothing where it was not limited once. */
  readonly limitOf: (pipeline: string) => number | undefined;
}

export class GateChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  readonly #limitOf: GateCheckerOptions["limitOf"];
  /** By run, all that were ever seen at a gate. */
  readonly #atGate = new Map<string, FiringRow>();
  readonly #waiting = new Set<string>();
  /** Of triggers. */
  readonly #versions = new Map<string, number>();

  constructor({ tables, journal, limitOf }: GateCheckerOptions) {
    this.#tables = tables;
    this.#journal = journal;
    this.#limitOf = limitOf;
  }

  /** What a change is about. */
  firingOf(change: FiringChange): FiringRow | undefined {
    return this.#atGate.get(change.runId);
  }

  onFlush(batch: FlushBatch): void {
    const waited = new Set(this.#waiting);
    for (const row of batch.firings) this.#seeRow(row, waited);
    for (const row of batch.firings) if (row.into) this.#seeMerged(row, row.into, waited);
    for (const change of batch.firingChanges) this.#seeChange(change, batch);
    const changed = this.#changedBy(batch);
    // After all of them: a trigger whose new policy knows no gate lets everything start in one flush.
    for (const { runId, gate } of [...batch.firings, ...batch.firingChanges]) {
      const row = runId !== undefined && gate === "started" ? this.#atGate.get(runId) : undefined;
      if (row && !changed.has(row.pipeline)) this.#checkLimit(row);
    }
  }

  /** Triggers of which this flush holds two versions: one may have let everything start, and what the next one fires waits. */
  #changedBy({ triggers }: FlushBatch): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const { pipeline, version } of triggers) {
      if (this.#versions.get(pipeline) !== version) changed.add(pipeline);
      this.#versions.set(pipeline, version);
    }
    return changed;
  }

  #seeRow(row: FiringRow, waited: Set<string>): void {
    if (row.gate === undefined || row.runId === undefined) return;
    this.#journal.count(`firings: ${row.gate} at a gate`);
    this.#atGate.set(row.runId, row);
    if (row.gate === "started") return;
    this.#waiting.add(row.runId);
    waited.add(row.runId);
  }

  #seeMerged(row: FiringRow, { runId }: NonNullable<FiringRow["into"]>, waited: ReadonlySet<string>): void {
    this.#journal.count("firings: merged");
    const into = this.#atGate.get(runId);
    if (!into || !waited.has(runId))
      return this.#journal.violate(
        "R7 what is merged finds one that waits",
        `${row.occurrence} into ${runId}`,
      );
    const isOne = into.pipeline === row.pipeline && into.version === row.version && into.key === row.key;
    if (!isOne || byGateOrder(into, row) >= 0)
      this.#journal.violate("R7 only later firings of a key are merged", `${row.occurrence} into ${runId}`);
  }

  #seeChange({ runId, gate, reason }: FiringChange, batch: FlushBatch): void {
    const row = this.#atGate.get(runId);
    if (!row) return this.#journal.violate("R6 what changes stands at a gate", runId);
    if (gate === "waiting") {
      if (!this.#waiting.has(runId)) this.#journal.violate("R7 a run that has started takes nothing", runId);
      return;
    }
    const didWait = this.#waiting.delete(runId);
    const isMade = batch.runsCreated.some(({ id }) => id === runId);
    if (gate === "started") {
      this.#journal.count("firings: started after waiting");
      if (!didWait || !isMade) this.#journal.violate("R6 what waited starts once, with its run", runId);
    } else if (reason?.code === "superseded") {
      this.#journal.count("firings: superseded");
      const ended = batch.runsEnded.find(({ id }) => id === runId);
      if (!didWait || (isMade && ended?.state !== "superseded"))
        this.#journal.violate("R6 what is superseded has waited, and its run says so", runId);
    } else if (didWait && reason === undefined)
      this.#journal.violate("R6 what waited left with a reason", runId);
  }

  #checkLimit(row: FiringRow): void {
    const { pipeline, runId } = row;
    const limit = this.#limitOf(pipeline);
    if (limit === undefined || this.#waitingOf(pipeline) === 0) return;
    const started = [...this.#tables.firings.values()].filter(
      (other) => other.pipeline === pipeline && other.gate === "started",
    );
    if (started.length > limit)
      this.#journal.violate(
        "R8 no more start than have a slot",
        `${pipeline}: ${started.length} with ${runId}`,
      );
  }

  #waitingOf(pipeline: string): number {
    let count = 0;
    for (const runId of this.#waiting) if (this.#atGate.get(runId)!.pipeline === pipeline) count += 1;
    return count;
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  get isSettled(): boolean {
    return this.#waiting.size === 0;
  }

  /** The members that the run of a firing is to see: its own, and those of what was merged into it. */
  membersOf(row: FiringRow): readonly Member[] {
    const merged = [...this.#tables.firings.values()]
      .filter(({ into }) => into !== undefined && into.runId === row.runId)
      .toSorted((a, b) => a.into!.from - b.into!.from);
    return [row, ...merged].flatMap(({ members }) => members);
  }

  checkEnd(): void {
    for (const runId of this.#waiting) this.#journal.violate("R6 no firing waits for ever", runId);
    for (const row of this.#tables.firings.values()) {
      if (row.reason?.code === "superseded") this.#checkSuperseded(row);
      const into = row.into && this.#atGate.get(row.into.runId);
      if (into) this.#checkPlace(row, into);
    }
  }

  #checkSuperseded(row: FiringRow): void {
    const name = row.reason?.fields?.["run"];
    const by = typeof name === "string" ? this.#atGate.get(name) : undefined;
    if (!by || by.pipeline !== row.pipeline || by.key !== row.key || byGateOrder(row, by) >= 0)
      this.#journal.violate("R6 a later firing of the key supersedes", String(row.runId));
  }

  /** Members follow each other without a gap. */
  #checkPlace(row: FiringRow, into: FiringRow): void {
    let from = into.members.length;
    const merged = [...this.#tables.firings.values()]
      .filter((one) => one.into?.runId === into.runId)
      .toSorted((a, b) => a.into!.from - b.into!.from);
    for (const one of merged) {
      if (one === row && one.into!.from !== from)
        this.#journal.violate("R7 members follow each other", `${row.occurrence} in ${into.runId}`);
      from += one.members.length;
    }
  }
}

/** Whether a value counts its members instead of holding them. */
export function isCounted(value: Json): boolean {
  return streamedMembersOf(value) !== undefined;
}
