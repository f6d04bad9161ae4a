/**
 * Why task runs are queued, and why no worker takes something. It is found when somebody looks, and not recorded: it changes with every worker and slot, without
 * the run.
 */
import type { Graph, NodeDefinition, NodeOptions, Reason } from "@millrace/core";
import type { PoolView, WorkerView } from "@millrace/protocol";
import { findLimitRequests, type LimitRequestRow, type TaskRunRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { poolsOf, workersOf } from "./pool-routes.ts";

type ReasonOf = (row: TaskRunRow) => Reason | undefined;

/** For rows of one run; those that are not queued, or have a reason of their own, get none. */
export async function waitReasons(
  context: ApiContext,
  graph: Graph,
  rows: readonly TaskRunRow[],
): Promise<ReasonOf> {
  if (!rows.some(isWaiting)) return () => undefined;
  const [workers, pools, requests] = await Promise.all([
    workersOf(context),
    poolsOf(context),
    findLimitRequests(context.database, workspaceId, rows[0]!.runId),
  ]);
  const requestOf = new Map(requests.map((request) => [request.holder, request]));
  return (row) => {
    const definition = isWaiting(row) ? graph.byId.get(row.node)?.definition : undefined;
    if (!definition) return undefined;
    const { options } = definition;
    // Keys come before pools, and a worker last.
    const request = requestOf.get(requestName(row));
    if (request?.kind === "key") return keyReason(definition, request);
    return poolReason(options, pools, request !== undefined) ?? workerReason(options, workers);
  };
}

/** As `readiness.ts` names what its next dispatch asks for. */
function requestName({ runId, node, item, generation, dispatch }: TaskRunRow): string {
  return `${runId}/${node}/${item}/${generation}/${dispatch + 1}`;
}

function isWaiting(row: TaskRunRow): boolean {
  return row.state === "queued" && row.reason === undefined;
}

function keyReason({ name: task }: NodeDefinition, { name, slots: limit, used }: LimitRequestRow): Reason {
  const key = name.slice(task.length + 1);
  const one = limit === 1 ? "one task run" : `${limit} task runs`;
  return {
    code: "key_full",
    message: `At most ${one} of "${task}" with the key ${JSON.stringify(key)} may run at once (\`concurrency\`), and ${used === 1 ? "one does" : `${used} do`}.`,
    fields: { task, key, limit, used },
  };
}

/** `asks`: it has asked for its slots, and was not given them. */
function poolReason(
  { pool: wanted }: NodeOptions,
  pools: readonly PoolView[],
  asks: boolean,
): Reason | undefined {
  const pool = wanted && pools.find(({ name }) => name === wanted.name);
  if (!wanted || !pool) return undefined;
  const fields = { pool: pool.name, wanted: wanted.slots, used: pool.used, slots: pool.slots };
  const takes = `It takes ${slots(wanted.slots)} of the pool "${pool.name}"`;
  if (wanted.slots > pool.slots) {
    return {
      code: "pool_too_small",
      message: `${takes}, which has ${pool.slots}: make it larger with \`millrace pools set ${pool.name} ${wanted.slots}\`.`,
      fields,
    };
  }
  if (wanted.slots + pool.used <= pool.slots) {
    return asks && pool.waiting > 1
      ? {
          code: "pool_in_turn",
          message: `${takes}, of which ${pool.used} of ${pool.slots} are in use, and others asked for theirs before.`,
          fields,
        }
      : undefined;
  }
  return {
    code: "pool_full",
    message: `${takes}, of which ${pool.used} of ${pool.slots} are in use.`,
    fields,
  };
}

export function workerReason(
  { queue }: Pick<NodeOptions, "queue">,
  workers: readonly WorkerView[],
): Reason | undefined {
  const serving = workers.filter((worker) => !worker.draining && worker.queues.includes(queue));
  const fields = { queue, workers: serving.length };
  if (serving.length === 0) {
    return {
      code: "no_worker",
      message: `No connected worker serves the queue "${queue}": start one with \`millrace worker --queues ${queue}\`.`,
      fields,
    };
  }
  if (serving.some((worker) => worker.busy < worker.slots)) return undefined;
  return { code: "workers_busy", message: `All workers of the queue "${queue}" are busy.`, fields };
}

function slots(count: number): string {
  return count === 1 ? "1 slot" : `${count} slots`;
}
