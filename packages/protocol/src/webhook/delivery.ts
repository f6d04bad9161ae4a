/**
 * What a delivery at `/hooks/NAME` is, for whoever takes deliveries: a server, or a testbed.
 *
 * H1: who can't sign learns nothing: an unknown name and a wrong signature are answered alike, after work of one kind.
 *     What else may be wrong is judged after the signature.
 */
import { createHash } from "node:crypto";
import {
  anyMediaType,
  canonicalJson,
  compileMapping,
  MillraceError,
  webhookMappingNames,
  type CompiledMapping,
  type EventDraft,
  type Json,
  type LogEvent,
  type WebhookDefinition,
} from "@millrace/core";
import type { DeliveryReceipt } from "../api/source.ts";
import { mediaTypeOf, readContent } from "./content.ts";
import { draftOf, type AttributeName, type Mappings } from "./delivery-event.ts";
import { judge, keyOf, type Delivery, type Verified } from "./verification.ts";

export { conflictOf } from "./delivery-event.ts";
export { Rate } from "./rate.ts";
export type { Delivery } from "./verification.ts";

/** Body of one delivery: what an event's data may have. */
export const deliveryBytesMax = 1024 * 1024;

/** A webhook with what it is judged by. */
export interface OpenWebhook {
  readonly definition: WebhookDefinition;
  readonly mappings: Mappings;
  /** Of the secrets that are there. */
  readonly keys: readonly Buffer[];
  /** Variables that are named and have no value of use. */
  readonly missing: readonly string[];
  /** False when there are too many deliveries. */
  readonly take: () => boolean;
}

/** Slack asks for its own text once, when the address is entered. */
export type DeliveryAnswer = DeliveryReceipt | { readonly challenge: string };

export type JudgedDelivery =
  | { readonly kind: "challenge"; readonly challenge: string }
  /** `json`: the text that the draft's data was read from, where it is JSON, to be kept as it is. */
  | { readonly kind: "event"; readonly draft: EventDraft; readonly json?: string };

/** `variables`: those in which its secrets are. */
export function openWebhook(
  definition: WebhookDefinition,
  variables: { readonly [name: string]: string | undefined },
  take: () => boolean,
): OpenWebhook {
  const { verify, mapping } = definition;
  const keys: Buffer[] = [];
  const missing: string[] = [];
  if (verify.kind !== "none") {
    for (const variable of verify.secrets) {
      const key = keyOf(verify.kind, variables[variable] ?? "");
      if (key) keys.push(key);
      else missing.push(variable);
    }
  }
  const mappings: { [name in AttributeName]?: CompiledMapping } = {};
  for (const name of webhookMappingNames) {
    const text = mapping[name];
    if (text !== undefined) mappings[name] = compileMapping(text, ["body", "headers"]);
  }
  return { definition, mappings, keys, missing, take };
}

/** Stands in for a webhook that there is none of. Nobody knows a text with this digest as its signature. */
const nobody: Verified = { kind: "github", secrets: [] };
const nobodysKeys = [createHash("sha256").update("nobody").digest()];

/**
 * What is to be recorded of it. `now`: ms since 1970. Throws MILLRACE_WEBHOOK_REFUSED, MILLRACE_WEBHOOK_STALE,
 * MILLRACE_WEBHOOK_UNREADY, MILLRACE_EVENTS_OVERLOADED, MILLRACE_WEBHOOK_CONTENT.
 */
export function judgeDelivery(
  webhook: OpenWebhook | undefined,
  delivery: Delivery,
  now: number,
): JudgedDelivery {
  requireRight(webhook, delivery, now);
  if (!webhook.take()) throw tooMany();
  const { definition, mappings } = webhook;
  const mediaType = mediaTypeOf(delivery.headers["content-type"]);
  if (!definition.accepts.includes(anyMediaType) && !definition.accepts.includes(mediaType ?? ""))
    throw wrongContent(mediaType, definition.accepts);
  const content = readContent(delivery.headers, delivery.body);
  if (definition.verify.kind === "slack") {
    const challenge = challengeOf(content.body);
    if (challenge !== undefined) return { kind: "challenge", challenge };
  }
  const draft = draftOf(definition, mappings, { ...delivery, content });
  return { kind: "event", draft, ...(content.json === undefined ? {} : { json: content.json }) };
}

function requireRight(
  webhook: OpenWebhook | undefined,
  delivery: Delivery,
  now: number,
): asserts webhook is OpenWebhook {
  if (!webhook) {
    judge(nobody, nobodysKeys, delivery, now);
    throw refused();
  }
  const { verify } = webhook.definition;
  if (verify.kind === "none") return;
  if (webhook.keys.length === 0) throw unready();
  const verdict = judge(verify, webhook.keys, delivery, now);
  if (verdict === "wrong") throw refused();
  if (verdict === "stale") throw stale();
}

/**
 * A sender that tries again sends the same body, maybe with other headers, and maybe the webhook maps it otherwise today:
 * that is a repeat, although the log knows the name with other content. `data`: that of the entry of this name.
 */
export function isSameBody(stands: Pick<LogEvent, "isBinary">, data: Json, draft: EventDraft): boolean {
  if (stands.isBinary !== draft.isBinary) return false;
  return canonicalJson(data) === canonicalJson(draft.data.value ?? null);
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

/** Of a body beyond `deliveryBytesMax`. */
export function deliveryTooLarge(cause?: Error): MillraceError {
  return new MillraceError("MILLRACE_EVENT_TOO_LARGE", {
    message: `A delivery may have ${deliveryBytesMax} bytes.`,
    fields: { bytesMax: deliveryBytesMax },
    ...(cause === undefined ? {} : { cause }),
  });
}
