/** Finding triggers, and waiting until their rows say what the log says. */
import { MillraceError, nearestName, type TriggerDefinition } from "@millrace/core";
import {
  findLogCursor,
  findLogHead,
  findPipeline,
  findTrigger,
  listPipelineNames,
  listTriggerNames,
  listTriggers,
  type TriggerRow,
} from "@millrace/store";
import type { TriggerSummary } from "@millrace/protocol";
import { triggerShard } from "../engine/trigger/trigger-shard.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { triggerSummary } from "./trigger-view.ts";

export interface FoundTrigger {
  readonly row: TriggerRow;
  readonly definition: TriggerDefinition;
  /** Everything up to here was told to it. */
  readonly toldTo: number;
  /** Where the log ends. */
  readonly head: number;
  /** Whether this server evaluates it, and has told it the whole log; else its rows say it, and its server may be further. */
  readonly isOurs: boolean;
}

/** The trigger of a pipeline, with what it was told by now. Throws MILLRACE_PIPELINE_UNKNOWN, MILLRACE_TRIGGER_UNKNOWN. */
export async function requireTrigger(context: ApiContext, pipeline: string): Promise<FoundTrigger> {
  const { database, host } = context;
  const shard = triggerShard(pipeline);
  const head = await findLogHead(database, workspaceId);
  const isOurs = await host.engine.triggers.settled(shard, head.position);
  const cursor = isOurs ? head.position : await findLogCursor(database, shard);
  const row = await findTrigger(database, workspaceId, pipeline);
  if (row?.definition)
    return { row, definition: row.definition, toldTo: cursor, head: head.position, isOurs };
  return refuse(context, pipeline);
}

export async function summaryOf(context: ApiContext, pipeline: string): Promise<TriggerSummary> {
  const page = { afterName: "", only: pipeline, limit: 1 };
  const [row] = await listTriggers(context.database, workspaceId, page);
  if (row?.definition) return triggerSummary(row, row.definition);
  throw new MillraceError("MILLRACE_TRIGGER_UNKNOWN", {
    message: `The pipeline "${pipeline}" has no trigger any more.`,
    fields: { pipeline },
  });
}

async function refuse({ database }: ApiContext, pipeline: string): Promise<never> {
  const names = await listTriggerNames(database, workspaceId);
  if (await findPipeline(database, workspaceId, pipeline)) {
    const meant = nearestName(pipeline, names);
    throw new MillraceError("MILLRACE_TRIGGER_UNKNOWN", {
      message: `The pipeline "${pipeline}" has no trigger: it runs when somebody starts it.${meant === undefined ? "" : ` Did you mean "${meant}"?`}`,
      fields: meant === undefined ? { pipeline } : { pipeline, nearest: meant },
    });
  }
  const near =
    nearestName(pipeline, names) ?? nearestName(pipeline, await listPipelineNames(database, workspaceId));
  throw new MillraceError("MILLRACE_PIPELINE_UNKNOWN", {
    message: `There is no pipeline "${pipeline}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: near === undefined ? { pipeline } : { pipeline, nearest: near },
  });
}
