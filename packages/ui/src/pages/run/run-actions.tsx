/** What can be done with a run here; each says what it will affect before it acts. */
import type { RerunRequest, RunSummary } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { isUnderWay } from "./use-run.ts";

/** What is old after any of them. */
const runChanges = ["run", "runs"] as const;

export function RunActions({ run }: { readonly run: RunSummary }) {
  const path = `/runs/${encodeURIComponent(run.id)}` as const;
  if (isUnderWay(run))
    return (
      <Ask
        name="Cancel…"
        title="Cancel the run?"
        confirm="Cancel the run"
        act={() => post(`${path}/cancel`)}
        changes={runChanges}
      >
        <p>
          Attempts that run are told to stop; nodes that have not begun are cancelled. Teardowns still run.
        </p>
      </Ask>
    );
  return (
    <>
      {run.state !== "succeeded" && (
        <Ask
          name="Rerun what failed…"
          title="Rerun from what failed?"
          confirm="Rerun what failed"
          isMain
          act={() => post(`${path}/rerun`, { scope: "failed" } satisfies RerunRequest)}
          changes={runChanges}
        >
          <p>
            What did not succeed and all that comes after it runs again, as the next generation of this run,
            with the newest deployed code. Outputs of the other nodes are used again.
          </p>
        </Ask>
      )}
      <Ask
        name="Rerun all…"
        title="Rerun the whole run?"
        confirm="Rerun all"
        act={() => post(`${path}/rerun`, { scope: "all" } satisfies RerunRequest)}
        changes={runChanges}
      >
        <p>
          Every node runs again, as the next generation of this run, with the newest deployed code. Earlier
          generations stay readable.
        </p>
      </Ask>
    </>
  );
}
