/** Deploys and rollbacks: a project's definitions are checked as a whole and replaced as a whole. */
import {
  canonicalJson,
  compileGraph,
  lastTicksOfSpent,
  MillraceError,
  namesUsed,
  nearestName,
  parseAsset,
  parseTrigger,
  parseWebhook,
  requireKnown,
  type EventTypeDefinition,
  type Json,
  type JsonSchema,
  type KnownNames,
  type PipelineDefinition,
  type ProjectDefinition,
  type TriggerDefinition,
} from "@millrace/core";
import {
  type DeployRequest,
  type DeployResponse,
  type NamesDifference,
  type RollbackRequest,
} from "@millrace/protocol";
import { compileSchema } from "@millrace/protocol/params-check";
import { changeDeployment, hasBundle, type DeploymentState } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { checkAssetNames, checkAssets } from "./deploy-assets.ts";
import { checkProbeNames, checkProbes } from "./deploy-probes.ts";
import { checkSourceNames, checkSources } from "./deploy-sources.ts";
import { checkDeclarations, checkEventTypes } from "./deploy-event-types.ts";
import { isoTime } from "./run-summary.ts";
import { isStorableAll } from "./storable.ts";
import { newTriggers, triggerNews } from "./trigger-news.ts";

/** Queues that need no declaration. */
const builtInQueues = ["default"];

export async function deploy(context: ApiContext, request: DeployRequest): Promise<DeployResponse> {
  const { bundle, definition: given, dryRun = false } = request;
  const holdsNew = request.newTriggers === "paused";
  checkPipelines(given);
  checkWebhooks(given);
  checkAssets(given);
  checkSources(given);
  checkProbes(given);
  checkEventTypes(given);
  const definition = inOneSpelling(given);
  if (!dryRun && !(await hasBundle(context.database, bundle))) {
    throw new MillraceError("MILLRACE_BUNDLE_UNKNOWN", {
      message: `The bundle ${bundle} was not uploaded.`,
      fields: { bundle },
    });
  }
  const names = definition.pipelines.map((pipeline) => pipeline.name);
  const wanted = { workspace: workspaceId, project: definition.project, names };
  return changeDeployment(context.database, wanted, async (state) => {
    checkNames(definition, state);
    const number = state.lastNumber + 1;
    const paused = holdsNew ? newTriggers(definition, state) : [];
    const answer = {
      ...differenceOf(definition, state),
      deployment: number,
      dryRun,
      ...(paused.length === 0 ? {} : { pausedTriggers: paused }),
      ...spentSchedules(definition, context.host.engine.now()),
    };
    const change = {
      workspace: workspaceId,
      project: definition.project,
      number,
      bundle,
      definition,
      now: context.host.engine.now(),
      paused,
      news: triggerNews(definition, state, paused),
      isNew: true,
    };
    return { answer, change: dryRun ? undefined : change };
  });
}

/** Who reads triggers and assets from rows gets them as their parsers give them, whoever wrote them. */
function inOneSpelling(definition: ProjectDefinition): ProjectDefinition {
  const { pipelines, assets } = definition;
  return {
    ...definition,
    pipelines: pipelines.map((pipeline) =>
      pipeline.trigger
        ? { ...pipeline, trigger: parseTrigger(pipeline.trigger as unknown as Json, ["trigger"]) }
        : pipeline,
    ),
    ...(assets ? { assets: assets.map((asset) => parseAsset(asset as unknown as Json)) } : {}),
  };
}

export async function rollBack(context: ApiContext, request: RollbackRequest): Promise<DeployResponse> {
  const { project, deployment } = request;
  const wanted = { workspace: workspaceId, project, names: [] };
  return changeDeployment(context.database, wanted, async (state, find) => {
    if (!state.active) {
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message: `The project "${project}" has no deployment.`,
      });
    }
    const target = await find(deployment ?? "previous");
    if (!target) {
      throw new MillraceError("MILLRACE_REQUEST_INVALID", {
        message:
          deployment === undefined
            ? `The project "${project}" has no deployment before number ${state.active.number}.`
            : `The project "${project}" has no deployment number ${deployment}.`,
        advice: "List them with `millrace rollback --list`.",
      });
    }
    const { definition, number, bundle } = target;
    checkNames(definition, state);
    const now = context.host.engine.now();
    const news = triggerNews(definition, state);
    return {
      answer: {
        ...differenceOf(definition, state),
        deployment: number,
        dryRun: false,
        ...spentSchedules(definition, now),
      },
      change: {
        workspace: workspaceId,
        project,
        number,
        bundle,
        definition,
        now,
        paused: [],
        news,
        isNew: false,
      },
    };
  });
}

