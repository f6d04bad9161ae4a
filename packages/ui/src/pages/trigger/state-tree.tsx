/** The state of a condition as a tree: each operand with ✓, what it waits for, or why it does not count; and what decided it. */
import type { ExplanationView } from "@millrace/protocol";
import { Clock } from "../../parts/time.tsx";
import { Member } from "./member.tsx";

const looks: {
  readonly [state in ExplanationView["state"]]: {
    readonly mark: string;
    readonly word: string;
    readonly kind: string;
  };
} = {
  held: { mark: "✓", word: "matched", kind: "good" },
  gathering: { mark: "◔", word: "gathering", kind: "busy" },
  waiting: { mark: "◷", word: "waiting", kind: "wait" },
  blocked: { mark: "✕", word: "does not count", kind: "warn" },
};

const membersShown = 5;

export function StateTree({ state }: { readonly state: ExplanationView }) {
  return (
    <ul className="state-tree">
      <Operand state={state} />
    </ul>
  );
}

function Operand({ state }: { readonly state: ExplanationView }) {
  const { kind, name, text, members = [], memberCount = members.length, since, due, of = [] } = state;
  const { mark, word, kind: look } = looks[state.state];
  const shown = members.slice(-membersShown);
  return (
    <li>
      <div className="operand">
        <span className={`state ${look}`}>
          <span className="mark" aria-hidden="true">
            {mark}
          </span>
          <span>{word}</span>
        </span>
        <strong>{name ?? kind.replaceAll("_", " ")}</strong>
        <span>
          {text}
          {since !== undefined && (
            <span className="quiet">
              {" "}
              · since <Clock at={since} />
            </span>
          )}
          {due !== undefined && (
            <span className="quiet">
              {" "}
              · time decides at <Clock at={due} />
            </span>
          )}
        </span>
      </div>
      {shown.length > 0 && (
        <ul className="members">
          {memberCount > shown.length && (
            <li className="quiet">… {memberCount - shown.length} before these</li>
          )}
          {shown.map((member, at) => (
            <li key={`${member.operand} ${member.position ?? member.at ?? at}`}>
              <Member member={member} hasOperand={of.length > 0} />
            </li>
          ))}
        </ul>
      )}
      {of.length > 0 && (
        <ul>
          {of.map((inner, at) => (
            <Operand key={`${at} ${inner.name ?? inner.kind}`} state={inner} />
          ))}
        </ul>
      )}
    </li>
  );
}
