/** `GET /events/histogram`: how many entries came when, by type or by source, of the newest up to a bound. */
import { MillraceError } from "@millrace/core";
import type { EventHistogram, EventSeries, Operations } from "@millrace/protocol";
import { countEvents } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { readWhere, searchEvents } from "./event-search.ts";
import { countedEventsMax, countedNames } from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { isoTime } from "./run-summary.ts";

interface Count {
  readonly stretch: number;
  readonly name: string;
  readonly count: number;
}

export async function eventHistogram(
  context: ApiContext,
  request: ApiRequest<Operations["getEventHistogram"]>,
): Promise<EventHistogram> {
  const until = request.query.until ?? context.host.engine.now();
  const since = request.query.since ?? until - 3_600_000;
  const stretches = request.query.stretches;
  if (since >= until)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: '"since" must be before "until".',
      fields: { query: "since" },
    });
  const by = request.query.by ?? "type";
  const filter = {
    type: request.query.type,
    subject: request.query.subject,
    source: request.query.source,
    onlyInvalid: request.query.invalid,
  };
  const where = request.query.where;
  const stretchMs = (until - since) / stretches;
  const counts: Count[] = [];
  let from: number | undefined;
  if (where === undefined) {
    const asked = { ...filter, by, since, until, stretches, lookedMax: countedEventsMax };
    const rows = await countEvents(context.database, workspaceId, asked);
    counts.push(...rows);
    const all = rows.reduce((sum, { count }) => sum + count, 0);
    if (all >= countedEventsMax) from = Math.min(...rows.map((row) => row.from));
  } else {
    const asked = { ...filter, since, until, after: 0, before: undefined, limit: 1 };
    const { oldest, hasMore } = await searchEvents(context, asked, readWhere(where), (entry) => {
      counts.push({ stretch: Math.floor((entry.recordedAt - since) / stretchMs), name: entry[by], count: 1 });
      return false;
    });
    if (hasMore) from = oldest?.recordedAt;
  }
  return {
    since: isoTime(since),
    until: isoTime(until),
    stretchMs,
    series: seriesOf(counts, stretches),
    counted: counts.reduce((sum, { count }) => sum + count, 0),
    ...(from === undefined ? {} : { from: isoTime(from) }),
  };
}

function seriesOf(counts: readonly Count[], stretches: number): EventSeries[] {
  const totals = new Map<string, number>();
  for (const { name, count } of counts) totals.set(name, (totals.get(name) ?? 0) + count);
  const names = [...totals]
    .sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1))
    .map(([name]) => name);
  const shown = names.slice(0, countedNames);
  const lines = new Map<string | undefined, number[]>();
  for (const name of [...shown, ...(names.length > shown.length ? [undefined] : [])])
    lines.set(
      name,
      Array.from({ length: stretches }, () => 0),
    );
  for (const { name, stretch, count } of counts) {
    const line = lines.get(name) ?? lines.get(undefined)!;
    const at = Math.min(stretches - 1, Math.max(0, stretch));
    line[at] = (line[at] ?? 0) + count;
  }
  return [...lines].map(([name, line]) => ({ ...(name === undefined ? {} : { name }), counts: line }));
}
