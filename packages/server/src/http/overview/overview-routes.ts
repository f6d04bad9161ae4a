import { MillraceError } from "@millrace/core";
import type { LimitDetail, LimitUseView, LimitView, Overview, Page, QueueView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  countLive,
  findLimitHolders,
  findLimitUses,
  listAwaitedLimits,
  requestsCountedMax,
  type LimitUseRow,
} from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import {
  failuresDays,
  limitsShownMax,
  limitUsesShown,
  overviewPauseMs,
  limitHoldersShown,
  limitsWithHolders,
} from "../limits.ts";
import { poolsOf, workersOf } from "../pool-routes.ts";
import { route, type Route } from "../route.ts";
import { isoTime } from "../run-summary.ts";
import { attentionOf, lastFailure } from "./attention.ts";
import { Coalesced } from "./coalesced.ts";
import { counted } from "./counted.ts";
import { EventPace } from "./event-pace.ts";
import { lateness } from "./lateness.ts";
import { queuesOf } from "./queue-view.ts";
import { timeline } from "./timeline.ts";
import { waitGroups } from "./wait-groups.ts";

export function overviewRoutes(context: ApiContext): Route[] {
  const pace = new EventPace(context.database);
  const shared = new Coalesced(() => overview(context), context.clock, overviewPauseMs);
  return [
    route(operations.getOverview, () => shared.ask()),
    route(operations.getTimeline, (request) => timeline(context, pace, request.query.hours)),
    route(operations.listQueues, async (): Promise<Page<QueueView>> => ({
      items: await queuesOf(context, await workersOf(context)),
    })),
    route(operations.listLimits, () => awaitedLimits(context)),
    route(operations.getLimit, (request) => limitDetail(context, request.path.kind, request.path.name)),
  ];
}

async function overview(context: ApiContext): Promise<Overview> {
  const { database, host } = context;
  const now = host.engine.now();
  const [counts, workers, pools, sampled, late] = await Promise.all([
    countLive(database, workspaceId),
    workersOf(context),
    poolsOf(context),
    waitGroups(context),
    lateness(context, now),
  ]);
  const queues = await queuesOf(context, workers);
  const attention = await attentionOf(context, { now, counts, queues, waits: sampled, late: late.attention });
  const failure = await lastFailure(context, now);
  return {
    at: isoTime(now),
    attention,
    ...(late.nextAt === undefined ? {} : { lateAt: isoTime(late.nextAt) }),
    ...(failure ? { lastFailure: failure } : {}),
    failuresSince: isoTime(now - failuresDays * 86_400_000),
    runs: {
      queued: counted(counts.queued),
      running: counted(counts.running),
      waiting: counted(counts.waiting),
      quarantined: counted(counts.quarantined),
    },
    approvals: counted(counts.approvals),
    waits: {
      total: counted(counts.waits),
      groups: sampled.groups.map(({ view }) => view),
      looked: sampled.looked,
    },
    load: {
      servers: host.engine.liveServers,
      workers: workers.length,
      draining: workers.filter(({ draining }) => draining).length,
      slots: sum(workers.map(({ slots }) => slots)),
      busy: sum(workers.map(({ busy }) => busy)),
      queues,
      pools,
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function awaitedLimits(context: ApiContext): Promise<Page<LimitView>> {
  const [rows, pools] = await Promise.all([
    listAwaitedLimits(context.database, workspaceId, limitsShownMax),
    poolsOf(context),
  ]);
  const holders = await findLimitHolders(context.database, workspaceId, {
    limits: rows.slice(0, limitsWithHolders),
    each: limitHoldersShown,
  });
  const slotsOf = new Map(pools.map(({ name, slots }) => [name, slots]));
  return {
    items: rows.map(({ kind, name, slots, used, waiting }, at) => ({
      kind,
      name,
      slots: kind === "pool" ? (slotsOf.get(name) ?? slots) : slots,
      used,
      waiting: counted(waiting, requestsCountedMax),
      ...(holders[at] ? { holders: holders[at].map(useView) } : {}),
    })),
  };
}

const limitKinds = ["pool", "key", "pipeline"] as const;

async function limitDetail(context: ApiContext, asked: string, name: string): Promise<LimitDetail> {
  const kind = limitKinds.find((one) => one === asked);
  if (!kind) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The kind of a limit must be one of ${limitKinds.join(", ")}.`,
    });
  }
  const uses = await findLimitUses(context.database, workspaceId, { kind, name, limit: limitUsesShown });
  return { kind, name, held: uses.held.map(useView), waiting: uses.waiting.map(useView) };
}

/** A holder is named as `readiness.ts` names it: `RUN/NODE/ITEM/GENERATION/DISPATCH`; as a whole run it has no node. */
function useView({ holder, runId, pipeline, slots }: LimitUseRow): LimitUseView {
  const parts = holder.startsWith(`${runId}/`) ? holder.slice(runId.length + 1).split("/") : [];
  const item = parts.at(-3);
  const node = parts.slice(0, -3).join("/");
  return {
    run: runId,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(node === "" ? {} : { node, ...(item === "" || item === undefined ? {} : { item }) }),
    slots,
  };
}
