/** Probes of deployed projects, and what they look at. */
import type { Json, ProbeDefinition } from "@millrace/core";
import type { Database } from "../connect.ts";
import type { ProbeRow } from "../engine/probe-port.ts";
import { whileDeployed } from "./while-deployed.ts";
import { probeColumns, readProbe, type ProbeColumns } from "../engine/probe-statements.ts";

/** A probe of a project's active deployment. */
export interface DeployedProbe {
  readonly project: string;
  readonly bundle: string;
  readonly definition: ProbeDefinition;
}

export interface DeployedProbes {
  readonly probes: readonly DeployedProbe[];
  /** Conditions of the triggers of projects that have probes. */
  readonly conditions: readonly Json[];
}

export const selectProbes = `select project, bundle, p as definition
  from deployment, json_array_elements(definition -> 'probes') as p
  where workspace = $1 and active
  order by p ->> 'name'`;

/** Those of active deployments: what a project has no more, or a rollback leaves out, is not there. */
export function deployedProbes(database: Database, workspace: number): Promise<DeployedProbes> {
  return whileDeployed(database, workspace, {
    name: "probes",
    read: () => readProbes(database, workspace),
  });
}

async function readProbes(database: Database, workspace: number): Promise<DeployedProbes> {
  const probes = await database.api.query<DeployedProbe>({
    name: "deployed-probes",
    text: selectProbes,
    values: [workspace],
  });
  if (probes.rows.length === 0) return { probes: [], conditions: [] };
  const { rows } = await database.api.query<{ condition: Json }>({
    name: "conditions-with-probes",
    text: `select p -> 'trigger' -> 'condition' as condition
      from deployment, json_array_elements(definition -> 'pipelines') as p
      where workspace = $1 and active and p -> 'trigger' -> 'condition' is not null
        and (definition -> 'probes') is not null`,
    values: [workspace],
  });
  return { probes: probes.rows, conditions: rows.map(({ condition }) => condition) };
}

/** What was looked at, the newest looks first. */
export async function listProbes(database: Database, workspace: number, limit: number): Promise<ProbeRow[]> {
  const { rows } = await database.api.query<ProbeColumns>({
    name: "list-probes",
    text: `select ${probeColumns} from probe where workspace = $1
      order by (next_at is null), looked_at desc nulls last, id
      limit $2`,
    values: [workspace, limit],
  });
  return rows.map(readProbe);
}

export async function probesById(
  database: Database,
  workspace: number,
  ids: readonly string[],
): Promise<ProbeRow[]> {
  const { rows } = await database.api.query<ProbeColumns>({
    name: "probes-by-id",
    text: `select ${probeColumns} from probe where workspace = $1 and id = any($2)`,
    values: [workspace, ids],
  });
  return rows.map(readProbe);
}

/** How many waits have each of these keys. */
export async function countWaitsByKey(
  database: Database,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.api.query<{ key: number | bigint; waits: number }>({
    name: "count-waits-by-key",
    text: `select key, count(*)::integer as waits from wait_match where key = any($1) group by key`,
    values: [keys],
  });
  return new Map(rows.map(({ key, waits }) => [String(key), waits]));
}
