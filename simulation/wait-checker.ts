/**
 * Judges waits: each of them is told the durable log once more, by the core alone.
 *
 * C25: a wait ends as the log says: with the first entries that satisfy it after where it looks back to, or by its timeout. That is a
 *      position: nothing that was in the log before its run was made, and all that came later, whatever clocks say.
 * C26: no wait is left of a run that has ended, and no record of what functions wait for.
 * C29: a wait that is found by keys has a row of its shapes for its shard: whoever takes the shard over looks it up (J9).
 * C30: what a probe has seen is told as being there to those waits alone that do not find the change by looking back.
 */
import {
  compileCondition,
  nodeWait,
  parseCondition,
  presentSubject,
  probeChangedType,
  probePresentType,
  probesWithin,
  type ConditionEvent,
  type Json,
  type LogEvent,
  type OperationOutcome,
  type StoredValue,
} from "@millrace/core";
import { matchKeysOf, ToldWait } from "@millrace/server";
import type { FlushBatch, LiveRun, TaskRunRow, WaitRow, WaitShape } from "@millrace/store";
import { keyOf, shapeKey, type MemoryTables } from "@millrace/testkit";
import type { DefinitionsBook } from "./definitions-book.ts";
import type { Journal } from "./journal.ts";

export interface WaitCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly book: DefinitionsBook;
  readonly blobs: ReadonlyMap<string, string>;
}

type WaitKey = Pick<WaitRow, "runId" | "node" | "item" | "generation" | "name" | "occurrence">;

export class WaitChecker {
  readonly #options: WaitCheckerOptions;
  readonly #runs = new Map<string, LiveRun>();
  /** Where the log ended when each of them was made. */
  readonly #positions = new Map<string, number>();
  readonly #waits = new Map<string, WaitRow>();
  readonly #ends = new Map<string, OperationOutcome>();
  /** By the condition's text. */
  readonly #shapes = new Map<string, readonly WaitShape[]>();
  /** Entries as waits hear them, by their place. */
  readonly #events: (ConditionEvent | undefined)[] = [];

  constructor(options: WaitCheckerOptions) {
    this.#options = options;
  }

  onFlush(batch: FlushBatch): void {
    const { journal } = this.#options;
    for (const run of batch.runsCreated) this.#noteRun(run);
    for (const { id, generation, bundle } of batch.runsMoved) {
      const run = this.#runs.get(keyOf(id, generation));
      if (run) this.#runs.set(keyOf(id, generation), { ...run, bundle });
    }
    for (const wait of batch.waits) {
      journal.count("waits");
      journal.note(`wait ${nameOf(wait)} of shard ${wait.shard}, told to ${wait.toldTo}`);
      this.#waits.set(nameOf(wait), wait);
    }
    for (const { runId, node, item, generation, kind, name, occurrence, outcome } of batch.steps)
      if (kind === "wait") this.#end({ runId, node, item, generation, name, occurrence }, outcome);
    for (const row of batch.taskRuns) this.#noteNode(row);
    for (const wait of batch.waits) this.#checkShapes(wait);
    if (batch.waitShapesGone.length > 0) this.#noteSwept(batch);
  }

