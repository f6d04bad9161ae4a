import type { EventTypeView, Page } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { listEventTypes } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { chainOf } from "./event-chain.ts";
import { decisionsOf, previewEvent } from "./event-decisions.ts";
import { eventHistogram } from "./event-histogram.ts";
import { route, type Route } from "./route.ts";

export function eventPageRoutes(context: ApiContext): Route[] {
  return [
    route(operations.getEventHistogram, (request) => eventHistogram(context, request)),
    route(operations.getEventChain, (request) => chainOf(context, request.path.position)),
    route(operations.getEventDecisions, (request) => decisionsOf(context, request.path.position)),
    route(operations.previewEvent, (request) => previewEvent(context, request.body)),
    route(operations.listEventTypes, () => eventTypes(context)),
  ];
}

async function eventTypes({ database }: ApiContext): Promise<Page<EventTypeView>> {
  const types = await listEventTypes(database, workspaceId);
  const byName = new Map(types.map(({ type, schema }) => [type, { type, schema }]));
  return { items: [...byName.values()].sort((a, b) => (a.type < b.type ? -1 : 1)) };
}
