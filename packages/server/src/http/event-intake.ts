/**
 * `POST /events`: reads what came, gives it to the log, answers what became of it.
 *
 * T1: an answer that says recorded, duplicate or accepted comes after the commit.
 * T2: an event of a batch that can't be recorded harms no other one; a batch that can't be read is refused whole.
 */
import { isUtf8 } from "node:buffer";
import {
  cloudEventBatchType,
  cloudEventType,
  contentKindOf,
  givenEntry,
  hasInfiniteNumber,
  MillraceError,
  parseBinaryModeEvent,
  parseCloudEvent,
  parseCloudEventBatch,
  unreachable,
  type AssetJudge,
  type BinaryModeData,
  type EventOutcome,
  type Json,
} from "@millrace/core";
import type { EventBatchReceipt, EventReceipt, Operations } from "@millrace/protocol";
import type { EventRow } from "@millrace/store";
import type { FastifyReply } from "fastify";
import type { Engine } from "../engine/engine.ts";
import type { ApiContext } from "./api-context.ts";
import { expectedError, problemOf } from "./problem.ts";
import type { ApiRequest } from "./route.ts";

export async function takeEvents(
  context: ApiContext,
  request: ApiRequest<Operations["emit"]>,
  reply: FastifyReply,
): Promise<EventReceipt | EventBatchReceipt> {
  const { headers } = request.raw;
  // A request without a body has no parser.
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const mediaType = headers["content-type"]?.split(";", 1)[0]!.trim().toLowerCase();
  const { engine } = context.host;
  const { events } = engine;
  requirePlain(headers["content-encoding"]);
  const isBinaryMode = "ce-specversion" in headers && !ownTypes.has(mediaType);
  const json = isBinaryMode ? undefined : readEvents(mediaType, headers["content-type"], body);
  if (json && "items" in json) {
    const { items } = json;
    return context.host.run(() => takeBatch(context.host.engine, items, reply));
  }
  const draft = json
    ? parseCloudEvent(json.event)
    : parseBinaryModeEvent(headers, readBinaryMode(headers["content-type"], body));
  const row = await events.prepare(givenEntry(draft, judgeOf(engine)));
  const [outcome] = await context.host.run(() => events.append([row]));
  if (outcome!.kind === "conflict") throw conflict(row, outcome!.position);
  if (outcome!.kind === "accepted") reply.code(202);
  return receiptOf(row, outcome!);
}

async function takeBatch(
  engine: Engine,
  items: readonly Json[],
  reply: FastifyReply,
): Promise<EventBatchReceipt> {
  const log = engine.events;
  const judge = judgeOf(engine);
  const receipts: (EventReceipt | undefined)[] = Array.from({ length: items.length });
  const prepared: (EventRow | undefined)[] = [];
  const large: Promise<void>[] = [];
  for (let at = 0; at < items.length; at += 1) {
    try {
      const row = log.prepare(givenEntry(parseCloudEvent(items[at]!), judge));
      if (row instanceof Promise) large.push(row.then((stored) => void (prepared[at] = stored)));
      else prepared[at] = row;
    } catch (error) {
      receipts[at] = refusalOf(error);
    }
  }
  await Promise.all(large);
  const rows = prepared.filter((row) => row !== undefined);
  const outcomes = await log.append(rows);
  let next = 0;
  for (let at = 0; at < items.length; at += 1)
    if (!receipts[at]) receipts[at] = receiptOf(rows[next]!, outcomes[next++]!);
  if (outcomes[0]?.kind === "accepted") reply.code(202);
  let rejected = 0;
  for (const receipt of receipts) if (receipt!.error) rejected += 1;
  return { items: receipts as EventReceipt[], rejected };
}

function judgeOf(engine: Engine): AssetJudge {
  return { find: (name) => engine.assets.find(name), now: engine.now() };
}

function receiptOf(row: EventRow, outcome: EventOutcome): EventReceipt {
  switch (outcome.kind) {
    case "recorded":
      return { position: outcome.position, ...faultOf(row) };
    case "duplicate":
      return { position: outcome.position, duplicate: true };
    case "accepted":
      return { accepted: true, ...faultOf(row) };
    case "conflict":
      return refusalOf(conflict(row, outcome.position));
    default:
      return unreachable(outcome);
  }
}

function faultOf({ invalid }: EventRow): Pick<EventReceipt, "invalid"> {
  return invalid === undefined ? {} : { invalid };
}

function conflict({ id, source }: EventRow, position: number): MillraceError {
  return new MillraceError("MILLRACE_EVENT_CONFLICT", {
    message: `The event ${id} of ${source} is in the log at position ${position} with other content.`,
    fields: { id, source, position },
  });
}

/** What nobody expected fails the request. */
function refusalOf(error: unknown): EventReceipt {
  if (!expectedError(error)) throw error;
  const { code, detail: message, advice, fields } = problemOf(error);
  return { error: { code, message, advice, ...(fields === undefined ? {} : { fields }) } };
}

const ownTypes: ReadonlySet<string | undefined> = new Set([cloudEventType, cloudEventBatchType]);

/** One event in the JSON format, or a batch of them. Who calls both plain JSON is understood by their shape. */
function readEvents(
  mediaType: string | undefined,
  contentType: string | undefined,
  body: Buffer,
): { readonly event: Json } | { readonly items: readonly Json[] } {
  if (!ownTypes.has(mediaType) && mediaType !== "application/json") refuseType(contentType);
  const value = readJson(body);
  const isBatch = mediaType === "application/json" ? Array.isArray(value) : mediaType === cloudEventBatchType;
  return isBatch ? { items: parseCloudEventBatch(value) } : { event: value };
}

/** Compressed bytes would be kept as they are, or called anything but what they are. */
function requirePlain(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === "identity") return;
  throw invalid(
    `The request's body is compressed (content-encoding ${JSON.stringify(encoding.slice(0, 100))}); events are taken as they are.`,
    undefined,
  );
}

function readJson(body: Buffer): Json {
  requireUtf8(body);
  const text = body.toString("utf8");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw invalid(`The body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (hasInfiniteNumber(text, value))
    throw invalid(
      "The body has a number beyond 1.8e308, which can't be kept as it is: send it as a text.",
      undefined,
    );
  return value;
}

function readBinaryMode(contentType: string | undefined, body: Buffer): BinaryModeData {
  if (body.length === 0) return { kind: "none" };
  const kind = contentKindOf(contentType);
  switch (kind) {
    case "json":
      return { kind: "json", value: readJson(body) };
    case "text":
      requireUtf8(body);
      return { kind: "text", text: body.toString("utf8") };
    case "bytes":
      return { kind: "bytes", base64: body.toString("base64") };
    default:
      return unreachable(kind);
  }
}

function requireUtf8(body: Buffer): void {
  if (!isUtf8(body)) throw invalid("The body is not valid UTF-8.", undefined);
}

function refuseType(contentType: string | undefined): never {
  throw new MillraceError("MILLRACE_EVENT_INVALID", {
    message: `The request's content type is ${contentType === undefined ? "missing" : JSON.stringify(contentType.slice(0, 100))}, and it has no header ce-specversion.`,
    advice: `Send ${cloudEventType}, ${cloudEventBatchType}, or binary mode with its headers ce-….`,
    fields: { path: "" },
  });
}

function invalid(message: string, cause: unknown): MillraceError {
  return new MillraceError("MILLRACE_EVENT_INVALID", { message, fields: { path: "" }, cause });
}
