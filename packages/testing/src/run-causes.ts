/** The triggers that led to a run (`core/trigger/causes.ts`): they go with every event of it. */
import { causesAttribute, formatCauses, type Causes, type EventDraft } from "@millrace/core";

export function withCauses(event: EventDraft, { causes }: { readonly causes: Causes }): EventDraft {
  if (causes.length === 0) return event;
  return { ...event, extensions: { ...event.extensions, [causesAttribute]: formatCauses(causes) } };
}
