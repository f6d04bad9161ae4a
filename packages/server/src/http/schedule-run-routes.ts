/** `GET /schedules/runs`: what became of the ticks of schedules, and how long their runs take. */
import { MillraceError } from "@millrace/core";
import type { Operations, Page, ScheduleRunsView, TickOutcome } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  listDurations,
  listScheduledPipelines,
  listScheduledTriggers,
  listTickFirings,
  type ScheduledTrigger,
  type TickFiring,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { durationsOfPipeline, scheduleSpanMs, tickOutcomesEach } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function scheduleRunRoutes(context: ApiContext): Route[] {
  return [route(operations.listScheduleRuns, (request) => scheduleRunPage(context, request))];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

const dayMs = 86_400_000;

async function scheduleRunPage(
  context: ApiContext,
  request: ApiRequest<Operations["listScheduleRuns"]>,
): Promise<Page<ScheduleRunsView>> {
  const limit = request.query.limit;
  const to = request.query.to ?? context.host.engine.now();
  const from = request.query.from ?? to - dayMs;
  if (to < from || to - from > scheduleSpanMs)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"to" must be after "from", by ${scheduleSpanMs / dayMs} days at most.`,
      fields: { query: "to" },
    });
  const each = request.query.ticks ?? tickOutcomesEach;
  const afterName = readCursor(request.query.cursor, isNamePlace)?.[0] ?? "";
  const rows = await listScheduledPipelines(context.database, workspaceId, { afterName, limit: limit + 1 });
  const pipelines = rows.slice(0, limit).map(({ pipeline }) => pipeline);
  const { database } = context;
  const [triggers, firings, durations] = await Promise.all([
    listScheduledTriggers(database, workspaceId, pipelines),
    listTickFirings(database, workspaceId, { pipelines, from, to, each: each + 1 }),
    listDurations(database, workspaceId, { pipelines, each: durationsOfPipeline }),
  ]);
  const firingsOf = Map.groupBy(firings, ({ pipeline }) => pipeline);
  const durationsOf = new Map(durations.map(({ pipeline, durations: own }) => [pipeline, own]));
  const last = pipelines.at(-1);
  return {
    items: triggers.map((trigger) =>
      viewOf(trigger, {
        firings: firingsOf.get(trigger.pipeline) ?? [],
        durations: durationsOf.get(trigger.pipeline) ?? [],
        each,
      }),
    ),
    ...(last !== undefined && rows.length > limit ? { nextCursor: writeCursor([last]) } : {}),
  };
}

interface Found {
  readonly firings: readonly TickFiring[];
  /** Sorted. */
  readonly durations: readonly number[];
  readonly each: number;
}

function viewOf(trigger: ScheduledTrigger, { firings, durations, each }: Found): ScheduleRunsView {
  const { pipeline, activatedAt, pausedAt, maxActiveRuns } = trigger;
  const [p50Ms, p95Ms] = [percentile(durations, 0.5), percentile(durations, 0.95)];
  return {
    pipeline,
    since: isoTime(activatedAt),
    ...(pausedAt === undefined ? {} : { pausedSince: isoTime(pausedAt) }),
    ...(maxActiveRuns === undefined ? {} : { maxActiveRuns }),
    ...(p50Ms === undefined || p95Ms === undefined ? {} : { took: { p50Ms, p95Ms, runs: durations.length } }),
    ticks: firings.slice(0, each).toReversed().map(outcomeOf),
    ...(firings.length > each ? { ticksAreMore: true } : {}),
  };
}

function outcomeOf({
  occurrence,
  runId,
  reason,
  state,
  createdAt,
  startedAt,
  endedAt,
}: TickFiring): TickOutcome {
  return {
    at: isoTime(occurrence),
    ...(runId === undefined ? {} : { run: runId }),
    ...(state === undefined ? {} : { state }),
    ...(createdAt === undefined ? {} : { createdAt: isoTime(createdAt) }),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
    ...(reason === undefined ? {} : { reason: reason.message }),
  };
}

/** The smallest that so large a part does not exceed. */
function percentile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)];
}