  #noteSwept({ waitShapesGone }: FlushBatch): void {
    const { journal, tables } = this.#options;
    for (const { type, shards } of waitShapesGone) {
      journal.count("shapes of waits forgotten");
      journal.note(`shape ${type} forgotten in ${shards.length} shards`);
    }
    for (const wait of tables.waits.values()) this.#checkShapes(wait);
  }

  #checkShapes({ id, shard, ...row }: WaitRow): void {
    const { journal, tables } = this.#options;
    const wait = tables.waits.get(id);
    if (!wait || wait.matchKeys.length === 0) return;
    for (const shape of this.#shapesOf(row.condition))
      if (!tables.waitShapes.has(shapeKey({ ...shape, shard })))
        journal.violate(
          "C29 a wait's shapes have their rows",
          `${nameOf(row)} of shard ${shard}: ${shape.type} ${shape.path}`,
        );
  }

  #shapesOf(condition: string | undefined): readonly WaitShape[] {
    if (condition === undefined) return [];
    const known = this.#shapes.get(condition);
    if (known) return known;
    const { shapes } = matchKeysOf(compileCondition(parseCondition(JSON.parse(condition))));
    this.#shapes.set(condition, shapes);
    return shapes;
  }

  #noteRun(run: LiveRun): void {
    const position = this.#options.tables.runPositions.get(keyOf(1, run.id));
    this.#runs.set(keyOf(run.id, run.generation), run);
    if (position !== undefined) this.#positions.set(keyOf(run.id, run.generation), position);
  }

  #noteNode(row: TaskRunRow): void {
    const run = this.#runs.get(keyOf(row.runId, row.generation));
    if (!run || !this.#options.book.graph(run.bundle, run.pipeline).byId.has(row.node)) return;
    if (this.#options.book.node(run.bundle, run.pipeline, row.node).kind !== "wait") return;
    const key = { ...row, ...nodeWait };
    const { state, reason, output } = row;
    const isTimeout = reason?.code === "MILLRACE_WAIT_TIMEOUT";
    if (reason !== undefined && !isTimeout) return;
    if (isTimeout) this.#end(key, { kind: "timeout" });
    else if (state === "succeeded" && output && row.dispatch > 0 && !row.carried)
      this.#end(key, timedOut(output) ? { kind: "timeout" } : { kind: "value", value: output });
  }

  #end(key: WaitKey, outcome: OperationOutcome): void {
    this.#options.journal.count(`waits ended: ${outcome.kind}`);
    this.#options.journal.note(`wait ${nameOf(key)} ended: ${outcome.kind}`);
    this.#ends.set(nameOf(key), outcome);
  }

  checkEnd(): void {
    const { tables, journal } = this.#options;
    for (const wait of tables.waits.values())
      if (!tables.runs.has(keyOf(1, wait.runId)))
        journal.violate("C26 nothing is left", `the wait ${nameOf(wait)}, id ${wait.id}`);
    for (const { runId, node } of tables.codes.values())
      if (!tables.runs.has(keyOf(1, runId)))
        journal.violate("C26 nothing is left", `code of ${runId}/${node}`);
    for (const [name, outcome] of this.#ends) {
      const row = this.#waits.get(name);
      if (row) this.#check(name, row, outcome);
    }
    this.#checkPresent();
  }

  #checkPresent(): void {
    const entries = this.#options.tables.logs.get(1)?.entries ?? [];
    const told = entries.filter(({ type }) => type === probePresentType);
    if (told.length === 0) return;
    const changes = new Map(
      entries
        .filter(({ type }) => type === probeChangedType)
        .map((entry) => [changeOf(entry), entry.position]),
    );
    const joined = new Map<string, WaitRow>();
    for (const row of this.#waits.values())
      for (const { token, ...ref } of probesIn(row))
        if (token !== undefined) joined.set(presentSubject(ref, token), row);
    for (const entry of told) {
      const row = joined.get(entry.subject ?? "");
      const position = changes.get(changeOf(entry));
      this.#options.journal.count("probes: told to be there");
      if (!row || position === undefined || position > this.#lookBackOf(row).after)
        this.#options.journal.violate(
          "C30 nobody is told of a change twice",
          `${entry.id} at ${entry.position}; the change is at ${position}, ${row && nameOf(row)} looks back to ${row && this.#lookBackOf(row).after}`,
        );
    }
  }

  #check(name: string, row: WaitRow, outcome: OperationOutcome): void {
    // What people answer is judged by `approval-checker.ts`.
    if (row.approval !== undefined) return;
    const expected = this.#replay(row);
    const found = this.#describe(row, outcome);
    if (expected !== found)
      this.#options.journal.violate(
        "C25 a wait ends as the log says",
        `${name} ended ${found}, expected ${expected}; ${row.condition}, told to ${row.toldTo}`,
      );
  }

  #replay(row: WaitRow): string {
    const told = new ToldWait({ ...row, state: undefined, toldTo: 0 });
    const entries = this.#options.tables.logs.get(1)?.entries ?? [];
    for (let at = this.#lookBackOf(row).after; at < entries.length && !told.ended; at += 1) {
      const entry = entries[at]!;
      if (entry.lane !== "live" || entry.invalid !== undefined) continue;
      const isEarlier = entry.position <= row.toldTo;
      told.tell((this.#events[at] ??= this.#asEvent(entry)), isEarlier);
      if (isEarlier && told.ended) return `in its look back, by ${entry.position}`;
    }
    // Everything after the last entry is told by time alone.
    if (!told.ended) told.tellTime(Number.MAX_SAFE_INTEGER);
    if (told.ended?.kind !== "fired") return row.condition === undefined ? "[]" : "timeout";
    return positionsOf(told.firing()?.members ?? []);
  }

  /** As `lookBackOf` of the server has it; the simulated functions use each name once. */
  #lookBackOf(row: WaitRow): { readonly after: number } {
    const name = keyOf(row.runId, row.generation);
    const run = this.#runs.get(name);
    if (!run) return { after: Number.MAX_SAFE_INTEGER };
    const after = this.#positions.get(name) ?? 0;
    if (run.generation > 1) return { after };
    const firing = run.firing && (this.#load(run.firing) as { readonly members?: object } | null);
    const fired = Object.values(firing?.members ?? {}).flatMap((list) =>
      (list as { readonly position?: number }[]).flatMap(({ position }) => position ?? []),
    );
    return { after: fired.length > 0 ? Math.max(...fired) : after };
  }

  #asEvent({ data, extensions, ...event }: LogEvent): ConditionEvent {
    const { position, recordedAt, type, source, id, subject, time } = event;
    const common = { position, recordedAt, type, source, id, time, attributes: extensions };
    return { ...common, ...(subject === undefined ? {} : { subject }), data: this.#load(data) };
  }

  #describe(row: WaitRow, outcome: OperationOutcome): string {
    if (outcome.kind !== "value") return outcome.kind;
    if (row.condition === undefined) return "[]";
    const { members = {} } = (this.#load(outcome.value) ?? {}) as { readonly members?: object };
    const all = Object.values(members).flat() as { readonly position?: number }[];
    return positionsOf(all);
  }

  #load(stored: StoredValue): Json {
    if (stored.blob === undefined) return stored.value;
    return JSON.parse(this.#options.blobs.get(stored.blob) ?? "null") as Json;
  }
}

function probesIn({ condition }: WaitRow): ReturnType<typeof probesWithin> {
  return condition === undefined ? [] : probesWithin(parseCondition(JSON.parse(condition) as Json));
}

/** Which change an entry of a probe tells of: its thing and number. */
function changeOf({ id }: LogEvent): string {
  const [thing, rest = ""] = id.split(/\/(?:changed|present)\//);
  return `${thing} ${rest.split("/")[0]}`;
}

/** In their order, however the operands are named. */
function positionsOf(members: readonly object[]): string {
  const positions = members.flatMap((member) => (member as { readonly position?: number }).position ?? []);
  return JSON.stringify(positions.toSorted((a, b) => a - b));
}

function timedOut({ value }: StoredValue): boolean {
  return value !== null && typeof value === "object" && (value as { timedOut?: unknown }).timedOut === true;
}

function nameOf({ runId, node, item, generation, name, occurrence }: WaitKey): string {
  return `${runId}/${node}/${item}/${generation}/${name}/${occurrence}`;
}
