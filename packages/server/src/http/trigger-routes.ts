import { MillraceError, nearestName } from "@millrace/core";
import {
  simulateRequest,
  type FiringDetail,
  type FiringView,
  type Page,
  type SimulateRequest,
  type TriggerDetail,
  type TriggerKeyView,
  type TriggerSummary,
} from "@millrace/protocol";
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
import { firingMemberPage } from "./firing-members.ts";
import { eventFiringsMax } from "./limits.ts";
import type { ApiRequest, Route } from "./route.ts";
import { explainTrigger } from "./trigger-explain.ts";
import { requireTrigger, summaryOf } from "./trigger-find.ts";
import { simulate } from "./trigger-simulate.ts";
import { firingDetail, firingView, keyView, readFiringId, triggerSummary } from "./trigger-view.ts";

export function triggerRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/triggers",
      summary: "Triggers by the names of their pipelines",
      query: { cursor: "`nextCursor` of the page before", limit: "how many" },
      handle: (request) => triggerPage(context, request),
    },
    {
      method: "POST",
      path: "/triggers/simulate",
      summary:
        "Runs a condition, deployed or not, over the recorded log, and lists the firings that it would have made",
      body: simulateRequest,
      handle: (request) => simulate(context, request.body as SimulateRequest),
    },
    {
      method: "GET",
      path: "/triggers/:pipeline",
      summary: "The trigger of a pipeline with its definition",
      handle: (request) => triggerDetail(context, request.part("pipeline")),
    },
    {
      method: "GET",
      path: "/triggers/:pipeline/keys",
      summary: "Values of its key that have a state, in their order",
      query: {
        after: "Those that come after this text",
        cursor: "`nextCursor` of the page before",
        limit: "how many",
      },
      handle: (request) => keyPage(context, request),
    },
    {
      method: "GET",
      path: "/triggers/:pipeline/firings",
      summary: "Its firings, newest first",
      query: {
        key: "Of this key only",
        cursor: "`nextCursor` of the page before",
        limit: "Firings in a page",
      },
      handle: (request) => firingPage(context, request),
    },
    {
      method: "GET",
      path: "/triggers/:pipeline/firings/:firing",
      summary: "One firing with its members",
      handle: (request) => oneFiring(context, request),
    },
    {
      method: "GET",
      path: "/triggers/:pipeline/explain",
      summary: "What a trigger has and waits for, and what became of an event",
      query: {
        key: "The state of this key",
        event: "What became of this event: its position in the log, or its id",
        source: "The source of the event, where its id alone is not enough",
      },
      handle: (request) => explainTrigger(context, request),
    },
    {
      method: "GET",
      path: "/runs/:id/firing",
      summary: "The firing that started a run; null where something else did",
      handle: (request) => firingOfRun(context, request.part("id")),
    },
    {
      method: "GET",
      path: "/runs/:id/firing/members",
      summary: "What satisfied a run's trigger, in its order, with all data, as its tasks see it",
      query: { operand: "Of this operand only", cursor: "`nextCursor` of the page before" },
      handle: (request) => firingMemberPage(context, request),
    },
    {
      method: "GET",
      path: "/events/:position/firings",
      summary: "The firings that an entry of the event log is a member of",
      handle: (request) => firingsOfEvent(context, request.part("position")),
    },
  ];
}

function isNamePlace(place: unknown): place is readonly [name: string] {
  return isPlace(["string"], place);
}

async function triggerPage(context: ApiContext, request: ApiRequest): Promise<Page<TriggerSummary>> {
  const limit = request.limit();
  const afterName = readCursor(request.text("cursor"), isNamePlace)?.[0] ?? "";
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

async function keyPage(context: ApiContext, request: ApiRequest): Promise<Page<TriggerKeyView>> {
  const limit = request.limit();
  const { row } = await requireTrigger(context, request.part("pipeline"));
  const afterKey = readCursor(request.text("cursor"), isNamePlace)?.[0] ?? request.text("after");
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

async function firingPage(context: ApiContext, request: ApiRequest): Promise<Page<FiringView>> {
  const limit = request.limit();
  const cursor = readCursor(request.text("cursor"), isFiringPlace);
  const { row } = await requireTrigger(context, request.part("pipeline"));
  const rows = await listFirings(context.database, workspaceId, {
    pipeline: row.pipeline,
    key: request.text("key"),
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

async function oneFiring(context: ApiContext, request: ApiRequest): Promise<FiringDetail> {
  const pipeline = request.part("pipeline");
  const text = request.part("firing");
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
  const position = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
  const found = await findFiringsOfEvent(context.database, workspaceId, {
    position,
    pipeline: undefined,
    limit: eventFiringsMax,
  });
  return { items: found.map(firingView) };
}
