/** What a flush says of things that probes look at. */
import { add, jsonText } from "./flush-fields.ts";
import type { FlushBatch } from "./flush-batch.ts";

export function addProbes(rest: Record<string, unknown[]>, { probes, probesWanted }: FlushBatch): void {
  add(rest, "probes", probes, (row) => ({
    workspace: row.workspace,
    id: row.id,
    shard: row.shard,
    name: row.name,
    args: JSON.stringify(row.args),
    next_ms: row.nextAt,
    looks: row.looks,
    changes: row.changes,
    fingerprint: row.fingerprint,
    value: row.value === null ? undefined : JSON.stringify(row.value),
    changed_ms: row.changedAt,
    seen_ms: row.seenAt,
    looked_ms: row.lookedAt,
    failures: row.failures,
    error: jsonText(row.error),
  }));
  add(rest, "probesWanted", probesWanted, (row) => ({
    workspace: row.workspace,
    id: row.id,
    shard: row.shard,
    name: row.name,
    args: JSON.stringify(row.args),
    next_ms: row.nextAt,
  }));
}
