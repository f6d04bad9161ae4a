import type { TriggerSummary } from "@millrace/protocol";
import { clockText, relativeText } from "../../parts/time-text.ts";

/** A trigger's state in a sentence or two: on or paused, when it fired last, when time alone may do it next. */
export function triggerSentence(trigger: TriggerSummary, now: number): string {
  const { paused, lastFiring, nextDue, keyed, keys, keysAreMore, activated } = trigger;
  const parts = [
    paused
      ? `Paused since ${clockText(Date.parse(paused.at), now)}: what it is told is kept until it is resumed.`
      : "",
    lastFiring === undefined
      ? `It has not fired since its version ${trigger.version} began ${relativeText(Date.parse(activated.at), now)}.`
      : lastFiring.reason
        ? `It fired ${relativeText(Date.parse(lastFiring.at), now)}, and no run began: ${lastFiring.reason.message}`
        : `It fired last ${relativeText(Date.parse(lastFiring.at), now)}.`,
    keyed
      ? `It has a state for ${keys === 1 ? "one key" : `${keys}${keysAreMore ? " keys or more" : " keys"}`}.`
      : "",
    nextDue === undefined || paused
      ? ""
      : `Time may decide something next at ${clockText(Date.parse(nextDue), now)}, ${relativeText(Date.parse(nextDue), now)}.`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}
