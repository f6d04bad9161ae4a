import {
  about,
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
import { assetPartitionView, assetUpdateView } from "./asset.ts";
import { firingMemberView } from "./firing.ts";
import { choiceParameter, cursor, limit, operation, textParameter, timeParameter } from "./operation.ts";
import { page } from "./parts.ts";
import { runState } from "./run.ts";

const lineageKinds = ["asset", "pipeline", "event", "source", "webhook", "probe", "outside"] as const;
export const lineageKind = about(
  "`source`: files that are watched. `outside`: a system that told something and of which no more is known than that name.",
  named("LineageKind", oneOf(...lineageKinds)),
);
export type LineageKind = TypeOf<typeof lineageKind>;

export const lineageNode = named(
  "LineageNode",
  object(
    { id: about("Its kind and its name.", text), kind: lineageKind, name: text },
    {
      freshness: about("Of an asset that should be fresh.", oneOf("fresh", "stale", "never")),
      updatedAt: about("Of an asset.", time),
      schedule: about("Of a pipeline that starts by schedule, in words.", text),
      paused: yes,
    },
  ),
);
export type LineageNode = TypeOf<typeof lineageNode>;

export const lineageTie = about(
  "What the first does to the second; an asset that a pipeline reads may start it, too.",
  named("LineageTie", oneOf("writes", "reads", "starts", "calls", "tells", "made of")),
);
export type LineageTie = TypeOf<typeof lineageTie>;

export const lineageEdge = named("LineageEdge", object({ from: text, to: text, ties: list(lineageTie) }));
export type LineageEdge = TypeOf<typeof lineageEdge>;

export const lineageView = about(
  "`GET /lineage`: assets and pipelines with what leads into them, as far as it is known.",
  named(
    "LineageView",
    object(
      { nodes: list(lineageNode), edges: list(lineageEdge) },
      { isCut: about("There are more than were asked for.", yes) },
    ),
  ),
);
export type LineageView = TypeOf<typeof lineageView>;

export const versionCause = named(
  "VersionCause",
  object(
    {
      revision: integer(0),
      members: about("The first ones.", list(firingMemberView)),
      memberCount: integer(0),
    },
    {
      key: about(
        "The firing of the run's trigger; absent where somebody started it by hand, or a run called it.",
        text,
      ),
    },
  ),
);
export type VersionCause = TypeOf<typeof versionCause>;

export const assetVersionView = about(
  "One version of an asset, or of one of its partitions, with what made its run begin.",
  named(
    "AssetVersionView",
    object({ ...assetUpdateView.required }, { ...assetUpdateView.optional, because: versionCause }),
  ),
);
export type AssetVersionView = TypeOf<typeof assetVersionView>;

export const assetVersionsPage = about(
  "`GET /assets/:asset/versions`.",
  named(
    "AssetVersionsPage",
    object(
      { ...page(assetVersionView).required },
      {
        ...page(assetVersionView).optional,
        current: about(
          "Of the partition that was named: what its last update told. Absent: nothing is known of it.",
          assetPartitionView,
        ),
      },
    ),
  ),
);
export type AssetVersionsPage = TypeOf<typeof assetVersionsPage>;

export const tickOutcome = named(
  "TickOutcome",
  object(
    { at: about("The tick.", time) },
    {
      run: text,
      state: about("Absent where the run's history is gone.", runState),
      createdAt: time,
      startedAt: time,
      endedAt: time,
      reason: about("Why no run of its own began.", text),
    },
  ),
);
export type TickOutcome = TypeOf<typeof tickOutcome>;

export const scheduleRunsView = about(
  "What became of the ticks of one pipeline's schedules.",
  named(
    "ScheduleRunsView",
    object(
      {
        pipeline: text,
        since: about("Ticks before this were nobody's: its trigger is as it is since then.", time),
        ticks: about(
          "The newest ones in the span, in their order; `ticksAreMore` where there are earlier ones.",
          list(tickOutcome),
        ),
      },
      {
        pausedSince: text,
        maxActiveRuns: integer(0),
        took: about(
          "How long its last runs took that succeeded; absent where there is none.",
          object({ p50Ms: number(), p95Ms: number(), runs: integer(0) }),
        ),
        ticksAreMore: yes,
      },
    ),
  ),
);
export type ScheduleRunsView = TypeOf<typeof scheduleRunsView>;

const lane = textParameter("Of this lane; live unless given");
/** Nodes of a graph, and how far it reaches from what it is around. */
const lineageNodes = 400;
const lineageNodesMax = 2_000;
const lineageDepth = 4;
const lineageDepthMax = 30;
const versionsOfAssetMax = 50;

export const lineageOperations = {
  getLineage: operation({
    method: "GET",
    path: "/lineage",
    summary:
      "What leads into assets and what they lead to: sources, webhooks, events, pipelines and other assets, as far as known",
    query: {
      around: textParameter("Only what is tied to this one, by its name"),
      kind: choiceParameter("What `around` names; an asset unless given", lineageKinds),
      depth: limit("How many ties away, both ways", lineageDepthMax, lineageDepth),
      limit: limit("how many nodes", lineageNodesMax, lineageNodes),
      lane,
    },
    answer: lineageView,
  }),
  listAssetVersions: operation({
    method: "GET",
    path: "/assets/:asset/versions",
    summary:
      "Updates of an asset or of one partition, the newest first, with what made their runs begin; a page may be short",
    query: {
      partition: textParameter("Of this partition only, in any spelling of its key"),
      lane,
      cursor,
      limit: limit("how many", versionsOfAssetMax, versionsOfAssetMax),
    },
    answer: assetVersionsPage,
  }),
  listScheduleRuns: operation({
    method: "GET",
    path: "/schedules/runs",
    summary: "Pipelines with schedules, by name, each with what its ticks in a span of time started",
    query: {
      from: timeParameter(
        "Ticks at this time or later; a day before `to` unless given, 40 days before it at most",
      ),
      to: timeParameter("Ticks before this time; now unless given"),
      ticks: limit("how many ticks of each pipeline: the last ones", 1_000, 200),
      cursor,
      limit: limit("how many pipelines"),
    },
    answer: page(scheduleRunsView),
  }),
} as const;
