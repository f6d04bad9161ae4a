/** Shapes of what a run tells of itself beyond its state, in `/api/v1`; `api.ts` lists the other routes. */
import type { PipelineDefinition } from "@millrace/core";
import type { LogEntry, TaskRunState } from "./api.ts";

/** `GET /runs/:id/definition`: the pipeline as it is in the bundle that the run has. */
export interface RunDefinitionView {
  readonly bundle: string;
  readonly definition: PipelineDefinition;
}

/** What `POST /runs/:id/rerun` and `/mark` answer with `preview: true`: what they would affect; nothing is changed. */
export interface RunChangePreview {
  readonly run: string;
  /** The generation that would be made; absent where the run goes on. */
  readonly generation?: number;
  /** The code that it would have, where that is another one than now. */
  readonly newBundle?: string;
  /** Starts afresh, or is decided again, in the graph's order; and how many task runs that are. */
  readonly again: readonly AffectedNodeView[];
  readonly againCount: number;
  /** Keeps its state and its output. */
  readonly stays: readonly AffectedNodeView[];
  readonly staysCount: number;
  /** Nodes that begin for the first time. */
  readonly added: readonly string[];
  /** Nodes that the newer code does not have any more. */
  readonly gone: readonly string[];
  /** Of a mark: what would get its state. */
  readonly marked?: { readonly node: string; readonly item: string };
}
export interface AffectedNodeView {
  readonly node: string;
  readonly taskRuns: number;
  /** The first ones of a node with items. */
  readonly items?: readonly string[];
  /** How many are in which state now. */
  readonly states: { readonly [state in TaskRunState]?: number };
}

/** `GET /runs/:id/lines`: a stretch of a run's log, in the order in which it came. */
export interface LogLinesView {
  readonly items: readonly LogEntry[];
  /** The place before the first of them; what was looked at, where there is none. To go on with `order=backward`. */
  readonly before: string;
  /** The place after the last of them, to go on forward: also when more comes. */
  readonly after: string;
  /** Whether the end of the log (forward) or its beginning (backward) was not reached. */
  readonly hasMore: boolean;
  /** When the lines came that were looked at last; absent where there were none. */
  readonly lookedAt?: string;
}
