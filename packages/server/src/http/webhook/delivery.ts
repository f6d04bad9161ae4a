/**
 * `POST /hooks/NAME`: gives what a delivery says to the event log.
 *
 * H2: it is answered with 2xx after the commit.
 * H3: the body is kept as it came, byte by byte: `GET /events/POSITION/data` gives it back.
 */
import type { EventDraft } from "@millrace/core";
import type { DeliveryReceipt } from "@millrace/protocol";
import {
  conflictOf,
  isSameBody,
  judgeDelivery,
  type Delivery,
  type DeliveryAnswer,
} from "@millrace/protocol/webhook-delivery";
import { findEventPositions, type EventRow } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";

/** What a delivery needs of the server. */
export type DeliveryContext = Pick<ApiContext, "webhooks" | "host" | "database" | "clock" | "log">;

export async function deliver(
  context: DeliveryContext,
  name: string,
  delivery: Delivery,
): Promise<DeliveryAnswer> {
  const webhook = await context.webhooks.find(name);
  if (webhook && webhook.missing.length > 0) context.webhooks.tellMissing(webhook);
  const judged = judgeDelivery(webhook, delivery, context.host.engine.now());
  if (judged.kind === "challenge") return { challenge: judged.challenge };
  return record(context, { ...judged, body: delivery.body });
}

interface Taken {
  readonly draft: EventDraft;
  /** The body where it is JSON (H3). */
  readonly json?: string;
  readonly body: Buffer;
}

async function record(context: DeliveryContext, taken: Taken): Promise<DeliveryReceipt> {
  const { events } = context.host.engine;
  const { draft, json } = taken;
  const row = await events.prepare(draft, json);
  const [outcome] = await context.host.run(() => events.append([row]));
  switch (outcome!.kind) {
    case "accepted":
      return recordElsewhere(context, taken, row);
    case "recorded":
      return { position: outcome!.position, ...faultOf(row) };
    case "duplicate":
      return { position: outcome!.position, duplicate: true };
    default: {
      const { position } = outcome!;
      if (await isRepeat(context, draft, position)) return { position, duplicate: true };
      return recordConflict(context, taken, position);
    }
  }
}

/**
 * Another server records it, and tells nobody that it found another event of this name. So it is looked for here: two
 * bodies under one name that are on their way at once stay untold.
 */
async function recordElsewhere(
  context: DeliveryContext,
  taken: Taken,
  row: EventRow,
): Promise<DeliveryReceipt> {
  const { draft } = taken;
  const { id, source } = draft;
  const [before] = await findEventPositions(context.database, workspaceId, { id, source });
  if (before === undefined || (await isRepeat(context, draft, before)))
    return { accepted: true, ...faultOf(row) };
  return recordConflict(context, taken, before);
}

function faultOf({ invalid }: EventRow): Pick<DeliveryReceipt, "invalid"> {
  return invalid === undefined ? {} : { invalid };
}

async function isRepeat(context: DeliveryContext, draft: EventDraft, position: number): Promise<boolean> {
  const { engine } = context.host;
  const stands = (await engine.events.read(position - 1, 1)).events[0];
  if (stands?.position !== position) return false;
  const { value = null } = await engine.values.loaded(stands.data);
  return isSameBody(stands, value, draft);
}

async function recordConflict(
  context: DeliveryContext,
  { draft, json, body }: Taken,
  before: number,
): Promise<DeliveryReceipt> {
  const { events } = context.host.engine;
  context.log.warn(
    { source: draft.source, id: draft.id, position: before },
    `a delivery at ${draft.source} has the id of the event at position ${before} and another body: it is kept as invalid`,
  );
  const row = await events.prepare(conflictOf(draft, body, before), json);
  const [outcome] = await context.host.run(() => events.append([row]));
  return outcome!.kind === "accepted"
    ? { accepted: true, conflict: before }
    : { position: outcome!.position, conflict: before };
}
