/** Every attempt of a task run, with what became of it and why. */
import { Link } from "@tanstack/react-router";
import type { AttemptView, TaskRunView } from "@millrace/protocol";
import { Clock, Took } from "../../parts/time.tsx";
import { firstLine } from "./sentence.ts";

const words: { readonly [state in AttemptView["state"]]: string } = {
  running: "runs",
  succeeded: "succeeded",
  failed: "failed",
  skipped: "skipped",
  cancelled: "cancelled",
  lost: "was lost with its worker, and repeated",
  suspended: "gave its slot back while it waits",
};

interface AttemptsProps {
  readonly run: string;
  readonly taskRun: TaskRunView;
}

export function Attempts({ run, taskRun }: AttemptsProps) {
  const { attempts, generation, id, item } = taskRun;
  if (attempts.length === 0) return null;
  const hasEarlier = attempts.some((attempt) => attempt.generation !== generation);
  return (
    <section>
      <h3>{attempts.length === 1 ? "Attempt" : `${attempts.length} attempts`}</h3>
      <ol className="attempts">
        {attempts.map((attempt) => {
          const { attempt: number, state, startedAt, endedAt, worker, error } = attempt;
          return (
            <li key={`${attempt.generation}.${number}.${attempt.dispatch}`}>
              {hasEarlier && <span className="quiet">generation {attempt.generation}, </span>}
              attempt {number} {words[state]} · <Clock at={startedAt} /> ·{" "}
              <Took from={startedAt} to={endedAt} />
              {worker !== undefined && (
                <span className="quiet">
                  {" · "}
                  <Link to="/workers">{worker.slice(0, 8)}</Link>
                </span>
              )}{" "}
              <Link
                to="/runs/$run"
                params={{ run }}
                search={({ at: _at, ...before }) => ({
                  ...before,
                  tab: "logs",
                  node: id,
                  ...(item === "" ? {} : { item }),
                })}
              >
                logs
              </Link>
              {error && (
                <details>
                  <summary className={state === "failed" ? "bad-text" : "quiet"}>
                    {error.name}: {firstLine(error.message)}
                  </summary>
                  <pre className="stack">{error.stack ?? error.message}</pre>
                  {error.cause !== undefined && <pre className="stack">caused by {error.cause}</pre>}
                </details>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
