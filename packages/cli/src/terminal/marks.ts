/** A state's shape and colour: the same here as in the page. */
import type { RunState, TaskRunState } from "@millrace/protocol";
import type { Colors } from "./terminal.ts";

export type AnyState = RunState | TaskRunState;

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly color: "green" | "red" | "yellow" | "cyan" | "dim";
}

const looks: { readonly [state in AnyState]: Look } = {
  pending: { mark: "·", word: "pending", color: "dim" },
  queued: { mark: "○", word: "queued", color: "dim" },
  running: { mark: "◐", word: "running", color: "cyan" },
  waiting: { mark: "◷", word: "waiting", color: "dim" },
  retrying: { mark: "↻", word: "retrying", color: "yellow" },
  succeeded: { mark: "●", word: "succeeded", color: "green" },
  failed: { mark: "✕", word: "failed", color: "red" },
  upstream_failed: { mark: "✕", word: "upstream failed", color: "dim" },
  skipped: { mark: "–", word: "skipped", color: "dim" },
  cancelled: { mark: "⊘", word: "cancelled", color: "yellow" },
  superseded: { mark: "⤳", word: "superseded", color: "dim" },
  quarantined: { mark: "!", word: "quarantined", color: "red" },
};

export function stateWord(state: AnyState): string {
  return looks[state].word;
}

export function paintState(state: AnyState, text: string, paint: Colors): string {
  const { color } = looks[state];
  return paint[color](text);
}

/** The mark in its colour. */
export function stateMark(state: AnyState, paint: Colors): string {
  return paintState(state, looks[state].mark, paint);
}

/** The mark and the word. */
export function stateLabel(state: AnyState, paint: Colors): string {
  return paintState(state, `${looks[state].mark} ${looks[state].word}`, paint);
}
