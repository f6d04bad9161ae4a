import { causeOf, contentKindOf, MillraceError, type LogEvent } from "@millrace/core";
import type { EndedWaitView, EventView, Operations, Page } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { findEventPositions, findEventText, findWaitsOfEvent, listEvents } from "@millrace/store";
import type { FastifyReply } from "fastify";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { isPlace, readCursor, writeCursor } from "./cursor.ts";
import { followEvents } from "./log-feed.ts";
import { takeEvents } from "./event-intake.ts";
import { readWhere, searchPage } from "./event-search.ts";
import { eventView } from "./event-view.ts";
import { eventsBytesMax, eventWaitsMax } from "./limits.ts";
import { isoTime } from "./run-summary.ts";
import { route, type ApiRequest, type Route } from "./route.ts";

export function eventRoutes(context: ApiContext): Route[] {
  return [
    route(operations.emit, (request, reply) => takeEvents(context, request, reply), {
      bodyBytesMax: eventsBytesMax,
    }),
    route(operations.listEvents, (request) => eventPage(context, request)),
    route(operations.followEvents, (request, reply) => followEvents(context, request, reply)),
    route(operations.getEvent, (request) => oneEvent(context, request.path.position)),
    route(operations.getEventData, (request, reply) => eventData(context, request.path.position, reply)),
    route(operations.listEventWaits, (request) => waitsOfEvent(context, request.path.position)),
  ];
}

function isEventPlace(place: unknown): place is readonly [position: number] {
  return isPlace(["number"], place);
}

async function eventPage(
  context: ApiContext,
  request: ApiRequest<Operations["listEvents"]>,
): Promise<Page<EventView>> {
  const limit = request.query.limit;
  const before = readCursor(request.query.cursor, isEventPlace)?.[0];
  const id = request.query.id;
  if (id !== undefined) return { items: await namesakes(context, id, request.query.source) };
  const { where } = request.query;
  const filter = {
    type: request.query.type,
    subject: request.query.subject,
    source: request.query.source,
    onlyInvalid: request.query.invalid,
    since: request.query.since,
    until: request.query.until,
    after: request.query.after ?? 0,
    before,
  };
  if (where !== undefined) return searchPage(context, { ...filter, limit }, readWhere(where));
  const events = await listEvents(context.database, workspaceId, { ...filter, limit: limit + 1 });
  const items = events.slice(0, limit).map(eventView);
  const last = items.at(-1);
  return { items, ...(last && events.length > limit ? { nextCursor: writeCursor([last.position]) } : {}) };
}

async function namesakes(context: ApiContext, id: string, source: string | undefined): Promise<EventView[]> {
  const positions = await findEventPositions(context.database, workspaceId, { id, source });
  const pages = await Promise.all(
    positions.map((position) => context.host.engine.events.read(position - 1, 1)),
  );
  return pages.flatMap(({ events }) => events.map(eventView));
}

async function oneEvent(context: ApiContext, text: string): Promise<EventView> {
  const event = await requireAt(context, text);
  const loaded = { ...event, data: await context.host.engine.values.loaded(event.data) };
  const cause = causeOf(loaded);
  return { ...eventView(loaded), ...(cause ? { cause } : {}) };
}

/** Senders choose what it is: browsers are told to take it for nothing. */
async function eventData(context: ApiContext, text: string, reply: FastifyReply): Promise<FastifyReply> {
  const event = await requireAt(context, text);
  return reply
    .header("content-type", "application/octet-stream")
    .header("content-security-policy", "sandbox")
    .header("x-content-type-options", "nosniff")
    .send(await givenBytes(context, event));
}

async function givenBytes({ database, host }: ApiContext, event: LogEvent): Promise<Buffer> {
  const stored = await findEventText(database, workspaceId, event.position);
  if (stored?.blob == null && stored?.text == null) return Buffer.alloc(0);
  const { value = null } = await host.engine.values.loaded(event.data);
  if (typeof value === "string") {
    if (event.isBinary) return Buffer.from(value, "base64");
    // A text is kept as one of JSON's, also that of a body which is not the JSON that it says.
    if (event.invalid !== undefined || contentKindOf(event.contentType ?? "text/plain") !== "json")
      return Buffer.from(value);
  }
  if (stored.blob === null) return Buffer.from(stored.text ?? "");
  const bytes = await host.engine.values.bytes(stored.blob);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Throws MILLRACE_EVENT_UNKNOWN. */
export function positionOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
    message: `${JSON.stringify(text.slice(0, 100))} is not a position of the event log.`,
  });
}

async function requireAt(context: ApiContext, text: string): Promise<LogEvent> {
  const position = positionOf(text);
  const event = (await context.host.engine.events.read(position - 1, 1)).events[0];
  if (event) return event;
  throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
    message: `The event log has no entry at position ${position}, or no longer.`,
  });
}

async function waitsOfEvent(context: ApiContext, text: string): Promise<Page<EndedWaitView>> {
  const asked = { position: positionOf(text), limit: eventWaitsMax };
  const found = await findWaitsOfEvent(context.database, workspaceId, asked);
  return {
    items: found.map(({ runId: run, pipeline, node, item, generation, name, occurrence, endedAt }) => ({
      run,
      ...(pipeline === undefined ? {} : { pipeline }),
      node,
      item,
      generation,
      ...(name === "" ? {} : { name, occurrence }),
      at: isoTime(endedAt),
    })),
  };
}
