/** What is told of a firing that starts no run, as it would go on with a loop of triggers (L2 of `causes.ts`). */
import type { EventDraft } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import { liveLane } from "../event/event.ts";
import type { Reason } from "../run/state.ts";
import { causesAttribute, formatCauses, type Causes } from "./causes.ts";
import { firingId } from "./firing-id.ts";
import { triggerLooped } from "./trigger-event.ts";

const idMax = 256;

/** `loop` as `loopOf` found it in the firing's causes: the trigger, those between, and the trigger again. */
export function loopReason(causes: Causes, loop: readonly string[]): Reason {
  const times = timesOf(causes, loop);
  return {
    code: "trigger_loop",
    message: `It is the ${ordinal(times)} firing of a loop of triggers, and starts no run: ${loop.join(" → ")}.`,
    fields: { path: [...loop], times },
  };
}

/** Its entry in the log. */
export function loopedEvent(
  firing: Parameters<typeof firingId>[0] & { readonly pipeline: string },
  causes: Causes,
  loop: readonly string[],
): EventDraft {
  const id = firingId(firing);
  return {
    lane: liveLane,
    source: ownSource,
    id: `trigger/${firing.pipeline}/${id}/looped`.slice(0, idMax),
    type: triggerLooped,
    subject: firing.pipeline,
    time: undefined,
    data: { value: { firing: id, path: [...loop], times: timesOf(causes, loop) } },
    isBinary: false,
    contentType: undefined,
    dataSchema: undefined,
    extensions: { [causesAttribute]: formatCauses(causes) },
    invalid: undefined,
  };
}

function timesOf(causes: Causes, [pipeline]: readonly string[]): number {
  return causes.find((cause) => cause.pipeline === pipeline)?.times ?? 1;
}

function ordinal(n: number): string {
  const isTeen = n % 100 > 10 && n % 100 < 20;
  return `${n}${isTeen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;
}
