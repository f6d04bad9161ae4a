/**
 * Deployments: which bundle's definitions count, per project.
 *
 * Lock order: the advisory lock of deployments, then `deployment`, then `pipeline`.
 */
import type {
  EventTypeDefinition,
  PipelineDefinition,
  ProjectDefinition,
  ProbeDefinition,
  SourceDefinition,
  WebhookDefinition,
} from "@millrace/core";
import type { PoolClient } from "pg";
import type { Database } from "../connect.ts";
import { toTimestamp } from "../value-types.ts";
import { selectAssets, type DeployedAsset } from "./assets.ts";
import { definitionSummary } from "./definitions.ts";
import { addToOutbox, type OutboxNews } from "./outbox.ts";
import { selectProbes } from "./probes.ts";
import { selectSources } from "./sources.ts";
import { whileDeployed } from "./while-deployed.ts";

/** Told when definitions or their settings changed. */
export const definitionsChannel = "millrace_definitions";

/** "deploy" in hex digits' ASCII. */
const deployLock = "110430903664249";

export interface DeploymentRow {
  readonly project: string;
  readonly number: number;
  readonly bundle: string;
  readonly definition: ProjectDefinition;
  readonly active: boolean;
  readonly createdAt: number;
}

/** A pipeline's row as a deployment finds it. */
export interface DeployedPipeline {
  readonly name: string;
  readonly project: string;
  readonly definition: PipelineDefinition;
  readonly retired: boolean;
  readonly paused: boolean;
  readonly pausedByOperator: boolean;
}

/** What stands before a deployment. */
export interface DeploymentState {
  readonly active: DeploymentRow | undefined;
  readonly lastNumber: number;
  /** Those of the project, and those of others that have one of the wanted names. */
  readonly pipelines: readonly DeployedPipeline[];
  /** Pools that operators or any project's active deployment have. */
  readonly pools: readonly string[];
  /** Names of all pipelines that take runs. */
  readonly pipelineNames: readonly string[];
  /** Of all projects. */
  readonly webhooks: readonly DeployedWebhook[];
  readonly assets: readonly DeployedAsset[];
  /** Of all projects. */
  readonly sources: readonly { readonly project: string; readonly definition: SourceDefinition }[];
  readonly probes: readonly { readonly project: string; readonly definition: ProbeDefinition }[];
  /** Of all projects; one type may be declared by several. */
  readonly eventTypes: readonly DeployedEventType[];
}

export interface DeployedEventType {
  readonly project: string;
  readonly definition: EventTypeDefinition;
}

export interface DeployedWebhook {
  readonly project: string;
  readonly definition: WebhookDefinition;
}

export interface DeploymentChange {
  readonly workspace: number;
  readonly project: string;
  readonly number: number;
  readonly bundle: string;
  readonly definition: ProjectDefinition;
  readonly now: number;
  /** Pipelines that an operator wants paused from now on. */
  readonly paused: readonly string[];
  /** What the event log is told of it. */
  readonly news: readonly OutboxNews[];
  /** False: the deployment `number` is there and becomes the active one again. */
  readonly isNew: boolean;
}

/**
 * Decides and writes in one transaction, one deployment at a time: `decide` is given what stands and says what is to
 * be written, or nothing. What it throws rolls back.
 */
export async function changeDeployment<Answer>(
  database: Database,
  wanted: { readonly workspace: number; readonly project: string; readonly names: readonly string[] },
  decide: (
    state: DeploymentState,
    find: (number: number | "previous") => Promise<DeploymentRow | undefined>,
  ) => Promise<{ readonly answer: Answer; readonly change: DeploymentChange | undefined }>,
): Promise<Answer> {
  const client = await database.api.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [deployLock]);
    const state = await readState(client, wanted);
    const { answer, change } = await decide(state, (number) => findNumber(client, wanted, number));
    if (change) await write(client, change);
    await client.query("commit");
    client.release();
    return answer;
  } catch (error) {
    await client.query("rollback").then(
      () => client.release(),
      (broken: Error) => client.release(broken),
    );
    throw error;
  }
}

interface DeploymentColumns {
  project: string;
  number: number;
  bundle: string;
  definition: ProjectDefinition;
  active: boolean;
  created_at: number;
}

function readDeployment(row: DeploymentColumns): DeploymentRow {
  const { created_at: createdAt, ...rest } = row;
  return { ...rest, createdAt };
}

/** Those of active deployments: what a project has no more, or a rollback leaves out, is not there. */
const selectWebhooks = `select project, w as definition
  from deployment, json_array_elements(definition -> 'webhooks') as w
  where workspace = $1 and active
  order by w ->> 'name'`;

const selectEventTypes = `select project, t as definition
  from deployment, json_array_elements(definition -> 'eventTypes') as t
  where workspace = $1 and active
  order by t ->> 'type', project`;

