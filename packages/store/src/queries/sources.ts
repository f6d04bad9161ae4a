/** Sources as operators see and steer them. */
import type { SourceDefinition, SourceProblem } from "@millrace/core";
import type { Database } from "../connect.ts";
import type { SourceRow } from "../engine/source-port.ts";
import { readSource, sourceColumns, type SourceColumns } from "../engine/source-statements.ts";
import { toTimestamp } from "../value-types.ts";
import { whileDeployed } from "./while-deployed.ts";

/** A source of a project's active deployment. */
export interface DeployedSource {
  readonly project: string;
  readonly definition: SourceDefinition;
  readonly paused: boolean;
}

export interface ListedSource extends DeployedSource {
  /** Absent until a server has taken it up. */
  readonly row: SourceRow | undefined;
  /** Things that it remembers. */
  readonly things: number;
}

/** Those of active deployments: what a project has no more, or a rollback leaves out, is not there. */
export const selectSources = `select project, s as definition
  from deployment, json_array_elements(definition -> 'sources') as s
  where workspace = $1 and active
  order by s ->> 'name'`;

export async function deployedSources(database: Database, workspace: number): Promise<DeployedSource[]> {
  const deployed = await sourceDefinitions(database, workspace);
  if (deployed.length === 0) return [];
  const { rows } = await database.api.query<{ name: string }>({
    name: "paused-sources",
    text: "select name from source where workspace = $1 and paused",
    values: [workspace],
  });
  const paused = new Set(rows.map(({ name }) => name));
  return deployed.map((source) => ({ ...source, paused: paused.has(source.definition.name) }));
}

function sourceDefinitions(
  database: Database,
  workspace: number,
): Promise<readonly Omit<DeployedSource, "paused">[]> {
  return whileDeployed(database, workspace, {
    name: "sources",
    read: async () => {
      const { rows } = await database.api.query<Omit<DeployedSource, "paused">>({
        name: "deployed-sources",
        text: selectSources,
        values: [workspace],
      });
      return rows;
    },
  });
}

export async function listSources(database: Database, workspace: number): Promise<ListedSource[]> {
  const deployed = await deployedSources(database, workspace);
  if (deployed.length === 0) return [];
  const names = deployed.map(({ definition }) => definition.name);
  const { rows } = await database.api.query<SourceColumns & { things: number }>({
    name: "list-sources",
    text: `select ${sourceColumns},
        (select count(*) from source_memory as m where m.workspace = s.workspace and m.source = s.name) as things
      from source as s
      where workspace = $1 and name = any($2)`,
    values: [workspace, names],
  });
  const known = new Map(rows.map((row) => [row.name, row]));
  return deployed.map((source) => {
    const row = known.get(source.definition.name);
    return { ...source, row: row && readSource(row), things: row?.things ?? 0 };
  });
}

export interface TroubledSource {
  readonly name: string;
  readonly changedAt: number;
  /** Absent where it is paused. */
  readonly error: SourceProblem | undefined;
}

/** Deployed sources that fail or are paused, by name. */
export async function listTroubledSources(
  database: Database,
  workspace: number,
  limit: number,
): Promise<TroubledSource[]> {
  const deployed = await sourceDefinitions(database, workspace);
  if (deployed.length === 0) return [];
  const { rows } = await database.api.query<{
    name: string;
    changed_at: number;
    error: SourceProblem | null;
  }>({
    name: "list-troubled-sources",
    text: `select s.name, s.changed_at, case when not s.paused then s.error end as error
      from source as s
      where s.workspace = $1 and s.name = any($3) and (s.paused or s.state = 'failing')
      order by s.name
      limit $2`,
    values: [workspace, limit, deployed.map(({ definition }) => definition.name)],
  });
  return rows.map((row) => ({ name: row.name, changedAt: row.changed_at, error: row.error ?? undefined }));
}

/** An operator's word; it holds over deploys. */
export async function setSourcePaused(
  database: Database,
  workspace: number,
  change: { readonly name: string; readonly shard: number; readonly paused: boolean; readonly now: number },
): Promise<void> {
  await database.api.query({
    name: "set-source-paused",
    // A server that takes it up finds a row that says nothing else yet.
    text: `insert into source (workspace, name, shard, place, events, state, changed_at, paused)
      values ($1, $2, $3, '', 0, 'stopped', $4, $5)
      on conflict (workspace, name) do update set paused = excluded.paused`,
    values: [workspace, change.name, change.shard, toTimestamp(change.now), change.paused],
  });
}
