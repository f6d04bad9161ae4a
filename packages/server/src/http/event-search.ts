/** Entries of the log that a filter holds for: the newest first, a bounded number of entries looked at in one request. */
import {
  compileWhere,
  conditionEventOf,
  MillraceError,
  readWrittenWhere,
  type CompiledWhere,
  type Json,
  type LogEvent,
} from "@millrace/core";
import type { EventSearchPage } from "@millrace/protocol";
import { listEvents, type EventFilter } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { writeCursor } from "./cursor.ts";
import { eventView } from "./event-view.ts";
import { searchedEntriesMax, searchedMs, searchedPage } from "./limits.ts";
import { expectedError } from "./problem.ts";
import { isoTime } from "./run-summary.ts";

/** An object as JSON, or CEL. What is wrong with it is told at its name in the query. */
export function readWhere(text: string): CompiledWhere {
  try {
    return compileWhere(readWrittenWhere(readInput(text), { what: "The filter" }));
  } catch (error) {
    const known = expectedError(error);
    if (known?.code !== "MILLRACE_WHERE_INVALID" && known?.code !== "MILLRACE_EXPRESSION_INVALID")
      throw error;
    const { code, message, advice, fields } = known;
    throw new MillraceError(code, { message, advice, fields: { ...fields, query: "where" }, cause: error });
  }
}

function readInput(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new MillraceError("MILLRACE_WHERE_INVALID", {
      message: `The filter begins as an object and is no JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
      advice: 'Write an object such as {"data": {"country": "DE"}}, or CEL such as data.country == "DE".',
      cause,
    });
  }
}

interface Looked {
  readonly entries: number;
  /** The oldest that was looked at. */
  readonly oldest: LogEvent | undefined;
  /** There are older ones. */
  readonly hasMore: boolean;
}

/** Calls `found` with each entry that fits, the newest first, until it says that it has enough, or the bounds are reached. */
export async function searchEvents(
  { database, host, clock }: ApiContext,
  filter: EventFilter,
  where: CompiledWhere,
  found: (entry: LogEvent) => boolean,
): Promise<Looked> {
  const deadline = clock.monotonic() + searchedMs;
  const asked = withIndex(filter, where);
  let oldest: LogEvent | undefined;
  let entries = 0;
  let { before } = asked;
  while (entries < searchedEntriesMax) {
    const page = await listEvents(database, workspaceId, { ...asked, before, limit: searchedPage });
    for (const entry of page) {
      entries += 1;
      oldest = entry;
      const { value = null } = await host.engine.values.loaded(entry.data);
      const isEnough = where.matches(conditionEventOf(entry, value)) && found(entry);
      if (isEnough || clock.monotonic() > deadline) return { entries, oldest, hasMore: true };
    }
    if (page.length < searchedPage) return { entries, oldest, hasMore: false };
    before = oldest?.position;
  }
  return { entries, oldest, hasMore: true };
}

/** What the filter asks of attributes that have indexes. */
function withIndex(filter: EventFilter, { equalities }: CompiledWhere): EventFilter {
  const valueOf = (name: "type" | "subject" | "source"): string | undefined => {
    if (filter[name] !== undefined) return filter[name];
    const value = equalities.find(({ path }) => path.length === 1 && path[0] === name)?.value;
    return typeof value === "string" && !(name === "type" && value.endsWith("*")) ? value : undefined;
  };
  return { ...filter, type: valueOf("type"), subject: valueOf("subject"), source: valueOf("source") };
}

export async function searchPage(
  context: ApiContext,
  filter: EventFilter,
  where: CompiledWhere,
): Promise<EventSearchPage> {
  const items: LogEvent[] = [];
  const { entries, oldest, hasMore } = await searchEvents(context, filter, where, (entry) => {
    items.push(entry);
    return items.length >= filter.limit;
  });
  return {
    items: items.map(eventView),
    ...(oldest && hasMore ? { nextCursor: writeCursor([oldest.position]) } : {}),
    looked: {
      entries,
      ...(oldest ? { to: { position: oldest.position, at: isoTime(oldest.recordedAt) } } : {}),
    },
  };
}
