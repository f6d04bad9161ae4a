/** What engines of different nodes tell each other through the inbox. All of it is JSON. */
import type { RunMessage } from "@millrace/core";
import type { DispatchToken, StepName } from "@millrace/protocol";
import type { EventRow } from "@millrace/store";
import type { LimitInboxMessage } from "./limit-host.ts";
import type { OfferInboxMessage } from "./offers.ts";
import type { ProbeWantedMessage } from "./probe/probe-host.ts";
import type { LookEndedMessage } from "./probe/probe-looks.ts";

/** A person's or a parent's command to a run, or news about one of its dispatches. */
export type RunInboxMessage = {
  readonly kind: "run";
  readonly runId: string;
  /** The only one that it means; absent where the message's token says so, or where any is meant. */
  readonly generation?: number;
  readonly message: Extract<
    RunMessage,
    {
      kind:
        | "cancel"
        | "cancel_node"
        | "mark"
        | "child_ended"
        | "result"
        | "lost"
        | "call_failed"
        | "returned"
        | "suspended"
        | "step";
    }
  >;
  /** Of a step: the worker that waits for it to be recorded. */
  readonly worker?: string;
};

/** For the log's owner. */
export type EventsInboxMessage =
  | { readonly kind: "events"; readonly events: readonly EventRow[] }
  | { readonly kind: "log_clock"; readonly to: number };

/** For the log's owner: the outbox has rows. */
export type OutboxInboxMessage = { readonly kind: "outbox" };

/** For the node that a worker is connected to: the run's owner has recorded this step. */
export interface RecordedInboxMessage {
  readonly kind: "recorded";
  readonly workerId: string;
  readonly token: DispatchToken;
  readonly step: StepName;
}

/** A person's wish: the run goes on with this bundle, if it can as it stands. */
export interface MoveInboxMessage {
  readonly kind: "move";
  readonly runId: string;
  readonly generation: number;
  readonly bundle: string;
  /** Task runs whose functions come to the same steps and waits with its code, with the last record that was there then. */
  readonly rehearsed: readonly RehearsedName[];
}

export interface RehearsedName {
  readonly node: string;
  readonly item: string;
  readonly generation: number;
  readonly seq: number;
}

export type InboxContent =
  | RunInboxMessage
  | MoveInboxMessage
  | RecordedInboxMessage
  | LimitInboxMessage
  | OfferInboxMessage
  | EventsInboxMessage
  | OutboxInboxMessage
  | ProbeWantedMessage
  | LookEndedMessage;
