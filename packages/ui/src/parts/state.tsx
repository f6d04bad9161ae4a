/** A state as colour, shape and word: the same everywhere, also in grey (the command line has the same marks). */
import { stateMarks, type RunState, type StateMark, type TaskRunState } from "@millrace/protocol";

export type AnyState = RunState | TaskRunState | "paused";

type Kind = "good" | "busy" | "wait" | "warn" | "bad" | "off";

const kinds: { readonly [state in AnyState]: Kind } = {
  pending: "off",
  queued: "off",
  running: "busy",
  waiting: "wait",
  retrying: "warn",
  succeeded: "good",
  failed: "bad",
  upstream_failed: "off",
  skipped: "off",
  cancelled: "off",
  superseded: "off",
  quarantined: "bad",
  paused: "warn",
};

const marks: { readonly [state in AnyState]: StateMark } = {
  ...stateMarks,
  paused: { mark: "‖", word: "paused" },
};

export function stateWord(state: AnyState): string {
  return marks[state].word;
}

export function stateMark(state: AnyState): string {
  return marks[state].mark;
}

export function stateKind(state: AnyState): Kind {
  return kinds[state];
}

/** `isBare`: the mark alone; its word is told to who does not see it. */
export function State({ state, isBare = false }: { readonly state: AnyState; readonly isBare?: boolean }) {
  const { mark, word } = marks[state];
  return (
    <span className={`state ${kinds[state]} ${state}`} title={word}>
      <span className="mark" aria-hidden="true">
        {mark}
      </span>
      <span className={isBare ? "unseen" : undefined}>{word}</span>
    </span>
  );
}
