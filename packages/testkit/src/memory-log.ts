/** The event log in memory: what `sql/000005_event_log.sql` does with a flush's events, and reading by position. */
import { assert, type LogEvent } from "@millrace/core";
import type { EventRow, FlushBatch, LastFlush, LogChange, LogHead, LogPage } from "@millrace/store";
import { MemoryConstraintError } from "./memory-constraint-error.ts";
import { keyOf, type MemoryIdentity, type MemoryTables } from "./memory-tables.ts";

/** What a flush is going to do to its log; nothing is changed yet. */
export interface LogStep {
  readonly workspace: number;
  readonly events: readonly LogEvent[];
  readonly identities: ReadonlyMap<string, MemoryIdentity>;
  readonly change: LogChange;
}

export function planLogStep(tables: MemoryTables, batch: FlushBatch): LogStep | undefined {
  const [clock] = batch.clocks;
  if (!clock) {
    assert(batch.events.length === 0, "a flush with events has a clock");
    return undefined;
  }
  const head = logHeadOf(tables, clock.workspace);
  const recordedAt = Math.max(clock.at, head.clock);
  const events: LogEvent[] = [];
  const identities = new Map<string, MemoryIdentity>();
  const others: { at: number; kind: "duplicate" | "conflict"; position: number }[] = [];
  for (const [at, row] of batch.events.entries()) {
    checkTexts(row);
    assert(row.workspace === clock.workspace, "a flush's events belong to the workspace of its clock");
    const name = keyOf(row.workspace, row.source, row.id);
    const content = contentOf(row);
    const known = row.once ? undefined : (tables.eventIdentities.get(name) ?? identities.get(name));
    if (known) {
      const kind = content === known.content ? "duplicate" : "conflict";
      others.push({ at, kind, position: known.position });
      continue;
    }
    const event = eventOf(row, head.position + events.length + 1, recordedAt);
    if (!row.once) identities.set(name, { position: event.position, content });
    events.push(event);
  }
  const change = { first: head.position + 1, count: events.length, clock: recordedAt, others };
  return { workspace: clock.workspace, events, identities, change };
}

export function applyLogStep(
  tables: MemoryTables,
  step: LogStep,
  flush: { nodeId: number; number: number },
): void {
  const { workspace, events, identities, change } = step;
  const log = tables.logs.get(workspace);
  const entries = log?.entries ?? [];
  for (const event of events) entries.push(event);
  for (const [name, identity] of identities) tables.eventIdentities.set(name, identity);
  tables.logs.set(workspace, { entries, clock: change.clock, flush, change });
}

export function logHeadOf(tables: MemoryTables, workspace: number): LogHead {
  const log = tables.logs.get(workspace);
  return { position: log?.entries.length ?? 0, clock: log?.clock ?? 0 };
}

export function readMemoryLog(
  tables: MemoryTables,
  workspace: number,
  after: number,
  limit: number,
): LogPage {
  const head = logHeadOf(tables, workspace);
  const events = tables.logs.get(workspace)?.entries.slice(after, after + limit) ?? [];
  return { events, until: Math.max(after, Math.min(after + limit, head.position)), head };
}

/** Positions are dense: an entry stands at its position. */
function memoryEntries({ logs }: MemoryTables, workspace: number): readonly LogEvent[] {
  return logs.get(workspace)?.entries ?? [];
}

export function readMemoryEntries(
  tables: MemoryTables,
  workspace: number,
  positions: readonly number[],
): LogEvent[] {
  const entries = memoryEntries(tables, workspace);
  return [...new Set(positions)].sort((a, b) => a - b).flatMap((position) => entries[position - 1] ?? []);
}

export function readMemoryTypes(
  tables: MemoryTables,
  workspace: number,
  span: {
    readonly types: readonly string[];
    readonly after: number;
    readonly since: number;
    readonly until: number;
  },
  limit: number,
): LogEvent[] {
  const entries = memoryEntries(tables, workspace);
  const found: LogEvent[] = [];
  // `recordedAt` never goes back: the first that counts is found from the end.
  let from = Math.min(span.until, entries.length);
  while (from > span.after && entries[from - 1]!.recordedAt >= span.since) from -= 1;
  for (const entry of entries.slice(from, span.until)) {
    if (found.length === limit) break;
    if (span.types.includes(entry.type)) found.push(entry);
  }
  return found;
}

/** PostgreSQL's texts hold no U+0000. */
function checkTexts({ lane, source, id, type, subject, invalid }: EventRow): void {
  for (const text of [lane, source, id, type, subject, invalid])
    if (text?.includes("\u0000")) throw new MemoryConstraintError("22021", "invalid byte sequence");
}

function eventOf(row: EventRow, position: number, recordedAt: number): LogEvent {
  const { dataText: _text, runId: _run, once: _once, ...draft } = row;
  return { ...draft, position, recordedAt, time: row.time ?? recordedAt };
}

/** All that an event says besides its name. */
function contentOf(row: EventRow): string {
  const { lane, type, subject, time, data, isBinary, contentType, dataSchema, extensions } = row;
  return JSON.stringify([lane, type, subject, time, data, isBinary, contentType, dataSchema, extensions]);
}

/** The number of a node's last flush, and what it did to the log. */
export function lastMemoryFlush(tables: MemoryTables, nodeId: number): LastFlush {
  const node = tables.nodes.get(nodeId);
  if (!node) return { number: 0, fenced: true };
  const log = [...tables.logs.values()].find(
    ({ flush }) => flush.nodeId === nodeId && flush.number === node.lastFlush,
  );
  return { number: node.lastFlush, fenced: node.fenced, ...(log && { log: log.change }) };
}
