/** What a flush says of sources. Whatever changes a source's memory writes its row. */
import { add, jsonText } from "./flush-fields.ts";
import type { FlushBatch } from "./flush-batch.ts";

export function addSources(rest: Record<string, unknown[]>, batch: FlushBatch): void {
  if (batch.sources.length === 0) return;
  add(rest, "sources", batch.sources, (row) => ({
    workspace: row.workspace,
    name: row.name,
    shard: row.shard,
    place: row.place,
    events: row.events,
    last_event_ms: row.lastEventAt,
    state: row.state,
    changed_ms: row.changedAt,
    detail: jsonText(row.detail),
    error: jsonText(row.error),
  }));
  add(rest, "sourcesForgotten", batch.sourcesForgotten, ({ workspace, source }) => ({ workspace, source }));
  add(rest, "thingsForgotten", batch.thingsForgotten, ({ workspace, source, key }) => ({
    workspace,
    source,
    key,
  }));
  add(rest, "thingsRemembered", batch.thingsRemembered, (row) => ({
    workspace: row.workspace,
    source: row.source,
    key: row.key,
    fingerprint: row.fingerprint,
    version: row.version,
    told_ms: row.toldAt,
  }));
}
