/** What the tasks of a fired run see: the members' events, of the page that was told, and earlier ones from the log. */
import {
  firedEvent,
  listedBytesMax,
  listedMembersMax,
  listedValue,
  type FiredEvent,
  type Json,
  type LogEvent,
  type Member,
} from "@millrace/core";
import type { EngineParts } from "../engine-parts.ts";
import { workspaceId } from "../workspace.ts";

/** A firing that starts: what is stored of it, and what is at hand. */
export interface StartingFiring {
  readonly runId: string;
  readonly counted: Json;
  readonly members: number;
  /** How many members are stored; `fresh` come after them. */
  readonly stored: number;
  readonly fresh: readonly Member[];
}

/** Below so many members nobody looks how large their data is: the log has bounds of its own. */
const weighedFrom = 500;

export class FiringValues {
  readonly #parts: Pick<EngineParts, "store" | "values">;
  readonly #entries: Map<number, LogEvent>;

  constructor(parts: Pick<EngineParts, "store" | "values">, page: readonly LogEvent[]) {
    this.#parts = parts;
    this.#entries = new Map(page.map((entry) => [entry.position, entry]));
  }

  /** Brings the members' events to hand. */
  async load(members: Iterable<Member>): Promise<void> {
    const wanted = new Set<number>();
    for (const member of members)
      if (member.kind === "event" && !this.#entries.has(member.position)) wanted.add(member.position);
    if (wanted.size === 0) return;
    for (const entry of await this.#parts.store.readEntries(workspaceId, [...wanted]))
      this.#entries.set(entry.position, entry);
  }

  /** `undefined` where its retention has ended. */
  entry(position: number): LogEvent | undefined {
    return this.#entries.get(position);
  }

  /** With its members as lists, up to a bound; beyond it with their numbers alone. */
  async valueOf({ runId, counted, members: count, stored, fresh }: StartingFiring): Promise<Json> {
    if (count > listedMembersMax) return counted;
    const key = { workspace: workspaceId, id: runId };
    const before =
      stored === 0 ? [] : await this.#parts.store.loadFiringMembers(key, { from: 0, limit: stored });
    const members = [...before, ...fresh];
    await this.load(members);
    if (this.#weigh(members) > listedBytesMax) return counted;
    const events = new Map<number, FiredEvent>();
    for (const member of members) {
      if (member.kind !== "event" || events.has(member.position)) continue;
      const entry = this.#entries.get(member.position);
      if (!entry) continue;
      const { value } = await this.#parts.values.loaded(entry.data);
      events.set(member.position, firedEvent(entry, value ?? null));
    }
    return listedValue(counted, members, (at) => events.get(at) ?? goneEvent(at));
  }

  #weigh(members: readonly Member[]): number {
    let bytes = 0;
    for (const member of members) {
      const data = member.kind === "event" ? this.#entries.get(member.position)?.data : undefined;
      if (data?.blob !== undefined) bytes += data.bytes;
      else if (data && members.length > weighedFrom) bytes += JSON.stringify(data.value).length;
    }
    return bytes;
  }
}

/** Its retention has ended before its condition fired. */
export function goneEvent(position: number): FiredEvent {
  return { position, type: "", source: "", id: "", subject: null, time: "", recordedAt: "", data: null };
}
