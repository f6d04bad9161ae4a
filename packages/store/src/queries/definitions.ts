/** Pipelines as they are deployed. */
import { operandsOf, type Condition, type PipelineDefinition } from "@millrace/core";
import type { Database } from "../connect.ts";
import { listTriggerConditions } from "./assets.ts";
import type { OutboxNews } from "./outbox.ts";

export interface PipelineRow {
  readonly name: string;
  readonly project: string;
  readonly bundle: string;
  readonly definition: PipelineDefinition;
  readonly retired: boolean;
  readonly paused: boolean;
  readonly pausedByOperator: boolean;
}

interface PipelineColumns {
  name: string;
  project: string;
  bundle: string;
  definition: PipelineDefinition;
  retired: boolean;
  paused: boolean;
  paused_by_operator: boolean;
}

function readPipeline(row: PipelineColumns): PipelineRow {
  return {
    name: row.name,
    project: row.project,
    bundle: row.bundle,
    definition: row.definition,
    retired: row.retired,
    paused: row.paused,
    pausedByOperator: row.paused_by_operator,
  };
}

export async function findPipeline(
  database: Database,
  workspace: number,
  name: string,
): Promise<PipelineRow | undefined> {
  const { rows } = await database.api.query<PipelineColumns>({
    name: "find-pipeline",
    text: `select name, project, bundle, definition, retired, paused, paused_by_operator
      from pipeline
      where workspace = $1 and name = $2`,
    values: [workspace, name],
  });
  return rows[0] && readPipeline(rows[0]);
}

/** What lists tell of a definition: `sql/000019_lists.sql`. */
export type DefinitionSummary = Pick<
  PipelineDefinition,
  "description" | "owner" | "tags" | "maxActiveRuns" | "source"
> & { readonly nodes: number };

export function definitionSummary(definition: PipelineDefinition): DefinitionSummary {
  const { description, owner, tags, maxActiveRuns, source, nodes } = definition;
  return {
    ...(description === undefined ? {} : { description }),
    ...(owner === undefined ? {} : { owner }),
    tags,
    ...(maxActiveRuns === undefined ? {} : { maxActiveRuns }),
    ...(source === undefined ? {} : { source }),
    nodes: nodes.length,
  };
}

export interface ListedPipeline extends Omit<PipelineRow, "definition"> {
  readonly summary: DefinitionSummary;
}

/** By name, after `afterName`. */
export async function listPipelines(
  database: Database,
  workspace: number,
  page: { readonly afterName: string; readonly limit: number },
): Promise<ListedPipeline[]> {
  const { rows } = await database.api.query<
    Omit<ListedPipeline, "pausedByOperator"> & { paused_by_operator: boolean }
  >({
    name: "list-pipelines",
    text: `select name, project, bundle, summary, retired, paused, paused_by_operator
      from pipeline
      where workspace = $1 and name > $2
      order by name
      limit $3`,
    values: [workspace, page.afterName, page.limit],
  });
  return rows.map(({ paused_by_operator: pausedByOperator, ...row }) => ({ ...row, pausedByOperator }));
}

/** Active pipelines in whose definition this text stands. */
export async function listDefinitionsWith(
  database: Database,
  workspace: number,
  text: string,
): Promise<PipelineDefinition[]> {
  const { rows } = await database.api.query<{ definition: PipelineDefinition }>({
    name: "list-definitions-with",
    text: `select definition
      from pipeline
      where workspace = $1 and not retired and strpos(definition::text, $2) > 0
      order by name`,
    values: [workspace, text],
  });
  return rows.map(({ definition }) => definition);
}

export interface ScheduledPipelineRow {
  readonly pipeline: string;
  readonly condition: Condition;
  readonly paused: boolean;
}

