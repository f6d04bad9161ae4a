/** The last and the next hours, for drawing: runs, what calendars start next, events. */
import { operandsOf, parseCondition, ticksBetween, type Condition, type Schedule } from "@millrace/core";
import type { RunBlockView, TimelineView } from "@millrace/protocol";
import { timelineHours } from "@millrace/protocol/operations";
import {
  listCalendarTriggers,
  logSince,
  endedBlocks,
  newestLive,
  newestOutside,
  sampleEnded,
  type Database,
  type RunBlock,
} from "@millrace/store";
import { firstRunId } from "../../engine/run-id.ts";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import {
  blocksEndedMax,
  blocksOfStretch,
  failuresLookedMax,
  blocksRunningMax,
  blocksWaitingMax,
  calendarTicksMax,
  calendarTicksOfOneMax,
  calendarTriggersMax,
  eventTicksLooked,
  eventTicksMax,
  paceStretches,
} from "../limits.ts";
import { isoTime } from "../run-summary.ts";
import { entriesOf, failureOf, runFailed } from "./attention.ts";
import type { EventPace } from "./event-pace.ts";

const hourMs = 3_600_000;
/** The future takes up so much of the past's length. */
const aheadShare = 1 / 3;
/** The log's clock stands behind the server's by no more. */
const settleMs = 60_000;
const reasonLength = 200;

export async function timeline(
  context: ApiContext,
  pace: EventPace,
  wanted: number | undefined,
): Promise<TimelineView> {
  const { database } = context;
  const now = context.host.engine.now();
  const hours = wanted ?? (await defaultHours(database, now));
  const paceMs = (hours * hourMs) / paceStretches;
  // The stretches stand still: each is counted once.
  const from = (Math.floor(now / paceMs) - paceStretches + 1) * paceMs;
  const bounds = Array.from({ length: paceStretches + 1 }, (_, at) => from + at * paceMs);
  const until = now + hours * hourMs * aheadShare;
  const [running, waiting, queued, ended, ticks, positions] = await Promise.all([
    newestLive(database, workspaceId, { state: "running", limit: blocksRunningMax + 1 }),
    newestLive(database, workspaceId, { state: "waiting", limit: blocksWaitingMax + 1 }),
    newestLive(database, workspaceId, { state: "queued", limit: blocksWaitingMax + 1 }),
    sampleEnded(database, workspaceId, {
      since: from,
      bounds: bounds.map(firstRunId),
      most: blocksEndedMax,
      each: blocksOfStretch,
    }),
    ticksAhead(context, now, until),
    pace.positions(bounds, now - settleMs),
  ]);
  const failed = ended.isThinned ? await failedSince(context, from) : [];
  const outside = await newestOutside(database, workspaceId, {
    after: positions[0] ?? 0,
    since: from,
    looked: eventTicksLooked,
    limit: eventTicksMax,
  });
  const live = [
    ...running.slice(0, blocksRunningMax),
    ...waiting.slice(0, blocksWaitingMax),
    ...queued.slice(0, blocksWaitingMax),
  ];
  const areLiveMore =
    running.length > blocksRunningMax ||
    waiting.length > blocksWaitingMax ||
    queued.length > blocksWaitingMax;
  const blocks = new Map(
    [...live, ...ended.runs, ...failed].map((run) => [`${run.id} ${run.generation}`, run]),
  );
  return {
    from: isoTime(from),
    now: isoTime(now),
    until: isoTime(until),
    runs: [...blocks.values()].map(blockView),
    ...(ended.isThinned ? { endedOfStretch: blocksOfStretch } : {}),
    ...(areLiveMore ? { areLiveMore } : {}),
    ...ticks,
    events: outside.map(({ position, type, subject, recordedAt }) => ({
      position,
      type,
      ...(subject === undefined ? {} : { subject }),
      at: isoTime(recordedAt),
    })),
    pace: positions.slice(1).map((position, at) => Math.max(0, position - positions[at]!)),
    paceMs,
  };
}

/** Where all began a moment ago, three hours show little of it. */
async function defaultHours(database: Database, now: number): Promise<number> {
  const begun = await logSince(database, workspaceId);
  return begun !== undefined && begun > now - hourMs ? 1 : timelineHours;
}

/** Those that failed are drawn all the same where not all ended runs are. */
async function failedSince(context: ApiContext, since: number): Promise<RunBlock[]> {
  const events = await entriesOf(context, { type: runFailed, since, limit: failuresLookedMax });
  const ids = events.map((event) => failureOf(event).run);
  return endedBlocks(context.database, workspaceId, { ids, since });
}

function blockView(run: RunBlock): RunBlockView {
  return {
    id: run.id,
    pipeline: run.pipeline,
    state: run.state,
    generation: run.generation,
    createdAt: isoTime(run.createdAt),
    ...(run.startedAt === undefined ? {} : { startedAt: isoTime(run.startedAt) }),
    ...(run.endedAt === undefined ? {} : { endedAt: isoTime(run.endedAt) }),
    ...(run.reason === undefined ? {} : { reason: run.reason.message.slice(0, reasonLength) }),
  };
}

/** Ticks of the calendars that triggers listen to, the next first. */
async function ticksAhead(
  { database }: ApiContext,
  from: number,
  until: number,
): Promise<Pick<TimelineView, "ticks" | "ticksUntil">> {
  const triggers = await listCalendarTriggers(database, workspaceId, calendarTriggersMax);
  let cutAt: number | undefined;
  const ticks: { pipeline: string; at: number }[] = [];
  for (const { pipeline, condition } of triggers)
    for (const schedule of schedulesIn(parseCondition(condition, ["condition"]))) {
      const found = ticksBetween(schedule, from, until, calendarTicksOfOneMax);
      if (found.length === calendarTicksOfOneMax) cutAt = Math.min(cutAt ?? until, found.at(-1)!);
      for (const at of found) ticks.push({ pipeline, at });
    }
  ticks.sort((a, b) => a.at - b.at);
  if (ticks.length > calendarTicksMax) cutAt = Math.min(cutAt ?? until, ticks[calendarTicksMax]!.at);
  return {
    ticks: ticks.slice(0, calendarTicksMax).map(({ pipeline, at }) => ({ pipeline, at: isoTime(at) })),
    ...(cutAt === undefined ? {} : { ticksUntil: isoTime(cutAt) }),
  };
}

function schedulesIn(condition: Condition): Schedule[] {
  if (condition.kind === "schedule") return [condition.schedule];
  return operandsOf(condition).flatMap(schedulesIn);
}
