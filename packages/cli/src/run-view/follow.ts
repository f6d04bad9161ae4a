/** Follows a run to its end by the server's events; a lost connection is made again. */
import { errorCodeOf, type Json, type PipelineDefinition } from "@millrace/core";
import type { RunDetail, RunEvent, RunSummary, TaskRunView } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { reconnecting } from "../api/reconnect.ts";
import { RunPicture } from "@millrace/protocol/run-picture";

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent, picture: RunPicture) => void;
  /** Called once, before the first event. */
  readonly onStart?: (picture: RunPicture) => void;
  /** The server is away; it is asked again. */
  readonly onAway?: () => void;
}

/** Resolves with the ended run, or with `undefined` when the signal was aborted first. */
export async function followRun(
  client: ApiClient,
  run: RunSummary,
  options: FollowOptions,
): Promise<RunSummary | undefined> {
  const picture = new RunPicture(run, await definitionOf(client, run));
  options.onStart?.(picture);
  for await (const event of runEvents(client, run.id, options)) {
    picture.apply(event);
    if (event.kind === "snapshot" && event.detail.nextCursor !== undefined) {
      await restOfSnapshot(client, run.id, event.detail.nextCursor, picture);
    }
    options.onEvent(event, picture);
    if (event.kind === "end") return event.run;
  }
  return undefined;
}

/** A run's events with its logs, to its end or until the signal is aborted, over connections as many as it takes. */
export async function* runEvents(
  client: ApiClient,
  runId: string,
  { signal, onAway }: Pick<FollowOptions, "signal" | "onAway">,
): AsyncGenerator<RunEvent> {
  yield* reconnecting({
    open: (onOpen) => client.events<RunEvent>(`/runs/${runId}/events`, { logs: true }, { signal, onOpen }),
    isLast: ({ kind }) => kind === "end",
    signal,
    ...(onAway === undefined ? {} : { onAway }),
  });
}

async function restOfSnapshot(
  client: ApiClient,
  runId: string,
  cursor: string,
  picture: RunPicture,
): Promise<void> {
  for await (const node of client.pages(`/runs/${runId}/nodes`, { cursor })) {
    picture.apply({ kind: "node", node });
  }
}

/** A pipeline that was retired since has no definition to ask for: its nodes are then shown as a list. */
export async function definitionOf(
  client: ApiClient,
  run: RunSummary,
): Promise<PipelineDefinition | undefined> {
  try {
    return (await client.get(`/pipelines/${encodeURIComponent(run.pipeline)}`)).definition;
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_PIPELINE_UNKNOWN") return undefined;
    throw error;
  }
}

/** What `--json` prints: outputs that the server keeps apart are filled in, as long as all of them are no more than this. */
const filledBytesMax = 16 * 1024 * 1024;

/** A run with all its nodes and their outputs. What is too large to be filled in stays an `outputBlob`. */
export async function readRunDocument(client: ApiClient, runId: string): Promise<RunDetail> {
  const { run, nodes } = await readWholeRun(client, runId);
  const blobs = new Map<string, Json>();
  let left = filledBytesMax;
  const fill = async <T extends RunDetail["run"] | TaskRunView>(one: T): Promise<T> => {
    if (one.outputBlob === undefined) return one;
    const { outputBlob, ...others } = one;
    let output = blobs.get(outputBlob.hash);
    if (output === undefined) {
      if (outputBlob.bytes > left) return one;
      left -= outputBlob.bytes;
      output = await client.value(outputBlob.hash);
      blobs.set(outputBlob.hash, output);
    }
    return { ...others, output } as T;
  };
  const filled: TaskRunView[] = [];
  for (const node of nodes) filled.push(await fill(node));
  return { run: await fill(run), nodes: filled };
}

/** A run with all its nodes, over as many pages as they fill. */
export async function readWholeRun(client: ApiClient, runId: string): Promise<RunDetail> {
  const detail = await client.get(`/runs/${encodeURIComponent(runId)}`);
  if (detail.nextCursor === undefined) return detail;
  const rest = await client.list(`/runs/${encodeURIComponent(runId)}/nodes`, {
    cursor: detail.nextCursor,
  });
  return { run: detail.run, nodes: [...detail.nodes, ...rest] };
}
