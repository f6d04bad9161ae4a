/**
 * A delivery as an event: what its kind tells, and what the webhook's mapping says instead.
 *
 * D1: whatever is signed rightly becomes an event. What a mapping can't give, or gives wrongly, is told in `invalid`: the
 *     event is kept and shown, and fires nothing.
 */
import { createHash } from "node:crypto";
import {
  errorCodeOf,
  extensionOfHeader,
  formatEventTime,
  isSecretHeader,
  liveLane,
  parseCloudEvent,
  parseEventTime,
  type CompiledMapping,
  type EventDraft,
  type EventExtension,
  type Json,
  type WebhookDefinition,
} from "@millrace/core";
import { invalidCharactersMax } from "../event-type-book.ts";
import type { DeliveryContent } from "./content.ts";
import type { Delivery } from "./verification.ts";

/** What an event says of itself, each as a CloudEvent's member. */
interface Attributes {
  readonly type?: Json;
  readonly subject?: Json;
  readonly time?: Json;
  readonly id?: Json;
}

export type AttributeName = keyof Attributes;
export type Mappings = { readonly [name in AttributeName]?: CompiledMapping | undefined };

export function sourceOf(webhook: string): string {
  return `/hooks/${webhook}`;
}

export function hashOf(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

export function draftOf(
  webhook: WebhookDefinition,
  mappings: Mappings,
  delivery: Delivery & { readonly content: DeliveryContent },
): EventDraft {
  const { headers, body, content } = delivery;
  const reader = new AttributeReader(mappings, content.body, visibleHeaders(webhook, headers));
  const told = attributesOf(webhook.verify.kind, headers, content.body);
  const type = reader.read("type", told.type) ?? `webhook.${webhook.name}`;
  const subject = reader.read("subject", told.subject);
  const time = reader.read("time", told.time);
  const id = reader.read("id", told.id) ?? hashOf(body);
  const faults = [...(content.fault === undefined ? [] : [content.fault]), ...reader.faults];
  const contentType = headers["content-type"];
  return {
    lane: liveLane,
    source: sourceOf(webhook.name),
    id,
    type,
    subject,
    time: time === undefined ? undefined : parseEventTime(time),
    data: { value: content.data },
    isBinary: content.isBinary,
    contentType: contentType !== undefined && fits("datacontenttype", contentType) ? contentType : undefined,
    dataSchema: undefined,
    extensions: extensionsOf(webhook, headers),
    invalid: faults.length === 0 ? undefined : faults.join("; ").slice(0, invalidCharactersMax),
  };
}

/** The same delivery came with another body before: it is kept under a name of its own, and fires nothing. */
export function conflictOf(draft: EventDraft, body: Buffer, position: number): EventDraft {
  const hash = hashOf(body);
  return {
    ...draft,
    id: `${draft.id.slice(0, 180)}#${hash}`,
    invalid: `a delivery of the id ${JSON.stringify(draft.id)} came before with another body, at position ${position}`,
  };
}

/** What mappings see: secrets are not among it. */
function visibleHeaders(
  { verify }: WebhookDefinition,
  headers: Delivery["headers"],
): { [name: string]: Json } {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, text]) =>
      text === undefined || isSecretHeader(name, verify) ? [] : [[name, text]],
    ),
  );
}

function extensionsOf(webhook: WebhookDefinition, headers: Delivery["headers"]): EventDraft["extensions"] {
  const extensions: { [name: string]: EventExtension } = {};
  for (const header of webhook.headers) {
    const text = headers[header];
    const name = extensionOfHeader(header);
    if (text !== undefined && fits(name, text)) extensions[name] = text;
  }
  return extensions;
}

class AttributeReader {
  readonly faults: string[] = [];
  readonly #mappings: Mappings;
  readonly #variables: { readonly [name: string]: Json };

  constructor(mappings: Mappings, body: Json, headers: { readonly [name: string]: Json }) {
    this.#mappings = mappings;
    this.#variables = { body, headers };
  }

  /** What the mapping gives, else `told`; none where neither fits. */
  read(name: AttributeName, told: Json | undefined): string | undefined {
    const mapping = this.#mappings[name];
    if (mapping) {
      const outcome = mapping.valueOf(this.#variables);
      if ("fault" in outcome) return this.#fail(name, told, outcome.fault);
      const given = textOf(name, outcome.value);
      // Null is an answer, too: it has none.
      if (outcome.value === null) return undefined;
      if (given === undefined || !fits(name, given))
        return this.#fail(name, told, `${JSON.stringify(outcome.value).slice(0, 100)} is no ${name}`);
      return given;
    }
    const text = textOf(name, told ?? null);
    return text !== undefined && fits(name, text) ? text : undefined;
  }

  #fail(name: AttributeName, told: Json | undefined, fault: string): string | undefined {
    this.faults.push(`the mapping of ${name}: ${fault}`);
    const text = textOf(name, told ?? null);
    return text !== undefined && fits(name, text) ? text : undefined;
  }
}

/** The last second of the year 9999. */
const secondsMax = 253_402_300_799;

function textOf(name: AttributeName, value: Json): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (typeof value !== "number") return undefined;
  if (name !== "time") return name === "type" ? undefined : String(value);
  return value >= 0 && value <= secondsMax ? formatEventTime(value * 1_000) : undefined;
}

/** As the log's other doors judge it. */
function fits(name: string, text: string): boolean {
  if (name === "type" && text.startsWith("millrace.")) return false;
  try {
    parseCloudEvent({ specversion: "1.0", id: "1", source: "/hooks", type: "t", [name]: text });
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "MILLRACE_EVENT_INVALID") return false;
    throw error;
  }
}

/** What the kind's deliveries tell by themselves. */
function attributesOf(
  kind: WebhookDefinition["verify"]["kind"],
  headers: Delivery["headers"],
  body: Json,
): Attributes {
  switch (kind) {
    case "standard":
      return {
        type: at(body, "type"),
        time: at(body, "timestamp"),
        id: headers["webhook-id"] ?? null,
      };
    case "github": {
      const event = headers["x-github-event"];
      // A form has all of it in one field.
      const payload = isObject(at(body, "payload")) ? at(body, "payload") : body;
      return {
        type: event === undefined ? null : `github.${event}`,
        subject: at(payload, "repository", "full_name") ?? at(payload, "organization", "login"),
        id: headers["x-github-delivery"] ?? null,
      };
    }
    case "stripe":
      return {
        type: within("stripe", at(body, "type")),
        subject: at(body, "data", "object", "id"),
        time: at(body, "created"),
        id: at(body, "id"),
      };
    case "slack": {
      const inner = at(body, "event", "type") ?? at(body, "payload", "type") ?? at(body, "type");
      return {
        type: within("slack", at(body, "command") === null ? inner : "command"),
        subject: slackChannelOf(body),
        time: at(body, "event_time"),
        id: at(body, "event_id"),
      };
    }
    default:
      return {};
  }
}

/** Events, commands and buttons name it in places of their own; some with all that there is to know of it. */
function slackChannelOf(body: Json): Json {
  const channel = at(body, "event", "channel") ?? at(body, "payload", "channel") ?? at(body, "channel_id");
  return isObject(channel) ? at(channel, "id") : channel;
}

function within(prefix: string, value: Json): Json {
  return typeof value === "string" ? `${prefix}.${value}` : null;
}

/** A text or number inside, or an object; null where there is none. */
function at(value: Json, ...path: readonly string[]): Json {
  let inner: Json = value;
  for (const step of path) {
    if (!isObject(inner) || !Object.hasOwn(inner, step)) return null;
    inner = inner[step]!;
  }
  return inner;
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
