/** What the log is told of things that probes look at. Each event's id derives from the thing, so that a repeat is the same event. */
import {
  ownSource,
  presentSubject,
  probeChangedType,
  probeFailedType,
  probePresentType,
  probeRecoveredType,
  type Json,
} from "@millrace/core";
import type { EventRow, ProbeRow } from "@millrace/store";
import { ownEvent } from "../event-log.ts";

export function toldEvent(row: ProbeRow, kind: "changed" | "failed" | "recovered"): EventRow {
  const { id, name, args, looks, changes, failures, error } = row;
  switch (kind) {
    case "changed":
      return event(probeChangedType, id, `${id}/changed/${changes}`, contentOf(row));
    case "failed": {
      const data = { probe: name, args, failures, nextAt: isoOf(row.nextAt), error: (error ?? null) as Json };
      return event(probeFailedType, id, `${id}/failed/${looks}`, data);
    }
    default:
      return event(probeRecoveredType, id, `${id}/recovered/${looks}`, { probe: name, args });
  }
}

/** To one wait, which began when this was there already. */
export function presentEvent(row: ProbeRow, token: string): EventRow {
  const { id, changes } = row;
  return event(
    probePresentType,
    presentSubject(row, token),
    `${id}/present/${changes}/${token}`,
    contentOf(row),
  );
}

function contentOf({ name, args, value, fingerprint }: ProbeRow): Json {
  return { probe: name, args, value, fingerprint: fingerprint ?? null };
}

function event(type: string, subject: string, id: string, value: Json): EventRow {
  return ownEvent({ source: ownSource, id: `probe/${id}`, type, subject, data: { value } });
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
