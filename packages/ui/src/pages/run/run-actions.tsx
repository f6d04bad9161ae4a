/** What can be done with a run here; each says what it will affect before it acts. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { RerunRequest, RunSummary } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { isUnderWay } from "./use-run.ts";

export function RunActions({ run }: { readonly run: RunSummary }) {
  const path = `/runs/${encodeURIComponent(run.id)}`;
  if (isUnderWay(run))
    return (
      <Action
        name="Cancel…"
        title="Cancel the run?"
        text="Attempts that run are told to stop; nodes that have not begun are cancelled. Teardowns still run."
        confirm="Cancel the run"
        act={() => post(`${path}/cancel`)}
      />
    );
  const failed = run.state === "succeeded" ? undefined : "failed";
  return (
    <>
      {failed && (
        <Action
          name="Rerun what failed…"
          title="Rerun from what failed?"
          text="What did not succeed and all that comes after it runs again, as the next generation of this run, with the newest deployed code. Outputs of the other nodes are used again."
          confirm="Rerun what failed"
          isMain
          act={() => post(`${path}/rerun`, { scope: "failed" } satisfies RerunRequest)}
        />
      )}
      <Action
        name="Rerun all…"
        title="Rerun the whole run?"
        text="Every node runs again, as the next generation of this run, with the newest deployed code. Earlier generations stay readable."
        confirm="Rerun all"
        act={() => post(`${path}/rerun`, { scope: "all" } satisfies RerunRequest)}
      />
    </>
  );
}

interface ActionProps {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly isMain?: boolean;
  readonly act: () => Promise<unknown>;
}

function Action({ name, title, text, confirm, isMain = false, act }: ActionProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const { mutate, error, isPending, reset } = useMutation({
    mutationFn: act,
    onSuccess: () => {
      dialog.current?.close();
      void queries.invalidateQueries({ queryKey: ["run"] });
      void queries.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  return (
    <>
      <button
        type="button"
        className={isMain ? "button primary" : "button"}
        onClick={() => {
          reset();
          dialog.current?.showModal();
        }}
      >
        {name}
      </button>
      <dialog ref={dialog} aria-label={title}>
        <h2>{title}</h2>
        <p>{text}</p>
        {error && <Trouble error={error} />}
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
          <button type="button" className="button primary" disabled={isPending} onClick={() => mutate()}>
            {isPending ? "…" : confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
