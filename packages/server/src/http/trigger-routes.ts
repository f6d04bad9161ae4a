import { MillraceError, nearestName } from "@millrace/core";
import type {
  FiringDetail,
  FiringView,
  Operations,
  Page,
  TriggerDetail,
  TriggerKeyView,
  TriggerSummary,
} from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  findFiring,
  findFiringOfRun,
  findFiringsOfEvent,
  listFirings,
  listTriggerKeys,
  listTriggers,
  type FiringPlace,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { positionOf } from "./event-routes.ts";
import { firingMemberPage } from "./firing-members.ts";
import { eventFiringsMax } from "./limits.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { explainTrigger } from "./trigger-explain.ts";
import { requireTrigger, summaryOf } from "./trigger-find.ts";
import { simulate } from "./trigger-simulate.ts";
import { firingDetail, firingView, keyView, readFiringId, triggerSummary } from "./trigger-view.ts";

export function triggerRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listTriggers, (request) => triggerPage(context, request)),
    route(operations.simulate, (request) => simulate(context, request.body)),
    route(operations.getTrigger, (request) => triggerDetail(context, request.path.pipeline)),
    route(operations.listTriggerKeys, (request) => keyPage(context, request)),
    route(operations.listFirings, (request) => firingPage(context, request)),
    route(operations.getFiring, (request) => oneFiring(context, request)),
    route(operations.explainTrigger, (request) => explainTrigger(context, request)),
    route(operations.getRunFiring, (request) => firingOfRun(context, request.path.id)),
    route(operations.listRunFiringMembers, (request) => firingMemberPage(context, request)),
    route(operations.listEventFirings, (request) => firingsOfEvent(context, request.path.position)),
  ];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

async function triggerPage(
  context: ApiContext,
  request: ApiRequest<Operations["listTriggers"]>,
): Promise<Page<TriggerSummary>> {
  const limit = request.query.limit;
  const afterName = readCursor(request.query.cursor, isNamePlace)?.[0] ?? "";
  const rows = await listTriggers(context.database, workspaceId, { afterName, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.flatMap((row) => (row.definition ? triggerSummary(row, row.definition) : [])),
    ...(last && rows.length > limit ? { nextCursor: writeCursor([last.pipeline]) } : {}),
  };
}

async function triggerDetail(context: ApiContext, pipeline: string): Promise<TriggerDetail> {
  const { definition } = await requireTrigger(context, pipeline);
  return { ...(await summaryOf(context, pipeline)), definition };
}

async function keyPage(
  context: ApiContext,
  request: ApiRequest<Operations["listTriggerKeys"]>,
): Promise<Page<TriggerKeyView>> {
  const limit = request.query.limit;
  const { row } = await requireTrigger(context, request.path.pipeline);
  const afterKey = readCursor(request.query.cursor, isNamePlace)?.[0] ?? request.query.after;
  const rows = await listTriggerKeys(context.database, workspaceId, {
    pipeline: row.pipeline,
    afterKey,
    limit: limit + 1,
  });
  // What has no keys has its one state under the empty one.
  const page = rows.slice(0, limit).filter(({ key }) => key !== "");
  const last = page.at(-1);
  return {
    items: page.map(keyView),
    ...(last && rows.length > limit ? { nextCursor: writeCursor([last.key]) } : {}),
  };
}

// --- firings --------------------------------------------------------------------------------------------------------

type Cursor = readonly [at: number, version: number, key: string, occurrence: number, revision: number];

function isFiringPlace(place: unknown): place is Cursor {
  return isPlace(["number", "number", "string", "number", "number"], place);
}

async function firingPage(
  context: ApiContext,
  request: ApiRequest<Operations["listFirings"]>,
): Promise<Page<FiringView>> {
  const limit = request.query.limit;
  const cursor = readCursor(request.query.cursor, isFiringPlace);
  const { row } = await requireTrigger(context, request.path.pipeline);
  const rows = await listFirings(context.database, workspaceId, {
    pipeline: row.pipeline,
    key: request.query.key,
    before: cursor && placeOf(cursor),
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(firingView),
    ...(last && rows.length > limit
      ? { nextCursor: writeCursor([last.at, last.version, last.key, last.occurrence, last.revision]) }
      : {}),
  };
}

function placeOf([at, version, key, occurrence, revision]: Cursor): FiringPlace {
  return { at, version, key, occurrence, revision };
}

async function oneFiring(
  context: ApiContext,
  request: ApiRequest<Operations["getFiring"]>,
): Promise<FiringDetail> {
  const pipeline = request.path.pipeline;
  const text = request.path.firing;
  const name = readFiringId(text);
  const found = name && (await findFiring(context.database, workspaceId, { pipeline, ...name }));
  if (found) return firingDetail(context, found);
  const { row } = await requireTrigger(context, pipeline);
  const page = { pipeline: row.pipeline, key: undefined, before: undefined, limit: 100 };
  const ids = (await listFirings(context.database, workspaceId, page)).map((firing) => firingView(firing).id);
  const near = nearestName(text, ids);
  throw new MillraceError("MILLRACE_FIRING_UNKNOWN", {
    message: `The trigger of "${pipeline}" has no firing "${text.slice(0, 100)}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    fields: { pipeline },
  });
}

async function firingOfRun(
  context: ApiContext,
  runId: string,
): Promise<{ readonly firing: FiringDetail | null }> {
  const found = await findFiringOfRun(context.database, workspaceId, runId);
  return { firing: found ? await firingDetail(context, found) : null };
}

async function firingsOfEvent(context: ApiContext, text: string): Promise<Page<FiringView>> {
  const position = positionOf(text);
  const found = await findFiringsOfEvent(context.database, workspaceId, {
    position,
    pipeline: undefined,
    limit: eventFiringsMax,
  });
  return { items: found.map(firingView) };
}
