import {
  about,
  anyJson,
  closed,
  flag,
  integer,
  jsonSchema,
  list,
  named,
  object,
  oneOf,
  storable,
  text,
  time,
  type TypeOf,
} from "../shape.ts";
import { choiceParameter, operation, paging, textParameter } from "./operation.ts";
import { blobReference, page, reason } from "./parts.ts";
import { explanationView } from "./trigger.ts";

export const openWaitView = about(
  "Something that a task run waits for and has not got.",
  named(
    "OpenWaitView",
    object(
      {
        kind: oneOf("event", "approval", "time", "call"),
        text: about('What it waits for: `an event order.paid where data.orderId = "7"`.', text),
      },
      {
        name: about("Of task code: the wait's name, and the how manieth of that name it is.", text),
        occurrence: integer(0),
        since: about("Absent of a call.", time),
        timeoutAt: about("When it ends without that.", time),
        state: about(
          "What a condition has gathered, and waits for, where that is more than its beginning.",
          explanationView,
        ),
        trouble: about(
          "Why it may wait in vain: what a probe should look at is not looked at, or its looks fail.",
          reason,
        ),
        approval: about("Of an approval: its id.", text),
        childRunId: about("Of a call: the run that it started.", text),
      },
    ),
  ),
);
export type OpenWaitView = TypeOf<typeof openWaitView>;

export const waitView = about(
  "An open wait among those of all runs.",
  named(
    "WaitView",
    object(
      { ...openWaitView.required, run: text, pipeline: text, node: text, item: text },
      { ...openWaitView.optional },
    ),
  ),
);
export type WaitView = TypeOf<typeof waitView>;

export const endedWaitView = about(
  "A wait that an event was one of those to end.",
  named(
    "EndedWaitView",
    object(
      { run: text, node: text, item: text, generation: integer(0), at: time },
      {
        pipeline: about("Absent where the run's history is gone.", text),
        name: about("Of task code: the wait's name, and the how manieth of that name it is.", text),
        occurrence: integer(0),
      },
    ),
  ),
);
export type EndedWaitView = TypeOf<typeof endedWaitView>;

export const stepView = about(
  "What a task's function has recorded: a step that finished, or a wait that ended.",
  named(
    "StepView",
    object(
      {
        node: text,
        item: text,
        generation: integer(0),
        kind: oneOf("step", "wait"),
        name: text,
        occurrence: integer(0),
        attempt: integer(0),
        at: time,
        outcome: oneOf("value", "timeout", "error"),
      },
      {
        value: anyJson,
        valueBlob: about("Set in place of `value` when that is too large to send along.", blobReference),
        error: object({ name: text, message: text }, { code: text }),
      },
    ),
  ),
);
export type StepView = TypeOf<typeof stepView>;

export const approvalAnswerView = named(
  "ApprovalAnswerView",
  object({ approved: flag, by: text, at: time }, { note: text, form: anyJson }),
);
export type ApprovalAnswerView = TypeOf<typeof approvalAnswerView>;

export const approvalView = about(
  "What a person is asked.",
  named(
    "ApprovalView",
    object(
      {
        id: about("`RUN/NODE[ITEM]:GENERATION`; of task code with the wait's occurrence and name.", text),
        run: text,
        pipeline: text,
        node: text,
        item: text,
        since: time,
        state: about("`closed`: it ended without an answer.", oneOf("open", "answered", "closed")),
      },
      {
        title: text,
        details: about("What the person is shown.", anyJson),
        by: about("Who may answer; anybody, if absent.", list(text)),
        form: about("What is entered with an approval.", jsonSchema),
        timeoutAt: about("Until when an answer counts.", time),
        answer: approvalAnswerView,
      },
    ),
  ),
);
export type ApprovalView = TypeOf<typeof approvalView>;

export const answerRequest = named(
  "AnswerRequest",
  closed(
    object(
      { approved: flag },
      {
        by: about("Who answers; `local` when nobody says.", storable),
        note: storable,
        form: about("What the approval's form asks for.", anyJson),
      },
    ),
  ),
);
export type AnswerRequest = TypeOf<typeof answerRequest>;

export const waitOperations = {
  listWaits: operation({
    method: "GET",
    path: "/waits",
    summary:
      "What runs wait for; with a filter a page may hold less than its limit and still have a next one",
    query: {
      pipeline: textParameter("Of this pipeline only"),
      kind: choiceParameter("Of this kind only", ["event", "approval", "time"]),
      type: textParameter("Those that ask for events of this type only"),
      ...paging,
    },
    answer: page(waitView),
  }),
  listRunSteps: operation({
    method: "GET",
    path: "/runs/:id/steps",
    summary: "What a run's functions have recorded: steps that finished, waits that ended",
    query: { node: textParameter("Of this node only"), ...paging },
    answer: page(stepView),
  }),
  listApprovals: operation({
    method: "GET",
    path: "/approvals",
    summary: "What waits for a person's answer, the oldest first; or what was answered, the newest first",
    query: {
      state: choiceParameter("`open`, or `answered`; open ones when absent", ["open", "answered"]),
      pipeline: textParameter("Of this pipeline only"),
      ...paging,
    },
    answer: page(approvalView),
  }),
  getApproval: operation({
    method: "GET",
    path: "/approvals/:id",
    summary: "One approval: what is asked, and what was answered",
    answer: approvalView,
  }),
  answerApproval: operation({
    method: "POST",
    path: "/approvals/:id",
    summary: "Answers an approval; the first answer counts",
    body: answerRequest,
    answer: approvalView,
    also: { 202: "Kept, and another server has not recorded it yet" },
  }),
} as const;
