/** What `dev` and `run` and the worker's process tell each other, over the channel that ties their lives together. */
import type { WorkerEvent, WorkerOptions } from "@millrace/worker";

export interface StartWorkerMessage {
  readonly kind: "start";
  readonly options: Omit<WorkerOptions, "onEvent" | "environment">;
}

export type WorkerProcessMessage =
  /** It listens: a message that came earlier would have been lost. */
  | { readonly kind: "awake" }
  | { readonly kind: "event"; readonly event: WorkerEvent }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly advice: string };
