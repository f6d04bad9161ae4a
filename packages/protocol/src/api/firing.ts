import {
  about,
  anyJson,
  integer,
  list,
  named,
  object,
  oneOf,
  text,
  time,
  yes,
  type TypeOf,
} from "../shape.ts";
import { reason } from "./parts.ts";

export const logPlaceView = about(
  "A place in the event log.",
  named("LogPlaceView", object({ position: integer(0), at: about("Log time.", time) })),
);
export type LogPlaceView = TypeOf<typeof logPlaceView>;

export const firingState = named(
  "FiringState",
  oneOf("started", "waiting", "merged", "superseded", "refused"),
);
export type FiringState = TypeOf<typeof firingState>;

export const firingView = about(
  "One satisfaction of a trigger.",
  named(
    "FiringView",
    object(
      {
        id: about("Its name below its trigger: version, occurrence, revision and key.", text),
        pipeline: text,
        version: integer(0),
        occurrence: integer(0),
        revision: integer(0),
        at: about("Log time at which it was decided, and the entry before.", time),
        position: integer(0),
        state: about(
          "`waiting`: for a slot of its pipeline. `merged` and `superseded`: in favour of another one, as its reason says.",
          firingState,
        ),
        memberCount: about("Those of firings that were merged into it included.", integer(0)),
      },
      {
        key: about("Absent where the trigger has no keys.", text),
        runId: about("Also the name of the run that it will start.", text),
        partition: about(
          "The key of the partition that its run is for; absent where it is of none, or too large to look into.",
          text,
        ),
        incomplete: yes,
        reason: about("Why no run of its own could begin.", reason),
        mergedInto: about("The run of the firing that it was merged into.", text),
      },
    ),
  ),
);
export type FiringView = TypeOf<typeof firingView>;

export const firingMemberView = about(
  "What satisfied it: an event, or a span of time.",
  named(
    "FiringMemberView",
    object(
      { operand: text },
      {
        position: integer(0),
        event: about(
          "Absent where the log no longer has it.",
          object({ type: text, source: text, id: text }, { subject: text }),
        ),
        recordedAt: time,
        from: about("Of a tick or a silence.", text),
        at: time,
      },
    ),
  ),
);
export type FiringMemberView = TypeOf<typeof firingMemberView>;

export const firedMemberView = about(
  "A member as tasks see it: an event with its data, a tick or a silence.",
  named("FiredMemberView", object({ operand: text, value: anyJson })),
);
export type FiredMemberView = TypeOf<typeof firedMemberView>;

export const firingDetail = named(
  "FiringDetail",
  object(
    {
      ...firingView.required,
      members: about("The first ones, where there are very many.", list(firingMemberView)),
    },
    { ...firingView.optional },
  ),
);
export type FiringDetail = TypeOf<typeof firingDetail>;

export const simulatedFiring = named(
  "SimulatedFiring",
  object(
    {
      occurrence: integer(0),
      revision: integer(0),
      at: time,
      memberCount: integer(0),
      members: about("The first ones.", list(firingMemberView)),
    },
    {
      key: text,
      partition: about("The key of the partition that its run would be for.", text),
      incomplete: about("It fired although not all was there.", yes),
      interval: object({ from: text, to: text }),
      outcome: about(
        "What would become of it, where that follows from what is under way.",
        oneOf("starts", "waits", "merged", "superseded"),
      ),
    },
  ),
);
export type SimulatedFiring = TypeOf<typeof simulatedFiring>;
