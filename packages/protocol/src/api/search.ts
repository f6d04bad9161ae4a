import { about, flag, list, named, object, oneOf, text, time, type TypeOf } from "../shape.ts";
import { limit, needed, operation, textParameter } from "./operation.ts";
import { runState } from "./run.ts";

export const searchKinds = [
  "pipeline",
  "trigger",
  "schedule",
  "run",
  "asset",
  "event",
  "worker",
  "queue",
  "pool",
] as const;

export const searchKind = named("SearchKind", oneOf(...searchKinds));
export type SearchKind = TypeOf<typeof searchKind>;

export const searchHit = named(
  "SearchHit",
  object(
    {
      kind: searchKind,
      id: about("What its own address ends in: a name, a run's id, a position of the log.", text),
      name: about("What people call it.", text),
    },
    {
      about: about(
        "In a few words, what it is: of a run its pipeline, of an event its type and subject.",
        text,
      ),
      state: about("Of a run.", runState),
      at: about("Of a run and an event.", time),
      paused: about("Of a pipeline.", flag),
    },
  ),
);
export type SearchHit = TypeOf<typeof searchHit>;

export const searchAnswer = named(
  "SearchAnswer",
  object({
    items: about("Kind by kind, the nearest of each first.", list(searchHit)),
    more: about("Of these kinds there are others.", list(searchKind)),
  }),
);
export type SearchAnswer = TypeOf<typeof searchAnswer>;

/** A search's text, and hits of one kind. */
export const searchTextMax = 200;
const searchHits = 6;
const searchHitsMax = 50;

export const searchOperations = {
  search: operation({
    method: "GET",
    path: "/search",
    summary:
      "What has such a name: pipelines, their triggers and schedules, assets, workers, queues and pools by a part of it, runs by the beginning of their id, events by their id or position",
    query: {
      q: needed(textParameter(`the text, up to ${searchTextMax} characters`)),
      kinds: textParameter(`of these kinds alone, with commas between them: ${searchKinds.join(", ")}`),
      limit: limit("how many of each kind", searchHitsMax, searchHits),
    },
    answer: searchAnswer,
  }),
} as const;
