/** Events that the testbed tells by itself. */
import { liveLane, ownSource, type EventDraft, type Json } from "@millrace/core";

type Told = Pick<EventDraft, "source" | "id" | "type" | "subject" | "data">;

export function ownEvent(told: Told): EventDraft {
  return {
    ...told,
    lane: liveLane,
    time: undefined,
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: {},
    invalid: undefined,
  };
}

/** Of a trigger, as the server's outbox tells it. */
export function outboxEvent(type: string, subject: string, value: Json, number: number): EventDraft {
  return ownEvent({ source: ownSource, id: `outbox/${number}`, type, subject, data: { value } });
}