/** What can be judged from the definition alone. */
function checkPipelines(definition: ProjectDefinition): void {
  const seen = new Set<string>();
  const queues = new Set([...builtInQueues, ...definition.queues]);
  for (const pipeline of definition.pipelines) {
    if (seen.has(pipeline.name)) {
      throw new MillraceError("MILLRACE_GRAPH_DUPLICATE_ID", {
        message: `The project has two pipelines with the name "${pipeline.name}".`,
        ...sourceOf(pipeline),
      });
    }
    seen.add(pipeline.name);
    checkText(pipeline);
    compileGraph(pipeline);
    checkSchemas(pipeline);
    if (pipeline.trigger)
      checkTrigger(pipeline, parseTrigger(pipeline.trigger as unknown as Json, ["trigger"]));
    checkQueues(pipeline, queues);
  }
}

function checkTrigger(pipeline: PipelineDefinition, { policy }: TriggerDefinition): void {
  if (policy === undefined || pipeline.maxActiveRuns !== undefined) return;
  throw new MillraceError("MILLRACE_OPTION_INVALID", {
    message: `The trigger of "${pipeline.name}" has the policy "${policy}", and its pipeline no "maxActiveRuns": without it no firing waits.`,
    ...sourceOf(pipeline),
  });
}

function checkWebhooks({ webhooks = [] }: ProjectDefinition): void {
  const seen = new Set<string>();
  for (const given of webhooks) {
    const webhook = parseWebhook(given as unknown as Json);
    if (seen.has(webhook.name) || !isStorableAll(webhook as unknown as Json)) {
      throw new MillraceError("MILLRACE_WEBHOOK_INVALID", {
        message: seen.has(webhook.name)
          ? `The project has two webhooks with the name "${webhook.name}".`
          : `The webhook "${webhook.name}" has a text with U+0000 or half of a surrogate pair, which can't be stored.`,
        ...sourceOf(webhook),
      });
    }
    seen.add(webhook.name);
  }
}

/** A definition is looked into by the database, which then reads every text in it. */
function checkText(pipeline: PipelineDefinition): void {
  if (isStorableAll(pipeline as unknown as Json)) return;
  throw new MillraceError("MILLRACE_OPTION_INVALID", {
    message: `The pipeline ${JSON.stringify(pipeline.name)} has a text with U+0000 or half of a surrogate pair, which can't be stored.`,
    advice: "Make such a text inside a task.",
    ...sourceOf(pipeline),
  });
}

function checkSchemas(pipeline: PipelineDefinition): void {
  if (pipeline.params)
    checkSchema(pipeline.params.schema, `The parameters of "${pipeline.name}" have`, pipeline);
  for (const node of pipeline.nodes) {
    const form = node.wait?.approval?.form;
    if (form !== undefined) checkSchema(form, `The form of "${node.id}" in "${pipeline.name}" has`, node);
  }
}

function checkSchema(schema: JsonSchema, what: string, owner: Parameters<typeof sourceOf>[0]): void {
  try {
    compileSchema(schema, { useDefaults: true, allErrors: true });
  } catch (cause) {
    throw new MillraceError("MILLRACE_OPTION_INVALID", {
      message: `${what} no valid JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}`,
      ...sourceOf(owner),
      cause,
    });
  }
}

function checkQueues(pipeline: PipelineDefinition, queues: ReadonlySet<string>): void {
  for (const node of pipeline.nodes) {
    const { queue } = node.options;
    if (queues.has(queue)) continue;
    throw new MillraceError("MILLRACE_QUEUE_UNKNOWN", {
      message: `The node "${node.id}" of "${pipeline.name}" names the queue "${queue}", which is not declared.${suggestion(queue, queues)}`,
      fields: { pipeline: pipeline.name, node: node.id, queue },
      ...sourceOf(node),
    });
  }
}

/** What depends on other projects and on operators. */
function checkNames(definition: ProjectDefinition, state: DeploymentState): void {
  const { project } = definition;
  const foreign = state.pipelines.find(
    (row) =>
      row.project !== project &&
      !row.retired &&
      definition.pipelines.some((pipeline) => pipeline.name === row.name),
  );
  if (foreign) {
    throw new MillraceError("MILLRACE_PROJECT_CONFLICT", {
      message: `The pipeline "${foreign.name}" belongs to the project "${foreign.project}", not to "${project}".`,
      fields: { pipeline: foreign.name, owner: foreign.project, project },
    });
  }
  checkWebhookNames(definition, state);
  checkAssetNames(definition, state);
  checkSourceNames(definition, state);
  checkProbeNames(definition, state);
  checkDeclarations(definition, state);
  const pools = new Set([...state.pools, ...Object.keys(definition.pools)]);
  const known = {
    assets: new Set([
      ...state.assets.filter((row) => row.project !== project).map((row) => row.definition.name),
      ...(definition.assets ?? []).map(({ name }) => name),
    ]),
    pipelines: new Set([...state.pipelineNames, ...definition.pipelines.map(({ name }) => name)]),
  };
  for (const pipeline of definition.pipelines) {
    checkUses(pipeline, definition, known);
    for (const node of pipeline.nodes) {
      const { pool } = node.options;
      if (pool && !pools.has(pool.name)) {
        throw new MillraceError("MILLRACE_POOL_UNKNOWN", {
          message: `The node "${node.id}" of "${pipeline.name}" names the pool "${pool.name}", which does not exist.${suggestion(pool.name, pools)}`,
          fields: { pipeline: pipeline.name, node: node.id, pool: pool.name },
          ...sourceOf(node),
        });
      }
    }
  }
}

