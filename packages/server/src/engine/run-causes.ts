/** The triggers that led to a run (`core/trigger/causes.ts`): they go with every event that it emits, and with its calls. */
import { causesAttribute } from "@millrace/core";
import type { EventRow, LiveRun } from "@millrace/store";

const none: EventRow["extensions"] = {};

/** As an attribute holds them; nothing where no trigger did. */
export function causesTextOf({ causes, firing, pipeline, parent }: LiveRun): string | undefined {
  return causes ?? (firing ? `${pipeline}*1` : parent?.causes);
}

/** The attribute of its events. */
export function causesOf(run: LiveRun): EventRow["extensions"] {
  const text = causesTextOf(run);
  return text === undefined ? none : { [causesAttribute]: text };
}
