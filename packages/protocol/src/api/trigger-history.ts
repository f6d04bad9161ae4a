import { about, flag, integer, list, named, object, text, time, type TypeOf } from "../shape.ts";
import { firingMemberView, firingView, logPlaceView } from "./firing.ts";
import { limit, operation, textParameter, timeParameter } from "./operation.ts";
import { explanationView } from "./trigger.ts";

export const historicFiring = named(
  "HistoricFiring",
  object(
    {
      memberCount: integer(0),
      members: about("The first ones.", list(firingMemberView)),
      revision: integer(0),
    },
    {
      partition: text,
      real: about(
        "The one that was made; absent where there is none any more, or a pause left it out.",
        firingView,
      ),
    },
  ),
);
export type HistoricFiring = TypeOf<typeof historicFiring>;

export const triggerMomentView = about(
  "An entry, or an instant, that changed a key of a trigger.",
  named(
    "TriggerMomentView",
    object(
      {
        at: time,
        operands: about("Those whose filter and key the event fits, or whose time it was.", list(text)),
        firings: list(historicFiring),
        state: about("The tree as it stood afterwards.", explanationView),
      },
      {
        position: about("Absent where time alone decided.", integer(0)),
        event: object({ type: text, source: text, id: text }, { subject: text }),
      },
    ),
  ),
);
export type TriggerMomentView = TypeOf<typeof triggerMomentView>;

export const triggerHistoryView = named(
  "TriggerHistoryView",
  object(
    {
      pipeline: text,
      condition: about("The condition that was in force, in words.", text),
      operands: list(text),
      types: about(
        "Types of events that it asks for, with a star at the end for all that begin so.",
        list(text),
      ),
      began: about("Where the condition in force began.", logPlaceView),
      until: about("The log was told up to here.", logPlaceView),
      before: about("The tree before the first of the moments.", explanationView),
      moments: about("In the order of time, the newest up to `until`.", list(triggerMomentView)),
      earlier: about("How many there were before these.", integer(0)),
      isWhole: about("Whether it was told from where the condition began.", flag),
      from: about("Where it was told from.", logPlaceView),
      pauses: list(object({ from: logPlaceView }, { to: logPlaceView })),
    },
    { key: about("Absent where the trigger has no keys.", text) },
  ),
);
export type TriggerHistoryView = TypeOf<typeof triggerHistoryView>;

const historyMoments = 200;
const historyMomentsMax = 500;

export const triggerHistoryOperations = {
  getTriggerHistory: operation({
    method: "GET",
    path: "/triggers/:pipeline/history",
    summary:
      "What a trigger, or a key of it, went through: each entry and each deadline that changed it, with the tree as it stood then",
    query: {
      key: textParameter("Of this key: needed where the trigger has keys"),
      until: textParameter(
        "Up to this position of the log, or this time (RFC 3339); all that it was told, when absent",
      ),
      since: timeParameter("Moments from then on (RFC 3339)"),
      limit: limit("How many moments: the newest", historyMomentsMax, historyMoments),
    },
    answer: triggerHistoryView,
  }),
} as const;