/** What it uses is there: a condition on what nobody has would never hold. */
function checkUses(pipeline: PipelineDefinition, definition: ProjectDefinition, known: KnownNames): void {
  for (const use of namesUsed(pipeline)) {
    requireKnown(use, known);
    const own = definition.pipelines.find(({ name }) => use.kind === "pipeline" && name === use.name);
    const nodes = own?.nodes.map(({ id }) => id);
    if (use.node === undefined || !nodes || nodes.includes(use.node)) continue;
    throw new MillraceError("MILLRACE_CONDITION_INVALID", {
      message: `The condition of "${pipeline.name}" is on the node "${use.node}" of "${use.name}", which has none of that name.${suggestion(use.node, nodes)}`,
      fields: { ...use.fields, node: use.node },
      ...sourceOf(use),
    });
  }
}

function checkWebhookNames({ project, webhooks = [] }: ProjectDefinition, state: DeploymentState): void {
  const names = new Set(webhooks.map(({ name }) => name));
  const foreign = state.webhooks.find((row) => row.project !== project && names.has(row.definition.name));
  if (!foreign) return;
  const { name } = foreign.definition;
  throw new MillraceError("MILLRACE_PROJECT_CONFLICT", {
    message: `The webhook "${name}" belongs to the project "${foreign.project}", not to "${project}".`,
    fields: { webhook: name, owner: foreign.project, project },
  });
}

function suggestion(name: string, names: Iterable<string>): string {
  const near = nearestName(name, names);
  return near === undefined ? "" : ` Did you mean "${near}"?`;
}

function sourceOf(part: Pick<PipelineDefinition, "source">): Pick<PipelineDefinition, "source"> {
  return part.source === undefined ? {} : { source: part.source };
}

function differenceOf(
  definition: ProjectDefinition,
  state: DeploymentState,
): Omit<DeployResponse, "deployment" | "dryRun"> {
  const { project, webhooks = [], assets = [], sources = [], eventTypes = [] } = definition;
  const pipelinesBefore = state.pipelines.filter((row) => row.project === project && !row.retired);
  const webhooksBefore = state.webhooks.filter((row) => row.project === project);
  const assetsBefore = state.assets.filter((row) => row.project === project);
  const sourcesBefore = state.sources.filter((row) => row.project === project);
  const typesBefore = state.eventTypes.filter((row) => row.project === project);
  const changed = difference(definition.pipelines, definitionsOf(pipelinesBefore));
  const changedWebhooks = difference(webhooks, definitionsOf(webhooksBefore));
  const changedAssets = difference(assets, definitionsOf(assetsBefore));
  const changedTypes = difference(eventTypes.map(namedType), definitionsOf(typesBefore).map(namedType));
  return {
    project,
    ...changed,
    ...(webhooks.length + webhooksBefore.length === 0 ? {} : { webhooks: changedWebhooks }),
    ...(assets.length + assetsBefore.length === 0 ? {} : { assets: changedAssets }),
    ...(sources.length + sourcesBefore.length === 0
      ? {}
      : { sources: difference(sources, definitionsOf(sourcesBefore)) }),
    ...(eventTypes.length + typesBefore.length === 0 ? {} : { eventTypes: changedTypes }),
  };
}

/** Told and not refused: a list of instants is right until the last of them, and its project is deployed after it, too. */
function spentSchedules(
  { pipelines }: ProjectDefinition,
  nowMs: number,
): Pick<DeployResponse, "spentSchedules"> {
  const spent = pipelines.flatMap(({ name, trigger }) =>
    trigger
      ? lastTicksOfSpent(trigger.condition, nowMs).map((last) => ({ pipeline: name, last: isoTime(last) }))
      : [],
  );
  return spent.length === 0 ? {} : { spentSchedules: spent };
}

function definitionsOf<One>(rows: readonly { readonly definition: One }[]): One[] {
  return rows.map(({ definition }) => definition);
}

interface Named {
  readonly name: string;
}

/** By its schema alone: it is the same wherever it stands. */
function namedType({ type, schema }: EventTypeDefinition): Named & Pick<EventTypeDefinition, "schema"> {
  return { name: type, schema };
}

function difference(now: readonly Named[], then: readonly Named[]): NamesDifference {
  const before = new Map(then.map((one) => [one.name, canonicalJson(one as unknown as Json)]));
  const added: string[] = [];
  const changed: string[] = [];
  const unchanged: string[] = [];
  for (const one of now) {
    const known = before.get(one.name);
    if (known === undefined) added.push(one.name);
    else if (known === canonicalJson(one as unknown as Json)) unchanged.push(one.name);
    else changed.push(one.name);
    before.delete(one.name);
  }
  return { added, changed, unchanged, retired: [...before.keys()].sort() };
}