/** Active pipelines with a schedule in their trigger, by name, after `afterName`. */
export async function listScheduledPipelines(
  database: Database,
  workspace: number,
  page: { readonly afterName: string; readonly limit: number },
): Promise<ScheduledPipelineRow[]> {
  const scheduled = (await listTriggerConditions(database, workspace))
    .filter(({ pipeline, condition }) => pipeline > page.afterName && isScheduled(condition))
    .slice(0, page.limit);
  const { rows } = await database.api.query<{ name: string }>({
    name: "paused-pipelines",
    text: "select name from pipeline where workspace = $1 and name = any($2) and paused",
    values: [workspace, scheduled.map(({ pipeline }) => pipeline)],
  });
  const paused = new Set(rows.map(({ name }) => name));
  return scheduled.map((row) => ({ ...row, paused: paused.has(row.pipeline) }));
}

function isScheduled(condition: Condition): boolean {
  return condition.kind === "schedule" || operandsOf(condition).some(isScheduled);
}

/** Names of pipelines that take runs: for suggestions. */
export async function listPipelineNames(database: Database, workspace: number): Promise<string[]> {
  const { rows } = await database.api.query<{ name: string }>({
    name: "list-pipeline-names",
    text: "select name from pipeline where workspace = $1 and not retired order by name limit 10000",
    values: [workspace],
  });
  return rows.map((row) => row.name);
}

/** An operator's choice, which holds over deploys. A pipeline that has a trigger tells `news` to the event log. */
export async function setPipelinePaused(
  database: Database,
  workspace: number,
  change: { readonly name: string; readonly paused: boolean; readonly news: OutboxNews },
): Promise<PipelineRow | undefined> {
  const { name, paused, news } = change;
  const { rows } = await database.api.query<PipelineColumns>({
    name: "set-pipeline-paused",
    text: `with changed as (
        update pipeline set paused = $3, paused_by_operator = true
        where workspace = $1 and name = $2
        returning name, project, bundle, definition, retired, paused, paused_by_operator
      ),
      told as (
        insert into log_outbox (workspace, type, subject, data)
        select $1, $4, $2, $5::json from changed where definition -> 'trigger' is not null
      )
      select name, project, bundle, definition, retired, paused, paused_by_operator from changed`,
    values: [workspace, name, paused, news.type, JSON.stringify(news.data)],
  });
  return rows[0] && readPipeline(rows[0]);
}

/** The definition of a pipeline in a bundle that was deployed once. */
export async function findDefinition(
  database: Database,
  workspace: number,
  bundle: string,
  pipeline: string,
): Promise<PipelineDefinition | undefined> {
  const { rows } = await database.api.query<{ definition: PipelineDefinition }>({
    name: "find-definition",
    text: `select p as definition
      from deployment, json_array_elements(definition -> 'pipelines') as p
      where workspace = $1 and bundle = $2 and p ->> 'name' = $3
      order by number desc
      limit 1`,
    values: [workspace, bundle, pipeline],
  });
  return rows[0]?.definition;
}

/** What a deployment of a project says of one pipeline; `definition`: absent where it does not have it. */
export async function findDeployedDefinition(
  database: Database,
  workspace: number,
  asked: { readonly project: string; readonly pipeline: string; readonly deployment: number },
): Promise<DeployedDefinition | undefined> {
  const { rows } = await database.api.query<{
    bundle: string;
    created_at: number;
    definition: PipelineDefinition | null;
  }>({
    name: "find-deployed-definition",
    text: `select bundle, created_at, (
          select p from json_array_elements(definition -> 'pipelines') as p where p ->> 'name' = $3 limit 1
        ) as definition
      from deployment
      where workspace = $1 and project = $2 and number = $4`,
    values: [workspace, asked.project, asked.pipeline, asked.deployment],
  });
  const [row] = rows;
  return row && { bundle: row.bundle, createdAt: row.created_at, definition: row.definition ?? undefined };
}

export interface DeployedDefinition {
  readonly bundle: string;
  readonly createdAt: number;
  readonly definition: PipelineDefinition | undefined;
}
