/** What tabs and their shared worker say to each other. */

/** `log`: entries of the event log as they come. `activity`: that runs changed. `project`: what `millrace dev` says of its files. `run:ID`, `run-logs:ID`: what happens to a run. */
export type Topic = "log" | "activity" | "project" | `run:${string}` | `run-logs:${string}`;

export type ToWorker =
  | { readonly kind: "subscribe"; readonly topic: Topic; readonly token: string | undefined }
  | { readonly kind: "unsubscribe"; readonly topic: Topic }
  /** The tab closes. */
  | { readonly kind: "leave" };

export type ToTab =
  | { readonly kind: "data"; readonly topic: Topic; readonly data: unknown }
  /** Whether the connection is open. */
  | { readonly kind: "link"; readonly isOpen: boolean };
