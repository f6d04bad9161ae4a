/** What is done with several runs at once: each is told before, and what was refused afterwards. */
import { useState } from "react";
import type { RunSummary } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { countOf } from "../../parts/number-text.ts";
import { State } from "../../parts/state.tsx";

interface BulkProps {
  readonly chosen: readonly RunSummary[];
  /** How many were read of the list. */
  readonly read: number;
  readonly onAll: () => void;
  readonly onClear: () => void;
}

interface Outcome {
  readonly done: number;
  readonly refused: readonly { readonly run: RunSummary; readonly message: string }[];
}

const changes = ["runs", "run", "overview", "pipelines"] as const;
/** Requests under way at once. */
const atOnce = 4;

export function Bulk({ chosen, read, onAll, onClear }: BulkProps) {
  const [outcome, setOutcome] = useState<Outcome>();
  const open = chosen.filter(({ endedAt }) => endedAt === undefined);
  const unwell = chosen.filter(({ endedAt, state }) => endedAt !== undefined && state !== "succeeded");
  const ended = (told: Outcome): void => {
    setOutcome(told);
    onClear();
  };
  if (chosen.length === 0) return outcome && <Told outcome={outcome} onClose={() => setOutcome(undefined)} />;
  return (
    <div className="bulk" role="group" aria-label="Of the chosen runs">
      <span>{countOf(chosen.length, "run")} chosen</span>
      {open.length > 0 && (
        <Ask
          name={`Cancel ${open.length}…`}
          title={`Cancel ${countOf(open.length, "run")}?`}
          confirm="Cancel them"
          act={() => forEach(open, (path) => post(`${path}/cancel`))}
          changes={changes}
          onDone={ended}
        >
          <Preview runs={open} left={chosen.length - open.length} why="ended already" />
          <p>
            Attempts that run are told to stop; nodes that have not begun are cancelled. Teardowns still run.
          </p>
        </Ask>
      )}
      {unwell.length > 0 && (
        <Ask
          name={`Rerun what failed in ${unwell.length}…`}
          title={`Rerun what failed in ${countOf(unwell.length, "run")}?`}
          confirm="Rerun them"
          act={() => forEach(unwell, (path) => post(`${path}/rerun`, { scope: "failed" }))}
          changes={changes}
          onDone={ended}
        >
          <Preview runs={unwell} left={chosen.length - unwell.length} why="succeeded, or are under way" />
          <p>
            What did not succeed and all that comes after it runs again, with the newest deployed code, as the
            next generation of each run.
          </p>
        </Ask>
      )}
      {read > chosen.length && (
        <button type="button" className="button" onClick={onAll}>
          All {read} that are read
        </button>
      )}
      <button type="button" className="button" onClick={onClear}>
        None of them
      </button>
    </div>
  );
}

const shown = 8;

interface PreviewProps {
  readonly runs: readonly RunSummary[];
  /** Of the chosen ones. */
  readonly left: number;
  readonly why: string;
}

function Preview({ runs, left, why }: PreviewProps) {
  return (
    <>
      <ul>
        {runs.slice(0, shown).map(({ id, pipeline, state }) => (
          <li key={id}>
            <State state={state} isBare /> {pipeline} <span className="mono quiet">{id}</span>
          </li>
        ))}
      </ul>
      {runs.length > shown && <p className="quiet">… and {runs.length - shown} more.</p>}
      {left > 0 && (
        <p className="quiet">
          {countOf(left, "other is", "others are")} left as {left === 1 ? "it is" : "they are"}: they {why}.
        </p>
      )}
    </>
  );
}

function Told({ outcome, onClose }: { readonly outcome: Outcome; readonly onClose: () => void }) {
  const { done, refused } = outcome;
  return (
    <div className={refused.length > 0 ? "note bad" : "note"} role="status">
      <p>
        {countOf(done, "run")} done{refused.length > 0 && `, ${refused.length} refused`}.{" "}
        <button type="button" className="fold link" onClick={onClose}>
          Good
        </button>
      </p>
      {refused.slice(0, shown).map(({ run, message }) => (
        <p key={run.id}>
          <span className="mono">{run.id}</span>: {message}
        </p>
      ))}
    </div>
  );
}

async function forEach(
  runs: readonly RunSummary[],
  act: (path: `/runs/${string}`) => Promise<unknown>,
): Promise<Outcome> {
  const rest = runs.values();
  const refused: { run: RunSummary; message: string }[] = [];
  const work = async (): Promise<void> => {
    for (const run of rest)
      await act(`/runs/${encodeURIComponent(run.id)}`).catch((error: unknown) => {
        refused.push({ run, message: error instanceof Error ? error.message : String(error) });
      });
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { done: runs.length - refused.length, refused };
}
