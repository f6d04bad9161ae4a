/** Follows a run to its end by the server's events; a lost connection is made again. */
import { errorCodeOf, type PipelineDefinition } from "@millrace/core";
import type { PipelineDetail, RunDetail, RunEvent, RunSummary, TaskRunView } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { pause } from "../pause.ts";
import { RunPicture } from "./run-picture.ts";

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent, picture: RunPicture) => void;
  /** Called once, before the first event. */
  readonly onStart?: (picture: RunPicture) => void;
}

const reconnectsMax = 10;
const reconnectMs = 500;

/** Resolves with the ended run, or with `undefined` when the signal was aborted first. */
export async function followRun(
  client: ApiClient,
  run: RunSummary,
  options: FollowOptions,
): Promise<RunSummary | undefined> {
  const picture = new RunPicture(run, await definitionOf(client, run));
  options.onStart?.(picture);
  for (let lost = 0; ;) {
    try {
      const path = `/runs/${run.id}/events`;
      for await (const event of client.events<RunEvent>(path, { logs: true }, options.signal)) {
        lost = 0;
        picture.apply(event);
        if (event.kind === "snapshot" && event.detail.nextCursor !== undefined) {
          await restOfSnapshot(client, run.id, event.detail.nextCursor, picture);
        }
        options.onEvent(event, picture);
        if (event.kind === "end") return event.run;
      }
    } catch (error) {
      if (errorCodeOf(error) !== "MILLRACE_SERVER_UNREACHABLE" || lost >= reconnectsMax) throw error;
    }
    if (options.signal.aborted) return undefined;
    lost += 1;
    await pause(reconnectMs, options.signal);
  }
}

async function restOfSnapshot(
  client: ApiClient,
  runId: string,
  cursor: string,
  picture: RunPicture,
): Promise<void> {
  for await (const node of client.pages<TaskRunView>(`/runs/${runId}/nodes`, { cursor })) {
    picture.apply({ kind: "node", node });
  }
}

/** A pipeline that was retired since has no definition to ask for: its nodes are then shown as a list. */
export async function definitionOf(
  client: ApiClient,
  run: RunSummary,
): Promise<PipelineDefinition | undefined> {
  try {
    const path = `/pipelines/${encodeURIComponent(run.pipeline)}`;
    return (await client.get<PipelineDetail>(path)).definition;
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_PIPELINE_UNKNOWN") return undefined;
    throw error;
  }
}

/** A run with all its nodes, over as many pages as they fill. */
export async function readWholeRun(client: ApiClient, runId: string): Promise<RunDetail> {
  const detail = await client.get<RunDetail>(`/runs/${encodeURIComponent(runId)}`);
  if (detail.nextCursor === undefined) return detail;
  const rest = await client.list<TaskRunView>(`/runs/${encodeURIComponent(runId)}/nodes`, {
    cursor: detail.nextCursor,
  });
  return { run: detail.run, nodes: [...detail.nodes, ...rest] };
}
