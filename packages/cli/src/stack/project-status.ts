/**
 * What `millrace dev` tells of the project to whoever asks: the page, and `GET /api/v1/project`.
 *
 * T1: an error stays until the files can be loaded again, and then goes.
 * T2: what is told is bounded, however many errors and changes there are.
 */
import { relative } from "node:path";
import {
  MillraceError,
  type PipelineDefinition,
  type ProjectDefinition,
  type SourceLocation,
} from "@millrace/core";
import type {
  DeployResponse,
  ProjectChangeView,
  ProjectErrorView,
  ProjectPlace,
  ProjectView,
} from "@millrace/protocol";
import type { ProjectSource } from "@millrace/server";
import { firstSteps } from "../project-template/first-steps.ts";
import { asMillraceError } from "../terminal/print-error.ts";
import { pipelineChanges } from "./project-change.ts";

const errorsTold = 20;
const pipelinesTold = 20;
const filesTold = 20;

export interface RunningVersion {
  readonly deployment: number;
  readonly pipelines: readonly string[];
  readonly at: Date;
}

export interface TakenUp {
  readonly response: DeployResponse;
  readonly running: RunningVersion;
  /** Absent where the server knew these very files. */
  readonly definition: ProjectDefinition | undefined;
  /** Empty at the start. */
  readonly files: readonly string[];
  readonly ms: number;
}

export class ProjectStatus implements ProjectSource {
  readonly #root: string;
  readonly #editor: string;
  readonly #listeners = new Set<(view: ProjectView) => void>();
  #name: string | undefined;
  #definitions: ReadonlyMap<string, PipelineDefinition> | undefined;
  #state: ProjectView["state"] = "loading";
  #running: RunningVersion | undefined;
  #change: ProjectChangeView | undefined;
  #errors: readonly ProjectErrorView[] = [];
  #view: ProjectView | undefined;

  /** `editor`: an address with `{path}`, `{line}` and `{column}`. */
  constructor(root: string, editor: string) {
    this.#root = root;
    this.#editor = editor;
  }

  view(): ProjectView {
    this.#view ??= this.#makeView();
    return this.#view;
  }

  /** Somebody looks at the page. */
  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  listen(listener: (view: ProjectView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  takenUp({ response, running, definition, files, ms }: TakenUp): void {
    const after = definition && new Map(definition.pipelines.map((one) => [one.name, one]));
    if (files.length > 0) {
      const pipelines = pipelineChanges(response, this.#definitions, after);
      this.#change = {
        at: new Date().toISOString(),
        deployment: response.deployment,
        ms: Math.round(ms),
        files: files.slice(0, filesTold).map((file) => this.#below(file)),
        pipelines: pipelines.slice(0, pipelinesTold),
        pipelineCount: pipelines.length,
      };
    }
    // The server knows these files: it is what was described last, or what an earlier session described.
    if (after) this.#definitions = after;
    this.#name = response.project;
    this.#running = running;
    this.#errors = [];
    this.#tell("current");
  }

  broken(error: unknown, running: RunningVersion | undefined): void {
    this.#running = running;
    this.#errors = errorsOf(asMillraceError(error)).map((one) => this.#errorView(one));
    this.#tell("broken");
  }

  #tell(state: ProjectView["state"]): void {
    this.#state = state;
    this.#view = undefined;
    const view = this.view();
    for (const listener of this.#listeners) listener(view);
  }

  #makeView(): ProjectView {
    const steps = this.#state === "loading" ? undefined : firstSteps(this.#root);
    return {
      ...(this.#name === undefined ? {} : { name: this.#name }),
      folder: this.#root,
      state: this.#state,
      ...(this.#running && {
        running: {
          deployment: this.#running.deployment,
          at: this.#running.at.toISOString(),
          pipelines: this.#running.pipelines.length,
        },
      }),
      ...(this.#change && { change: this.#change }),
      errors: this.#errors.slice(0, errorsTold),
      errorCount: this.#errors.length,
      editor: this.#editor,
      ...(steps && { firstSteps: steps }),
    };
  }

  #errorView({ code, message, advice, source, fields }: MillraceError): ProjectErrorView {
    const { frame } = fields;
    return {
      code,
      message: source ? withoutPlace(message, source) : message,
      advice,
      ...(source && { place: this.#placeOf(source) }),
      ...(typeof frame === "string" ? { frame } : {}),
    };
  }

  #placeOf({ file, line, column }: SourceLocation): ProjectPlace {
    return { file: this.#below(file), line, ...(column === undefined ? {} : { column }) };
  }

  /** Some places are whole paths already. */
  #below(file: string): string {
    const below = file.startsWith("/") ? relative(this.#root, file) : file;
    return below === "" ? "." : below;
  }
}

/** The place is told beside. */
function withoutPlace(message: string, { file, line }: SourceLocation): string {
  for (const start of [`${file}:${line}`, file])
    for (const says of [" could not be loaded: ", ": "])
      if (message.startsWith(`${start}${says}`)) return message.slice(start.length + says.length);
  return message;
}

/** One error of ours may stand for several. */
function errorsOf(error: MillraceError): MillraceError[] {
  const { others } = error.fields;
  return Array.isArray(others) ? [error, ...others.map((other) => asMillraceError(other))] : [error];
}
