/** A new project's page: the run that was made already, why it was made, by which line of code, and what to try next. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { FirstStepsView, FirstStepView } from "@millrace/protocol";
import { one } from "../api/queries.ts";
import { useProject } from "../api/project.ts";
import { CopyText } from "../parts/copy-text.tsx";
import { State } from "../parts/state.tsx";
import { Took } from "../parts/time.tsx";
import { Because } from "../pages/run/because.tsx";
import { CodeFrame } from "./code-frame.tsx";
import { EditorLink } from "./editor-link.tsx";
import "../styles/project.css";

const putAwayName = "millrace-first-steps";

export function FirstSteps() {
  const project = useProject();
  const [isAway, setAway] = useState(() => localStorage.getItem(putAwayName) !== null);
  const steps = project?.firstSteps;
  if (!steps || isAway) return null;
  return (
    <section className="first-steps block" aria-label="First steps">
      <div className="block-head">
        <h2>Your first pipeline</h2>
        <button
          type="button"
          className="fold quiet"
          onClick={() => {
            localStorage.setItem(putAwayName, new Date().toISOString());
            setAway(true);
          }}
        >
          put away
        </button>
      </div>
      <div className="first-parts">
        <Made steps={steps} />
        <div>
          <h3>Try next, and save: this page shows it within a second</h3>
          <ol>
            {steps.steps.map((step) => (
              <Step key={step.from} step={step} />
            ))}
          </ol>
        </div>
      </div>
    </section>
  );
}

function Made({ steps: { pipeline, trigger, frame } }: { readonly steps: FirstStepsView }) {
  const { data } = useQuery(one("runs", "/runs", { pipeline, limit: 1 }));
  const run = data?.items[0];
  return (
    <div>
      {run ? (
        <>
          <p>
            <State state={run.state} />{" "}
            <Link to="/pipelines/$pipeline" params={{ pipeline }}>
              {pipeline}
            </Link>{" "}
            <Link to="/runs/$run" params={{ run: run.id }} className="mono">
              {run.id}
            </Link>{" "}
            <span className="quiet">
              <Took from={run.startedAt ?? run.createdAt} to={run.endedAt} />
            </span>
          </p>
          <Because run={run} />
        </>
      ) : (
        <p className="quiet">
          Its first run begins as soon as three files of <code>data/inbox</code> were seen.
        </p>
      )}
      <p>
        What starts it stands in <EditorLink place={trigger} />:
      </p>
      <CodeFrame text={frame} />
    </div>
  );
}

function Step({ step: { from, to, why, command, place } }: { readonly step: FirstStepView }) {
  return (
    <li className={place ? undefined : "done"}>
      <p>
        <span aria-hidden="true">{place ? "○" : "●"}</span>{" "}
        {place ? (
          <>
            In <EditorLink place={place} /> turn <code>{from}</code> into <code>{to}</code>.
          </>
        ) : (
          <>
            <code>{to}</code> is in force.
          </>
        )}{" "}
        {why}
      </p>
      {command !== undefined && <CopyText text={command} />}
    </li>
  );
}
