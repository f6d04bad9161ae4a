/**
 * What the log is told of things that probes look at. Each event's id derives from the thing, so that a repeat is the same event: from its
 * counters, and from the look's time, as a thing that was forgotten begins to count anew.
 */
import { ownSource } from "../event/own.ts";
import type { EventDraft } from "../event/event.ts";
import type { Json } from "../json.ts";
import type { ProbeMemory } from "./decide.ts";
import {
  presentSubject,
  probeChangedType,
  probeFailedType,
  probeId,
  probePresentType,
  probeRecoveredType,
  type ProbeRef,
} from "./probe.ts";

export type ProbeEvent = Pick<EventDraft, "source" | "id" | "type" | "subject" | "data">;

/** A thing, and what is remembered of it. */
export type SeenProbe = ProbeRef & ProbeMemory & { readonly nextAt: number | undefined };

export function probeEvent(seen: SeenProbe, kind: "changed" | "failed" | "recovered"): ProbeEvent {
  const { name, args, looks, changes, changedAt, lookedAt, failures, error, nextAt } = seen;
  const id = probeId(seen);
  const look = `${looks}/${Math.floor(lookedAt ?? 0)}`;
  switch (kind) {
    case "changed":
      return event(
        probeChangedType,
        id,
        `${id}/changed/${changes}/${Math.floor(changedAt ?? 0)}`,
        contentOf(seen),
      );
    case "failed": {
      const next = nextAt === undefined ? null : new Date(nextAt).toISOString();
      const data = { probe: name, args, failures, nextAt: next, error: (error ?? null) as Json };
      return event(probeFailedType, id, `${id}/failed/${look}`, data);
    }
    default:
      return event(probeRecoveredType, id, `${id}/recovered/${look}`, { probe: name, args });
  }
}

/** To one wait, which began when this was there already. */
export function presentProbeEvent(seen: SeenProbe, token: string): ProbeEvent {
  const id = `${probeId(seen)}/present/${seen.changes}/${token}`;
  return event(probePresentType, presentSubject(seen, token), id, contentOf(seen));
}

function contentOf({ name, args, value, fingerprint }: SeenProbe): Json {
  return { probe: name, args, value, fingerprint: fingerprint ?? null };
}

function event(type: string, subject: string, id: string, value: Json): ProbeEvent {
  return { source: ownSource, id: `probe/${id}`, type, subject, data: { value } };
}
