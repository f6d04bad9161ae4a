/** What is said of an event and a trigger. */
import type { LogEvent } from "@millrace/core";
import type { EventExplanation, EventVerdict } from "@millrace/protocol";
import type { LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import type { FoundTrigger } from "./trigger-find.ts";

export interface Case {
  readonly found: FoundTrigger;
  readonly trigger: LoadedTrigger;
  readonly entry: LogEvent;
}

export type Finding = Omit<EventExplanation, "position" | "type">;

export function finding(
  verdict: EventVerdict,
  text: string,
  rest: Partial<Omit<Finding, "verdict" | "text">> = {},
): Finding {
  return { verdict, text, ...rest };
}
