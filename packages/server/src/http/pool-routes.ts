import { MillraceError, nearestName, type Json } from "@millrace/core";
import type { Page, PoolView, WorkerView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { configuredPools, listPools, listWorkers } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { tellState } from "./preconditions.ts";
import { route, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function poolRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listPools, async (): Promise<Page<PoolView>> => ({ items: await poolsOf(context) })),
    route(operations.getPool, async (request, reply) => {
      const pool = await findPool(context, request.path.name);
      tellState(reply, stateOf(pool));
      return pool;
    }),
    route(operations.setPool, async (request, reply) => {
      const { name } = request.path;
      const pool = await context.changes.of(`pool ${name}`, request.raw, {
        state: async () => stateOf(await findPool(context, name)),
        act: () => setPool(context, name, request.body.slots),
      });
      tellState(reply, stateOf(pool));
      return pool;
    }),
    route(operations.listWorkers, async (): Promise<Page<WorkerView>> => ({
      items: await workersOf(context),
    })),
  ];
}

export async function workersOf(context: ApiContext): Promise<WorkerView[]> {
  return [...workersHere(context), ...(await workersElsewhere(context))];
}

export async function poolsOf(context: ApiContext): Promise<PoolView[]> {
  const [configured, known] = await Promise.all([
    configuredPools(context.database, workspaceId),
    listPools(context.database, workspaceId),
  ]);
  const views = new Map<string, PoolView>();
  for (const [name, slots] of configured)
    views.set(name, { name, slots, used: 0, waiting: 0, setByOperator: false });
  for (const pool of known) {
    const slots = pool.setByOperator ? pool.slots : (configured.get(pool.name) ?? pool.slots);
    const { name, used, waiting, setByOperator } = pool;
    views.set(name, { name, slots, used, waiting, setByOperator });
  }
  return [...views.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What others may have changed. */
function stateOf({ slots, setByOperator }: PoolView): Json {
  return { slots, setByOperator };
}

async function findPool(context: ApiContext, name: string): Promise<PoolView> {
  const pools = await poolsOf(context);
  const found = pools.find((pool) => pool.name === name);
  if (found) return found;
  const near = nearestName(
    name,
    pools.map((pool) => pool.name),
  );
  throw new MillraceError("MILLRACE_NOT_FOUND", {
    message: `There is no pool "${name.slice(0, 200)}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
  });
}

async function setPool(context: ApiContext, name: string, slots: number): Promise<PoolView> {
  if (!/^[\w./-]{1,200}$/.test(name)) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: "A pool's name has 1 to 200 letters, digits, dots, slashes, dashes or underscores.",
    });
  }
  await context.host.run((engine) => engine.setPool(name, slots));
  const known = (await poolsOf(context)).find((pool) => pool.name === name);
  // The limit may live on another server, which sets it when it reads its inbox.
  return { name, used: known?.used ?? 0, waiting: known?.waiting ?? 0, slots, setByOperator: true };
}

function workersHere(context: ApiContext): WorkerView[] {
  const { running } = context.host;
  if (!running) return [];
  const node = String(running.info.nodeId);
  return Array.from(running.hub.workers(), (worker) => ({
    id: worker.info.id,
    name: worker.info.name,
    node,
    queues: worker.info.queues,
    slots: worker.info.slots,
    busy: worker.busy.size,
    labels: worker.info.labels,
    version: worker.info.version,
    draining: worker.draining,
    connectedAt: isoTime(worker.connectedAt),
  }));
}

/** What another node says of a worker; `saveWorker` of the engine writes it. */
type WorkerDetail = Pick<WorkerView, "name" | "version" | "queues" | "slots" | "labels" | "draining">;

async function workersElsewhere(context: ApiContext): Promise<WorkerView[]> {
  const rows = await listWorkers(context.database, context.host.running?.info.nodeId ?? 0);
  return rows.map(({ id, nodeId, detail, connectedAt, busy }) => ({
    ...(detail as unknown as WorkerDetail),
    id,
    node: String(nodeId),
    busy,
    connectedAt: isoTime(connectedAt),
  }));
}
