import {
  about,
  anyJson,
  flag,
  integer,
  named,
  number,
  object,
  oneOf,
  text,
  time,
  type TypeOf,
} from "../shape.ts";
import { cursor, limit, operation, pageSizeMax, textParameter, timeParameter } from "./operation.ts";
import { logLine, page, reason } from "./parts.ts";

export const probeView = named(
  "ProbeView",
  object(
    {
      id: about("Of the thing: its name, and a hash of its arguments. The subject of its events.", text),
      probe: text,
      args: anyJson,
      state: about(
        "`resting`: nobody waits, so nobody looks. `waiting`: a look is due, and no worker can take it.",
        oneOf("looking", "waiting", "failing", "resting"),
      ),
      waiting: about("Waits that listen to it, and whether a trigger does.", integer(0)),
      triggers: flag,
      looks: integer(0),
      changes: integer(0),
      value: about("`null`: nothing was there at the last look that succeeded.", anyJson),
      failures: integer(0),
    },
    {
      reason: about("Why it is `waiting` or `failing`.", reason),
      everyMs: about(
        "From one look to the next, in ms; absent: no project has the probe any more.",
        number(),
      ),
      changedAt: time,
      lookedAt: time,
      nextAt: time,
      error: object({ code: text, message: text }),
    },
  ),
);
export type ProbeView = TypeOf<typeof probeView>;

export const probeLogEntry = about(
  "A line of a look's log.",
  named(
    "ProbeLogEntry",
    object(
      { ...logLine.required, look: about("Which look at the thing it was.", integer(0)) },
      { ...logLine.optional },
    ),
  ),
);
export type ProbeLogEntry = TypeOf<typeof probeLogEntry>;

export const probeOperations = {
  listProbes: operation({
    method: "GET",
    path: "/probes",
    summary:
      "What probes look at, those that somebody waits for first: what is there, who waits, how the last look went",
    answer: page(probeView),
  }),
  listProbeLogs: operation({
    method: "GET",
    path: "/probes/:name/logs",
    summary: "What looks at a thing have logged, the oldest first",
    query: {
      args: textParameter("The probe's arguments, as JSON; none unless given"),
      since: timeParameter("Logged then (RFC 3339) or later; in the last day unless given"),
      cursor,
      limit: limit("how many at most", pageSizeMax, pageSizeMax),
    },
    answer: page(probeLogEntry),
  }),
} as const;
