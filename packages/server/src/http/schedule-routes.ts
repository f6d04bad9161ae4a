/** Coming ticks of the schedules in triggers, as a calendar shows them. */
import {
  describeSchedule,
  MillraceError,
  operandsOf,
  ticksBetween,
  type Condition,
  type Schedule,
} from "@millrace/core";
import type { Operations, Page, ScheduleTicksView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { listScheduledPipelines, type ScheduledPipelineRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { scheduleSpanMs, ticksMs } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function scheduleRoutes(context: ApiContext): Route[] {
  return [route(operations.listSchedules, (request) => schedulePage(context, request))];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

const dayMs = 86_400_000;

async function schedulePage(
  context: ApiContext,
  request: ApiRequest<Operations["listSchedules"]>,
): Promise<Page<ScheduleTicksView>> {
  const limit = request.query.limit;
  const from = request.query.from ?? context.host.engine.now();
  const to = request.query.to ?? from + dayMs;
  if (to < from || to - from > scheduleSpanMs)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `"to" must be after "from", by ${scheduleSpanMs / dayMs} days at most.`,
      fields: { query: "to" },
    });
  const ticksMax = request.query.ticks;
  const afterName = readCursor(request.query.cursor, isNamePlace)?.[0] ?? "";
  const rows = await listScheduledPipelines(context.database, workspaceId, { afterName, limit: limit + 1 });
  const deadline = context.clock.monotonic() + ticksMs;
  const items: ScheduleTicksView[] = [];
  let last: ScheduledPipelineRow | undefined;
  for (const row of rows.slice(0, limit)) {
    // What a page has no time for is on the next one.
    if (last && context.clock.monotonic() > deadline) break;
    items.push(...viewsOf(row, { from, to, max: ticksMax }));
    last = row;
  }
  const isMore = last !== undefined && last !== rows.at(-1);
  return { items, ...(last && isMore ? { nextCursor: writeCursor([last.pipeline]) } : {}) };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly max: number;
}

function viewsOf(
  { pipeline, condition, paused }: ScheduledPipelineRow,
  { from, to, max }: Span,
): ScheduleTicksView[] {
  return schedulesIn(condition).map(({ schedule, name, isAlone }) => {
    // Up to the tick that would be too many. Ticks are after an instant and up to another.
    const ticks = ticksBetween(schedule, from - 1, to - 1, max + 1);
    return {
      pipeline,
      ...(name === undefined ? {} : { operand: name }),
      schedule: describeSchedule(schedule),
      ...(schedule.kind === "at" ? {} : { tz: schedule.tz }),
      ...(schedule.jitterMs === undefined ? {} : { jitterMs: schedule.jitterMs }),
      paused,
      alone: isAlone,
      ticks: ticks.slice(0, max).map(isoTime),
      ...(ticks.length > max ? { ticksAreMore: true as const } : {}),
    };
  });
}

interface FoundSchedule {
  readonly schedule: Schedule;
  readonly name: string | undefined;
  /** Each of its ticks starts a run. */
  readonly isAlone: boolean;
}

function schedulesIn(condition: Condition, isAlone = condition.by === undefined): FoundSchedule[] {
  if (condition.kind === "schedule") return [{ schedule: condition.schedule, name: condition.name, isAlone }];
  const passes = isAlone && condition.kind === "any";
  return operandsOf(condition).flatMap((operand) => schedulesIn(operand, passes));
}
