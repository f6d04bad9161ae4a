import type { Dispatch } from "@millrace/protocol";
import type { WorkerSettings } from "../options.ts";
import type { RunAttempt } from "../pool/child-message.ts";
import type { LocalValues } from "./attempt-values.ts";
import { listedConnections, namedVariables } from "./environment.ts";

/** What a child is told of a dispatch. */
export function runMessage(
  dispatch: Dispatch,
  { input, params, records }: LocalValues,
  { id, settings }: { readonly id: number; readonly settings: Pick<WorkerSettings, "environment"> },
): RunAttempt {
  const { token, pipeline, attempt, idempotencyKey, partition } = dispatch;
  const { environment } = settings;
  return {
    kind: "run",
    id,
    runId: token.runId,
    pipeline,
    node: token.node,
    item: token.item,
    generation: token.generation,
    attempt,
    dispatch: token.dispatch,
    idempotencyKey,
    ...(partition === undefined ? {} : { partition }),
    input,
    ...(params === undefined ? {} : { params }),
    env: namedVariables(dispatch, environment),
    connections: listedConnections(dispatch, environment),
    ...(records?.length ? { records } : {}),
  };
}
