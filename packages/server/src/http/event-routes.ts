import {
  causeOf,
  cloudEventBatchType,
  cloudEventType,
  contentKindOf,
  MillraceError,
  type LogEvent,
} from "@millrace/core";
import {
  cloudEvent,
  cloudEventBatch,
  type EndedWaitView,
  type EventView,
  type Page,
} from "@millrace/protocol";
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
import type { ApiRequest, Route } from "./route.ts";

const filters = {
  type: "Of this type only, or with a star at the end of all that begin so",
  subject: "With this subject only",
  source: "From this source only",
  invalid: "`true`: only those that do not fit the declaration of their type",
};

export function eventRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "POST",
      path: "/events",
      summary:
        "Records events: one in structured or binary mode, or a batch, whose items are answered one by one; 202 where another server records them",
      rawBodies: { [cloudEventType]: cloudEvent, [cloudEventBatchType]: cloudEventBatch },
      bodyBytesMax: eventsBytesMax,
      handle: (request, reply) => takeEvents(context, request, reply),
    },
    {
      method: "GET",
      path: "/events",
      summary: "Entries of the event log, newest first",
      query: {
        ...filters,
        where:
          "For which this filter holds: an object as JSON, or CEL (docs/reference/filters.md); a page looks at a bounded number of entries, and `looked` says how far",
        id: "With this id only",
        since: "Recorded then (RFC 3339) or later",
        until: "Recorded before then (RFC 3339)",
        after: "After this position only",
        cursor: "`nextCursor` of the page before",
        limit: "Entries in a page",
      },
      handle: (request) => eventPage(context, request),
    },
    {
      method: "GET",
      path: "/events/follow",
      summary: "Entries of the event log as they come, as server-sent events whose ids are their positions",
      query: { ...filters, after: "From after this position on; the header Last-Event-ID counts more" },
      handle: (request, reply) => followEvents(context, request, reply),
    },
    {
      method: "GET",
      path: "/events/:position",
      summary: "One entry of the event log, with all its data",
      handle: (request) => oneEvent(context, request.part("position")),
    },
    {
      method: "GET",
      path: "/events/:position/data",
      summary: "The data of an entry as it came: the body of a delivery at a webhook byte by byte",
      handle: (request, reply) => eventData(context, request.part("position"), reply),
    },
    {
      method: "GET",
      path: "/events/:position/waits",
      summary: "The waits of runs that an entry of the event log was one of those to end, the first ones",
      handle: (request) => waitsOfEvent(context, request.part("position")),
    },
  ];
}

function isEventPlace(place: unknown): place is readonly [position: number] {
  return isPlace(["number"], place);
}

async function eventPage(context: ApiContext, request: ApiRequest): Promise<Page<EventView>> {
  const limit = request.limit();
  const before = readCursor(request.text("cursor"), isEventPlace)?.[0];
  const id = request.text("id");
  if (id !== undefined) return { items: await namesakes(context, id, request.text("source")) };
  const where = request.text("where");
  const filter = {
    type: request.text("type"),
    subject: request.text("subject"),
    source: request.text("source"),
    onlyInvalid: request.flag("invalid"),
    since: request.time("since"),
    until: request.time("until"),
    after: request.integer("after", 0, Number.MAX_SAFE_INTEGER) ?? 0,
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

async function requireAt(context: ApiContext, text: string): Promise<LogEvent> {
  const position = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
  const { engine } = context.host;
  const event = position === undefined ? undefined : (await engine.events.read(position - 1, 1)).events[0];
  if (!event) {
    throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
      message:
        position === undefined
          ? `${JSON.stringify(text.slice(0, 100))} is not a position of the event log.`
          : `The event log has no entry at position ${position}, or no longer.`,
    });
  }
  return event;
}

async function waitsOfEvent(context: ApiContext, text: string): Promise<Page<EndedWaitView>> {
  const position = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
  const asked = { position, limit: eventWaitsMax };
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