async function readState(
  client: PoolClient,
  wanted: { readonly workspace: number; readonly project: string; readonly names: readonly string[] },
): Promise<DeploymentState> {
  const { workspace, project, names } = wanted;
  const active = await client.query<DeploymentColumns>(
    `select project, number, bundle, definition, active, created_at
    from deployment
    where workspace = $1 and project = $2 and active`,
    [workspace, project],
  );
  const last = await client.query<{ number: number | null }>(
    "select max(number) as number from deployment where workspace = $1 and project = $2",
    [workspace, project],
  );
  const pipelines = await client.query<DeployedPipeline>(
    `select name, project, definition, retired, paused, paused_by_operator as "pausedByOperator"
    from pipeline
    where workspace = $1 and (project = $2 or name = any($3))`,
    [workspace, project, names],
  );
  const pools = await client.query<{ name: string }>(
    `select name from shared_limit where workspace = $1 and kind = 'pool' and set_by_operator
    union
    select json_object_keys(definition -> 'pools') from deployment where workspace = $1 and active`,
    [workspace],
  );
  const known = await client.query<{ name: string }>(
    "select name from pipeline where workspace = $1 and not retired",
    [workspace],
  );
  const webhooks = await client.query<DeployedWebhook>(selectWebhooks, [workspace]);
  const assets = await client.query<DeployedAsset>(selectAssets, [workspace]);
  const probes = await client.query<DeploymentState["probes"][number]>(selectProbes, [workspace]);
  const sources = await client.query<DeploymentState["sources"][number]>(selectSources, [workspace]);
  const eventTypes = await client.query<DeployedEventType>(selectEventTypes, [workspace]);
  return {
    active: active.rows[0] && readDeployment(active.rows[0]),
    lastNumber: last.rows[0]?.number ?? 0,
    pipelines: pipelines.rows,
    pools: pools.rows.map((row) => row.name),
    pipelineNames: known.rows.map((row) => row.name),
    webhooks: webhooks.rows,
    assets: assets.rows,
    sources: sources.rows,
    probes: probes.rows,
    eventTypes: eventTypes.rows,
  };
}

async function findNumber(
  client: PoolClient,
  wanted: { readonly workspace: number; readonly project: string },
  number: number | "previous",
): Promise<DeploymentRow | undefined> {
  const { workspace, project } = wanted;
  const { rows } =
    number === "previous"
      ? await client.query<DeploymentColumns>(
          `select project, number, bundle, definition, active, created_at
          from deployment
          where workspace = $1 and project = $2
            and number < (select d.number from deployment as d where d.workspace = $1 and d.project = $2 and d.active)
          order by number desc
          limit 1`,
          [workspace, project],
        )
      : await client.query<DeploymentColumns>(
          `select project, number, bundle, definition, active, created_at
          from deployment
          where workspace = $1 and project = $2 and number = $3`,
          [workspace, project, number],
        );
  return rows[0] && readDeployment(rows[0]);
}

/** An operator's `paused` holds; a pipeline that came back is not retired any more. */
async function write(client: PoolClient, change: DeploymentChange): Promise<void> {
  const { workspace, project, number, bundle, definition } = change;
  await client.query(
    "update deployment set active = false where workspace = $1 and project = $2 and active",
    [workspace, project],
  );
  await (change.isNew
    ? client.query(
        `insert into deployment (workspace, project, number, bundle, definition, pipelines, active, created_at)
        select $1, $2, $3, $4, $5, coalesce(
            jsonb_object_agg(p ->> 'name', jsonb_build_object('nodes', json_array_length(p -> 'nodes'), 'hash', md5(p::text))), '{}'
          ), true, $6
        from json_array_elements($5::json -> 'pipelines') as p`,
        [workspace, project, number, bundle, JSON.stringify(definition), toTimestamp(change.now)],
      )
    : client.query(
        "update deployment set active = true where workspace = $1 and project = $2 and number = $3",
        [workspace, project, number],
      ));
  await client.query(
    `insert into pipeline (workspace, name, project, bundle, deployment, definition, summary, paused)
    select $1, p ->> 'name', $2, $3, $4, p, s, (p ->> 'paused')::boolean
    from rows from (json_array_elements($5::json), json_array_elements($6::json)) as d (p, s)
    on conflict (workspace, name) do update set
      project = excluded.project,
      bundle = excluded.bundle,
      deployment = excluded.deployment,
      definition = excluded.definition,
      summary = excluded.summary,
      retired = false,
      paused = case when pipeline.paused_by_operator then pipeline.paused else excluded.paused end`,
    [
      workspace,
      project,
      bundle,
      number,
      JSON.stringify(definition.pipelines),
      JSON.stringify(definition.pipelines.map(definitionSummary)),
    ],
  );
  await client.query(
    `update pipeline set retired = true
    where workspace = $1 and project = $2 and not retired and name <> all($3)`,
    [workspace, project, definition.pipelines.map((pipeline) => pipeline.name)],
  );
  await client.query(
    "update pipeline set paused = true, paused_by_operator = true where workspace = $1 and name = any($2)",
    [workspace, change.paused],
  );
  await addToOutbox(client, workspace, change.news);
  await client.query("select pg_notify($1, '')", [definitionsChannel]);
}

