/** What a node reads of things that probes look at: when it takes them up. */
import type { Json, ProbeFault } from "@millrace/core";
import type { Pool } from "pg";
import type { ProbeName, ProbeReads, ProbeRow } from "./probe-port.ts";

export interface ProbeColumns {
  workspace: number;
  id: string;
  shard: number;
  name: string;
  args: Json;
  next_at: number | null;
  looks: number;
  changes: number;
  fingerprint: string | null;
  value: Json;
  changed_at: number | null;
  seen_at: number | null;
  looked_at: number | null;
  failures: number;
  error: ProbeFault | null;
}

export const probeColumns = `workspace, id, shard, name, args, next_at, looks, changes, fingerprint, value, changed_at, seen_at,
  looked_at, failures, error`;

export function readProbe(row: ProbeColumns): ProbeRow {
  return {
    workspace: row.workspace,
    id: row.id,
    shard: row.shard,
    name: row.name,
    args: row.args,
    nextAt: row.next_at ?? undefined,
    looks: row.looks,
    changes: row.changes,
    fingerprint: row.fingerprint ?? undefined,
    value: row.value,
    changedAt: row.changed_at ?? undefined,
    seenAt: row.seen_at ?? undefined,
    lookedAt: row.looked_at ?? undefined,
    failures: row.failures,
    error: row.error ?? undefined,
  };
}

export async function loadProbe(pool: Pool, { workspace, id }: ProbeName): Promise<ProbeRow | undefined> {
  const { rows } = await pool.query<ProbeColumns>({
    name: "load-probe",
    text: `select ${probeColumns} from probe where workspace = $1 and id = $2`,
    values: [workspace, id],
  });
  return rows[0] && readProbe(rows[0]);
}

export async function positionOfEvent(
  pool: Pool,
  { workspace, source, id }: Parameters<ProbeReads["positionOfEvent"]>[0],
): Promise<number | undefined> {
  const { rows } = await pool.query<{ position: number }>({
    name: "position-of-event",
    text: "select position from event_identity where workspace = $1 and source = $2 and id = $3",
    values: [workspace, source, id],
  });
  return rows[0]?.position;
}

export async function loadLookingProbes(pool: Pool, shards: readonly number[]): Promise<ProbeRow[]> {
  const { rows } = await pool.query<ProbeColumns>({
    name: "load-looking-probes",
    text: `select ${probeColumns} from probe where shard = any($1) and next_at is not null`,
    values: [shards],
  });
  return rows.map(readProbe);
}
