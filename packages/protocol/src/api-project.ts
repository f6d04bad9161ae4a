/** Shapes of what `millrace dev` says of the project whose files it follows, in `/api/v1/project`. */

/** A place in a file of the project. */
export interface ProjectPlace {
  /** Below the project's folder, with `/`. */
  readonly file: string;
  /** From 1; 0 where only the file is known. */
  readonly line: number;
  readonly column?: number;
}

export interface ProjectErrorView {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  readonly place?: ProjectPlace;
  /** The lines around the place, numbered, with a caret below it. */
  readonly frame?: string;
}

/** What a save did to one pipeline. */
export interface PipelineChangeView {
  readonly name: string;
  readonly kind: "added" | "changed" | "retired";
  /** Names of nodes. */
  readonly addedNodes: readonly string[];
  readonly changedNodes: readonly string[];
  readonly removedNodes: readonly string[];
  /** What starts it is another than before. */
  readonly isTriggerChanged: boolean;
}

export interface ProjectChangeView {
  readonly at: string;
  readonly deployment: number;
  /** From the save until it was in force. */
  readonly ms: number;
  readonly files: readonly string[];
  /** Empty where the graphs are as they were: code of tasks alone changed. Bounded; `pipelineCount` counts all. */
  readonly pipelines: readonly PipelineChangeView[];
  readonly pipelineCount: number;
}

/** A thing to try in a new project, until it was done. */
export interface FirstStepView {
  /** What comes of it. */
  readonly why: string;
  readonly from: string;
  readonly to: string;
  /** For a terminal, once it was saved. */
  readonly command?: string;
  /** Where it is to be done; absent once it was. */
  readonly place?: ProjectPlace;
}

export interface FirstStepsView {
  readonly pipeline: string;
  /** Where it says what starts the pipeline. */
  readonly trigger: ProjectPlace;
  /** Those lines. */
  readonly frame: string;
  readonly steps: readonly FirstStepView[];
}

export interface ProjectView {
  /** Absent before its configuration was read. */
  readonly name?: string;
  /** The project's folder, as a whole path. */
  readonly folder: string;
  /** `broken`: its files can't be loaded, and `running` goes on. */
  readonly state: "loading" | "current" | "broken";
  /** The version that is in force. */
  readonly running?: {
    readonly deployment: number;
    readonly at: string;
    readonly pipelines: number;
  };
  /** The last save of this session that was taken up. */
  readonly change?: ProjectChangeView;
  /** Why the files can't be loaded. Bounded; `errorCount` counts all. */
  readonly errors: readonly ProjectErrorView[];
  readonly errorCount: number;
  /** The address that opens a file in the reader's editor, with `{path}`, `{line}` and `{column}` to be filled in. */
  readonly editor: string;
  /** In a new project. */
  readonly firstSteps?: FirstStepsView;
}
