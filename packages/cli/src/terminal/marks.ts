/** A state's shape and colour: the same here as in the page. */
import { stateMarks, type RunState, type TaskRunState } from "@millrace/protocol";
import type { Colors } from "./terminal.ts";

export type AnyState = RunState | TaskRunState;

const colors: { readonly [state in AnyState]: "green" | "red" | "yellow" | "cyan" | "dim" } = {
  pending: "dim",
  queued: "dim",
  running: "cyan",
  waiting: "dim",
  retrying: "yellow",
  succeeded: "green",
  failed: "red",
  upstream_failed: "dim",
  skipped: "dim",
  cancelled: "yellow",
  superseded: "dim",
  quarantined: "red",
};

export function stateWord(state: AnyState): string {
  return stateMarks[state].word;
}

export function paintState(state: AnyState, text: string, paint: Colors): string {
  return paint[colors[state]](text);
}

/** The mark in its colour. */
export function stateMark(state: AnyState, paint: Colors): string {
  return paintState(state, stateMarks[state].mark, paint);
}

/** The mark and the word. */
export function stateLabel(state: AnyState, paint: Colors): string {
  return paintState(state, `${stateMarks[state].mark} ${stateMarks[state].word}`, paint);
}
