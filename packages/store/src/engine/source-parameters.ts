/** What a flush has of sources, as `millrace.flush_sources` (`sql/000009_source.sql`) reads it. */
import type { FlushBatch } from "./flush-batch.ts";

/** By the names of its parts; those without rows are absent, so that a flush without sources pays nothing. */
export function sourceRows(batch: FlushBatch): { readonly [name: string]: readonly object[] } {
  // Whatever changes a source's memory writes its row.
  if (batch.sources.length === 0) return {};
  const { sources, sourcesForgotten, thingsForgotten, thingsRemembered } = batch;
  const parts: { readonly [name: string]: readonly object[] } = {
    sources: sources.map((row) => ({
      workspace: row.workspace,
      name: row.name,
      shard: row.shard,
      place: row.place,
      events: row.events,
      last_event_ms: row.lastEventAt,
      state: row.state,
      changed_ms: row.changedAt,
      detail: row.detail && JSON.stringify(row.detail),
      error: row.error && JSON.stringify(row.error),
    })),
    sourcesForgotten: sourcesForgotten.map(({ workspace, source }) => ({ workspace, source })),
    thingsForgotten: thingsForgotten.map(({ workspace, source, key }) => ({ workspace, source, key })),
    thingsRemembered: thingsRemembered.map((row) => ({
      workspace: row.workspace,
      source: row.source,
      key: row.key,
      fingerprint: row.fingerprint,
      version: row.version,
      told_ms: row.toldAt,
    })),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, rows]) => rows.length > 0));
}
