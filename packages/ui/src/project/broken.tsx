/** The project's files can't be loaded: why, where, and what goes on meanwhile. */
import type { ProjectErrorView, ProjectView } from "@millrace/protocol";
import { Clock } from "../parts/time.tsx";
import { CodeFrame } from "./code-frame.tsx";
import { EditorLink } from "./editor-link.tsx";
import "../styles/project.css";

export function Broken({ project }: { readonly project: ProjectView }) {
  const [first, ...others] = project.errors;
  if (!first) return null;
  return (
    <section className="broken" role="alert" aria-label="The project can't be loaded">
      <h2>
        <span aria-hidden="true">✕</span> Your files can't be loaded
        <span className="quiet">
          {project.running ? (
            <>
              still running the version from <Clock at={project.running.at} />
            </>
          ) : (
            "nothing is deployed yet"
          )}
        </span>
      </h2>
      <Fault error={first} />
      {others.length > 0 && (
        <details>
          <summary>{restText(project)}</summary>
          {others.map((error, at) => (
            <Fault key={at} error={error} />
          ))}
        </details>
      )}
    </section>
  );
}

function Fault({ error: { code, message, advice, place, frame } }: { readonly error: ProjectErrorView }) {
  return (
    <div className="fault">
      <p>
        {place && (
          <>
            <EditorLink place={place} />{" "}
          </>
        )}
        <strong>{message}</strong>
      </p>
      {frame !== undefined && <CodeFrame text={frame} />}
      <p className="quiet">
        {advice} <code>{code}</code>
      </p>
    </div>
  );
}

function restText({ errorCount, errors }: ProjectView): string {
  const rest = errorCount - 1;
  const shown = errors.length - 1;
  const more = `${rest} more ${rest === 1 ? "error" : "errors"}`;
  return shown < rest ? `${more}, of which ${shown} are here` : more;
}
