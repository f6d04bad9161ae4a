import type { SourceKind, WebhookKind } from "@millrace/core";
import {
  about,
  flag,
  integer,
  list,
  named,
  number,
  object,
  oneOf,
  text,
  time,
  typed,
  yes,
  type TypeOf,
} from "../shape.ts";
import { operation } from "./operation.ts";
import { page, sourceLocation } from "./parts.ts";

export const webhookView = named(
  "WebhookView",
  object(
    {
      name: text,
      project: text,
      kind: typed<WebhookKind>(text),
      address: about(
        "Where senders deliver; without the server's own address, where it was not told its public one.",
        text,
      ),
      missingSecrets: about("Environment variables that it names and the server does not have.", list(text)),
    },
    { source: sourceLocation },
  ),
);
export type WebhookView = TypeOf<typeof webhookView>;

const sourceProblem = named("SourceProblem", object({ code: text, message: text, advice: text }));

export const sourceView = named(
  "SourceView",
  object(
    {
      name: text,
      project: text,
      kind: typed<SourceKind>(text),
      reads: about("What it reads, in words: a folder and a glob.", text),
      state: about(
        "`waiting`: no server has taken it up yet.",
        oneOf("waiting", "starting", "running", "failing", "paused", "stopped"),
      ),
      paused: flag,
      events: about("Events so far, and when the last one was told.", integer(0)),
      remembered: about("Things that were told and are there: files.", integer(0)),
      settling: about("Things that may still change.", integer(0)),
      waiting: about("Things that wait for something else, such as a marker.", integer(0)),
    },
    {
      since: about("Since when it has this state.", time),
      lastEventAt: time,
      lastScan: about(
        "When all of it was looked at last, how long that took, and what was there.",
        object({ at: time, tookMs: number(), things: integer(0) }),
      ),
      error: about("Why it fails; or what is wrong, while it goes on.", sourceProblem),
      problem: sourceProblem,
      source: sourceLocation,
    },
  ),
);
export type SourceView = TypeOf<typeof sourceView>;

export const deliveryReceipt = about(
  "What became of a delivery.",
  named(
    "DeliveryReceipt",
    object(
      {},
      {
        position: integer(0),
        duplicate: about("It came before.", yes),
        accepted: about("It is durable, and another server will put it into the log.", yes),
        invalid: about(
          "Why it does not fit its webhook or its type's declaration: it is kept, and starts nothing. Not told of a repeat.",
          text,
        ),
        conflict: about(
          "Another body came before under the same name, at this position: this one is kept, and starts nothing.",
          integer(0),
        ),
      },
    ),
  ),
);
export type DeliveryReceipt = TypeOf<typeof deliveryReceipt>;

export const sourceOperations = {
  listWebhooks: operation({
    method: "GET",
    path: "/webhooks",
    summary: "The webhooks of all projects, with their addresses and the secrets that this server lacks",
    answer: page(webhookView),
  }),
  listSources: operation({
    method: "GET",
    path: "/sources",
    summary: "The sources of all projects: how they do, and what they told",
    answer: page(sourceView),
  }),
  getSource: operation({
    method: "GET",
    path: "/sources/:name",
    summary: "A source: how it does, and what it told",
    answer: sourceView,
  }),
  pauseSource: operation({
    method: "POST",
    path: "/sources/:name/pause",
    summary: "Reads no more until it is resumed; holds over deploys",
    answer: sourceView,
  }),
  resumeSource: operation({
    method: "POST",
    path: "/sources/:name/resume",
    summary: "Reads again, first what came during the pause; holds over deploys",
    answer: sourceView,
  }),
} as const;
