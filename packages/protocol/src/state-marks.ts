/** A state's shape and word: the same in the terminal and in the page. */
import type { RunState, TaskRunState } from "./api/run.ts";

export interface StateMark {
  readonly mark: string;
  readonly word: string;
}

export const stateMarks: { readonly [state in RunState | TaskRunState]: StateMark } = {
  pending: { mark: "·", word: "pending" },
  queued: { mark: "○", word: "queued" },
  running: { mark: "◐", word: "running" },
  waiting: { mark: "◷", word: "waiting" },
  retrying: { mark: "↻", word: "retrying" },
  succeeded: { mark: "●", word: "succeeded" },
  failed: { mark: "✕", word: "failed" },
  upstream_failed: { mark: "✕", word: "upstream failed" },
  skipped: { mark: "–", word: "skipped" },
  cancelled: { mark: "⊘", word: "cancelled" },
  superseded: { mark: "⤳", word: "superseded" },
  quarantined: { mark: "!", word: "quarantined" },
};
