/** What a trigger fired, and what became of each firing. */
import { unreachable } from "@millrace/core";
import { Link } from "@tanstack/react-router";
import type { FiringView } from "@millrace/protocol";
import { Clock } from "../../parts/time.tsx";

export function Firings({ firings }: { readonly firings: readonly FiringView[] | undefined }) {
  if (!firings) return <p className="quiet">Reading…</p>;
  if (firings.length === 0) return <p className="quiet">It has not fired.</p>;
  return (
    <ul className="firings">
      {firings.map((firing) => (
        <li key={firing.id}>
          <Clock at={firing.at} />
          <span className="cut" title={firing.id}>
            {[firing.key, firing.partition].filter(Boolean).join(" · ")}
            {firing.revision > 1 && <span className="quiet"> revision {firing.revision}</span>}
            {firing.incomplete && <span className="warn-text"> incomplete</span>}
          </span>
          <span className="number quiet">
            {firing.memberCount === 1 ? "1 member" : `${firing.memberCount} members`}
          </span>
          <FiringOutcome firing={firing} />
        </li>
      ))}
    </ul>
  );
}

export function FiringOutcome({ firing }: { readonly firing: FiringView }) {
  const { state, runId, mergedInto, reason } = firing;
  switch (state) {
    case "started":
      return <span>started {runId !== undefined && <RunLink run={runId} />}</span>;
    case "waiting":
      return <span className="quiet">waits for a slot of its pipeline</span>;
    case "merged":
      return (
        <span className="quiet">merged into {mergedInto !== undefined && <RunLink run={mergedInto} />}</span>
      );
    case "superseded": {
      const by = reason?.fields?.["run"];
      return (
        <span className="quiet">
          superseded by {typeof by === "string" ? <RunLink run={by} /> : "a later one"}
        </span>
      );
    }
    case "refused":
      return <span className="bad-text">no run: {reason?.message}</span>;
    default:
      return unreachable(state);
  }
}

function RunLink({ run }: { readonly run: string }) {
  return (
    <Link to="/runs/$run" params={{ run }} className="mono">
      {run}
    </Link>
  );
}
