/**
 * Why task runs are queued, and why no worker takes something. It is found when somebody looks, and not recorded: it changes with every worker and slot, without
 * the run.
 */
import type { Graph, NodeOptions, Reason } from "@millrace/core";
import type { PoolView, WorkerView } from "@millrace/protocol";
import type { TaskRunRow } from "@millrace/store";
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
  const [workers, pools] = await Promise.all([workersOf(context), poolsOf(context)]);
  return (row) => {
    const options = isWaiting(row) ? graph.byId.get(row.node)?.definition.options : undefined;
    return options && (poolReason(options, pools) ?? workerReason(options, workers));
  };
}

function isWaiting(row: TaskRunRow): boolean {
  return row.state === "queued" && row.reason === undefined;
}

function poolReason({ pool: wanted }: NodeOptions, pools: readonly PoolView[]): Reason | undefined {
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
  if (wanted.slots + pool.used <= pool.slots) return undefined;
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
