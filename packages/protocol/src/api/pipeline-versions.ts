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
import { needed, numberParameter, operation, textParameter } from "./operation.ts";
import { page } from "./parts.ts";
import { runState } from "./run.ts";

export const recentView = about(
  "For a list of pipelines: what `GET /pipelines/recent` says of one.",
  named(
    "RecentView",
    object(
      {
        pipeline: text,
        runs: about("The newest first.", list(object({ id: text, state: runState, createdAt: time }))),
      },
      { nextDue: about("When time alone decides next, where its trigger has no keys.", text) },
    ),
  ),
);
export type RecentView = TypeOf<typeof recentView>;

export const nextTickView = about(
  "An instant at which a schedule in a pipeline's trigger ticks: alone it starts a run.",
  named(
    "NextTickView",
    object(
      { at: time },
      { operand: about("The schedule's name within the condition, where it has one.", text) },
    ),
  ),
);
export type NextTickView = TypeOf<typeof nextTickView>;

export const versionPlace = named(
  "VersionPlace",
  object({ deployment: integer(0), bundle: text, createdAt: time }),
);
export type VersionPlace = TypeOf<typeof versionPlace>;

export const valueChange = about(
  "One value that differs; absent where that side does not have it. Long ones are told by their first characters, as a text.",
  named(
    "ValueChange",
    object({ path: about("`options.retry.retries`.", text) }, { before: anyJson, after: anyJson }),
  ),
);
export type ValueChange = TypeOf<typeof valueChange>;

export const sourceFileChange = named(
  "SourceFileChange",
  object({ file: text, change: oneOf("added", "removed", "changed") }),
);
export type SourceFileChange = TypeOf<typeof sourceFileChange>;

export const pipelineChanges = about(
  "What a later deployment changed of a pipeline. Where a declaration stands in its file is no difference.",
  named(
    "PipelineChanges",
    object(
      {
        to: versionPlace,
        nodes: object({
          added: list(text),
          removed: list(text),
          changed: list(object({ id: text, changes: list(valueChange) })),
        }),
        triggerChanges: list(valueChange),
        params: list(valueChange),
        options: about("All else: description, tags, limits, regions, output.", list(valueChange)),
        files: about(
          "Files of the project in the bundles of both, where these are kept and differ.",
          list(sourceFileChange),
        ),
      },
      {
        from: about("Absent where no earlier deployment has the pipeline.", versionPlace),
        trigger: about(
          "In words, where it differs; absent on a side that has none.",
          object({}, { before: text, after: text }),
        ),
        isCut: yes,
      },
    ),
  ),
);
export type PipelineChanges = TypeOf<typeof pipelineChanges>;

export const pipelineSource = about(
  "A file of a pipeline's project as it was loaded.",
  named(
    "PipelineSource",
    object(
      {
        ...versionPlace.required,
        files: about("The project's own files in the bundle.", list(text)),
        file: text,
        text,
      },
      { ...versionPlace.optional, isCut: about("Only its beginning is told.", yes) },
    ),
  ),
);
export type PipelineSource = TypeOf<typeof pipelineSource>;

const deployment = (description: string) => numberParameter(description, 1, 2_147_483_647);

export const pipelineVersionOperations = {
  listRecentRuns: operation({
    method: "GET",
    path: "/pipelines/recent",
    summary: "The newest runs of some pipelines, and when time alone may start the next",
    query: { names: needed(textParameter("Names, with commas between them: 100 at most")) },
    answer: page(recentView),
  }),
  listNextTicks: operation({
    method: "GET",
    path: "/pipelines/:name/next",
    summary: "The next instants of the schedules in its trigger, also while it is paused",
    answer: page(nextTickView),
  }),
  getPipelineChanges: operation({
    method: "GET",
    path: "/pipelines/:name/changes",
    summary: "What a deployment changed of a pipeline: nodes, trigger, parameters, options, files",
    query: {
      from: deployment(
        "The number of the earlier deployment; the last one before in which it was other, when absent",
      ),
      to: deployment("The number of the later deployment; the newest that has it, when absent"),
    },
    answer: pipelineChanges,
  }),
  getPipelineSource: operation({
    method: "GET",
    path: "/pipelines/:name/source",
    summary: "A file of its project as it was loaded, out of the bundle",
    query: {
      file: textParameter(
        "Its path below the project's root; the file that declares the pipeline, when absent",
      ),
      deployment: deployment("As of this deployment's number; the newest that has the pipeline, when absent"),
    },
    answer: pipelineSource,
  }),
} as const;
