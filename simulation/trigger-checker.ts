/**
 * Judges triggers by what is durable.
 *
 * R1: the durable log alone says what fired: exactly these identities with these members, whatever crashed (the design, C1).
 * R2: a firing's value holds exactly its members, and is what its run sees (C2).
 * R3: a firing and its run are made in one flush; each firing has one run or says why it has none, each fired run one
 *     firing (C3).
 * R4: what changes a shard's triggers moves its position, which never goes back (X1).
 * R5: every change of a trigger that was deployed is in the log, those of one pipeline in their order.
 */
import {
  listedMembersMax,
  loopLimitDefault,
  type Firing,
  type Json,
  type LogEvent,
  type Member,
  type StoredValue,
} from "@millrace/core";
import { triggerShard } from "@millrace/server";
import type { FiringRow, FlushBatch, LiveRun } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import { GateChecker, isCounted, type GateCheckerOptions } from "./gate-checker.ts";
import type { Journal } from "./journal.ts";
import { checkLoops } from "./loop-checker.ts";
import { replayTriggers } from "./trigger-replay.ts";
import { loopLimit, loopNames } from "./triggers.ts";

const workspace = 1;

export interface TriggerCheckerOptions extends GateCheckerOptions {
  readonly blobs: ReadonlyMap<string, string>;
}

