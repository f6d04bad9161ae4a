import { about, flag, integer, list, named, object, oneOf, text, time, type TypeOf } from "../shape.ts";
import { operation } from "./operation.ts";

export const projectPlace = about(
  "A place in a file of the project.",
  named(
    "ProjectPlace",
    object(
      {
        file: about("Below the project's folder, with `/`.", text),
        line: about("From 1; 0 where only the file is known.", integer(0)),
      },
      { column: integer(0) },
    ),
  ),
);
export type ProjectPlace = TypeOf<typeof projectPlace>;

export const projectErrorView = named(
  "ProjectErrorView",
  object(
    { code: text, message: text, advice: text },
    {
      place: projectPlace,
      frame: about("The lines around the place, numbered, with a caret below it.", text),
    },
  ),
);
export type ProjectErrorView = TypeOf<typeof projectErrorView>;

export const pipelineChangeView = about(
  "What a save did to one pipeline.",
  named(
    "PipelineChangeView",
    object({
      name: text,
      kind: oneOf("added", "changed", "retired"),
      addedNodes: about("Names of nodes.", list(text)),
      changedNodes: list(text),
      removedNodes: list(text),
      isTriggerChanged: about("What starts it is another than before.", flag),
    }),
  ),
);
export type PipelineChangeView = TypeOf<typeof pipelineChangeView>;

export const projectChangeView = named(
  "ProjectChangeView",
  object({
    at: time,
    deployment: integer(0),
    ms: about("From the save until it was in force.", integer(0)),
    files: list(text),
    pipelines: about(
      "Empty where the graphs are as they were: code of tasks alone changed. Bounded; `pipelineCount` counts all.",
      list(pipelineChangeView),
    ),
    pipelineCount: integer(0),
  }),
);
export type ProjectChangeView = TypeOf<typeof projectChangeView>;

export const firstStepView = about(
  "A thing to try in a new project, until it was done.",
  named(
    "FirstStepView",
    object(
      { why: about("What comes of it.", text), from: text, to: text },
      {
        command: about("For a terminal, once it was saved.", text),
        place: about("Where it is to be done; absent once it was.", projectPlace),
      },
    ),
  ),
);
export type FirstStepView = TypeOf<typeof firstStepView>;

export const firstStepsView = named(
  "FirstStepsView",
  object({
    pipeline: text,
    trigger: about("Where it says what starts the pipeline.", projectPlace),
    frame: about("Those lines.", text),
    steps: list(firstStepView),
  }),
);
export type FirstStepsView = TypeOf<typeof firstStepsView>;

export const projectView = named(
  "ProjectView",
  object(
    {
      folder: about("The project's folder, as a whole path.", text),
      state: about(
        "`broken`: its files can't be loaded, and `running` goes on.",
        oneOf("loading", "current", "broken"),
      ),
      errors: about(
        "Why the files can't be loaded. Bounded; `errorCount` counts all.",
        list(projectErrorView),
      ),
      errorCount: integer(0),
      editor: about(
        "The address that opens a file in the reader's editor, with `{path}`, `{line}` and `{column}` to be filled in.",
        text,
      ),
    },
    {
      name: about("Absent before its configuration was read.", text),
      running: about(
        "The version that is in force.",
        object({ deployment: integer(0), at: time, pipelines: integer(0) }),
      ),
      change: about("The last save of this session that was taken up.", projectChangeView),
      firstSteps: about("In a new project.", firstStepsView),
    },
  ),
);
export type ProjectView = TypeOf<typeof projectView>;

export const projectOperations = {
  getProject: operation({
    method: "GET",
    path: "/project",
    summary: "The project whose files `millrace dev` follows: what runs, what a save changed, what is wrong",
    answer: projectView,
  }),
} as const;
