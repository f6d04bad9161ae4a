/** Shapes of waits, steps and approvals in `/api/v1`; `api.ts` lists the routes. */
import type { Json, JsonSchema, Reason } from "@millrace/core";
import type { ExplanationView } from "./api-trigger.ts";

/** Something that a task run waits for and has not got. */
export interface OpenWaitView {
  /** Of task code: the wait's name, and the how manieth of that name it is. */
  readonly name?: string;
  readonly occurrence?: number;
  readonly kind: "event" | "approval" | "time" | "call";
  /** What it waits for: `an event order.paid where data.orderId = "7"`. */
  readonly text: string;
  /** Absent of a call. */
  readonly since?: string;
  /** When it ends without that. */
  readonly timeoutAt?: string;
  /** What a condition has gathered, and waits for, where that is more than its beginning. */
  readonly state?: ExplanationView;
  /** Why it may wait in vain: what a probe should look at is not looked at, or its looks fail. */
  readonly trouble?: Reason;
  /** Of an approval: its id. */
  readonly approval?: string;
  /** Of a call: the run that it started. */
  readonly childRunId?: string;
}
/** An open wait among those of all runs. */
export interface WaitView extends OpenWaitView {
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
}

/** A wait that an event was one of those to end. */
export interface EndedWaitView {
  readonly run: string;
  /** Absent where the run's history is gone. */
  readonly pipeline?: string;
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  /** Of task code: the wait's name, and the how manieth of that name it is. */
  readonly name?: string;
  readonly occurrence?: number;
  readonly at: string;
}

/** What a task's function has recorded: a step that finished, or a wait that ended. */
export interface StepView {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly kind: "step" | "wait";
  readonly name: string;
  readonly occurrence: number;
  readonly attempt: number;
  readonly at: string;
  readonly outcome: "value" | "timeout" | "error";
  readonly value?: Json;
  /** Set in place of `value` when that is too large to send along. */
  readonly valueBlob?: { readonly hash: string; readonly bytes: number };
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
}

/** What a person is asked. */
export interface ApprovalView {
  /** `RUN/NODE[ITEM]:GENERATION`; of task code with the wait's occurrence and name. */
  readonly id: string;
  readonly run: string;
  readonly pipeline: string;
  readonly node: string;
  readonly item: string;
  readonly title?: string;
  /** What the person is shown. */
  readonly details?: Json;
  /** Who may answer; anybody, if absent. */
  readonly by?: readonly string[];
  /** What is entered with an approval. */
  readonly form?: JsonSchema;
  readonly since: string;
  /** Until when an answer counts. */
  readonly timeoutAt?: string;
  /** `closed`: it ended without an answer. */
  readonly state: "open" | "answered" | "closed";
  readonly answer?: ApprovalAnswerView;
}
export interface ApprovalAnswerView {
  readonly approved: boolean;
  readonly by: string;
  readonly at: string;
  readonly note?: string;
  readonly form?: Json;
}
export interface AnswerRequest {
  readonly approved: boolean;
  /** Who answers; `local` when nobody says. */
  readonly by?: string;
  readonly note?: string;
  /** What the approval's form asks for. */
  readonly form?: Json;
}