export class TriggerChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  readonly #blobs: ReadonlyMap<string, string>;
  readonly #positions = new Map<number, number>();
  /** Changes that were deployed: ids of the outbox, by pipeline, in their order. */
  readonly #deployed = new Map<string, number[]>();
  readonly #acknowledged = new Set<number>();
  readonly #gates: GateChecker;
  #expected:
    | { readonly length: number; readonly clock: number; readonly firings: readonly Firing[] }
    | undefined;

  constructor({ tables, journal, limitOf, blobs }: TriggerCheckerOptions) {
    this.#tables = tables;
    this.#journal = journal;
    this.#blobs = blobs;
    this.#gates = new GateChecker({ tables, journal, limitOf });
  }

  // --- commits ------------------------------------------------------------------------------------------------------

  onFlush(nodeId: number, batch: FlushBatch): void {
    const made = new Map(batch.runsCreated.map((run) => [run.id, run]));
    for (const firing of batch.firings) {
      this.#journal.count(firing.runId === undefined ? "firings without a run" : "firings");
      this.#journal.note(`node ${nodeId}: ${nameOf(firing)} fires ${firing.runId} with ${membersOf(firing)}`);
      if (firing.runId === undefined || firing.gate === "waiting") continue;
      this.#checkRun(nameOf(firing), made.get(firing.runId), firing.value);
    }
    this.#gates.onFlush(batch);
    for (const { runId, gate, value } of batch.firingChanges)
      if (gate === "started") this.#checkRun(runId, made.get(runId), value);
    const fired = new Set([...batch.firings, ...batch.firingChanges].map(({ runId }) => runId));
    for (const run of batch.runsCreated)
      if (run.generation === 1 && run.firing && !fired.has(run.id))
        this.#journal.violate("R3 a firing and its run are one flush", `the run ${run.id} has no firing`);
    for (const { pipeline, version } of batch.triggers)
      this.#journal.note(`node ${nodeId}: the trigger of ${pipeline} is of version ${version}`);
    this.#checkCursors(nodeId, batch);
  }

  #checkRun(name: string, run: LiveRun | undefined, value: StoredValue | undefined): void {
    if (!run) this.#journal.violate("R3 a firing and its run are one flush", name);
    else if (JSON.stringify(this.#load(run.firing)) !== JSON.stringify(this.#load(value)))
      this.#journal.violate("R2 the run sees its firing", name);
  }

  #checkCursors(nodeId: number, batch: FlushBatch): void {
    const moved = new Set(batch.cursors.map(({ shard }) => shard));
    const changed = batch.firingChanges.flatMap((change) => this.#gates.firingOf(change) ?? []);
    for (const row of [...batch.triggers, ...batch.triggerKeys, ...batch.firings, ...changed]) {
      const shard = triggerShard(row.pipeline);
      if (!moved.has(shard))
        this.#journal.violate("R4 a change moves the position", `${row.pipeline} in shard ${shard}`);
      if (this.#tables.shards[shard]?.nodeId !== nodeId)
        this.#journal.violate("R4 only the owner tells", `node ${nodeId} changed ${row.pipeline}`);
    }
    for (const { shard } of batch.cursors) {
      const position = this.#tables.shards[shard]!.logPosition;
      if (position < (this.#positions.get(shard) ?? 0))
        this.#journal.violate("R4 a position never goes back", `shard ${shard}`);
      this.#positions.set(shard, position);
    }
  }

  // --- changes from outside -----------------------------------------------------------------------------------------

  deployed(pipeline: string, id: number): void {
    const ids = this.#deployed.get(pipeline) ?? [];
    ids.push(id);
    this.#deployed.set(pipeline, ids);
  }

  /** The change was answered: it is in the log, or on its way there in the inbox. */
  acknowledged(id: number): void {
    this.#acknowledged.add(id);
    const isInInbox = [...this.#tables.inbox.values()].some(({ message }) =>
      JSON.stringify(message).includes(`"outbox/${id}"`),
    );
    if (!isInInbox && !this.#tables.outbox.has(id) && !this.#entries.some((entry) => isOf(entry, id)))
      this.#journal.violate("R5 an acknowledged change is in the log", `outbox/${id}`);
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  get #entries(): readonly LogEvent[] {
    return this.#tables.logs.get(workspace)?.entries ?? [];
  }

  /** Whether as many fired as the log says. */
  get isSettled(): boolean {
    const hasFired = this.#tables.firings.size >= this.#replay().length;
    return this.#tables.outbox.size === 0 && hasFired && this.#gates.isSettled;
  }

  #replay(): readonly Firing[] {
    const { length } = this.#entries;
    const clock = this.#tables.logs.get(workspace)?.clock ?? 0;
    if (this.#expected?.length === length && this.#expected.clock === clock) return this.#expected.firings;
    const firings = replayTriggers(this.#entries, clock, (entry) => this.#load(entry.data));
    this.#expected = { length, clock, firings };
    return firings;
  }

  checkEnd(): void {
    const expected = new Map(this.#replay().map((firing) => [nameOf(firing), firing]));
    const found = new Map([...this.#tables.firings.values()].map((row) => [nameOf(row), row]));
    for (const [name, firing] of expected) {
      const row = found.get(name);
      if (!row) this.#journal.violate("R1 no firing is lost", `${name} of ${membersOf(firing)}`);
      else if (membersOf(row) !== membersOf(firing))
        this.#journal.violate(
          "R1 members are those of the log",
          `${name}: ${membersOf(row)}, not ${membersOf(firing)}`,
        );
    }
    for (const [name, row] of found) {
      if (!expected.has(name)) this.#journal.violate("R1 nothing else fires", `${name} of ${membersOf(row)}`);
      if (row.runId !== undefined) this.#checkValue(name, row);
    }
    this.#gates.checkEnd();
    checkLoops({
      firings: [...found.values()],
      entries: this.#entries,
      journal: this.#journal,
      membersOf: (row) => this.#gates.membersOf(row),
      limitOf: (pipeline) => (loopNames.includes(pipeline) ? loopLimit : loopLimitDefault),
    });
    this.#checkRuns([...found.values()]);
    this.#checkChanges();
  }

  /** The value's members: each operand's positions and instants. */
  #checkValue(name: string, row: FiringRow): void {
    const stored = this.#load(row.value);
    const members = this.#gates.membersOf(row);
    if (isCounted(stored)) {
      if (row.reason === undefined && members.length <= listedMembersMax)
        this.#journal.violate("R2 the value holds the members", `${name}: it counts ${members.length}`);
      return;
    }
    const value = stored as unknown as FiringValue;
    const inValue = Object.entries(value.members).flatMap(([operand, members]) =>
      members.map((member) =>
        member.position === undefined
          ? `${operand} ${member.from ?? member.silentFrom} ${member.at}`
          : `${operand} ${member.position}`,
      ),
    );
    const inRow = members.map((member) =>
      member.kind === "event"
        ? `${member.operand} ${member.position}`
        : `${member.operand} ${new Date(member.from).toISOString()} ${new Date(member.at).toISOString()}`,
    );
    const byOperand = (texts: string[]): string =>
      texts.toSorted((a, b) => (a.split(" ", 1)[0]! < b.split(" ", 1)[0]! ? -1 : 1)).join();
    if (byOperand(inValue) !== byOperand(inRow))
      this.#journal.violate(
        "R2 the value holds the members",
        `${name}: ${inValue.join()}, not ${inRow.join()}`,
      );
  }

  #checkRuns(rows: readonly FiringRow[]): void {
    const firedBy = new Map<string, FiringRow>();
    for (const row of rows) {
      if (row.runId === undefined) continue;
      if (firedBy.has(row.runId)) this.#journal.violate("R3 a run has one firing", row.runId);
      firedBy.set(row.runId, row);
    }
    const runs = new Map(
      [...this.#tables.runs.values(), ...this.#tables.runHistory.values()].map((run) => [run.id, run]),
    );
    for (const [id, row] of firedBy)
      if (!runs.has(id) && row.reason === undefined)
        this.#journal.violate("R3 a firing has its run", `${nameOf(row)} ${id}`);
    for (const [id, run] of runs)
      if (run.firing && !firedBy.has(id)) this.#journal.violate("R3 a fired run has its firing", id);
  }

  #checkChanges(): void {
    for (const [pipeline, ids] of this.#deployed) {
      const inLog = this.#entries.filter(
        ({ source, subject, id }) =>
          source === "millrace" && subject === pipeline && id.startsWith("outbox/"),
      );
      const order = inLog.map(({ id }) => Number(id.slice("outbox/".length)));
      if (order.join() !== ids.join())
        this.#journal.violate(
          "R5 changes are in the log in their order",
          `${pipeline}: ${order.join()}, not ${ids.join()}`,
        );
    }
  }

  #load(stored: StoredValue | undefined): Json {
    if (stored?.blob === undefined) return stored?.value ?? null;
    return JSON.parse(this.#blobs.get(stored.blob) ?? "null") as Json;
  }
}

interface FiringValue {
  readonly members: {
    readonly [operand: string]: readonly {
      readonly position?: number;
      readonly from?: string;
      readonly silentFrom?: string;
      readonly at: string;
    }[];
  };
}

function isOf({ source, id }: LogEvent, outboxId: number): boolean {
  return source === "millrace" && id === `outbox/${outboxId}`;
}

function nameOf({ pipeline, version, key, occurrence, revision }: Firing): string {
  return `${pipeline} v${version} "${key}" ${occurrence} r${revision}`;
}

function membersOf({ members }: Pick<Firing, "members">): string {
  return members.map(textOf).join(" ");
}

function textOf(member: Member): string {
  return member.kind === "event"
    ? `${member.operand}=${member.position}`
    : `${member.operand}=${member.kind} ${member.from}-${member.at}`;
}
