/** Which triggers looked at an event, and what each decided. */
import { Link } from "@tanstack/react-router";
import type { TriggerDecision, TriggerDecisions } from "@millrace/protocol";

interface Look {
  readonly mark: string;
  readonly kind: string;
  readonly word: string;
}

const looks: { readonly [verdict: string]: Look } = {
  member: { mark: "✓", kind: "good", word: "fired" },
  fires: { mark: "✓", kind: "good", word: "would fire" },
  gathered: { mark: "◔", kind: "busy", word: "gathered" },
  gathers: { mark: "◔", kind: "busy", word: "would count" },
  paused: { mark: "‖", kind: "warn", word: "paused" },
  unread: { mark: "○", kind: "off", word: "not read yet" },
  refused: { mark: "✕", kind: "bad", word: "refused" },
};

export function Decisions({
  told,
  position,
}: {
  readonly told: TriggerDecisions;
  /** Of the entry; absent where it is not recorded yet. */
  readonly position?: string;
}) {
  const { decisions, unasked, others, othersAreMore } = told;
  return (
    <>
      {decisions.length === 0 && <p className="quiet">No trigger asks for events of its type.</p>}
      <ul className="decisions">
        {decisions.map((decision) => (
          <Decision key={decision.pipeline} decision={decision} position={position} />
        ))}
      </ul>
      {unasked.length > 0 && (
        <p className="quiet">
          Not asked in time:{" "}
          {unasked.slice(0, 20).map((pipeline, at) => (
            <span key={pipeline}>
              {at > 0 && ", "}
              <Link
                to="/triggers/$pipeline"
                params={{ pipeline }}
                search={position === undefined ? {} : { event: position }}
              >
                {pipeline}
              </Link>
            </span>
          ))}
          {unasked.length > 20 && ` and ${unasked.length - 20} others`}
        </p>
      )}
      {others > 0 && (
        <p className="quiet">
          {others === 1
            ? "One other trigger asks"
            : `${others}${othersAreMore ? "+" : ""} other triggers ask`}{" "}
          for other types, or for time alone.
        </p>
      )}
    </>
  );
}

function Decision({
  decision,
  position,
}: {
  readonly decision: TriggerDecision;
  readonly position: string | undefined;
}) {
  const { pipeline, verdict, text, keys = [] } = decision;
  const { mark, kind, word } = looks[verdict] ?? {
    mark: "–",
    kind: "off",
    word: verdict.replaceAll("_", " "),
  };
  const [key] = keys;
  return (
    <li>
      <span className={`state ${kind}`}>
        <span className="mark" aria-hidden="true">
          {mark}
        </span>
        <span>{word}</span>
      </span>
      <span>
        <Link
          to="/triggers/$pipeline"
          params={{ pipeline }}
          search={{
            ...(position === undefined ? {} : { event: position }),
            ...(keys.length === 1 && key !== undefined && key !== "" ? { key } : {}),
          }}
        >
          {pipeline}
        </Link>
        : {text}
        {keys.length > 0 && <span className="quiet"> (key {keys.join(", ")})</span>}
      </span>
    </li>
  );
}
