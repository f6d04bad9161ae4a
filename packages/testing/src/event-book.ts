/**
 * The event log of a testbed, in memory: positions from 1, a name for ever, and log time by the virtual clock.
 *
 * L1: positions are dense, and `recordedAt` never falls.
 * L2: no entry has a `recordedAt` before what time was told up to (P1 of the core).
 * L3: an event is held against the declaration of its type where it comes in; what does not fit is kept and fires nothing.
 */
import {
  canonicalJson,
  eventDataText,
  type EventDraft,
  type EventOutcome,
  type EventTypeDefinition,
  type Json,
  type LogEvent,
} from "@millrace/core";
import { EventTypeBook } from "@millrace/protocol/event-type-book";
import type { VirtualTime } from "./virtual-time.ts";

export class EventBook {
  readonly entries: LogEvent[] = [];
  readonly #time: VirtualTime;
  readonly #types = new EventTypeBook();
  readonly #names = new Map<string, number>();
  #toldTo = Number.NEGATIVE_INFINITY;

  constructor(time: VirtualTime, declared: readonly EventTypeDefinition[]) {
    this.#time = time;
    this.#types.set(declared);
  }

  get position(): number {
    return this.entries.length;
  }

  at(position: number): LogEvent | undefined {
    return this.entries[position - 1];
  }

  /** Where the event of this name stands. */
  positionOf({ source, id }: Pick<EventDraft, "source" | "id">): number | undefined {
    return this.#names.get(nameOf({ source, id }));
  }

  /** Time was told up to here: what comes later is recorded then at the earliest (L2). */
  close(before: number): void {
    this.#toldTo = Math.max(this.#toldTo, before);
    this.#time.moveTo(this.#toldTo);
  }

  /** Throws MILLRACE_EVENT_TOO_LARGE. */
  append(draft: EventDraft): EventOutcome {
    const name = nameOf(draft);
    const known = this.#names.get(name);
    if (known !== undefined) return this.#repeat(known, draft);
    const { value } = draft.data;
    if (value !== undefined && value !== null) eventDataText(draft.id, value);
    const recordedAt = this.#time.now();
    const position = this.entries.length + 1;
    this.#names.set(name, position);
    // Member by member, which is faster than a spread: tests record events by the hundred thousand.
    this.entries.push({
      workspace: 1,
      position,
      recordedAt,
      time: draft.time ?? recordedAt,
      lane: draft.lane,
      source: draft.source,
      id: draft.id,
      type: draft.type,
      subject: draft.subject,
      data: draft.data,
      isBinary: draft.isBinary,
      contentType: draft.contentType,
      dataSchema: draft.dataSchema,
      extensions: draft.extensions,
      invalid: this.#types.invalidOf(draft),
    });
    return { kind: "recorded", position };
  }

  /** Entries after one position, up to and with another, with the log's end. */
  // oxlint-disable-next-line typescript/require-await -- who reads it reads pages of a database elsewhere
  async *pages(
    after: number,
    until: number,
  ): AsyncGenerator<{
    readonly events: readonly LogEvent[];
    readonly until: number;
    readonly head: { readonly position: number; readonly clock: number };
  }> {
    const head = { position: this.position, clock: this.#time.now() };
    yield { events: this.entries.slice(after, until), until: Math.min(until, this.position), head };
  }

  #repeat(position: number, draft: EventDraft): EventOutcome {
    const known = this.entries[position - 1]!;
    // An event without a time of its own got that of its recording.
    const timeOf = ({ time }: EventDraft | LogEvent): number | undefined =>
      time === known.recordedAt ? undefined : time;
    const isSame = contentOf(known, timeOf(known)) === contentOf(draft, timeOf(draft));
    return { kind: isSame ? "duplicate" : "conflict", position };
  }
}

function nameOf({ source, id }: Pick<EventDraft, "source" | "id">): string {
  return `${source}\n${id}`;
}

/** Everything but the name, as it was given. */
function contentOf(event: EventDraft | LogEvent, time: number | undefined): string {
  const { lane, type, subject, data, isBinary, contentType, dataSchema, extensions } = event;
  const content = {
    lane,
    type,
    subject,
    time,
    data: data.value ?? null,
    isBinary,
    contentType,
    dataSchema,
    extensions,
  };
  return canonicalJson(JSON.parse(JSON.stringify(content)) as Json);
}
