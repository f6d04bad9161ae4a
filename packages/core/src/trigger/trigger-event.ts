/**
 * What happens to triggers, as entries of the log: a change, a pause, a resume take effect at a position, on every node
 * alike (C1). Only Millrace itself writes events of its source.
 */
import type { LogEvent } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import type { Json } from "../json.ts";
import type { CatchUp } from "../schedule/ticks.ts";
import { parseCatchUp, parseTrigger, type TriggerDefinition } from "./trigger.ts";

export const triggerChanged = "millrace.trigger.changed";
export const triggerPaused = "millrace.trigger.paused";
export const triggerResumed = "millrace.trigger.resumed";
/** A firing was refused, as it would have gone on with a loop of triggers. */
export const triggerLooped = "millrace.trigger.looped";
/** No server was up between two instants: schedules catch up as they say. */
export const logResumed = "millrace.log.resumed";

export type TriggerEvent =
  | {
      readonly kind: "changed";
      readonly pipeline: string;
      /** Absent: the pipeline has no trigger any more. */
      readonly definition: TriggerDefinition | undefined;
      readonly paused: boolean;
    }
  | { readonly kind: "paused"; readonly pipeline: string }
  /** `onResume` wins over the trigger's own. */
  | { readonly kind: "resumed"; readonly pipeline: string; readonly onResume: CatchUp | undefined }
  /** `clock`: the log's before it. What is due from there on has passed while no server was up. */
  | { readonly kind: "outage"; readonly clock: number };

/** What an entry says of a trigger; `undefined` for all others. */
export function readTriggerEvent({ type, source, subject, data }: LogEvent): TriggerEvent | undefined {
  if (source !== ownSource) return undefined;
  const fields = (data.value ?? {}) as { readonly [name: string]: Json | undefined };
  if (type === logResumed) return { kind: "outage", clock: Number(fields["clock"] ?? 0) };
  if (subject === undefined) return undefined;
  const pipeline = subject;
  switch (type) {
    case triggerChanged: {
      const { trigger } = fields;
      const definition = trigger === undefined || trigger === null ? undefined : parseTrigger(trigger);
      return { kind: "changed", pipeline, definition, paused: fields["paused"] === true };
    }
    case triggerPaused:
      return { kind: "paused", pipeline };
    case triggerResumed: {
      const { onResume } = fields;
      return {
        kind: "resumed",
        pipeline,
        onResume: onResume === undefined ? undefined : parseCatchUp(onResume),
      };
    }
    default:
      return undefined;
  }
}

/** The run whose end an entry tells. */
export function endedRunOf({ type, source, data }: LogEvent): string | undefined {
  if (source !== ownSource || !type.startsWith("millrace.run.")) return undefined;
  const { run } = (data.value ?? {}) as { readonly run?: unknown };
  return typeof run === "string" ? run : undefined;
}