/** Newest first, of one project or of all; before (`createdAt`, `project`, `number`) of the page before. */
export async function listDeployments(
  database: Database,
  workspace: number,
  page: {
    readonly project: string | undefined;
    readonly before: { readonly createdAt: number; readonly project: string; readonly number: number };
    readonly limit: number;
  },
): Promise<(Omit<DeploymentRow, "definition"> & { readonly pipelines: readonly string[] })[]> {
  const { project, before, limit } = page;
  const { rows } = await database.api.query<Omit<DeploymentColumns, "definition"> & { pipelines: string[] }>({
    name: "list-deployments",
    text: `select project, number, bundle, active, created_at,
        array(select name collate "C" from jsonb_object_keys(pipelines) as name order by 1) as pipelines
      from deployment
      where workspace = $1 and ($2::text is null or project = $2)
        and (created_at, project, number) < ($3, $4, $5)
      order by created_at desc, project desc, number desc
      limit $6`,
    values: [
      workspace,
      project ?? null,
      Number.isFinite(before.createdAt) ? toTimestamp(before.createdAt) : "infinity",
      before.project,
      before.number,
      limit,
    ],
  });
  return rows.map((row) => ({
    project: row.project,
    number: row.number,
    bundle: row.bundle,
    active: row.active,
    createdAt: row.created_at,
    pipelines: row.pipelines,
  }));
}

export interface PipelineVersionRow {
  readonly number: number;
  readonly bundle: string;
  readonly active: boolean;
  readonly createdAt: number;
  /** Absent where the deployment does not have the pipeline. */
  readonly nodes: number | undefined;
  /** Against the deployment before, as far as that is among those that are read. */
  readonly changed: boolean;
}

/** What each deployment of a project says of one pipeline, newest first, before `beforeNumber`. */
export async function listPipelineVersions(
  database: Database,
  workspace: number,
  page: {
    readonly project: string;
    readonly pipeline: string;
    readonly beforeNumber: number;
    readonly limit: number;
  },
): Promise<PipelineVersionRow[]> {
  const { rows } = await database.api.query<
    Omit<PipelineVersionRow, "createdAt" | "nodes"> & { created_at: number; nodes: number | null }
  >({
    name: "list-pipeline-versions",
    text: `select number, bundle, active, created_at, (pipeline ->> 'nodes')::integer as nodes,
        pipeline ->> 'hash' is distinct from lag(pipeline ->> 'hash') over (order by number) as changed
      from (
        select d.number, d.bundle, d.active, d.created_at, d.pipelines -> $3 as pipeline
        from deployment as d
        where d.workspace = $1 and d.project = $2 and d.number < $4
        order by d.number desc
        limit $5
      ) as versions
      order by number desc`,
    values: [workspace, page.project, page.pipeline, page.beforeNumber, page.limit],
  });
  return rows.map(({ created_at: createdAt, nodes, ...row }) => ({
    ...row,
    createdAt,
    nodes: nodes ?? undefined,
  }));
}

/** Slots of pools by the configurations of active deployments; the largest number wins where two name one pool. */
export function configuredPools(database: Database, workspace: number): Promise<ReadonlyMap<string, number>> {
  return whileDeployed(database, workspace, {
    name: "pools",
    read: () => readConfiguredPools(database, workspace),
  });
}

async function readConfiguredPools(database: Database, workspace: number): Promise<Map<string, number>> {
  const { rows } = await database.api.query<{ name: string; slots: number }>({
    name: "configured-pools",
    text: `select key as name, max(value::integer) as slots
      from deployment, json_each_text(definition -> 'pools')
      where workspace = $1 and active
      group by key
      order by key`,
    values: [workspace],
  });
  return new Map(rows.map((row) => [row.name, row.slots]));
}

export async function listWebhooks(database: Database, workspace: number): Promise<DeployedWebhook[]> {
  const { rows } = await database.api.query<DeployedWebhook>({
    name: "list-webhooks",
    text: selectWebhooks,
    values: [workspace],
  });
  return rows;
}

/** The event types that active deployments declare. */
export async function listEventTypes(database: Database, workspace: number): Promise<EventTypeDefinition[]> {
  const { rows } = await database.api.query<DeployedEventType>({
    name: "list-event-types",
    text: selectEventTypes,
    values: [workspace],
  });
  return rows.map(({ definition }) => definition);
}

/** Tells all servers that definitions or their settings changed. */
export async function announceDefinitions(database: Database): Promise<void> {
  await database.api.query("select pg_notify($1, '')", [definitionsChannel]);
}
