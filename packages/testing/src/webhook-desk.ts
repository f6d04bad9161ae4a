/** Deliveries at the webhooks of a testbed: judged, mapped and answered as by a server. */
import {
  catalogue,
  errorCodeOf,
  type EventDraft,
  type EventOutcome,
  type Json,
  type MillraceError,
} from "@millrace/core";
import {
  conflictOf,
  deliveryBytesMax,
  deliveryTooLarge,
  isSameBody,
  judgeDelivery,
  openWebhook,
  Rate,
  type Delivery,
  type DeliveryAnswer,
  type OpenWebhook,
} from "@millrace/protocol/webhook-delivery";
import type { Definitions } from "./definitions.ts";
import type { EventBook } from "./event-book.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What a sender posts. */
export interface GivenDelivery {
  /** In whatever case; without a content type it is JSON where `body` is no text. */
  readonly headers?: { readonly [name: string]: string };
  /** Text and bytes as they are, all else as JSON. */
  readonly body?: unknown;
}

/** What the sender is answered. */
export interface TestDeliveryAnswer {
  /** Of HTTP: 200 when the event is in the log. */
  readonly status: number;
  /** Of the event in the log. */
  readonly position?: number;
  /** The same delivery came before. */
  readonly duplicate?: true;
  /** Why it is kept and fires nothing: it does not fit its webhook, or the declaration of its type. */
  readonly invalid?: string;
  /** Its id came before with another body, at this position: it is kept beside it, and fires nothing. */
  readonly conflict?: number;
  /** Slack's question when an address is entered. */
  readonly challenge?: string;
  /** Why it is refused: a code of the catalogue, and a sentence. */
  readonly code?: string;
  readonly detail?: string;
}

export class WebhookDesk {
  readonly #log: EventBook;
  readonly #time: VirtualTime;
  readonly #webhooks = new Map<string, OpenWebhook>();

  /** `secrets`: by the names of the variables that a server would have them in. */
  constructor(
    definitions: Definitions,
    { log, time }: { readonly log: EventBook; readonly time: VirtualTime },
    secrets: { readonly [name: string]: string },
  ) {
    this.#log = log;
    this.#time = time;
    for (const definition of definitions.project.definition.webhooks ?? []) {
      const rate = new Rate(definition.rate, time.now());
      const take = (): boolean => rate.take(definition.rate, time.now());
      this.#webhooks.set(definition.name, openWebhook(definition, secrets, take));
    }
  }

  deliver(name: string, given: GivenDelivery): TestDeliveryAnswer {
    try {
      return { status: 200, ...this.#record(name, deliveryOf(given)) };
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      return { status: catalogue[code].status, code, detail: (error as MillraceError).message };
    }
  }

  #record(name: string, delivery: Delivery): DeliveryAnswer {
    if (delivery.body.length > deliveryBytesMax) throw deliveryTooLarge();
    const judged = judgeDelivery(this.#webhooks.get(name), delivery, this.#time.now());
    if (judged.kind === "challenge") return { challenge: judged.challenge };
    const outcome = this.#log.append(judged.draft);
    const position = positionOf(outcome);
    const { invalid } = this.#log.at(position)!;
    if (outcome.kind === "recorded") return { position, ...(invalid === undefined ? {} : { invalid }) };
    if (outcome.kind === "duplicate" || this.#isRepeat(judged.draft, position))
      return { position, duplicate: true };
    const kept = this.#log.append(conflictOf(judged.draft, delivery.body, position));
    return { position: positionOf(kept), conflict: position };
  }

  #isRepeat(draft: EventDraft, position: number): boolean {
    const stands = this.#log.at(position)!;
    return isSameBody(stands, stands.data.value ?? null, draft);
  }
}

function positionOf(outcome: EventOutcome): number {
  if (outcome.kind === "accepted") throw new Error("invariant broken: a testbed has one log");
  return outcome.position;
}

function deliveryOf({ headers = {}, body }: GivenDelivery): Delivery {
  const lower = Object.fromEntries(
    Object.entries(headers).map(([header, text]) => [header.toLowerCase(), text]),
  );
  const bytes = bytesOf(body);
  const isJson = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  return { headers: { ...(isJson ? { "content-type": "application/json" } : {}), ...lower }, body: bytes };
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body as Json), "utf8");
}
