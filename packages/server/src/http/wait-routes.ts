import type { Operations, Page, StepView, WaitView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { listSteps, listWaits, type StepRow } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { route, type ApiRequest, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";
import { sinceOf } from "./run-snapshot.ts";
import { waitViews } from "./wait-view.ts";

export function waitRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listWaits, (request) => waitPage(context, request)),
    route(operations.listRunSteps, (request) => stepPage(context, request)),
  ];
}

function isWaitPlace(place: unknown): place is readonly [id: number] {
  return isPlace(["number"], place);
}

async function waitPage(
  context: ApiContext,
  request: ApiRequest<Operations["listWaits"]>,
): Promise<Page<WaitView>> {
  const { waits, next } = await listWaits(context.database, workspaceId, {
    pipeline: request.query.pipeline,
    kind: request.query.kind,
    type: request.query.type,
    afterId: readCursor(request.query.cursor, isWaitPlace)?.[0] ?? 0,
    limit: request.query.limit,
  });
  return {
    items: await waitViews(context, waits),
    ...(next === undefined ? {} : { nextCursor: writeCursor([next]) }),
  };
}

type StepPlace = readonly [node: string, item: string, generation: number, seq: number];

function isStepPlace(place: unknown): place is StepPlace {
  return isPlace(["string", "string", "number", "number"], place);
}

async function stepPage(
  context: ApiContext,
  request: ApiRequest<Operations["listRunSteps"]>,
): Promise<Page<StepView>> {
  const runId = request.path.id;
  sinceOf(runId);
  const limit = request.query.limit;
  const place = readCursor(request.query.cursor, isStepPlace);
  const rows = await listSteps(context.database, workspaceId, {
    runId,
    node: request.query.node,
    after: place && { node: place[0], item: place[1], generation: place[2], seq: place[3] },
    limit: limit + 1,
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(stepView),
    ...(last && rows.length > limit
      ? { nextCursor: writeCursor([last.node, last.item, last.generation, last.seq]) }
      : {}),
  };
}

function stepView(row: StepRow): StepView {
  const { node, item, generation, kind, name, occurrence, attempt, recordedAt, outcome } = row;
  return {
    node,
    item,
    generation,
    kind,
    name,
    occurrence,
    attempt,
    at: isoTime(recordedAt),
    outcome: outcome.kind,
    ...outcomeMembers(outcome),
  };
}

function outcomeMembers(outcome: StepRow["outcome"]): Pick<StepView, "value" | "valueBlob" | "error"> {
  if (outcome.kind === "timeout") return {};
  if (outcome.kind === "value") {
    const { value } = outcome;
    return value.blob === undefined
      ? { value: value.value }
      : { valueBlob: { hash: value.blob, bytes: value.bytes } };
  }
  const { name, message, code } = outcome.error;
  return { error: { name, message, ...(code === undefined ? {} : { code }) } };
}
