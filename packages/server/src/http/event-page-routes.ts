import {
  eventPreviewRequest,
  type EventPreviewRequest,
  type EventTypeView,
  type Page,
} from "@millrace/protocol";
import { listEventTypes } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { chainOf } from "./event-chain.ts";
import { decisionsOf, previewEvent } from "./event-decisions.ts";
import { eventHistogram } from "./event-histogram.ts";
import type { Route } from "./route.ts";

export function eventPageRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/events/histogram",
      summary: "How many entries of the event log came when, by type or by source; the newest, up to a bound",
      query: {
        by: "`type`, unless it is `source`",
        type: "Of this type only, or with a star at the end of all that begin so",
        subject: "With this subject only",
        source: "From this source only",
        invalid: "`true`: only those that do not fit the declaration of their type",
        where: "For which this filter holds: an object as JSON, or CEL",
        since: "Recorded then (RFC 3339) or later; in the hour before `until`, when absent",
        until: "Recorded before then (RFC 3339); now, when absent",
        stretches: "In how many stretches of time, 120 at most",
      },
      handle: (request) => eventHistogram(context, request),
    },
    {
      method: "GET",
      path: "/events/:position/chain",
      summary: "What an entry of the event log comes of, back to the outside, and what came of it",
      handle: (request) => chainOf(context, request.part("position")),
    },
    {
      method: "GET",
      path: "/events/:position/triggers",
      summary: "Which triggers ask for an entry's type, and what each decided on it",
      handle: (request) => decisionsOf(context, request.part("position")),
    },
    {
      method: "POST",
      path: "/events/preview",
      summary: "Says which triggers an event would concern, and what each would do; nothing is recorded",
      body: eventPreviewRequest,
      handle: (request) => previewEvent(context, request.body as EventPreviewRequest),
    },
    {
      method: "GET",
      path: "/event-types",
      summary: "Event types that active deployments declare, with their schemas",
      handle: () => eventTypes(context),
    },
  ];
}

async function eventTypes({ database }: ApiContext): Promise<Page<EventTypeView>> {
  const types = await listEventTypes(database, workspaceId);
  const byName = new Map(types.map(({ type, schema }) => [type, { type, schema }]));
  return { items: [...byName.values()].sort((a, b) => (a.type < b.type ? -1 : 1)) };
}
