/**
 * `POST /hooks/NAME`: judges a delivery, and gives it to the event log.
 *
 * H1: it is answered with 2xx after the commit.
 * H2: who can't sign learns nothing: an unknown name and a wrong signature are answered alike, after work of one kind.
 *     What else may be wrong is judged after the signature.
 */
import { createHash } from "node:crypto";
import { anyMediaType, canonicalJson, MillraceError, type EventDraft, type Json } from "@millrace/core";
import type { DeliveryReceipt } from "@millrace/protocol";
import { findEventPositions } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import { mediaTypeOf, readContent } from "./content.ts";
import { conflictOf, draftOf } from "./delivery-event.ts";
import { judge, type Delivery, type Verified } from "./verification.ts";
import type { OpenWebhook } from "./webhook-book.ts";

/** What a delivery needs of the server. */
export type DeliveryContext = Pick<ApiContext, "webhooks" | "host" | "database" | "clock" | "log">;

/** Slack asks for its own text once, when the address is entered. */
export type DeliveryAnswer = DeliveryReceipt | { readonly challenge: string };

/** Stands in for a webhook that there is none of. Nobody knows a text with this digest as its signature. */
const nobody: Verified = { kind: "github", secrets: [] };
const nobodysKeys = [createHash("sha256").update("nobody").digest()];

export async function deliver(
  context: DeliveryContext,
  name: string,
  delivery: Delivery,
): Promise<DeliveryAnswer> {
  const webhook = await context.webhooks.find(name);
  requireRight(context, webhook, delivery);
  if (!webhook.take()) throw tooMany();
  const { definition, mappings } = webhook;
  const contentType = delivery.headers["content-type"];
  const mediaType = mediaTypeOf(contentType);
  if (!definition.accepts.includes(anyMediaType) && !definition.accepts.includes(mediaType ?? ""))
    throw wrongContent(mediaType, definition.accepts);
  const content = readContent(contentType, delivery.body);
  if (definition.verify.kind === "slack") {
    const challenge = challengeOf(content.body);
    if (challenge !== undefined) return { challenge };
  }
  return record(context, draftOf(definition, mappings, { ...delivery, content }), delivery.body);
}

function requireRight(
  context: DeliveryContext,
  webhook: OpenWebhook | undefined,
  delivery: Delivery,
): asserts webhook is OpenWebhook {
  const now = context.host.engine.now();
  if (!webhook) {
    judge(nobody, nobodysKeys, delivery, now);
    throw refused();
  }
  const { verify } = webhook.definition;
  if (verify.kind === "none") return;
  if (webhook.missing.length > 0) context.webhooks.tellMissing(webhook);
  if (webhook.keys.length === 0) throw unready();
  const verdict = judge(verify, webhook.keys, delivery, now);
  if (verdict === "wrong") throw refused();
  if (verdict === "stale") throw stale();
}

async function record(context: DeliveryContext, draft: EventDraft, body: Buffer): Promise<DeliveryReceipt> {
  const { events } = context.host.engine;
  const row = await events.prepare(draft);
  const [outcome] = await context.host.run(() => events.append([row]));
  switch (outcome!.kind) {
    case "accepted":
      return recordElsewhere(context, draft, body);
    case "recorded":
      return { position: outcome!.position };
    case "duplicate":
      return { position: outcome!.position, duplicate: true };
    default: {
      const { position } = outcome!;
      if (await isSameBody(context, draft, position)) return { position, duplicate: true };
      return recordConflict(context, draft, { body, before: position });
    }
  }
}

/**
 * Another server records it, and tells nobody that it found another event of this name. So it is looked for here: two
 * bodies under one name that are on their way at once stay untold.
 */
async function recordElsewhere(
  context: DeliveryContext,
  draft: EventDraft,
  body: Buffer,
): Promise<DeliveryReceipt> {
  const { id, source } = draft;
  const [before] = await findEventPositions(context.database, workspaceId, { id, source });
  if (before === undefined || (await isSameBody(context, draft, before))) return { accepted: true };
  return recordConflict(context, draft, { body, before });
}

/**
 * A sender that tries again sends the same body, maybe with other headers, and maybe the webhook maps it otherwise today:
 * that is a repeat, although the log knows the name with other content.
 */
async function isSameBody(context: DeliveryContext, draft: EventDraft, position: number): Promise<boolean> {
  const { engine } = context.host;
  const stands = (await engine.events.read(position - 1, 1)).events[0];
  if (stands?.position !== position || stands.isBinary !== draft.isBinary) return false;
  const { value = null } = await engine.values.loaded(stands.data);
  return canonicalJson(value) === canonicalJson(draft.data.value ?? null);
}

async function recordConflict(
  context: DeliveryContext,
  draft: EventDraft,
  { body, before }: { readonly body: Buffer; readonly before: number },
): Promise<DeliveryReceipt> {
  const { events } = context.host.engine;
  context.log.warn(
    { source: draft.source, id: draft.id, position: before },
    `a delivery at ${draft.source} has the id of the event at position ${before} and another body: it is kept as invalid`,
  );
  const row = await events.prepare(conflictOf(draft, body, before));
  const [outcome] = await context.host.run(() => events.append([row]));
  return outcome!.kind === "accepted"
    ? { accepted: true, conflict: before }
    : { position: outcome!.position, conflict: before };
}

function challengeOf(body: Json): string | undefined {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return undefined;
  const { type, challenge } = body as { readonly type?: Json; readonly challenge?: Json };
  return type === "url_verification" && typeof challenge === "string" ? challenge : undefined;
}

function refused(): MillraceError {
  return new MillraceError("MILLRACE_WEBHOOK_REFUSED", {
    message: "There is no such webhook, or the delivery is not signed as it asks for.",
  });
}

function stale(): MillraceError {
  return new MillraceError("MILLRACE_WEBHOOK_STALE", {
    message: "The delivery's signed time is too far from this server's clock.",
  });
}

function unready(): MillraceError {
  return new MillraceError("MILLRACE_WEBHOOK_UNREADY", {
    message: "This webhook is not set up completely at the server.",
  });
}

function tooMany(): MillraceError {
  return new MillraceError("MILLRACE_EVENTS_OVERLOADED", {
    message: "Deliveries come faster than this webhook takes them; this one was not recorded.",
  });
}

function wrongContent(mediaType: string | undefined, accepts: readonly string[]): MillraceError {
  return new MillraceError("MILLRACE_WEBHOOK_CONTENT", {
    message: `The delivery's content type is ${mediaType === undefined ? "missing" : JSON.stringify(mediaType.slice(0, 100))}; this webhook takes ${accepts.join(", ")}.`,
    fields: { accepts },
  });
}
