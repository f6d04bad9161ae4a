/** A state as colour, shape and word: the same everywhere, also in grey (the command line has the same marks). */
import type { RunState, TaskRunState } from "@millrace/protocol";

export type AnyState = RunState | TaskRunState | "paused";

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly kind: "good" | "busy" | "wait" | "warn" | "bad" | "off";
}

const looks: { readonly [state in AnyState]: Look } = {
  pending: { mark: "·", word: "pending", kind: "off" },
  queued: { mark: "○", word: "queued", kind: "off" },
  running: { mark: "◐", word: "running", kind: "busy" },
  waiting: { mark: "◷", word: "waiting", kind: "wait" },
  retrying: { mark: "↻", word: "retrying", kind: "warn" },
  succeeded: { mark: "●", word: "succeeded", kind: "good" },
  failed: { mark: "✕", word: "failed", kind: "bad" },
  upstream_failed: { mark: "✕", word: "upstream failed", kind: "off" },
  skipped: { mark: "–", word: "skipped", kind: "off" },
  cancelled: { mark: "⊘", word: "cancelled", kind: "off" },
  superseded: { mark: "⤳", word: "superseded", kind: "off" },
  quarantined: { mark: "!", word: "quarantined", kind: "bad" },
  paused: { mark: "‖", word: "paused", kind: "warn" },
};

export function stateWord(state: AnyState): string {
  return looks[state].word;
}

export function stateMark(state: AnyState): string {
  return looks[state].mark;
}

export function stateKind(state: AnyState): Look["kind"] {
  return looks[state].kind;
}

/** `isBare`: the mark alone; its word is told to who does not see it. */
export function State({ state, isBare = false }: { readonly state: AnyState; readonly isBare?: boolean }) {
  const { mark, word, kind } = looks[state];
  return (
    <span className={`state ${kind} ${state}`} title={word}>
      <span className="mark" aria-hidden="true">
        {mark}
      </span>
      <span className={isBare ? "unseen" : undefined}>{word}</span>
    </span>
  );
}
