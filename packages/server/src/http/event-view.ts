import { formatEventTime, retentionClassOf, toCloudEvent, type LogEvent } from "@millrace/core";
import type { EventView } from "@millrace/protocol";

/** An entry as readers see it. Data that is not loaded is told by its size. */
export function eventView(event: LogEvent): EventView {
  const { data, invalid } = event;
  return {
    position: event.position,
    recordedAt: formatEventTime(event.recordedAt),
    lane: event.lane,
    retention: retentionClassOf(event.type),
    ...(invalid === undefined ? {} : { invalid }),
    ...(data.blob !== undefined && data.value === undefined ? { dataBytes: data.bytes } : {}),
    event: toCloudEvent(event),
  };
}
