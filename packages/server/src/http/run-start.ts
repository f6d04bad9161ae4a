/** `POST /runs`: the hot path. A known pipeline is started without any query of its own. */
import { MillraceError, nearestName, needsPartition, partitionForTrigger, type Json } from "@millrace/core";
import { partitionLabel, type StartRunRequest, type StartRunResponse } from "@millrace/protocol";
import { findPipeline, listPipelineNames } from "@millrace/store";
import type { ActivePipeline } from "../engine/definitions.ts";
import type { Engine } from "../engine/engine.ts";
import { workspaceId } from "../engine/workspace.ts";
import { isLargeValue } from "../engine/task-input.ts";
import type { ApiContext } from "./api-context.ts";
import { idempotencyKeyBytesMax, labelBytesMax, labelsMax } from "./limits.ts";
import { summaryOf } from "./run-summary.ts";

export async function startRun(context: ApiContext, request: StartRunRequest): Promise<StartRunResponse> {
  const { idempotencyKey } = request;
  checkLabels(request.labels ?? {});
  if (idempotencyKey !== undefined) checkKey(idempotencyKey);
  const { engine } = context.host;
  const { definitions } = engine;
  const pipeline =
    definitions.known(workspaceId, request.pipeline) ??
    (await definitions.active(workspaceId, request.pipeline)) ??
    (await refuseUnknown(context, request.pipeline));
  if (pipeline.paused && request.force !== true) {
    throw new MillraceError("MILLRACE_PIPELINE_PAUSED", {
      message: `The pipeline "${request.pipeline}" is paused.`,
      fields: { pipeline: request.pipeline },
    });
  }
  const params = context.params.check(pipeline, request.params ?? {});
  const labels = { ...request.labels, ...partitionOf(pipeline, request.partition) };
  const { run, created } = await context.host.run((running) =>
    begin(running, pipeline, params, { labels, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }),
  );
  if (run.pipeline !== request.pipeline) {
    throw new MillraceError("MILLRACE_IDEMPOTENCY_CONFLICT", {
      message: `The idempotency key has started ${run.id} of the pipeline "${run.pipeline}"; no run of "${request.pipeline}" was started.`,
      fields: { run: run.id, pipeline: run.pipeline },
    });
  }
  return { run: summaryOf(run), created };
}

async function begin(
  engine: Engine,
  pipeline: ActivePipeline,
  params: Json,
  rest: { readonly labels: { readonly [name: string]: string }; readonly idempotencyKey?: string },
): ReturnType<Engine["startRun"]> {
  const stored = isLargeValue(params)
    ? await engine.values.loaded(await engine.values.store(params))
    : { value: params };
  return engine.startRun({ pipeline, params: stored, ...rest });
}

async function refuseUnknown(context: ApiContext, name: string): Promise<never> {
  const { database } = context;
  const retired = await findPipeline(database, workspaceId, name);
  if (retired) {
    throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
      message: `The pipeline "${name}" is retired: the last deploy of "${retired.project}" does not have it.`,
      advice: "Deploy a version that has it, or start another pipeline.",
    });
  }
  const near = nearestName(name, await listPipelineNames(database, workspaceId));
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: near === undefined ? { pipeline: name } : { pipeline: name, nearest: near },
  });
}

/** A run by hand is for one partition, as a fired one is. */
function partitionOf(
  { definition }: ActivePipeline,
  partition: string | undefined,
): { readonly [name: string]: string } {
  if (partition !== undefined) {
    const { key } = partitionForTrigger(definition.trigger?.condition, partition, definition.name);
    return { [partitionLabel]: key };
  }
  if (!needsPartition(definition)) return {};
  throw new MillraceError("MILLRACE_PARTITION_REQUIRED", {
    message: `A run of the pipeline "${definition.name}" is for one partition, which its tasks read; none was named.`,
    fields: { pipeline: definition.name },
  });
}

function checkLabels(labels: { readonly [name: string]: string }): void {
  if (labels[partitionLabel] !== undefined) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The label "${partitionLabel}" is Millrace's own.`,
      advice: 'Name the partition in "partition", or by `--partition`.',
    });
  }
  const entries = Object.entries(labels);
  const tooLong = entries.find(([name, value]) => name.length + value.length > labelBytesMax);
  if (entries.length <= labelsMax && !tooLong) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: tooLong
      ? `The label "${tooLong[0].slice(0, 50)}" is longer than ${labelBytesMax} characters.`
      : `A run may have ${labelsMax} labels; ${entries.length} were given.`,
  });
}

function checkKey(key: string): void {
  if (key.length > 0 && key.length <= idempotencyKeyBytesMax) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `"idempotencyKey" must have 1 to ${idempotencyKeyBytesMax} characters.`,
  });
}
