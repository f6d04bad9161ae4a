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
  type TypeOf,
} from "../shape.ts";
import { operation } from "./operation.ts";

export const serverNodeView = about(
  "Shapes of what the server knows of itself and its database, in `/api/v1`.",
  named(
    "ServerNodeView",
    object(
      {
        id: text,
        name: text,
        version: text,
        state: about(
          "`silent`: its lease is over, and nobody took its shards yet.",
          oneOf("live", "silent", "gone"),
        ),
        isThis: about("The one that answers.", flag),
        startedAt: time,
        leaseUntil: text,
        shards: integer(0),
      },
      {
        url: about("Absent where it was not told its address.", text),
        behind: about("Entries of the log that its triggers and waits were not told yet.", integer(0)),
      },
    ),
  ),
);
export type ServerNodeView = TypeOf<typeof serverNodeView>;

export const tableView = named(
  "TableView",
  object(
    {
      name: text,
      bytes: integer(0),
      indexBytes: integer(0),
      partitions: about("Days that have a part of their own.", integer(0)),
    },
    { rows: about("As the database estimates it.", integer(0)) },
  ),
);
export type TableView = TypeOf<typeof tableView>;

export const checkView = about(
  "What was looked at, and what to do about it: as `millrace doctor` tells it.",
  named(
    "CheckView",
    object({ name: text, verdict: oneOf("ok", "warn", "fail"), finding: text }, { advice: text }),
  ),
);
export type CheckView = TypeOf<typeof checkView>;

export const systemView = named(
  "SystemView",
  object({
    at: time,
    version: text,
    nodes: list(serverNodeView),
    shards: integer(0),
    database: object({
      version: text,
      embedded: flag,
      bytes: integer(0),
      connections: integer(0),
      connectionsMax: integer(0),
      tables: list(tableView),
    }),
    log: object(
      {
        position: about("Of the last entry; 0 where there is none.", integer(0)),
        behind: about("Entries that the slowest server has not told to its triggers and waits.", integer(0)),
        inbox: about("Messages between shards that were not taken yet; counted up to 10,000.", integer(0)),
      },
      { clock: about("No later entry is recorded before.", text), since: time },
    ),
    retention: object({
      historyDays: about("Of runs, their logs and artifacts.", number()),
      events: about("Of entries of the log, by their class.", list(object({ name: text, days: number() }))),
    }),
    checks: list(checkView),
  }),
);
export type SystemView = TypeOf<typeof systemView>;

export const systemOperations = {
  getSystem: operation({
    method: "GET",
    path: "/system",
    summary: "Servers and their shards, the database by table, the event log's head, retention, findings",
    answer: systemView,
  }),
} as const;
