/**
 * Judges the event log.
 *
 * V1: only the owner of the log's shard appends; positions follow each other; `recordedAt` and the clock never go back.
 * V2: what is answered is durable: recorded and repeated events are in the log at the position that was told, and
 *     accepted ones are in the inbox or the log.
 * V3: at the end each acknowledged event is in the log, exactly once, with content that somebody gave it.
 * V5: each run that ended and each generation that began is told once, with how it ended; no others are.
 * V6: what a task run's successful attempt emitted is in the log, and what no success emitted is not.
 * V4: each node's listener hears every entry once, in order, and none before its commit.
 */
import type { EventDraft, EventOutcome, LogEvent } from "@millrace/core";
import type { FlushBatch, LogPage } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";

const workspace = 1;
/** What the engine itself tells is judged by its runs. */
const ownSource = "millrace";
const logShard = 0;

export class EventChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  /** By name: each content that somebody gave. */
  readonly #given = new Map<string, Set<string>>();
  readonly #acknowledged = new Set<string>();
  readonly #heard = new Map<string, { position: number; clock: number }>();
  #length = 0;
  #clock = Number.NEGATIVE_INFINITY;
  /** Of all entries. */
  readonly #names = new Set<string>();

  constructor(tables: MemoryTables, journal: Journal) {
    this.#tables = tables;
    this.#journal = journal;
  }

  get #entries(): readonly LogEvent[] {
    return this.#tables.logs.get(workspace)?.entries ?? [];
  }

  // --- commits ------------------------------------------------------------------------------------------------------

  onFlush(nodeId: number, batch: FlushBatch): void {
    if (batch.clocks.length === 0) return;
    const owner = this.#tables.shards[logShard]?.nodeId;
    if (owner !== nodeId)
      this.#journal.violate("V1 only the owner appends", `node ${nodeId} appended, the owner is ${owner}`);
    const entries = this.#entries;
    for (; this.#length < entries.length; this.#length += 1) {
      const entry = entries[this.#length]!;
      if (entry.position !== this.#length + 1)
        this.#journal.violate("V1 positions are dense", `${entry.position} after ${this.#length}`);
      if (entry.recordedAt < this.#clock)
        this.#journal.violate("V1 recordedAt never goes back", `at position ${entry.position}`);
      this.#names.add(nameOf(entry));
      this.#journal.note(`node ${nodeId}: event ${entry.source} ${entry.id} at ${entry.position}`);
    }
    const { clock } = this.#tables.logs.get(workspace)!;
    if (clock < this.#clock) this.#journal.violate("V1 the clock never goes back", String(clock));
    this.#clock = clock;
  }

  // --- answers ------------------------------------------------------------------------------------------------------

  given(drafts: readonly EventDraft[]): void {
    for (const draft of drafts) {
      const contents = this.#given.get(nameOf(draft)) ?? new Set();
      contents.add(contentOf(draft));
      this.#given.set(nameOf(draft), contents);
    }
  }

  answered(draft: EventDraft, outcome: EventOutcome): void {
    const name = nameOf(draft);
    if (outcome.kind === "accepted") {
      this.#acknowledged.add(name);
      if (!this.#isSomewhere(draft))
        this.#journal.violate("V2 what is accepted is durable", `${name} is nowhere`);
      return;
    }
    const entry = this.#entries[outcome.position - 1];
    if (!entry || nameOf(entry) !== name) {
      this.#journal.violate("V2 what is answered is durable", `${name} is not at ${outcome.position}`);
      return;
    }
    const isSame = entry.subject === draft.subject;
    if (isSame === (outcome.kind === "conflict"))
      this.#journal.violate("V2 what is told is so", `${name} at ${outcome.position}: ${outcome.kind}`);
    if (outcome.kind !== "conflict") this.#acknowledged.add(name);
  }

  #isSomewhere(draft: EventDraft): boolean {
    const isIn = (entry: { source: string; id: string }): boolean => nameOf(entry) === nameOf(draft);
    if (this.#names.has(nameOf(draft))) return true;
    return [...this.#tables.inbox.values()].some(({ message }) => {
      const { kind, events } = message as { kind?: string; events?: { source: string; id: string }[] };
      return kind === "events" && events!.some(isIn);
    });
  }

  // --- listeners ----------------------------------------------------------------------------------------------------

  heardBy(listener: string): number {
    return this.#heard.get(listener)?.position ?? 0;
  }

  heard(listener: string, { events, until, head }: LogPage): void {
    const before = this.#heard.get(listener) ?? { position: 0, clock: Number.NEGATIVE_INFINITY };
    let { position } = before;
    for (const event of events) {
      position += 1;
      const entry = this.#entries[event.position - 1];
      if (event.position !== position)
        this.#journal.violate("V4 heard once and in order", `${listener}: ${event.position} for ${position}`);
      if (!entry || nameOf(entry) !== nameOf(event) || entry.recordedAt !== event.recordedAt)
        this.#journal.violate("V4 what is heard is committed", `${listener}: ${event.position}`);
      if (event.recordedAt < before.clock)
        this.#journal.violate("V4 the clock that was told holds", `${listener}: ${event.position}`);
    }
    if (until !== position)
      this.#journal.violate("V4 a page holds all of its entries", `${listener}: ${position}, not ${until}`);
    const clock = until >= head.position ? Math.max(before.clock, head.clock) : before.clock;
    this.#heard.set(listener, { position, clock });
    this.#journal.count("entries heard", events.length);
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  /** Whether all that listen have heard all. */
  get isHeard(): boolean {
    const { length } = this.#entries;
    return [...this.#heard.values()].every(({ position }) => position === length);
  }

  checkEnd(): void {
    this.#checkRuns();
    this.#checkEmitted();
    const seen = new Set<string>();
    for (const entry of this.#entries) {
      const name = nameOf(entry);
      if (seen.has(name)) this.#journal.violate("V3 an event is in the log once", name);
      seen.add(name);
      // Millrace's own are judged by what they change.
      const isJudgedElsewhere = entry.source === ownSource || entry.source === emittedSource;
      if (!isJudgedElsewhere && !this.#given.get(name)?.has(contentOf(entry)))
        this.#journal.violate("V3 the log holds what was given", `${name} ${contentOf(entry)}`);
    }
    for (const name of this.#acknowledged)
      if (!seen.has(name)) this.#journal.violate("V3 no acknowledged event is lost", name);
    if (!this.isHeard)
      this.#journal.violate("V4 all is heard", JSON.stringify([...this.#heard, this.#entries.length]));
  }

  #checkRuns(): void {
    const told = new Map<string, unknown>();
    for (const { source, id, data } of this.#entries)
      if (source === ownSource && /^run\/[^/]+\/g\d+\/(failed|cancelled|superseded|quarantined)$/.test(id))
        told.set(id, (data.value as { state?: string }).state);
    for (const run of this.#tables.runHistory.values()) {
      const { id, generation, state } = run;
      const ended = tellingOf(id, generation, state);
      // Who reruns a quarantined run ends it.
      const wasQuarantined = told.has(tellingOf(id, generation, "quarantined"));
      if (!wasQuarantined && state !== "succeeded" && told.get(ended) !== state)
        this.#journal.violate("V5 that a run did not succeed is told", ended);
      told.delete(ended);
    }
    for (const [name] of told)
      if (!name.endsWith("/quarantined")) this.#journal.violate("V5 what is told has happened", name);
  }

  #checkEmitted(): void {
    const { taskRunHistory, taskRuns } = this.#tables;
    const rows = [...taskRunHistory.values(), ...[...taskRuns.values()].flatMap((of) => [...of.values()])];
    const succeeded = new Map(
      rows.filter(({ state }) => state === "succeeded").map((row) => [emittedId(row), row]),
    );
    const emitted = new Set<string>();
    for (const { source, id, subject } of this.#entries) {
      if (source !== emittedSource) continue;
      emitted.add(id);
      const row = succeeded.get(id);
      if (String(row?.dispatch) !== subject)
        this.#journal.violate("V6 only a success emits", `${id}, dispatch ${subject}: ${row?.dispatch}`);
    }
    for (const [id, { worker, reason, carried }] of succeeded) {
      const isByWorker = worker !== undefined && reason === undefined && !carried;
      if (isByWorker && !emitted.has(id)) this.#journal.violate("V6 a success emits", id);
    }
    this.#journal.count("events emitted by tasks", emitted.size);
  }
}

/** What simulated tasks emit. */
export const emittedSource = "/emitted";

export function emittedId(task: {
  readonly runId: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
}): string {
  return `${task.runId}/${task.node}/${task.item}/g${task.generation}`;
}

function tellingOf(id: string, generation: number, what: string): string {
  return `run/${id}/g${generation}/${what}`;
}

function nameOf({ source, id }: { readonly source: string; readonly id: string }): string {
  return `${source} ${id}`;
}

/** Large data rests elsewhere, by its hash: the rest tells contents apart here. */
function contentOf({ type, subject }: EventDraft | LogEvent): string {
  return `${type} ${subject}`;
}
