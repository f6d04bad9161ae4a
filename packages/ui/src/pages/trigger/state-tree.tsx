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

interface StateTreeProps {
  readonly state: ExplanationView;
  /** Operands that the chosen moment changed, by their paths. */
  readonly changed?: ReadonlySet<string>;
}

export function StateTree({ state, changed }: StateTreeProps) {
  return (
    <ul className="state-tree">
      <Operand state={state} changed={changed} path="" />
    </ul>
  );
}

interface OperandProps {
  readonly state: ExplanationView;
  readonly changed: ReadonlySet<string> | undefined;
  readonly path: string;
}

function Operand({ state, changed, path }: OperandProps) {
  const { kind, name, text, members = [], memberCount = members.length, since, due, of = [] } = state;
  const { mark, word, kind: look } = looks[state.state];
  const shown = members.slice(-membersShown);
  return (
    <li>
      <div className={changed?.has(path) ? "operand changed" : "operand"}>
        <span className={`state ${look}`}>
          <span className="mark" aria-hidden="true">
            {mark}
          </span>
          <span>{word}</span>
        </span>
        <strong>
          {name ?? kind.replaceAll("_", " ")}
          {changed?.has(path) && <span className="unseen"> changed</span>}
        </strong>
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
            <Operand
              key={`${at} ${inner.name ?? inner.kind}`}
              state={inner}
              changed={changed}
              path={path === "" ? String(at) : `${path}.${at}`}
            />
          ))}
        </ul>
      )}
    </li>
  );
}
