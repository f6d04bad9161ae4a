import {
  about,
  byKind,
  flag,
  integer,
  list,
  named,
  number,
  object,
  oneOf,
  text,
  time,
  yes,
  type TypeOf,
} from "../shape.ts";
import { numberParameter, operation } from "./operation.ts";
import { counted, reason } from "./parts.ts";
import { runState } from "./run.ts";
import { poolView, queueView } from "./server.ts";

export const failedRunView = named(
  "FailedRunView",
  object(
    { run: text, pipeline: text, at: time, message: text },
    { node: about("The node that failed first.", text) },
  ),
);
export type FailedRunView = TypeOf<typeof failedRunView>;

export const attentionView = about(
  "What needs a person, the worst first in `Overview.attention`.",
  named(
    "AttentionView",
    byKind({
      runs_failed: about(
        "Runs of one pipeline that failed in the last hours, and were not run again.",
        object({
          pipeline: text,
          runs: counted,
          last: failedRunView,
          isRecovered: about("A newer run of the pipeline succeeded.", flag),
        }),
      ),
      runs_quarantined: object({ runs: counted, newest: list(failedRunView) }),
      queue_without_worker: about(
        "Task runs wait, and no worker takes them.",
        object({ queue: text, tasks: counted }),
      ),
      source_failing: object({ source: text, message: text }, { since: time }),
      trigger_looped: about(
        "Its firings go round in a circle, and start no runs.",
        object({ pipeline: text, at: time, path: list(text), times: counted }),
      ),
      runs_late: about(
        "They run more than twice as long as the longest of the last ones that succeeded.",
        object({
          pipeline: text,
          runs: counted,
          oldest: object({ run: text, since: time }),
          usualMs: number(),
        }),
      ),
      assets_stale: about(
        "They are older than their `freshness` allows.",
        object({
          count: integer(0),
          assets: about(
            "The most overdue first; some of them.",
            list(object({ asset: text, updatedAt: time, maxAgeMs: number() })),
          ),
        }),
      ),
      waits_troubled: about(
        "They may wait in vain.",
        object({ text, waits: counted, trouble: reason, run: text, pipeline: text, node: text }),
      ),
      approvals_open: object({
        approvals: counted,
        oldest: object(
          { id: text, pipeline: text, node: text, run: text, since: time },
          { title: text, timeoutAt: time },
        ),
      }),
      pipeline_paused: object({ pipeline: text, byOperator: flag }, { since: time }),
      source_paused: object({ source: text }, { since: time }),
    }),
  ),
);
export type AttentionView = TypeOf<typeof attentionView>;

export const waitGroupView = about(
  "Waits for one thing, among those that were looked at.",
  named(
    "WaitGroupView",
    object(
      {
        kind: oneOf("event", "approval", "time"),
        text: about("What is awaited, in words, without the values that differ between them.", text),
        waits: integer(0),
        pipelines: about(
          "Those with most of them, by name.",
          list(object({ pipeline: text, waits: integer(0) })),
        ),
        oldest: object({ run: text, node: text, item: text, since: time }),
      },
      { nextTimeoutAt: about("When the next one ends by its time.", time) },
    ),
  ),
);
export type WaitGroupView = TypeOf<typeof waitGroupView>;

export const overview = named(
  "Overview",
  object(
    {
      at: time,
      attention: list(attentionView),
      failuresSince: about("How far back failures were looked for.", text),
      runs: object({ queued: counted, running: counted, waiting: counted, quarantined: counted }),
      approvals: counted,
      waits: object({
        total: counted,
        groups: about("Of the waits that began first and last.", list(waitGroupView)),
        looked: integer(0),
      }),
      load: object({
        servers: integer(0),
        workers: integer(0),
        draining: integer(0),
        slots: integer(0),
        busy: integer(0),
        queues: list(queueView),
        pools: list(poolView),
      }),
    },
    {
      lateAt: about("When something more will be late, if nothing happens until then.", time),
      lastFailure: about(
        "The last failure of a run that is remembered; absent: none in the last days.",
        failedRunView,
      ),
    },
  ),
);
export type Overview = TypeOf<typeof overview>;

export const runBlockView = about(
  "A run on the time axis.",
  named(
    "RunBlockView",
    object(
      { id: text, pipeline: text, state: runState, generation: integer(0), createdAt: time },
      { startedAt: time, endedAt: time, reason: text },
    ),
  ),
);
export type RunBlockView = TypeOf<typeof runBlockView>;

export const timelineView = about(
  "The last and the next hours.",
  named(
    "TimelineView",
    object(
      {
        from: text,
        now: text,
        until: text,
        runs: list(runBlockView),
        ticks: about(
          "What calendars start next; `ticksUntil`: a trigger has others after it.",
          list(object({ pipeline: text, at: time })),
        ),
        events: about(
          "The newest events from outside, and the first instant from which all are here.",
          list(object({ position: integer(0), type: text, at: time }, { subject: text })),
        ),
        pace: about(
          "Entries of the log in each stretch of `paceMs` from `from` on; the last stretch has not ended.",
          list(number()),
        ),
        paceMs: number(),
      },
      {
        endedOfStretch: about(
          "Where there are too many ended runs: so many of each stretch of `paceMs` are here, and those that failed.",
          integer(0),
        ),
        areLiveMore: about("Of running and of waiting ones, there are others.", yes),
        ticksUntil: text,
      },
    ),
  ),
);
export type TimelineView = TypeOf<typeof timelineView>;

/** Hours of the timeline. */
export const timelineHours = 3;
const timelineHoursMax = 24;

export const overviewOperations = {
  getOverview: operation({
    method: "GET",
    path: "/overview",
    summary:
      "Whether all is well: what needs a person, what waits and for what, how busy workers and pools are",
    answer: overview,
  }),
  getTimeline: operation({
    method: "GET",
    path: "/timeline",
    summary: "The last and the next hours: runs, what calendars start next, events",
    query: {
      hours: numberParameter(
        `how many hours back; ${timelineHours} when absent, and 1 while the log is younger than that`,
        1,
        timelineHoursMax,
      ),
    },
    answer: timelineView,
  }),
} as const;
