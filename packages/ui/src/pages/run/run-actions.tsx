/** What can be done with a run here; each says what it will affect before it acts. */
import { useState } from "react";
import type { Json } from "@millrace/core";
import type { MarkRequest, RerunRequest, RunSummary, TaskRunView } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { ChangePreview } from "./change-preview.tsx";
import { nodeName } from "./sentence.ts";
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
        <Rerun
          run={run}
          name="Rerun what failed…"
          title="Rerun from what failed?"
          confirm="Rerun what failed"
          isMain
          request={{ scope: "failed" }}
        >
          What did not succeed and all that comes after it runs again.
        </Rerun>
      )}
      <Rerun
        run={run}
        name="Rerun all…"
        title="Rerun the whole run?"
        confirm="Rerun all"
        request={{ scope: "all" }}
      >
        Every node runs again.
      </Rerun>
    </>
  );
}

interface RerunProps {
  readonly run: RunSummary;
  readonly name: string;
  readonly title: string;
  readonly confirm: string;
  readonly request: RerunRequest;
  readonly isMain?: boolean;
  /** What runs again, in words. */
  readonly children: string;
}

function Rerun({ run, name, title, confirm, request, isMain = false, children }: RerunProps) {
  const [isSame, setSame] = useState(false);
  const wish = isSame ? { ...request, sameBundle: true } : request;
  return (
    <Ask
      name={name}
      title={title}
      confirm={confirm}
      isMain={isMain}
      act={() => post(`/runs/${encodeURIComponent(run.id)}/rerun`, wish)}
      changes={runChanges}
    >
      <p>{children}</p>
      <ChangePreview run={run.id} path="rerun" request={wish} />
      <label className="choice">
        <input type="checkbox" checked={isSame} onChange={({ target }) => setSame(target.checked)} /> with the
        code that it ran with, not the newest
      </label>
      <p className="quiet">Outputs of what stays are used again; earlier generations stay readable.</p>
    </Ask>
  );
}

/** What can be done with one task run. */
export function TaskRunActions({
  run,
  taskRun,
}: {
  readonly run: RunSummary;
  readonly taskRun: TaskRunView;
}) {
  const { id, state } = taskRun;
  const hasEnded = !isUnderWay(run);
  const isOpen = !ended.includes(state);
  if (!hasEnded && !isOpen) return null;
  return (
    <div className="actions">
      {hasEnded && (
        <Rerun
          run={run}
          name="Rerun from here…"
          title={`Rerun ${id} and all that comes after it?`}
          confirm="Rerun"
          request={{ scope: "nodes", nodes: [id] }}
        >
          The node, with all of its items, and what hangs on it runs again.
        </Rerun>
      )}
      <Mark run={run} taskRun={taskRun} />
    </div>
  );
}

const ended: readonly string[] = ["succeeded", "failed", "upstream_failed", "skipped", "cancelled"];
const outcomes = ["succeeded", "failed", "skipped"] as const;

function Mark({ run, taskRun }: { readonly run: RunSummary; readonly taskRun: TaskRunView }) {
  const [state, setState] = useState<MarkRequest["state"]>(
    taskRun.state === "succeeded" ? "failed" : "succeeded",
  );
  const [output, setOutput] = useState("");
  const given = state === "succeeded" ? parsed(output) : { value: undefined };
  const request: MarkRequest = {
    node: taskRun.id,
    state,
    ...(taskRun.item === "" ? {} : { item: taskRun.item }),
    ...(given.value === undefined ? {} : { output: given.value }),
  };
  return (
    <Ask
      name="Mark…"
      title={`Mark ${nodeName(taskRun)}?`}
      confirm={`Mark it ${state}`}
      act={async () => {
        if (given.fault !== undefined) throw new Error(`The output is not JSON: ${given.fault}`);
        return post(`/runs/${encodeURIComponent(run.id)}/mark`, request);
      }}
      changes={runChanges}
    >
      <p>
        It counts as{" "}
        <select
          className="field"
          aria-label="Its state"
          value={state}
          onChange={({ target: { value } }) => setState(value as MarkRequest["state"])}
        >
          {outcomes.map((outcome) => (
            <option key={outcome} value={outcome}>
              {outcome}
            </option>
          ))}
        </select>
        , whatever it did.
      </p>
      {state === "succeeded" && (
        <label>
          Its output, as JSON
          <textarea
            className="field"
            rows={3}
            value={output}
            placeholder="null"
            onChange={({ target: { value } }) => setOutput(value)}
          />
        </label>
      )}
      {given.fault !== undefined && <p className="note bad">It is not JSON: {given.fault}</p>}
      <ChangePreview run={run.id} path="mark" request={withoutOutput(request)} />
    </Ask>
  );
}

/** What comes after it is decided by its state: the preview need not be asked for again with each letter. */
function withoutOutput({ output: _output, ...rest }: MarkRequest): MarkRequest {
  return rest;
}

function parsed(text: string): { readonly value: Json | undefined; readonly fault?: string } {
  if (text.trim() === "") return { value: undefined };
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { value: undefined, fault: (error as Error).message };
  }
}
